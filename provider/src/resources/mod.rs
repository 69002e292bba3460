//! What Terraform manages, and the models that resources share.

pub mod aws;
pub mod credentials;
pub mod endpoints;
pub mod environment;
pub mod local_services;
