output "endpoints" {
  description = "The endpoint contract of this environment."
  value       = module.environment.endpoints
}
