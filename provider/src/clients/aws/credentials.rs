//! Where credentials come from: the provider block, a profile, the environment, the machine; and the role assumed with them.

use std::future::Future;
use std::time::{Duration, SystemTime};

use aws_config::ConfigLoader;
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
#[allow(deprecated, reason = "the loader takes this name of the type")]
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::error::DisplayErrorContext;
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};

use super::settings::{AssumeRole, AssumeRoleWithWebIdentity};
use super::{AwsError, AwsSettings, rules};

const SESSION: &str = "mlplat";

/// The shared files that the settings name; `None` = the usual ones.
#[allow(deprecated, reason = "the loader takes this name of the type")]
pub(super) fn profile_files(settings: &AwsSettings) -> Option<ProfileFiles> {
    let (configs, secrets) = (&settings.shared_config_files, &settings.shared_credentials_files);
    if configs.is_none() && secrets.is_none() {
        return None;
    }
    let mut files = ProfileFiles::builder()
        .include_default_config_file(configs.is_none())
        .include_default_credentials_file(secrets.is_none());
    for path in configs.iter().flatten() {
        files = files.with_file(ProfileFileKind::Config, path);
    }
    for path in secrets.iter().flatten() {
        files = files.with_file(ProfileFileKind::Credentials, path);
    }
    Some(files.build())
}

/// The SDK's configuration with the credentials that the settings name, else the usual chain.
pub(super) async fn load(mut loader: ConfigLoader, settings: &AwsSettings) -> SdkConfig {
    if let Some(files) = profile_files(settings) {
        loader = loader.profile_files(files);
    }
    if let Some(name) = &settings.profile {
        loader = loader.profile_name(name);
    }
    if let (Some(id), Some(secret)) = (&settings.access_key, &settings.secret_key) {
        let token = settings.token.as_ref().map(|token| token.expose().to_owned());
        loader = loader.credentials_provider(Credentials::new(id, secret.expose(), token, None, "provider block"));
    } else if settings.profile.is_some() {
        loader = loader.credentials_provider(profile(settings));
    } else if settings.skip_metadata_api_check == Some(true) {
        let chain = CredentialsProviderChain::first_try("environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("profile", profile(settings))
            .or_else("web identity", WebIdentityTokenCredentialsProvider::builder().build())
            .or_else("container", EcsCredentialsProvider::builder().build());
        loader = loader.credentials_provider(chain);
    }
    loader.load().await
}

/// A profile that is named is meant: it comes before the environment's keys.
fn profile(settings: &AwsSettings) -> ProfileFileCredentialsProvider {
    let mut provider = ProfileFileCredentialsProvider::builder();
    if let Some(files) = profile_files(settings) {
        provider = provider.profile_files(files);
    }
    if let Some(name) = &settings.profile {
        provider = provider.profile_name(name);
    }
    provider.build()
}

/// The same configuration in the role that the settings name.
pub(super) async fn assume(
    settings: &AwsSettings,
    sdk: SdkConfig,
    sts: impl Fn(&SdkConfig) -> Result<aws_sdk_sts::Client, AwsError>,
) -> Result<SdkConfig, AwsError> {
    let role = match (&settings.assume_role, &settings.assume_role_with_web_identity) {
        (Some(role), _) => Role::Assumed(role.clone()),
        (None, Some(role)) => Role::WebIdentity(role.clone()),
        (None, None) => return Ok(sdk),
    };
    let provider = RoleProvider { sts: sts(&sdk)?, role };
    Ok(sdk
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .build())
}

#[derive(Debug)]
enum Role {
    Assumed(AssumeRole),
    WebIdentity(AssumeRoleWithWebIdentity),
}

/// Asks STS for the credentials of a role, each time that the SDK finds those it has to be old.
#[derive(Debug)]
struct RoleProvider {
    sts: aws_sdk_sts::Client,
    role: Role,
}

impl ProvideCredentials for RoleProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match &self.role {
                Role::Assumed(role) => self.assumed(role).await,
                Role::WebIdentity(role) => self.web_identity(role).await,
            }
        })
    }
}

impl RoleProvider {
    async fn assumed(&self, role: &AssumeRole) -> Result<Credentials, CredentialsError> {
        let tags = role.tags.iter().flatten().map(|(key, value)| {
            let tag = Tag::builder().key(key).value(value).build();
            tag.map_err(CredentialsError::invalid_configuration)
        });
        let tags = tags.collect::<Result<Vec<_>, _>>()?;
        let call = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_source_identity(role.source_identity.clone())
            .set_duration_seconds(seconds(role.duration.as_deref()))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role.policy_arns.as_ref()))
            .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
            .set_transitive_tag_keys(role.transitive_tag_keys.clone().map(|keys| keys.into_iter().collect()));
        credentials(&role.role_arn, async {
            Ok(call.send().await.map_err(refused)?.credentials)
        })
        .await
    }

    async fn web_identity(&self, role: &AssumeRoleWithWebIdentity) -> Result<Credentials, CredentialsError> {
        let token = match (&role.web_identity_token, &role.web_identity_token_file) {
            (Some(token), _) => token.expose().to_owned(),
            (None, Some(path)) => tokio::fs::read_to_string(path).await.map_err(|error| {
                CredentialsError::invalid_configuration(format!("the token file {path} cannot be read: {error}"))
            })?,
            (None, None) => return Err(CredentialsError::invalid_configuration("no token is given")),
        };
        let call = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .web_identity_token(token.trim())
            .set_duration_seconds(seconds(role.duration.as_deref()))
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(role.policy_arns.as_ref()));
        credentials(&role.role_arn, async {
            Ok(call.send().await.map_err(refused)?.credentials)
        })
        .await
    }
}

fn seconds(duration: Option<&str>) -> Option<i32> {
    i32::try_from(rules::duration(duration?)?.as_secs()).ok()
}

fn policies(arns: Option<&std::collections::BTreeSet<String>>) -> Option<Vec<PolicyDescriptorType>> {
    arns.map(|arns| {
        arns.iter()
            .map(|arn| PolicyDescriptorType::builder().arn(arn).build())
            .collect()
    })
}

fn refused(error: impl std::error::Error) -> CredentialsError {
    CredentialsError::provider_error(DisplayErrorContext(&error).to_string())
}

async fn credentials(
    role: &str,
    answer: impl Future<Output = Result<Option<aws_sdk_sts::types::Credentials>, CredentialsError>>,
) -> Result<Credentials, CredentialsError> {
    let answer = answer.await?;
    let found = answer.ok_or_else(|| CredentialsError::unhandled(format!("STS gave no credentials of {role}")))?;
    let seconds = u64::try_from(found.expiration.secs()).unwrap_or_default();
    Ok(Credentials::new(
        found.access_key_id,
        found.secret_access_key,
        Some(found.session_token),
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
        "assumed role",
    ))
}
