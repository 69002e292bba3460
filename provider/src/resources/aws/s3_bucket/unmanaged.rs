//! Settings that a bucket can have and that no argument covers: they are told, and left as they are.

use std::collections::BTreeSet;

use aws_sdk_s3::types as s3;

use super::calls::Calls;

/// The groups that S3 calls everybody.
const EVERYBODY: [(&str, &str); 2] = [
    ("http://acs.amazonaws.com/groups/global/AllUsers", "everybody"),
    (
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
        "everybody with an AWS account",
    ),
];

impl Calls {
    /// The settings that no argument covers, in words. What the caller may not see, or the server does not know, is not told:
    /// it must keep nobody from planning and destroying.
    pub(super) async fn unmanaged(&self) -> BTreeSet<String> {
        let (s3, name) = (&self.s3, &self.name);
        let (acl, website, acceleration, replication, notification, payer, lock) = tokio::join!(
            s3.get_bucket_acl().bucket(name).send(),
            s3.get_bucket_website().bucket(name).send(),
            s3.get_bucket_accelerate_configuration().bucket(name).send(),
            s3.get_bucket_replication().bucket(name).send(),
            s3.get_bucket_notification_configuration().bucket(name).send(),
            s3.get_bucket_request_payment().bucket(name).send(),
            s3.get_object_lock_configuration().bucket(name).send(),
        );
        let mut found: BTreeSet<String> = acl.map_or_else(|_| BTreeSet::new(), |acl| grants(&acl.owner, acl.grants()));
        let mut tell = |is_set: bool, what: &str| {
            if is_set {
                found.insert(what.to_owned());
            }
        };
        let is_website = |site: &aws_sdk_s3::operation::get_bucket_website::GetBucketWebsiteOutput| {
            site.index_document.is_some() || site.redirect_all_requests_to.is_some()
        };
        tell(website.is_ok_and(|site| is_website(&site)), "website");
        tell(
            acceleration.is_ok_and(|found| found.status == Some(s3::BucketAccelerateStatus::Enabled)),
            "transfer acceleration",
        );
        tell(
            replication.is_ok_and(|found| found.replication_configuration.is_some()),
            "replication",
        );
        tell(
            notification.is_ok_and(|found| {
                !found.topic_configurations().is_empty()
                    || !found.queue_configurations().is_empty()
                    || !found.lambda_function_configurations().is_empty()
                    || found.event_bridge_configuration.is_some()
            }),
            "notifications",
        );
        tell(
            payer.is_ok_and(|found| found.payer == Some(s3::Payer::Requester)),
            "requester pays",
        );
        let retention = lock.ok().and_then(|found| found.object_lock_configuration?.rule);
        tell(retention.is_some(), "default retention of object lock");
        found
    }
}

/// What an access list grants to others than the bucket's owner.
fn grants(owner: &Option<s3::Owner>, grants: &[s3::Grant]) -> BTreeSet<String> {
    let owner = owner.as_ref().and_then(|owner| owner.id.as_deref());
    let told = grants.iter().filter_map(|grant| {
        let grantee = grant.grantee.as_ref()?;
        let permission = grant.permission.as_ref().map_or("a permission", s3::Permission::as_str);
        let uri = grantee.uri.as_deref().unwrap_or_default();
        if let Some((_, whom)) = EVERYBODY.iter().find(|(known, _)| *known == uri) {
            return Some(format!("access list: {permission} for {whom}"));
        }
        let id = grantee.id.as_deref();
        // Some stores do not say who the owner is.
        let others = !uri.is_empty() || (id.is_some() && owner.is_some() && id != owner);
        let whom = [Some(uri), grantee.display_name.as_deref(), id];
        let whom = whom
            .into_iter()
            .flatten()
            .find(|whom| !whom.is_empty())
            .unwrap_or("others");
        others.then(|| format!("access list: {permission} for {whom}"))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_owner_has_is_no_grant_to_others() {
        let grant = |grantee: s3::builders::GranteeBuilder| {
            let grantee = grantee.r#type(s3::Type::CanonicalUser).build().unwrap();
            s3::Grant::builder()
                .grantee(grantee)
                .permission(s3::Permission::Read)
                .build()
        };
        let owner = Some(s3::Owner::builder().id("me").build());
        let grantee = s3::Grantee::builder;
        let all = [
            grant(grantee().id("me")),
            grant(grantee().id("you")),
            grant(grantee().uri(EVERYBODY[0].0)),
        ];
        let told: Vec<String> = grants(&owner, &all).into_iter().collect();
        assert_eq!(told, ["access list: READ for everybody", "access list: READ for you"]);
    }
}
