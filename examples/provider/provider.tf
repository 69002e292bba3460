terraform {
  required_version = ">= 1.11"

  required_providers {
    mlplat = {
      source  = "mlplat/mlplat"
      version = "~> 0.1"
    }
  }
}

# Local stacks need nothing of this. For AWS, credentials come from where every tool of AWS finds them.
provider "mlplat" {
  aws = {
    region              = "eu-central-1"
    allowed_account_ids = ["123456789012"]
    default_tags        = { tags = { team = "ml" } }
  }
}
