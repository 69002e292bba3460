resource "mlplat_local_services" "this" {
  name     = "demo"
  postgres = { database = "artefacts" }
}

output "contract" {
  value = provider::mlplat::render_endpoints("local", mlplat_local_services.this.endpoints)
}
