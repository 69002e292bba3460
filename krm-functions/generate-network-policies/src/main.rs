//! `generate-network-policies`: limits the egress of workloads to an environment's endpoints and DNS.
//!
//! | module | what lives there |
//! |---|---|
//! | `config` | the `spec` of kind GenerateNetworkPolicies |
//! | `network` | IP networks as they are written in CIDR notation |
//! | `egress` | the contract's addresses and ports as rules |
//! | `targets` | the workloads that get a policy, and the labels of their pods |
//! | `mismatch` | variables that lead elsewhere |
//! | `policy` | one NetworkPolicy: made, or brought up to date |
//! | `wide` | other policies beside which ours limits nothing |
//! | `generate` | the function: all of that, in turn |

mod config;
mod egress;
mod generate;
mod mismatch;
mod network;
mod policy;
mod targets;
mod wide;

fn main() -> std::process::ExitCode {
    krm_fn::main(&generate::GenerateNetworkPolicies)
}
