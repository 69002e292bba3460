//! mlplat: the Terraform provider and its command line, in one binary.
//!
//! Start here. Terraform calls what [`registry`] lists; a person calls what [`cli`] lists; both stand on the rest.
//!
//! | module | what lives there |
//! |---|---|
//! | [`config`] | the process environment: folders and search path; nothing else reads it |
//! | [`cli`] | one file per command of `mlplat` |
//! | [`workload`] | what the kubelet would put into a container's environment, from rendered manifests |

pub mod cli;
pub mod config;
pub mod workload;
