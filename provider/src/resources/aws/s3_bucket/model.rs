//! The arguments and attributes of `mlplat_aws_s3_bucket`.

use std::collections::{BTreeMap, BTreeSet};

use tfplug::{Computed, Model};

use super::rules;
use crate::clients::aws::rules::tags;
use crate::resources::aws::tags::Tags;
use crate::resources::aws::timeouts::Timeouts;
use crate::resources::endpoints::S3Endpoint;

/// A bucket of Amazon S3, secure unless told otherwise: nothing is public, access lists are off, requests without TLS are
/// denied, objects are encrypted and versioned, and old versions expire after 90 days.
///
/// Names of arguments are those of terraform-provider-aws, whose many resources for one bucket are one here. A setting that
/// has an argument is looked at in every plan: a change by hand shows there, and the next apply reverts it. Settings without
/// an argument are left alone: `unmanaged_settings` lists those that are set, and every plan warns of them. These are grants of
/// the access list, website, transfer acceleration, replication, notifications, requester pays, and the default retention of
/// object lock. Analytics, inventory, metrics and intelligent tiering are not looked at.
///
/// **Bucket ownership.** The tag `mlplat.dev/owner` names the owner (`aws.owner` in the provider block); until the bucket is as
/// planned, the tag `mlplat.dev/creating` names it instead, with an id of the create. That id also stands in a note in the
/// user's data folder, which stays until a later plan or destroy shows that a Terraform state has the bucket. So a create that
/// was cut off, whatever was killed and whether the name is given or generated, is continued by the next apply of the same
/// configuration (folder, workspace and backend) on the same machine: with the same bucket. Every other bucket of the name is
/// refused, with the command that imports it; also one that another configuration of the same owner has made.
///
/// On another machine there is no note. There a create that was cut off is continued only if `aws.owner` is set, the bucket
/// carries that owner's `mlplat.dev/creating`, is empty, and is listed among the buckets of the caller's account. Otherwise
/// import it. Calls for a bucket name the caller's account as its expected owner, so a bucket of another account is never
/// changed (not with `skip_requesting_account_id`).
///
/// Limits: on different machines, two configurations of the same owner that make a bucket of the same name at the same time
/// cannot be told apart; give each its own owner. If Terraform is killed after all resources are made and before it has written
/// a remote state, the bucket stays: import it, or delete it. Notes that are not asked for are removed after 30 days.
///
/// **IAM actions.** Creating: `s3:CreateBucket`, `s3:PutBucketTagging`, `s3:TagResource`, `s3:PutBucketPublicAccessBlock`,
/// `s3:PutBucketOwnershipControls`, `s3:PutEncryptionConfiguration`, `s3:PutBucketVersioning`, `s3:PutLifecycleConfiguration`,
/// `s3:PutBucketCORS`, `s3:PutBucketLogging`, `s3:PutBucketPolicy`, `s3:DeleteBucketPolicy`, `s3:PutBucketObjectLockConfiguration`
/// (for object lock), `s3:ListBucketVersions`, and everything that reading needs. Reading: `s3:GetBucketTagging`,
/// `s3:GetBucketPublicAccessBlock`, `s3:GetBucketOwnershipControls`, `s3:GetBucketVersioning`, `s3:GetEncryptionConfiguration`,
/// `s3:GetLifecycleConfiguration`, `s3:GetBucketCORS`, `s3:GetBucketLogging`, `s3:GetBucketPolicy`,
/// `s3:GetBucketObjectLockConfiguration`. Destroying: `s3:DeleteBucket`; to name or delete what is in it,
/// `s3:ListBucketVersions`, `s3:DeleteObject` and `s3:DeleteObjectVersion`. For settings without an argument, where allowed:
/// `s3:GetBucketAcl`, `s3:GetBucketWebsite`, `s3:GetAccelerateConfiguration`, `s3:GetReplicationConfiguration`,
/// `s3:GetBucketNotification`, `s3:GetBucketRequestPayment`. To continue on another machine: `s3:ListAllMyBuckets`.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Name of the bucket, unique in all of AWS. Default: one that starts with `bucket_prefix`.
    #[model(optional, keep, replace, identity, validate = rules::bucket, conflicts_with = ["bucket_prefix"])]
    pub bucket: Computed<String>,
    /// What a generated name starts with. Default: `terraform-`.
    #[model(replace, validate = rules::bucket_prefix)]
    pub bucket_prefix: Option<String>,
    /// Region of the bucket. Default: that of the provider block.
    #[model(optional, keep, replace, identity)]
    pub region: Computed<String>,
    /// `true`: destroying the bucket deletes the objects in it, all versions. `false`: a bucket that holds something is not
    /// destroyed.
    #[model(default = false)]
    pub force_destroy: bool,
    /// `true`: objects can be locked against deletion. Needs versioning.
    #[model(default = false, replace)]
    pub object_lock_enabled: bool,
    /// Tags of the bucket, beside `aws.default_tags` of the provider block.
    #[model(validate = tags)]
    pub tags: Option<Tags>,
    /// What is kept of objects that are overwritten or deleted.
    #[model(default)]
    pub versioning: Versioning,
    /// How objects are encrypted.
    #[model(default)]
    pub server_side_encryption_configuration: Encryption,
    /// What keeps the bucket from being public.
    #[model(default)]
    pub public_access_block: PublicAccessBlock,
    /// Who owns objects. `BucketOwnerEnforced`: the bucket's owner, and there are no access lists.
    #[model(default = "BucketOwnerEnforced", one_of = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"])]
    pub object_ownership: String,
    /// The bucket's policy in JSON.
    #[model(validate = rules::policy)]
    pub policy: Option<String>,
    /// `true`: a statement that denies requests without TLS is added to the policy.
    #[model(default = true)]
    pub attach_deny_insecure_transport_policy: bool,
    /// What happens to objects with time. Default: old versions expire after 90 days, uploads that were not completed
    /// after 7. Rules given here take the place of the default; `[]` = none.
    #[model(default = vec![LifecycleRule::expire_old_versions()], validate = rules::lifecycle)]
    pub lifecycle_rule: Vec<LifecycleRule>,
    /// Which pages of other origins a browser lets use the bucket.
    #[model(length = 1..=100)]
    pub cors_rule: Option<Vec<CorsRule>>,
    /// Where requests are logged; null = they are not.
    pub logging: Option<Logging>,
    /// How long an operation may take.
    pub timeouts: Option<Timeouts>,
    /// The bucket's name.
    #[model(keep)]
    pub id: Computed<String>,
    /// ARN of the bucket.
    #[model(keep)]
    pub arn: Computed<String>,
    /// `BUCKET.s3.amazonaws.com`.
    #[model(keep)]
    pub bucket_domain_name: Computed<String>,
    /// `BUCKET.s3.REGION.amazonaws.com`.
    #[model(keep)]
    pub bucket_regional_domain_name: Computed<String>,
    /// `tags` and those of every resource.
    pub tags_all: Computed<Tags>,
    /// Settings that are made and that no argument covers, in words; see above.
    #[model(keep)]
    pub unmanaged_settings: Computed<BTreeSet<String>>,
    /// Where applications find the bucket, as `mlplat_environment` publishes it. They are given access by their own role.
    pub endpoint: Computed<S3Endpoint>,
}

