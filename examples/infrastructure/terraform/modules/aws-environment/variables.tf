variable "name" {
  description = "Name of the environment, as its overlay calls it."
  type        = string
}

variable "contract_folder" {
  description = "Folder of the overlay into which the contract is written."
  type        = string
}

variable "database" {
  description = "The PostgreSQL server, such as an RDS instance, and the secret in Secrets Manager with its `username` and `password`."
  type = object({
    address  = string
    port     = optional(number, 5432)
    name     = string
    ssl_mode = optional(string, "verify-full")
    secret   = string
  })
}

variable "cache" {
  description = "The Valkey or Redis server, such as an ElastiCache group, and the secret in Secrets Manager with its `password`."
  type = object({
    address = string
    port    = optional(number, 6379)
    tls     = optional(bool, true)
    secret  = string
  })
}

variable "buckets" {
  description = "The buckets to make: what their names start with, and what they end with. The first is the main one."
  type = object({
    prefix        = string
    names         = list(string)
    force_destroy = optional(bool, false)
  })
}

variable "secret_store" {
  description = "The ClusterSecretStore of the cluster that reads Secrets Manager."
  type        = string
  default     = "aws-secrets-manager"
}
