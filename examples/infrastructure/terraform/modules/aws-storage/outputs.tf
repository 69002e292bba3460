output "endpoint" {
  description = "The endpoint of all buckets. The pods' own role gives access."
  value = merge(mlplat_aws_s3_bucket.this[var.names[0]].endpoint, {
    buckets = [for name in var.names : mlplat_aws_s3_bucket.this[name].id]
  })
}
