//! `validate-practices`: checks workloads, their surroundings and RBAC against good practices; what must be an
//! exception is waived by name, with a reason and a last day.
//!
//! | module | what lives there |
//! |---|---|
//! | `config` | the `spec` of kind ValidatePractices |
//! | `date` | days, and today |
//! | `labels` | label selectors of Kubernetes objects |
//! | `cluster` | what the rules look up: workloads and the objects around them |
//! | `rules` | the table of rules, one file for each |
//! | `waivers` | who is excused, and until when |
//! | `validate` | the function: all of that, in turn |

mod cluster;
mod config;
mod date;
mod labels;
mod rules;
mod validate;
mod waivers;

fn main() -> std::process::ExitCode {
    krm_fn::main(&validate::ValidatePractices)
}
