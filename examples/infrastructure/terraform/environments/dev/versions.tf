terraform {
  required_version = ">= 1.11"

  required_providers {
    mlplat = {
      source  = "mlplat/mlplat"
      version = "~> 0.1"
    }
  }
}
