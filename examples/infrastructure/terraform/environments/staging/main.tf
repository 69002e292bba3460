# Layer 1 of the environment "staging". The account, the addresses and the names are an example's: put your own.
provider "mlplat" {
  aws = {
    region              = "eu-central-1"
    allowed_account_ids = ["222222222222"]
    owner               = "artefact-store-staging"
    default_tags        = { tags = { application = "artefact-store", environment = "staging" } }
  }
}

module "environment" {
  source = "../../modules/aws-environment"

  name            = "staging"
  contract_folder = "${path.module}/../../../kubernetes/overlays/staging/contract"

  database = {
    address = "artefacts-staging.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com"
    name    = "artefacts"
    secret  = "artefact-store/staging/postgres"
  }

  cache = {
    address = "master.artefacts-staging.c1a2b3.euc1.cache.amazonaws.com"
    secret  = "artefact-store/staging/redis"
  }

  buckets = {
    prefix = "example-artefacts-staging"
    names  = ["models", "reports"]
  }
}