/// What is kept of objects that are overwritten or deleted.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Versioning {
    /// `true`: every version. `false` after `true` keeps the versions there are and makes no more.
    #[model(default = true)]
    pub enabled: bool,
}

impl Default for Versioning {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// How objects are encrypted.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Encryption {
    /// `AES256`: by keys of S3. `aws:kms`, `aws:kms:dsse`: by a key of KMS, once or twice.
    #[model(default = "AES256", one_of = ["AES256", "aws:kms", "aws:kms:dsse"])]
    pub sse_algorithm: String,
    /// ARN or id of the KMS key. Null with KMS = the account's own key `aws/s3`.
    pub kms_master_key_id: Option<String>,
    /// `true`: S3 asks KMS less often, which costs less.
    #[model(default = false)]
    pub bucket_key_enabled: bool,
}

impl Default for Encryption {
    fn default() -> Self {
        Self {
            sse_algorithm: "AES256".into(),
            kms_master_key_id: None,
            bucket_key_enabled: false,
        }
    }
}

/// What keeps the bucket from being public.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct PublicAccessBlock {
    /// Refuse access lists that make something public.
    #[model(default = true)]
    pub block_public_acls: bool,
    /// Refuse policies that make the bucket public.
    #[model(default = true)]
    pub block_public_policy: bool,
    /// Treat access lists that make something public as if they were not there.
    #[model(default = true)]
    pub ignore_public_acls: bool,
    /// With a public policy, let in AWS' services and the account only.
    #[model(default = true)]
    pub restrict_public_buckets: bool,
}

impl Default for PublicAccessBlock {
    fn default() -> Self {
        Self {
            block_public_acls: true,
            block_public_policy: true,
            ignore_public_acls: true,
            restrict_public_buckets: true,
        }
    }
}

