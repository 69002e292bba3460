# The bucket for the remote state of one account, made once, before its environment; see the guide "From the laptop to AWS".
provider "mlplat" {
  aws = { region = var.region }
}

resource "mlplat_aws_s3_bucket" "state" {
  bucket = var.bucket

  lifecycle {
    prevent_destroy = true
  }
}
