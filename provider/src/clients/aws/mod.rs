//! AWS: settings, credentials and clients of its services. Only this folder and `resources/aws` name the SDK.

mod attempts;
mod credentials;
pub(crate) mod endpoints;
mod error;
mod http;
mod owner;
mod regions;
pub(crate) mod rules;
mod settings;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use tfplug::{Computed, Diagnostic, Diagnostics};
use tokio::sync::OnceCell;

pub use self::attempts::Attempts;
use self::attempts::NotAgain;
use self::endpoints::{Endpoint, Service};
pub use self::error::{AwsError, Problem};
use self::owner::ExpectedOwner;
pub use self::settings::{AwsSettings, DefaultTags, IgnoreTags};
use crate::config::Config;

/// How often a call is tried when nobody says.
const MAX_ATTEMPTS: u32 = 25;
/// A call that hangs is given up after this, and tried again.
const ATTEMPT: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(5);
/// How long an error waits for the name of the caller.
const NAMING: Duration = Duration::from_secs(5);
/// Whose resources are when nobody says.
const OWNER: &str = "mlplat";

/// AWS as the provider block describes it. Nothing is read, built or called before a resource asks.
pub struct Aws {
    given: Computed<AwsSettings>,
    config: Config,
    sdk: OnceCell<SdkConfig>,
    caller: OnceCell<Caller>,
}

/// Whose the credentials are.
#[derive(Clone, Debug)]
struct Caller {
    account: String,
    arn: String,
}

impl Aws {
    /// AWS as these settings say; unknown ones are an error when a client is needed.
    #[must_use]
    pub fn new(given: Computed<AwsSettings>, config: Config) -> Self {
        Self {
            given,
            config,
            sdk: OnceCell::new(),
            caller: OnceCell::new(),
        }
    }

