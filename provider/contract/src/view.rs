//! From where an endpoint is reached.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The side from which an endpoint is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// From a shell or a process on the machine that runs Terraform.
    Host,
    /// From a pod of the cluster.
    #[default]
    Cluster,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Cluster => "cluster",
        })
    }
}
