//! What Terraform looks up and does not manage.

pub mod aws_s3_bucket;
pub mod environment;
