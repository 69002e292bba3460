resource "mlplat_local_services" "this" {
  name     = "demo"
  postgres = { database = "artefacts" }
}

ephemeral "mlplat_credentials" "this" {
  name = mlplat_local_services.this.name
}

resource "mlplat_environment" "this" {
  name      = "local"
  endpoints = mlplat_local_services.this.endpoints

  contract_file = "${path.module}/overlays/local/endpoints.yaml"
  secret_file   = "${path.module}/overlays/local/secret.yaml"

  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}
