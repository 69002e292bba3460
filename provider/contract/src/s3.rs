//! S3 and stores that speak its API.

use serde::{Deserialize, Serialize};

use crate::Profile::{AwsSdk, Boto3, Gdal, Mlflow, MlflowServer, ObjectStore, Pyarrow, Rclone, S3 as Convention, S3fs};
use crate::names::{check_object_name, check_secret_key};
use crate::problem::Checker;
use crate::variable::Variables;
use crate::{Origin, Profile, Protocol, Variable, View};

/// Who reads the AWS SDKs' own names.
const REGION: &[Profile] = &[AwsSdk, ObjectStore, Gdal, Pyarrow];
const DEFAULT_REGION: &[Profile] = &[Boto3, Mlflow, MlflowServer, Pyarrow, S3fs];
const KEYS: &[Profile] = &[
    AwsSdk,
    Boto3,
    Mlflow,
    MlflowServer,
    Pyarrow,
    S3fs,
    ObjectStore,
    Rclone,
    Gdal,
];

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
        let url = format!("{view}.url");
        let path_style = self.force_path_style;
        let mut add = Variables::of(Protocol::S3, list);
        add.literal("S3_ENDPOINT", &url, &at.url, &[Convention]);
        add.literal("S3_REGION", "region", &self.region, &[Convention]);
        add.literal(
            "S3_FORCE_PATH_STYLE",
            "forcePathStyle",
            path_style.to_string(),
            &[Convention],
        );
        if let Some(first) = self.buckets.first() {
            add.literal("S3_BUCKET", "buckets", first, &[Convention]);
            add.literal("S3_BUCKETS", "buckets", self.buckets.join(","), &[Convention]);
        }
        add.literal("AWS_ENDPOINT_URL_S3", &url, &at.url, &[AwsSdk, Boto3, Pyarrow]);
        add.literal("AWS_REGION", "region", &self.region, REGION);
        add.literal("AWS_DEFAULT_REGION", "region", &self.region, DEFAULT_REGION);
        add.literal("MLFLOW_S3_ENDPOINT_URL", &url, &at.url, &[Mlflow, MlflowServer]);
        if let Some(secret) = &self.credentials {
            let key = |key| (secret.secret_name.as_str(), key);
            add.secret(
                "AWS_ACCESS_KEY_ID",
                "accessKeyIdKey",
                key(&secret.access_key_id_key),
                KEYS,
            );
            add.secret(
                "AWS_SECRET_ACCESS_KEY",
                "secretAccessKeyKey",
                key(&secret.secret_access_key_key),
                KEYS,
            );
        }
        add.literal("FSSPEC_S3_ENDPOINT_URL", &url, &at.url, &[S3fs]);
        let (secure, authority) = match at.url.split_once("://") {
            Some((scheme, rest)) => (scheme == "https", rest),
            None => (false, at.url.as_str()),
        };
        // Path style always: with virtual hosts the crate takes the endpoint for that of one bucket.
        add.literal("AWS_ENDPOINT", &url, &at.url, &[ObjectStore]);
        add.literal("AWS_ALLOW_HTTP", &url, (!secure).to_string(), &[ObjectStore]);
        add.literal("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "", "false", &[ObjectStore]);
        add.literal("RCLONE_S3_PROVIDER", "", "Other", &[Rclone]);
        add.literal("RCLONE_S3_ENV_AUTH", "", "true", &[Rclone]);
        add.literal("RCLONE_S3_ENDPOINT", &url, &at.url, &[Rclone]);
        add.literal("RCLONE_S3_REGION", "region", &self.region, &[Rclone]);
        add.literal(
            "RCLONE_S3_FORCE_PATH_STYLE",
            "forcePathStyle",
            path_style.to_string(),
            &[Rclone],
        );
        add.literal("AWS_S3_ENDPOINT", &url, authority, &[Gdal]);
        add.literal("AWS_HTTPS", &url, if secure { "YES" } else { "NO" }, &[Gdal]);
        let hosting = if path_style { "FALSE" } else { "TRUE" };
        add.literal("AWS_VIRTUAL_HOSTING", "forcePathStyle", hosting, &[Gdal]);
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
