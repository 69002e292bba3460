//! `aws = {}` in the provider block.

use std::collections::{BTreeMap, BTreeSet};

use tfplug::{Model, Secret};

use super::rules;

/// How AWS is reached. Names and meanings are those of terraform-provider-aws. Nothing is needed: region and credentials
/// come from the environment, the shared files, or the machine's role, as for every tool of AWS.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct AwsSettings {
    /// The region of resources that name none. Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's.
    pub region: Option<String>,
    /// The profile in the shared files whose credentials and region are used. Default: `AWS_PROFILE`, then `default`.
    #[model(conflicts_with = ["access_key"])]
    pub profile: Option<String>,
    /// Id of an access key. Prefer a profile or a role: what stands here is in the configuration.
    #[model(required_with = ["secret_key"])]
    pub access_key: Option<String>,
    /// The secret of the access key.
    #[model(required_with = ["access_key"])]
    pub secret_key: Option<Secret>,
    /// The session token of temporary credentials.
    #[model(required_with = ["access_key"])]
    pub token: Option<Secret>,
    /// Paths of shared configuration files. Default: `AWS_CONFIG_FILE`, then `~/.aws/config`.
    #[model(length = 1..)]
    pub shared_config_files: Option<Vec<String>>,
    /// Paths of shared credentials files. Default: `AWS_SHARED_CREDENTIALS_FILE`, then `~/.aws/credentials`.
    #[model(length = 1..)]
    pub shared_credentials_files: Option<Vec<String>>,
    /// A role that is assumed with the credentials found.
    #[model(conflicts_with = ["assume_role_with_web_identity"])]
    pub assume_role: Option<AssumeRole>,
    /// A role that is assumed with a token of OpenID Connect, as in CI, in the place of other credentials.
    pub assume_role_with_web_identity: Option<AssumeRoleWithWebIdentity>,
    /// Accounts in which resources may be made; any other is an error before anything is called.
    #[model(length = 1.., validate = rules::account_ids, conflicts_with = ["forbidden_account_ids"])]
    pub allowed_account_ids: Option<BTreeSet<String>>,
    /// Accounts in which nothing may be made.
    #[model(length = 1.., validate = rules::account_ids)]
    pub forbidden_account_ids: Option<BTreeSet<String>>,
    /// Tags of every resource that has tags. A resource's own win.
    pub default_tags: Option<DefaultTags>,
    /// Tags that others set: neither shown nor removed.
    pub ignore_tags: Option<IgnoreTags>,
    /// Addresses of services that are not AWS' own, such as an emulator's. After them `AWS_ENDPOINT_URL_S3`,
    /// `AWS_ENDPOINT_URL_STS`, `AWS_ENDPOINT_URL` and `endpoint_url` of the profile are honoured, and every plan warns of it. Such
    /// an address from outside the configuration is an error where `allowed_account_ids` or `forbidden_account_ids` is set, and
    /// where it is http:// and not of this machine; an address here that is http:// and not of this machine is a warning.
    pub endpoints: Option<ServiceEndpoints>,
    /// How a failed call is repeated. Default: `AWS_RETRY_MODE`, then `standard`.
    #[model(one_of = ["standard", "adaptive"])]
    pub retry_mode: Option<String>,
    /// How often a call is tried in all when it is throttled or fails on the side of AWS. Default: `AWS_MAX_ATTEMPTS`,
    /// then 25.
    #[model(range = 1..=1000)]
    pub max_retries: Option<u32>,
    /// `true`: buckets stand in the path (`https://host/bucket`), which emulators and stores on premises need. Default:
    /// `false`.
    pub s3_use_path_style: Option<bool>,
    /// `true`: the credentials are not checked with STS before the first call. For a store that is S3 only.
    pub skip_credentials_validation: Option<bool>,
    /// `true`: STS is not asked whose the credentials are, so errors do not tell, and accounts cannot be allowed or
    /// forbidden.
    #[model(conflicts_with = ["allowed_account_ids", "forbidden_account_ids"])]
    pub skip_requesting_account_id: Option<bool>,
    /// `true`: the metadata service of EC2 is not asked for credentials.
    pub skip_metadata_api_check: Option<bool>,
    /// `true`: a region may have a name that this provider does not know: of a newer region, or of a store of your own.
    pub skip_region_validation: Option<bool>,
    /// URL of the proxy for HTTP, and for HTTPS too unless `https_proxy` is set. Default: `HTTP_PROXY`.
    #[model(validate = rules::url)]
    pub http_proxy: Option<String>,
    /// URL of the proxy for HTTPS. Default: `HTTPS_PROXY`.
    #[model(validate = rules::url)]
    pub https_proxy: Option<String>,
    /// Hosts that are reached without proxy, separated by commas. Default: `NO_PROXY`.
    pub no_proxy: Option<String>,
    /// Path of a file of PEM certificates that are trusted in the place of the system's. Default: `AWS_CA_BUNDLE`.
    pub custom_ca_bundle: Option<String>,
    /// `true`: the FIPS endpoints of AWS. Default: `AWS_USE_FIPS_ENDPOINT`.
    pub use_fips_endpoint: Option<bool>,
    /// `true`: the endpoints of AWS that have IPv6 too. Default: `AWS_USE_DUALSTACK_ENDPOINT`.
    pub use_dualstack_endpoint: Option<bool>,
    /// Who owns the resources, as it stands in their tag `mlplat.dev/owner`. Default: `mlplat`. Set it to a name of its own for
    /// each configuration where several share an account: then another machine, too, continues what a create began before it
    /// was killed.
    #[model(validate = rules::owner)]
    pub owner: Option<String>,
}

