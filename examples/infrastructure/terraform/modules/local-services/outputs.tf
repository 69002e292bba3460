output "name" {
  description = "Name of the stack, known once its services run."
  value       = mlplat_local_services.this.name
}

output "endpoints" {
  description = "The endpoint contract: where the services are reached. Credentials are references, never values."
  value       = mlplat_local_services.this.endpoints
}
