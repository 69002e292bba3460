variable "bucket" {
  description = "Name of the bucket, as backend.tf of the environment has it."
  type        = string
}

variable "region" {
  description = "Region of the bucket."
  type        = string
  default     = "eu-central-1"
}
