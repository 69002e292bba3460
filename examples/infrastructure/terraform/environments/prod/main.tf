# Layer 1 of the environment "prod". The account, the addresses and the names are an example's: put your own.
provider "mlplat" {
  aws = {
    region              = "eu-central-1"
    allowed_account_ids = ["333333333333"]
    owner               = "artefact-store-prod"
    default_tags        = { tags = { application = "artefact-store", environment = "prod" } }
  }
}

module "environment" {
  source = "../../modules/aws-environment"

  name            = "prod"
  contract_folder = "${path.module}/../../../kubernetes/overlays/prod/contract"

  database = {
    address = "artefacts-prod.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com"
    name    = "artefacts"
    secret  = "artefact-store/prod/postgres"
  }

  cache = {
    address = "master.artefacts-prod.c1a2b3.euc1.cache.amazonaws.com"
    secret  = "artefact-store/prod/redis"
  }

  buckets = {
    prefix = "example-artefacts-prod"
    names  = ["models", "reports"]
  }
}