    /// What concerns more than one argument of `aws`.
    #[must_use]
    pub fn validate(config: &tfplug::Config<crate::provider::Block>) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        if let Computed::Known(region) = config.get::<String>("aws.region")
            && !matches!(
                config.get::<bool>("aws.skip_region_validation"),
                Computed::Known(true) | Computed::Unknown
            )
            && let Err(problem) = regions::check(&region)
        {
            let told = Diagnostic::error("Invalid value for `aws.region`").detail(format!("{problem}."));
            diagnostics.push(told.at("aws.region"));
        }
        if config.is_set("aws.assume_role_with_web_identity") && config.is_set("aws.access_key") {
            diagnostics.push(
                Diagnostic::error("`access_key` and `assume_role_with_web_identity` cannot both be set")
                    .detail("A web identity needs no key. To fix: remove one of them.")
                    .at("aws.access_key"),
            );
        }
        diagnostics
    }

    fn settings(&self) -> Result<AwsSettings, AwsError> {
        match &self.given {
            Computed::Known(settings) => Ok(settings.clone()),
            Computed::Null => Ok(AwsSettings::default()),
            Computed::Unknown => Err(AwsError::NotYetKnown),
        }
    }

    fn is_on(&self, flag: fn(&AwsSettings) -> Option<bool>) -> bool {
        self.given.known().and_then(flag).unwrap_or_default()
    }

    /// The region of resources that name none.
    ///
    /// # Errors
    /// When nothing names one.
    pub async fn region(&self) -> Result<String, AwsError> {
        let settings = self.settings()?;
        let variable = || {
            ["AWS_REGION", "AWS_DEFAULT_REGION"]
                .iter()
                .find_map(|name| self.variable(name))
        };
        if let Some(region) = settings.region.clone().or_else(variable) {
            return Ok(region);
        }
        let mut profile = ProfileFileRegionProvider::builder();
        if let Some(name) = &settings.profile {
            profile = profile.profile_name(name);
        }
        if let Some(files) = credentials::profile_files(&settings) {
            profile = profile.profile_files(files);
        }
        let found = aws_config::meta::region::ProvideRegion::region(&profile.build()).await;
        found.map(|region| region.to_string()).ok_or(AwsError::NoRegion)
    }

    /// Whether AWS has this region, as far as it is to be checked: a store of others has names of its own, unless the
    /// configuration gives one to a resource.
    ///
    /// # Errors
    /// With what is wrong with the name.
    pub async fn check_region(&self, region: &str, given: bool) -> Result<(), String> {
        let skipped = self.is_on(|settings| settings.skip_region_validation);
        if skipped || (!given && self.is_a_store_of_others().await) {
            return Ok(());
        }
        regions::check(region)
    }

    /// Whether S3 is called somewhere else than at AWS.
    pub async fn is_a_store_of_others(&self) -> bool {
        matches!(self.endpoint(Service::S3).await, Ok(Some(_)))
    }

    /// What the user should know of the way to AWS before anything is changed there.
    ///
    /// # Errors
    /// When that way is not taken.
    pub async fn warnings(&self) -> Result<Vec<Diagnostic>, AwsError> {
        let settings = self.settings()?;
        let mut warnings = Vec::new();
        for service in Service::ALL {
            let Some(endpoint) = self.endpoint(service).await? else {
                continue;
            };
            endpoint.admit(&settings)?;
            warnings.extend(endpoint.warning());
        }
        Ok(warnings)
    }

    /// The account of the credentials; `None` when it was not to be asked for, or not yet.
    #[must_use]
    pub fn account(&self) -> Option<String> {
        let caller = self.caller.get()?;
        let asked = !self.is_on(|settings| settings.skip_requesting_account_id);
        asked
            .then(|| caller.account.clone())
            .filter(|account| !account.is_empty())
    }

    /// Whether everything that a plan needs is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.given.is_unknown()
    }

    /// Tags of every resource.
    #[must_use]
    pub fn default_tags(&self) -> BTreeMap<String, String> {
        let tags = self.given.known().and_then(|settings| settings.default_tags.as_ref());
        tags.map(|default| default.tags.clone()).unwrap_or_default()
    }

    /// Whether others set this tag.
    #[must_use]
    pub fn ignores_tag(&self, key: &str) -> bool {
        let ignored = self.given.known().and_then(|settings| settings.ignore_tags.as_ref());
        ignored.is_some_and(|ignored| {
            ignored.keys.iter().flatten().any(|ignored| ignored == key)
                || ignored
                    .key_prefixes
                    .iter()
                    .flatten()
                    .any(|prefix| key.starts_with(prefix.as_str()))
        })
    }

    /// Whose resources are, as their owner tag says it.
    #[must_use]
    pub fn owner(&self) -> &str {
        let owner = self.given.known().and_then(|settings| settings.owner.as_deref());
        owner.unwrap_or(OWNER)
    }

    /// Whether the owner is one that the configuration names, not everybody's.
    #[must_use]
    pub fn has_own_owner(&self) -> bool {
        self.owner() != OWNER
    }

    /// Whether buckets stand in the path.
    #[must_use]
    pub fn path_style(&self) -> bool {
        self.is_on(|settings| settings.s3_use_path_style)
    }

    /// The URL of S3 in a region.
    ///
    /// # Errors
    /// When the settings are not known yet, or make no sense.
    pub async fn s3_url(&self, region: &str) -> Result<String, AwsError> {
        let sdk = self.sdk().await?;
        if let Some(endpoint) = self.admitted(Service::S3).await? {
            return Ok(endpoint.url.trim_end_matches('/').to_owned());
        }
        let fips = if sdk.use_fips().unwrap_or_default() {
            "-fips"
        } else {
            ""
        };
        let dual = if sdk.use_dual_stack().unwrap_or_default() {
            ".dualstack"
        } else {
            ""
        };
        Ok(format!("https://s3{fips}{dual}.{region}.{}", dns_suffix(region)))
    }

    /// A client of S3 in a region, and what its attempts meet. Buckets are expected to belong to `owner`; `None` = to the
    /// account of the credentials, if that is known.
    ///
    /// # Errors
    /// When there are no credentials, they are not valid, or their account is not allowed.
    pub async fn s3(&self, region: &str, owner: Option<String>) -> Result<(aws_sdk_s3::Client, Attempts), AwsError> {
        self.admit().await?;
        let sdk = self.sdk().await?;
        let attempts = Attempts::default();
        let mut config = aws_sdk_s3::config::Builder::from(sdk)
            .region(Region::new(region.to_owned()))
            .force_path_style(self.path_style())
            .retry_classifier(NotAgain(attempts.clone()))
            .interceptor(attempts.clone());
        if let Some(endpoint) = self.admitted(Service::S3).await? {
            config = config.endpoint_url(endpoint.url);
        }
        if let Some(owner) = owner.or_else(|| self.account()) {
            config = config.interceptor(ExpectedOwner(owner));
        }
        Ok((aws_sdk_s3::Client::from_conf(config.build()), attempts))
    }

    /// An error in words, with who was refused.
    pub async fn explain(&self, summary: impl Into<String>, error: &AwsError) -> Diagnostic {
        let caller = match error.problem() {
            Some(Problem::Denied) if !self.is_on(|settings| settings.skip_requesting_account_id) => {
                let caller = tokio::time::timeout(NAMING, self.caller()).await;
                caller.ok().and_then(Result::ok).map(|caller| caller.arn.clone())
            }
            _ => None,
        };
        let who = caller.map_or_else(String::new, |arn| format!(" The caller is {arn}."));
        Diagnostic::error(summary).detail(format!("{error}.{who}"))
    }

    /// Checks credentials and account once.
    async fn admit(&self) -> Result<(), AwsError> {
        let settings = self.settings()?;
        let lists = settings.allowed_account_ids.is_some() || settings.forbidden_account_ids.is_some();
        if !lists && self.is_on(|settings| settings.skip_credentials_validation) {
            return Ok(());
        }
        let caller = self.caller().await?;
        let allowed = settings.allowed_account_ids.as_ref();
        let forbidden = settings.forbidden_account_ids.as_ref();
        if allowed.is_some_and(|ids| !ids.contains(&caller.account))
            || forbidden.is_some_and(|ids| ids.contains(&caller.account))
        {
            return Err(AwsError::Account {
                account: caller.account.clone(),
            });
        }
        Ok(())
    }

    async fn caller(&self) -> Result<&Caller, AwsError> {
        self.caller
            .get_or_try_init(|| async {
                let answer = self.sts(self.sdk().await?)?.get_caller_identity().send().await;
                let answer = answer.map_err(|error| AwsError::call("sts:GetCallerIdentity", error))?;
                Ok(Caller {
                    account: answer.account().unwrap_or_default().to_owned(),
                    arn: answer.arn().unwrap_or_default().to_owned(),
                })
            })
            .await
    }

    fn sts(&self, sdk: &SdkConfig) -> Result<aws_sdk_sts::Client, AwsError> {
        let attempts = Attempts::default();
        let mut config = aws_sdk_sts::config::Builder::from(sdk)
            .retry_classifier(NotAgain(attempts.clone()))
            .interceptor(attempts);
        let settings = self.settings()?;
        if let Some(endpoint) = self.find(&settings, Service::Sts, Some(sdk)) {
            endpoint.admit(&settings)?;
            config = config.endpoint_url(endpoint.url);
        }
        Ok(aws_sdk_sts::Client::from_conf(config.build()))
    }

    /// Reads files at most; nothing is called.
    async fn sdk(&self) -> Result<&SdkConfig, AwsError> {
        self.sdk
            .get_or_try_init(|| async {
                let settings = self.settings()?;
                let timeouts = TimeoutConfig::builder()
                    .connect_timeout(CONNECT)
                    .read_timeout(ATTEMPT)
                    .operation_attempt_timeout(ATTEMPT)
                    .build();
                let mut loader = aws_config::defaults(BehaviorVersion::latest())
                    .region(Region::new(self.region().await?))
                    .http_client(http::client(&settings, &|name| self.variable(name))?)
                    .retry_config(self.retries(&settings))
                    .timeout_config(timeouts)
                    .app_name(AppName::new("mlplat").expect("letters are an app's name"));
                if let Some(fips) = settings.use_fips_endpoint {
                    loader = loader.use_fips(fips);
                }
                if let Some(dual) = settings.use_dualstack_endpoint {
                    loader = loader.use_dual_stack(dual);
                }
                let sdk = credentials::load(loader, &settings).await;
                credentials::assume(&settings, sdk, |sdk| self.sts(sdk)).await
            })
            .await
    }

    fn retries(&self, settings: &AwsSettings) -> RetryConfig {
        let attempts = settings
            .max_retries
            .or_else(|| self.variable("AWS_MAX_ATTEMPTS")?.parse().ok())
            .unwrap_or(MAX_ATTEMPTS);
        let mode = settings.retry_mode.clone().or_else(|| self.variable("AWS_RETRY_MODE"));
        let config = match mode.as_deref() {
            Some("adaptive") => RetryConfig::adaptive(),
            _ => RetryConfig::standard(),
        };
        config.with_max_attempts(attempts.max(1))
    }

    /// Where a service is by the user's word; `None` = where AWS has it.
    async fn endpoint(&self, service: Service) -> Result<Option<Endpoint>, AwsError> {
        let sdk = self.sdk().await?;
        Ok(self.find(&self.settings()?, service, Some(sdk)))
    }

    /// The same, if it may be called there.
    async fn admitted(&self, service: Service) -> Result<Option<Endpoint>, AwsError> {
        let found = self.endpoint(service).await?;
        if let Some(endpoint) = &found {
            endpoint.admit(&self.settings()?)?;
        }
        Ok(found)
    }

    fn find(&self, settings: &AwsSettings, service: Service, sdk: Option<&SdkConfig>) -> Option<Endpoint> {
        endpoints::find(settings, service, &|name| self.variable(name), sdk)
    }

    /// A variable that is set to something.
    fn variable(&self, name: &str) -> Option<String> {
        let value = self.config.variable(name)?.to_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    }
}

/// Nothing of the settings: some are secret.
impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws").finish_non_exhaustive()
    }
}

/// The partition of a region, as ARNs name it.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// What the names of a region's services end with.
#[must_use]
pub fn dns_suffix(region: &str) -> &'static str {
    match partition(region) {
        "aws-cn" => "amazonaws.com.cn",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}
