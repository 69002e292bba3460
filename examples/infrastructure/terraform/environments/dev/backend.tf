# The state lies in a bucket of the account, which bootstrap makes. A second apply at once finds the lock file and is refused.
terraform {
  backend "s3" {
    bucket       = "example-artefacts-dev-terraform-state"
    key          = "artefact-store/dev.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}
