//! `inject-endpoints`: gives every selected container the variables of an environment's endpoints.
//!
//! | module | what lives there |
//! |---|---|
//! | `config` | the `spec` of kind InjectEndpoints |
//! | `variables` | what goes into `env`, and what into the ConfigMap |
//! | `environment` | one container's `env`: what is there, what is to come, in which order |
//! | `config_map` | the ConfigMap without which the pods do not start |
//! | `inject` | the function: all of that, in turn |

mod config;
mod config_map;
mod environment;
mod inject;
mod variables;

fn main() -> std::process::ExitCode {
    krm_fn::main(&inject::InjectEndpoints)
}
