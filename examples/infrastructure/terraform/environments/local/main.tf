# Layer 1 of the environment "local": real services on this machine, and their contract for the overlay.
provider "mlplat" {}

module "services" {
  source = "../../modules/local-services"

  name           = "mlplat-demo"
  database       = "artefacts"
  buckets        = ["models", "reports"]
  cluster_access = var.cluster_access
}

# The passwords pass through here on their way into the Secret manifest; they are in no state and no plan.
ephemeral "mlplat_credentials" "this" {
  name = module.services.name
}

# What layer 2 reads: the contract (addresses, and references to credentials) and the Secret that it refers to.
resource "mlplat_environment" "this" {
  name      = "local"
  endpoints = module.services.endpoints

  contract_file = "${path.module}/../../../kubernetes/overlays/local/contract/endpoints.yaml"
  secret_file   = "${path.module}/../../../kubernetes/overlays/local/contract/secret.yaml"

  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}
