# The laptop's twins of RDS, ElastiCache and S3: real services as plain processes of this user.
resource "mlplat_local_services" "this" {
  name           = var.name
  runtime        = "process"
  cluster_access = var.cluster_access

  postgres = {
    port     = var.ports.postgres
    database = var.database
  }

  redis = {
    port = var.ports.redis
  }

  object_store = {
    port    = var.ports.object_store
    buckets = var.buckets
  }
}
