# The contract that another configuration published.
data "mlplat_environment" "staging" {
  contract_file = "${path.module}/overlays/staging/endpoints.yaml"
}

output "database_host" {
  value = data.mlplat_environment.staging.endpoints.postgres.host.address
}

# The same from the cluster into which it was published.
data "mlplat_environment" "in_cluster" {
  kubernetes = {
    kubeconfig = pathexpand("~/.kube/config")
    context    = "kind-demo"
    namespace  = "mlplat-demo"
  }
}
