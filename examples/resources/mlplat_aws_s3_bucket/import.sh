# By the bucket's name; by NAME@REGION when it is in another region than the provider block names.
terraform import mlplat_aws_s3_bucket.models acme-models
