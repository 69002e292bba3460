//! What is managed on AWS: one file or folder for each resource, and what all of them share.

pub(crate) mod intent;
pub mod s3_bucket;
pub mod tags;
pub mod timeouts;
