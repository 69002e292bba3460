//! mlplat: the Terraform provider and its command line, in one binary.
//!
//! Start here. Terraform calls what [`registry`] lists; a person calls what [`cli`] lists; both stand on the rest.
//!
//! | module | what lives there |
//! |---|---|
//! | [`registry`] | tables of everything that Terraform can call; nothing else |
//! | [`provider`] | the provider block, and what every resource is given |
//! | [`resources`], [`data_sources`], [`ephemeral`], [`functions`] | one file each: model and what Terraform asks |
//! | [`clients`] | talking to clouds; built on first use |
//! | [`cli`] | one file per command of `mlplat` |
//! | [`clients`] | talking to clouds and clusters |
//! | [`config`] | the process environment: folders and search path; nothing else reads it |
//! | [`services`] | what the components of a local stack are; no I/O |
//! | [`engines`] | the programs that serve: found, or fetched once |
//! | [`runtimes`] | where services run, and talking to them |
//! | [`wait`] | the only polling loop |
//! | [`trust`] | whether only this user can change a folder |
//! | [`published`] | what infrastructure hands to Kubernetes manifests: the contract, its Secrets; files, and objects in a cluster |
//! | [`kustomize`] | kustomizations and their functions: would they run, and building with them |
//! | [`workload`] | what the kubelet would put into a container's environment, from rendered manifests |

mod atomic;
pub mod cli;
pub mod clients;
pub mod config;
pub mod data_sources;
pub mod engines;
pub mod ephemeral;
pub mod functions;
pub mod kustomize;
pub mod provider;
pub mod published;
pub mod registry;
pub mod resources;
pub mod runtimes;
pub mod services;
pub mod trust;
pub mod wait;
pub mod workload;
