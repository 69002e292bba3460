resource "mlplat_local_services" "this" {
  name     = "demo"
  postgres = { database = "artefacts" }
}

# PGHOST, PGPORT, PGDATABASE, PGSSLMODE: what a program on this machine needs beside the password.
output "variables" {
  value = provider::mlplat::render_env(mlplat_local_services.this.endpoints, "host")
}
