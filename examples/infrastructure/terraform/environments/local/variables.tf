variable "cluster_access" {
  description = "Address of this machine on which pods reach the services. Required for overlays/local; overlays/local-host runs beside the services and does without."
  type        = string
  default     = null
}
