//! What Terraform looks up and does not manage.

pub mod environment;
