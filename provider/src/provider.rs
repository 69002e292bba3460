//! The provider block, and what every resource is given.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tfplug::{Computed, Configure, Diagnostic, Diagnostics, Model};

use crate::clients::aws::{Aws, AwsSettings};
use crate::clients::kubernetes::Clusters;
use crate::config::{Config, ConfigError};
use crate::resources::aws::notes::Notes;
use crate::runtimes::process::{Run, same_folder};

/// The provider `mlplat` makes the infrastructure that applications need and describes it by one endpoint contract. KRM
/// functions inject that contract into Kubernetes manifests, so an application never knows whether it talks to a laptop or
/// to a cloud.
///
/// It creates local stacks of real services and their counterparts on AWS, and publishes the endpoints of services that exist
/// already. A local stack needs no settings, and AWS only a region and credentials, which are found as by every AWS tool.
/// `MLPLAT_CACHE_DIR` (engines) and `MLPLAT_DATA_DIR` (stacks) choose other folders than the user's cache and data folders; the
/// guide [Command line and environment variables](guides/command-line.md) lists all variables.
#[derive(Model, Clone, Debug)]
pub struct Block {
    /// How AWS is reached; see below. Null = as the environment and the shared files say.
    pub aws: Option<AwsSettings>,
}

/// What every resource is given.
#[derive(Debug)]
pub struct Clients {
    /// Where things are on this machine.
    pub config: Config,
    /// AWS; nothing of it is read or called before a resource asks.
    pub aws: Aws,
    /// What was noted of buckets that are being made.
    pub(crate) bucket_notes: Notes,
    /// Kubernetes clusters, each opened when it is first needed.
    pub clusters: Clusters,
    /// What this run of Terraform has seen of local stacks.
    pub stacks: Arc<Run>,
    /// Folders of the stacks whose creation was planned in this process.
    stacks_to_come: Mutex<BTreeSet<PathBuf>>,
}

impl Clients {
    /// What resources of this configuration are given.
    #[must_use]
    pub fn new(config: Config, aws: Computed<AwsSettings>) -> Self {
        Self {
            aws: Aws::new(aws, config.clone()),
            bucket_notes: Notes::new(&config, "s3_bucket"),
            config,
            clusters: Clusters::default(),
            stacks: Arc::default(),
            stacks_to_come: Mutex::default(),
        }
    }

    /// Notes that a plan of this process makes the stack in this folder. Who depends on it is planned after it and then
    /// knows that it is absent for now only.
    pub fn announce_stack(&self, dir: &Path) {
        self.stacks_to_come
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(dir.to_path_buf());
    }

    /// Whether a plan of this process makes the stack in this folder.
    #[must_use]
    pub fn stack_is_to_come(&self, dir: &Path) -> bool {
        self.stacks_to_come
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|to_come| same_folder(to_come, dir))
    }
}

/// Makes the clients of a provider block.
pub struct Root(pub Result<Config, ConfigError>);

#[tfplug::async_trait]
impl Configure for Root {
    type Config = Block;
    type Clients = Clients;

    async fn validate(&self, block: &tfplug::Config<Block>) -> Diagnostics {
        Aws::validate(block)
    }

    async fn configure(&self, block: tfplug::Config<Block>) -> Result<Clients, Diagnostics> {
        match &self.0 {
            Ok(config) => Ok(Clients::new(config.clone(), block.get("aws"))),
            Err(error) => Err(Diagnostic::error("The process environment cannot be used")
                .detail(format!("{error}."))
                .into()),
        }
    }
}
