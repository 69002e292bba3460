//! `mlplat_credentials`: the way of a local stack's passwords into write-only arguments.

use std::path::{Path, PathBuf};

use tfplug::{Computed, Context, Diagnostic, Diagnostics, Ephemeral, Model, Opened};

use crate::provider::Clients;
use crate::resources::credentials::{Credentials, PostgresCredentials, RedisCredentials, S3Credentials};
use crate::runtimes::process::{self, StackError};

/// The user names, passwords and access keys of a local stack, for write-only arguments such as `credentials_wo` of
/// `mlplat_environment`. They are in no plan and no state.
///
/// Name the stack through its resource (`mlplat_local_services.this.name`), so that it is made first. While it is only
/// planned its credentials are unknown, which Terraform carries through the plan.
#[derive(Model, Clone, Debug)]
pub struct StackCredentials {
    /// Name of the stack, as in `mlplat_local_services`.
    pub name: String,
    /// Folder of the stack, absolute, when `mlplat_local_services` sets one.
    #[model(validate = absolute)]
    pub data_dir: Option<String>,
    /// One entry per component of the stack that asks for credentials.
    pub credentials: Computed<Credentials>,
}

/// The ephemeral resource.
pub struct CredentialsEphemeral;

#[tfplug::async_trait]
impl Ephemeral for CredentialsEphemeral {
    type Model = StackCredentials;
    type Clients = Clients;

    const TYPE: &'static str = "credentials";

    async fn open(
        &self,
        context: &Context<Clients>,
        config: StackCredentials,
    ) -> Result<Opened<StackCredentials>, Diagnostics> {
        let clients = context.clients();
        let dir = config
            .data_dir
            .as_ref()
            .map_or_else(|| clients.config.stack_dir(&config.name), PathBuf::from);
        let credentials = match process::credentials(&dir) {
            Ok(found) => Computed::Known(found.into()),
            // Planned, not made yet: unknown, like everything else of it. The same resource is opened again after that.
            Err(StackError::Absent { .. }) if clients.stack_is_to_come(&dir) => Computed::Unknown,
            Err(error) => {
                return Err(Diagnostic::error(format!(
                    "The credentials of the stack {:?} cannot be read",
                    config.name
                ))
                .detail(format!("{error}."))
                .at(if config.data_dir.is_some() { "data_dir" } else { "name" })
                .into());
            }
        };
        Ok(StackCredentials { credentials, ..config }.into())
    }
}

impl From<process::Credentials> for Credentials {
    fn from(found: process::Credentials) -> Self {
        Self {
            postgres: found.postgres.map(|login| PostgresCredentials {
                username: login.user,
                password: login.secret,
            }),
            redis: found.redis.map(|login| RedisCredentials {
                username: Some(login.user),
                password: login.secret,
            }),
            s3: found.object_store.map(|login| S3Credentials {
                access_key_id: login.user,
                secret_access_key: login.secret,
            }),
        }
    }
}

fn absolute(path: &str) -> Result<(), String> {
    if Path::new(path).is_absolute() && !path.chars().any(char::is_control) {
        Ok(())
    } else {
        Err("must be an absolute path, without control characters".into())
    }
}