/// A role to assume.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct AssumeRole {
    /// ARN of the role.
    #[model(validate = rules::role_arn)]
    pub role_arn: String,
    /// Name of the session, as it shows in CloudTrail. Default: `mlplat`.
    #[model(length = 2..=64)]
    pub session_name: Option<String>,
    /// What the role's trust policy asks third parties for.
    pub external_id: Option<String>,
    /// How long the credentials last, such as `1h`: 15 minutes to 12 hours. Default: one hour.
    #[model(validate = rules::session)]
    pub duration: Option<String>,
    /// A policy in JSON that narrows the role's.
    pub policy: Option<String>,
    /// ARNs of managed policies that narrow the role's.
    pub policy_arns: Option<BTreeSet<String>>,
    /// Identity that stays with the session through further roles.
    #[model(length = 2..=64)]
    pub source_identity: Option<String>,
    /// Tags of the session.
    pub tags: Option<BTreeMap<String, String>>,
    /// Keys of session tags that go along into further roles.
    pub transitive_tag_keys: Option<BTreeSet<String>>,
}

/// A role to assume with a token.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct AssumeRoleWithWebIdentity {
    /// ARN of the role.
    #[model(validate = rules::role_arn)]
    pub role_arn: String,
    /// Name of the session. Default: `mlplat`.
    #[model(length = 2..=64)]
    pub session_name: Option<String>,
    /// How long the credentials last, such as `1h`. Default: one hour.
    #[model(validate = rules::session)]
    pub duration: Option<String>,
    /// A policy in JSON that narrows the role's.
    pub policy: Option<String>,
    /// ARNs of managed policies that narrow the role's.
    pub policy_arns: Option<BTreeSet<String>>,
    /// The token.
    #[model(exactly_one_of = ["web_identity_token_file"])]
    pub web_identity_token: Option<Secret>,
    /// Path of the file that holds the token. It is read anew whenever credentials are needed.
    pub web_identity_token_file: Option<String>,
}

/// Tags of every resource.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct DefaultTags {
    /// Tags by key; a resource's own of the same key wins.
    #[model(validate = rules::tags)]
    pub tags: BTreeMap<String, String>,
}

/// Tags that others set.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct IgnoreTags {
    /// Their keys.
    pub keys: Option<BTreeSet<String>>,
    /// What their keys begin with.
    pub key_prefixes: Option<BTreeSet<String>>,
}

/// Addresses of services.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct ServiceEndpoints {
    /// Address of S3, as a URL.
    #[model(validate = rules::url)]
    pub s3: Option<String>,
    /// Address of STS, as a URL.
    #[model(validate = rules::url)]
    pub sts: Option<String>,
}
