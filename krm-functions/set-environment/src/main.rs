//! `set-environment`: sets what differs between the environments of one application.
//!
//! | module | what lives there |
//! |---|---|
//! | `config` | the `spec` of kind SetEnvironment, and what it must not say |
//! | `meant` | which objects an entry takes, and that it takes any |
//! | `work` | edits that do nothing where nothing is to change, and errors that name object and field |
//! | `images` | registries |
//! | `services`, `node_ports` | exposure of Services |
//! | `ingresses`, `ingress_plan` | class, annotations and TLS of Ingresses |
//! | `storage` | storage classes of claims |
//! | `log_levels` | one variable of containers |
//! | `workloads`, `quantity`, `spark` | replicas and resources |
//! | `environment` | the function: all of that, in turn |

mod config;
mod environment;
mod images;
mod ingress_plan;
mod ingresses;
mod log_levels;
mod meant;
mod node_ports;
mod quantity;
mod services;
mod spark;
mod storage;
mod work;
mod workloads;

fn main() -> std::process::ExitCode {
    krm_fn::main(&environment::SetEnvironment)
}
