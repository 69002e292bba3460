variable "name" {
  description = "Name of the stack; several stacks with different names run side by side."
  type        = string
}

variable "database" {
  description = "Database that the applications use; it is created when it is not there."
  type        = string
}

variable "buckets" {
  description = "Buckets of the object store; the first one is what applications see as S3_BUCKET."
  type        = list(string)
}

variable "ports" {
  description = "Fixed ports per service. A port that is left out is chosen once and then stays."
  type = object({
    postgres     = optional(number)
    redis        = optional(number)
    object_store = optional(number)
  })
  default = {}
}

variable "cluster_access" {
  description = "Address of this machine on which pods reach the services, such as the gateway of kind's bridge. Null: pods do not reach them, and endpoints have no `cluster` view."
  type        = string
  default     = null
}
