resource "mlplat_local_services" "this" {
  name = "demo"

  postgres     = { database = "artefacts" }
  redis        = {}
  object_store = { buckets = ["models", "reports"] }
}

ephemeral "mlplat_credentials" "this" {
  name = mlplat_local_services.this.name
}

resource "mlplat_environment" "this" {
  name      = "local"
  endpoints = mlplat_local_services.this.endpoints

  # Both files lie in the overlay; secret.yaml is git-ignored there.
  contract_file = "${path.module}/overlays/local/endpoints.yaml"
  secret_file   = "${path.module}/overlays/local/secret.yaml"

  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}

# The same into a cluster: the contract as a ConfigMap, and the Secrets that it refers to.
resource "mlplat_environment" "in_cluster" {
  name      = "local"
  endpoints = mlplat_local_services.this.endpoints

  kubernetes = {
    kubeconfig = pathexpand("~/.kube/config")
    context    = "kind-demo"
    namespace  = "mlplat-demo"
  }

  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}

# Endpoints of services that something else runs.
resource "mlplat_environment" "external" {
  name          = "staging"
  contract_file = "${path.module}/overlays/staging/endpoints.yaml"

  endpoints = {
    postgres = {
      host        = { address = "db.staging.example.com", port = 5432 }
      cluster     = { address = "db.staging.example.com", port = 5432 }
      database    = "artefacts"
      ssl_mode    = "verify-full"
      credentials = { secret_name = "staging-db" }
    }
  }
}
