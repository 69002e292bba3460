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

output "endpoints" {
  value = mlplat_local_services.this.endpoints
}
