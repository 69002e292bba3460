//! What is managed on AWS: one file or folder for each resource, and what all of them share.

pub(crate) mod notes;
pub mod s3_bucket;
pub mod tags;
pub mod timeouts;

/// Terraform has every answer of this process and has ended it in its own time: nothing of this run was cut off.
pub fn dismissed(config: &crate::config::Config) {
    notes::dismissed(config);
}
