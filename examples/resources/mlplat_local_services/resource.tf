resource "mlplat_local_services" "this" {
  name = "demo"

  postgres     = { database = "artefacts" }
  redis        = {}
  object_store = { buckets = ["models", "reports"] }
}

# A second stack beside it, with fixed ports and a first row in the database.
resource "mlplat_local_services" "review" {
  name = "review"

  postgres = {
    version  = "15"
    port     = 15432
    database = "artefacts"
    seed_sql = "CREATE TABLE greeting (text text); INSERT INTO greeting VALUES ('hello');"
  }

  redis = {
    port             = 16379
    maxmemory_mb     = 64
    maxmemory_policy = "allkeys-lru"
  }
}

# With vectors: the extension is made before the seed runs.
resource "mlplat_local_services" "search" {
  name = "search"

  postgres = {
    version    = "18"
    extensions = ["vector"]
    seed_sql   = "CREATE TABLE items (id int PRIMARY KEY, embedding vector(3));"
  }
}

# Services that pods of a cluster on this machine reach: on the gateway of its bridge, and with their passwords.
resource "mlplat_local_services" "for_pods" {
  name           = "for-pods"
  cluster_access = "172.18.0.1"

  cluster = {
    existing = {
      kubeconfig = pathexpand("~/.kube/config")
      context    = "kind-demo"
    }
  }

  postgres = { database = "artefacts" }
}

output "endpoints" {
  value = mlplat_local_services.this.endpoints
}
