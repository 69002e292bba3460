//! `inject-endpoints`: gives every selected container the variables of an environment's endpoints.
//!
//! | module | what lives there |
//! |---|---|
//! | `config` | the `spec` of kind InjectEndpoints |
//! | `own`, `variables` | what goes into `env`, and what into the ConfigMap |
//! | `meant` | which containers get it |
//! | `environment` | one container's `env`: what is there, what is to come, in which order |
//! | `env_from` | one container's `envFrom` |
//! | `missing` | whether Secrets and ConfigMaps that are referred to are there |
//! | `provenance` | the annotation that says where values come from |
//! | `config_map` | the ConfigMap without which the pods do not start |
//! | `inject` | the function: all of that, in turn |

mod asking;
mod config;
mod config_map;
mod env_from;
mod environment;
mod inject;
mod meant;
mod missing;
mod own;
mod provenance;
mod variables;

fn main() -> std::process::ExitCode {
    krm_fn::main(&inject::InjectEndpoints)
}
