# The object store's twin on AWS: buckets that are private, encrypted, versioned and reached over TLS only.
resource "mlplat_aws_s3_bucket" "this" {
  for_each = toset(var.names)

  bucket        = "${var.prefix}-${each.key}"
  force_destroy = var.force_destroy
}
