//! What a bucket is called in the places where it has a name.

use std::collections::BTreeSet;

use tfplug::{Computed, Diagnostics};

use super::model::{Bucket, Encryption, PublicAccessBlock, Versioning};
use super::rules::SUFFIX;
use crate::clients::aws::endpoints::is_loopback;
use crate::clients::aws::{Aws, AwsError, dns_suffix, partition};
use crate::resources::endpoints::{Origin, S3Endpoint};

/// What a generated name starts with when nobody says.
pub(super) const PREFIX: &str = "terraform-";

/// The names of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    bucket: String,
    region: String,
    pub(crate) arn: String,
    pub(crate) domain_name: String,
    pub(crate) regional_domain_name: String,
}

/// A name that nobody else has.
pub(super) fn generated(prefix: &str) -> String {
    let mut random = [0; SUFFIX / 2];
    getrandom::fill(&mut random).expect("the system gives random bytes");
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}{digits}")
}

impl Names {
    pub(crate) fn of(bucket: &str, region: &str) -> Self {
        let suffix = dns_suffix(region);
        Self {
            bucket: bucket.to_owned(),
            region: region.to_owned(),
            arn: format!("arn:{}:s3:::{bucket}", partition(region)),
            domain_name: format!("{bucket}.s3.{suffix}"),
            regional_domain_name: format!("{bucket}.s3.{region}.{suffix}"),
        }
    }

    /// Where applications find the bucket. A store on this machine's loopback cannot be reached by pods.
    pub(crate) async fn endpoint(&self, aws: &Aws) -> Result<S3Endpoint, AwsError> {
        let url = aws.s3_url(&self.region).await?;
        let origin = Origin { url };
        Ok(S3Endpoint {
            cluster: (!is_loopback(&origin.url)).then(|| origin.clone()),
            host: origin,
            region: self.region.clone(),
            // TLS knows no host names with a dot before the service's.
            force_path_style: aws.path_style() || self.bucket.contains('.'),
            buckets: vec![self.bucket.clone()],
            credentials: None,
        })
    }

    /// Fills in what follows from the names.
    pub(super) async fn fill(&self, aws: &Aws, model: &mut Bucket) -> Result<(), Diagnostics> {
        let endpoint = match self.endpoint(aws).await {
            Ok(endpoint) => endpoint,
            Err(error) => return Err(aws.explain("The bucket's endpoint cannot be told", &error).await.into()),
        };
        model.bucket = self.bucket.clone().into();
        model.region = self.region.clone().into();
        model.id = self.bucket.clone().into();
        model.arn = self.arn.clone().into();
        model.bucket_domain_name = self.domain_name.clone().into();
        model.bucket_regional_domain_name = self.regional_domain_name.clone().into();
        model.endpoint = endpoint.into();
        if model.unmanaged_settings.known().is_none() {
            model.unmanaged_settings = BTreeSet::new().into();
        }
        Ok(())
    }
}

impl Bucket {
    /// What is known of a bucket that is imported, before it is read.
    pub(super) fn imported(name: String, region: String) -> Self {
        Self {
            bucket: name.into(),
            bucket_prefix: None,
            region: region.into(),
            force_destroy: false,
            object_lock_enabled: false,
            tags: None,
            versioning: Versioning::default(),
            server_side_encryption_configuration: Encryption::default(),
            public_access_block: PublicAccessBlock::default(),
            object_ownership: String::new(),
            policy: None,
            attach_deny_insecure_transport_policy: false,
            lifecycle_rule: Vec::new(),
            cors_rule: None,
            logging: None,
            timeouts: None,
            id: Computed::Null,
            arn: Computed::Null,
            bucket_domain_name: Computed::Null,
            bucket_regional_domain_name: Computed::Null,
            tags_all: Computed::Null,
            unmanaged_settings: Computed::Null,
            endpoint: Computed::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_partition_of_the_region() {
        let names = Names::of("models", "eu-central-1");
        assert_eq!(names.arn, "arn:aws:s3:::models");
        assert_eq!(names.regional_domain_name, "models.s3.eu-central-1.amazonaws.com");
        let names = Names::of("models", "cn-north-1");
        assert_eq!(names.arn, "arn:aws-cn:s3:::models");
        assert_eq!(names.domain_name, "models.s3.amazonaws.com.cn");
    }

    #[test]
    fn a_generated_name_is_a_name() {
        let name = generated("models-");
        assert_eq!(super::super::rules::bucket(&name), Ok(()));
        assert!(name.len() == 33 && name != generated("models-"));
    }
}