/// What happens to some objects with time.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct LifecycleRule {
    /// Name of the rule, unique in the bucket.
    #[model(length = 1..=255)]
    pub id: String,
    /// `false`: the rule is kept and not followed.
    #[model(default = true)]
    pub enabled: bool,
    /// The objects it is about; null = all.
    pub filter: Option<LifecycleFilter>,
    /// When current versions expire.
    pub expiration: Option<Expiration>,
    /// When current versions move to another storage class.
    #[model(length = 1..)]
    pub transition: Option<Vec<Transition>>,
    /// When old versions are deleted.
    pub noncurrent_version_expiration: Option<NoncurrentVersionExpiration>,
    /// When old versions move to another storage class.
    #[model(length = 1..)]
    pub noncurrent_version_transition: Option<Vec<NoncurrentVersionTransition>>,
    /// When uploads in parts that were not completed are deleted.
    pub abort_incomplete_multipart_upload: Option<AbortIncompleteMultipartUpload>,
}

impl LifecycleRule {
    /// The rule of a bucket that is given none.
    #[must_use]
    pub fn expire_old_versions() -> Self {
        Self {
            id: "expire-old-versions".into(),
            enabled: true,
            filter: None,
            expiration: None,
            transition: None,
            noncurrent_version_expiration: Some(NoncurrentVersionExpiration {
                noncurrent_days: 90,
                newer_noncurrent_versions: None,
            }),
            noncurrent_version_transition: None,
            abort_incomplete_multipart_upload: Some(AbortIncompleteMultipartUpload {
                days_after_initiation: 7,
            }),
        }
    }
}

/// The objects that a rule is about: all conditions hold.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct LifecycleFilter {
    /// What their keys start with.
    #[model(length = 1..)]
    pub prefix: Option<String>,
    /// Tags they have.
    #[model(length = 1..)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Bytes that they are larger than.
    pub object_size_greater_than: Option<u32>,
    /// Bytes that they are smaller than.
    #[model(range = 1..)]
    pub object_size_less_than: Option<i64>,
}

/// When current versions expire.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Expiration {
    /// Days after an object was made.
    #[model(range = 1..=2147483647, exactly_one_of = ["date", "expired_object_delete_marker"])]
    pub days: Option<i32>,
    /// A day, such as `2030-01-01`.
    #[model(validate = rules::date)]
    pub date: Option<String>,
    /// `true`: delete markers that have no versions left are removed.
    pub expired_object_delete_marker: Option<bool>,
}

/// When current versions move to another storage class.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Transition {
    /// Days after an object was made.
    #[model(range = 0..=2147483647, exactly_one_of = ["date"])]
    pub days: Option<i32>,
    /// A day, such as `2030-01-01`.
    #[model(validate = rules::date)]
    pub date: Option<String>,
    /// The storage class.
    #[model(one_of = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"])]
    pub storage_class: String,
}

/// When old versions are deleted.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct NoncurrentVersionExpiration {
    /// Days after a version became old.
    #[model(range = 1..=2147483647)]
    pub noncurrent_days: i32,
    /// How many old versions are kept however old they are; null = none.
    #[model(range = 1..=100)]
    pub newer_noncurrent_versions: Option<i32>,
}

/// When old versions move to another storage class.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct NoncurrentVersionTransition {
    /// Days after a version became old.
    #[model(range = 0..=2147483647)]
    pub noncurrent_days: i32,
    /// How many old versions stay where they are; null = none.
    #[model(range = 1..=100)]
    pub newer_noncurrent_versions: Option<i32>,
    /// The storage class.
    #[model(one_of = ["STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"])]
    pub storage_class: String,
}

/// When uploads in parts that were not completed are deleted.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct AbortIncompleteMultipartUpload {
    /// Days after the upload began.
    #[model(range = 1..=2147483647)]
    pub days_after_initiation: i32,
}

/// What a browser allows pages of other origins.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct CorsRule {
    /// Name of the rule.
    #[model(length = 1..=255)]
    pub id: Option<String>,
    /// Request headers that may be sent, `*` in a name for anything.
    #[model(length = 1..)]
    pub allowed_headers: Option<Vec<String>>,
    /// Methods that may be used.
    #[model(length = 1.., one_of = ["GET", "PUT", "POST", "DELETE", "HEAD"])]
    pub allowed_methods: Vec<String>,
    /// Origins of the pages, such as `https://app.example.com`, or `*`.
    #[model(length = 1..)]
    pub allowed_origins: Vec<String>,
    /// Response headers that scripts may read.
    #[model(length = 1..)]
    pub expose_headers: Option<Vec<String>>,
    /// Seconds for which a browser may remember the answer.
    #[model(range = 0..=2147483647)]
    pub max_age_seconds: Option<i32>,
}

/// Where requests are logged.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Logging {
    /// The bucket that takes the logs: another one, whose policy lets `logging.s3.amazonaws.com` put objects.
    pub target_bucket: String,
    /// What the keys of the logs start with.
    #[model(default = "")]
    pub target_prefix: String,
}
