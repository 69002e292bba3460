variable "prefix" {
  description = "What the buckets' names start with; names of buckets are unique in all of AWS."
  type        = string
}

variable "names" {
  description = "What they end with; the first bucket is what applications see as S3_BUCKET."
  type        = list(string)
}

variable "force_destroy" {
  description = "Whether a destroy deletes the objects too."
  type        = bool
  default     = false
}
