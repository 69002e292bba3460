# One environment on AWS: its buckets, the database and the cache that exist already, and the contract for the overlay.
module "storage" {
  source = "../aws-storage"

  prefix        = var.buckets.prefix
  names         = var.buckets.names
  force_destroy = var.buckets.force_destroy
}

locals {
  # The Secret of the pods, made by the External Secrets Operator. Terraform never sees a credential.
  secret_name = "mlplat-credentials"
}

resource "mlplat_environment" "this" {
  name          = var.name
  contract_file = "${var.contract_folder}/endpoints.yaml"

  endpoints = {
    postgres = {
      host        = { address = var.database.address, port = var.database.port }
      cluster     = { address = var.database.address, port = var.database.port }
      database    = var.database.name
      ssl_mode    = var.database.ssl_mode
      credentials = { secret_name = local.secret_name, url_key = "postgres.url" }
    }

    redis = {
      host        = { address = var.cache.address, port = var.cache.port }
      cluster     = { address = var.cache.address, port = var.cache.port }
      tls         = var.cache.tls
      credentials = { secret_name = local.secret_name, url_key = "redis.url" }
    }

    s3 = module.storage.endpoint
  }

  external_secret = {
    file             = "${var.contract_folder}/external-secret.yaml"
    secret_store_ref = { name = var.secret_store }
    postgres         = { key = var.database.secret }
    redis            = { key = var.cache.secret, password_property = "password" }
  }
}
