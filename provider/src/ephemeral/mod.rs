//! What is there during one run of Terraform and in no plan and no state.

pub mod credentials;
