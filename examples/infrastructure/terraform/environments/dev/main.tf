# Layer 1 of the environment "dev". The account, the addresses and the names are an example's: put your own.
provider "mlplat" {
  aws = {
    region              = "eu-central-1"
    allowed_account_ids = ["111111111111"]
    owner               = "artefact-store-dev"
    default_tags        = { tags = { application = "artefact-store", environment = "dev" } }
  }
}

module "environment" {
  source = "../../modules/aws-environment"

  name            = "dev"
  contract_folder = "${path.module}/../../../kubernetes/overlays/dev/contract"

  database = {
    address = "artefacts-dev.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com"
    name    = "artefacts"
    secret  = "artefact-store/dev/postgres"
  }

  cache = {
    address = "master.artefacts-dev.c1a2b3.euc1.cache.amazonaws.com"
    secret  = "artefact-store/dev/redis"
  }

  buckets = {
    prefix        = "example-artefacts-dev"
    names         = ["models", "reports"]
    force_destroy = true # what dev holds can be made again
  }
}
