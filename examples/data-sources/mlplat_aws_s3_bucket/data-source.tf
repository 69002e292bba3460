data "mlplat_aws_s3_bucket" "datasets" {
  bucket = "acme-datasets"
}

# It is read only, and publishes like a bucket of one's own.
output "endpoint" {
  value = data.mlplat_aws_s3_bucket.datasets.endpoint
}
