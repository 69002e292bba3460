resource "mlplat_aws_s3_bucket" "models" {
  bucket = "acme-models"

  # Nothing public, encrypted, versioned, TLS only: that is how it is unless an argument says otherwise.

  lifecycle_rule = [
    {
      id                                = "expire-old-versions"
      noncurrent_version_expiration     = { noncurrent_days = 30 }
      abort_incomplete_multipart_upload = { days_after_initiation = 7 }
    },
    {
      id         = "archive-runs"
      filter     = { prefix = "runs/" }
      transition = [{ days = 90, storage_class = "GLACIER_IR" }]
      expiration = { days = 730 }
    },
  ]

  tags = { team = "ml" }
}

# The overlay `prod` finds the bucket as the overlay `local` finds the store on the laptop.
resource "mlplat_environment" "prod" {
  name          = "prod"
  contract_file = "${path.module}/endpoints.yaml"
  endpoints     = { s3 = mlplat_aws_s3_bucket.models.endpoint }
}
