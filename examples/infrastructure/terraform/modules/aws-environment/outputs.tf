output "endpoints" {
  description = "The endpoint contract of this environment."
  value       = mlplat_environment.this.endpoints
}
