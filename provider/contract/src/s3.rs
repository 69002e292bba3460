//! S3 and stores that speak its API.

use serde::{Deserialize, Serialize};

use crate::names::{check_object_name, check_secret_key};
use crate::problem::Checker;
use crate::variable::Variables;
use crate::{Origin, Protocol, Variable, View};

const CONVENTION: &str = "applications by convention";
const SDKS: &str = "boto3 (1.28+) and the AWS SDKs";
const REGION: &str = "the AWS SDKs for Rust, Go, Java, JavaScript";
const BOTO: &str = "boto3 and the AWS CLI";
const MLFLOW: &str = "MLflow's artifact store";

/// An object store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3 {
    /// Where the host reaches it.
    pub host: Origin,
    /// Where pods reach it; absent = they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Origin>,
    /// The region that requests are signed for.
    pub region: String,
    /// `true` = buckets stand in the path (`http://host/bucket`), `false` = in the host name, as on AWS.
    pub force_path_style: bool,
    /// Names of the buckets that exist for the applications; the first is the main one (`S3_BUCKET`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<String>,
    /// Where the access key is kept; absent = the pod's own role gives access, and no key is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<S3Credentials>,
}

/// Keys of the Secret that holds an access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3Credentials {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the access key's id.
    pub access_key_id_key: String,
    /// Key of the secret access key.
    pub secret_access_key_key: String,
}

impl S3Credentials {
    /// The usual keys, in the Secret of that name.
    #[must_use]
    pub fn in_secret(name: impl Into<String>) -> Self {
        Self {
            secret_name: name.into(),
            access_key_id_key: "s3.accessKeyId".into(),
            secret_access_key_key: "s3.secretAccessKey".into(),
        }
    }
}

impl S3 {
    /// `None` when the endpoint has no such view.
    pub(crate) fn variables(&self, view: View, list: &mut Vec<Variable>) -> Option<()> {
        let at = match view {
            View::Host => &self.host,
            View::Cluster => self.cluster.as_ref()?,
        };
        let mut add = Variables::of(Protocol::S3, list);
        add.literal("S3_ENDPOINT", &at.url, CONVENTION);
        add.literal("S3_REGION", &self.region, CONVENTION);
        add.literal("S3_FORCE_PATH_STYLE", self.force_path_style.to_string(), CONVENTION);
        if let Some(first) = self.buckets.first() {
            add.literal("S3_BUCKET", first, CONVENTION);
            add.literal("S3_BUCKETS", self.buckets.join(","), CONVENTION);
        }
        add.literal("AWS_ENDPOINT_URL_S3", &at.url, SDKS);
        add.literal("AWS_REGION", &self.region, REGION);
        add.literal("AWS_DEFAULT_REGION", &self.region, BOTO);
        add.literal("MLFLOW_S3_ENDPOINT_URL", &at.url, MLFLOW);
        if let Some(secret) = &self.credentials {
            add.secret(
                "AWS_ACCESS_KEY_ID",
                &secret.secret_name,
                &secret.access_key_id_key,
                SDKS,
            );
            add.secret(
                "AWS_SECRET_ACCESS_KEY",
                &secret.secret_name,
                &secret.secret_access_key_key,
                SDKS,
            );
        }
        Some(())
    }

    pub(crate) fn check(&self, at: &mut Checker) {
        at.field("host", |at| self.host.check(at));
        if let Some(cluster) = &self.cluster {
            at.field("cluster", |at| cluster.check(at));
        }
        at.field("region", |at| {
            if !crate::is_dns_label(&self.region) {
                at.problem(
                    format!("{:?} cannot be a region", self.region),
                    "use a name such as us-east-1",
                );
            }
        });
        at.field("buckets", |at| {
            for (index, bucket) in self.buckets.iter().enumerate() {
                at.index(index, |at| check_bucket(at, bucket, &self.buckets[..index]));
            }
        });
        let Some(secret) = &self.credentials else { return };
        at.field("credentials", |at| {
            at.field("secretName", |at| check_object_name(at, &secret.secret_name));
            at.field("accessKeyIdKey", |at| check_secret_key(at, &secret.access_key_id_key));
            at.field("secretAccessKeyKey", |at| {
                check_secret_key(at, &secret.secret_access_key_key)
            });
        });
    }
}

/// The rules that AWS and every store agree on:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
fn check_bucket(at: &mut Checker, name: &str, earlier: &[String]) {
    if !(3..=63).contains(&name.len())
        || !crate::is_dns_subdomain(name)
        || name.parse::<std::net::Ipv4Addr>().is_ok()
        || name.starts_with("xn--")
    {
        at.problem(
            format!("{name:?} cannot be the name of a bucket"),
            "use 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit first and last, not shaped like an IP address",
        );
    }
    if earlier.iter().any(|other| other == name) {
        at.problem(format!("the bucket {name:?} is listed twice"), "list it once");
    }
}
