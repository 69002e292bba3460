# By the path of the contract file, as `contract_file` spells it.
terraform import mlplat_environment.this overlays/local/endpoints.yaml
