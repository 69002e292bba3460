//! What a cluster is given: the contract in a ConfigMap, and its credentials in the Secrets that it refers to, by
//! server-side apply. Labels say whose an object is. One without them, or whose fields somebody else applies too, is
//! somebody else's: it is neither changed nor deleted.
//!
//! The bases do not depend on this ConfigMap: theirs is made by `inject-endpoints` alone, so that a skipped function is
//! noticed.

use std::collections::{BTreeMap, BTreeSet};

use endpoint_contract::SecretKey;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};

use super::secret::{ENVIRONMENT, Status};
use crate::clients::kubernetes::{Cluster, Conflict, KubernetesError, MANAGER, Object};

/// The key of the ConfigMap that holds the contract.
pub const CONTRACT_KEY: &str = "endpoints.yaml";
/// The label by which tools tell who manages an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// Why the environment is not in the cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The cluster does not answer, or refuses.
    #[error(transparent)]
    Kubernetes(#[from] KubernetesError),
    /// An object of that name is somebody else's.
    #[error(
        "{object} exists, belongs to {owner} and not to the environment {environment:?}, and was not changed. To fix: \
         choose another name (`config_map_name`, or `secret_name` in `endpoints`), or delete it if it is not needed"
    )]
    Foreign {
        /// `ConfigMap shop/mlplat-environment`.
        object: String,
        /// Whose it is.
        owner: String,
        /// Whose it should have been.
        environment: String,
    },
    /// Somebody else applies the same fields of an object of ours.
    #[error(
        "{object} is also applied by {owners} ({fields}), and was not changed. To fix: let only one of the two apply it, \
         for instance by removing it from the manifests there"
    )]
    Shared {
        /// The object.
        object: String,
        /// Who else applies it.
        owners: String,
        /// Which fields.
        fields: String,
    },
}

/// The objects of one environment in one namespace.
pub struct Publication<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The environment's name.
    pub environment: &'a str,
    /// The namespace, which exists.
    pub namespace: &'a str,
}

impl Publication<'_> {
    /// The contract's text; `None` when the ConfigMap is gone, or is somebody else's by now.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn contract(&self, name: &str) -> Result<Option<String>, KubernetesError> {
        let found = self.ours::<ConfigMap>(name).await?;
        Ok(found.map(|mut found| {
            found
                .data
                .as_mut()
                .and_then(|data| data.remove(CONTRACT_KEY))
                .unwrap_or_default()
        }))
    }

    /// Whether everything of these names is ours or free, so that nothing is published by halves.
    ///
    /// # Errors
    /// When one is somebody else's; when the cluster does not answer, or refuses.
    pub async fn claim<'n>(
        &self,
        config_map: &str,
        secrets: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), ClusterError> {
        self.claim_one::<ConfigMap>(config_map).await?;
        for name in secrets {
            self.claim_one::<Secret>(name).await?;
        }
        Ok(())
    }

    /// Publishes the contract.
    ///
    /// # Errors
    /// When the ConfigMap is somebody else's; when the cluster does not answer, or refuses.
    pub async fn publish_contract(&self, name: &str, text: &str) -> Result<(), ClusterError> {
        let object = ConfigMap {
            metadata: self.metadata(name),
            data: Some([(CONTRACT_KEY.to_owned(), text.to_owned())].into()),
            ..ConfigMap::default()
        };
        self.publish(name, &object).await
    }

    /// Deletes the contract, if it is ours.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn remove_contract(&self, name: &str) -> Result<(), KubernetesError> {
        self.remove::<ConfigMap>(name).await
    }

    /// How the Secrets compare to what they should hold. A value that somebody changed is known by whom the API server
    /// names as its owner: no value is looked at.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn secret_status(&self, keys: &BTreeSet<SecretKey>) -> Result<Status, KubernetesError> {
        for (name, keys) in by_name(keys.iter().map(|key| (key, ()))) {
            let Some(found) = self.ours::<Secret>(name).await? else {
                return Ok(Status::Missing);
            };
            let owned = owned_keys(found.metadata.managed_fields.as_deref().unwrap_or_default());
            let is_whole = keys.keys().all(|key| {
                let there = found.data.as_ref().is_some_and(|data| data.contains_key(*key));
                there && owned.contains(*key)
            });
            if !is_whole {
                return Ok(Status::Edited);
            }
        }
        Ok(Status::Current)
    }

    /// Whether the Secrets hold exactly these values.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn holds(&self, values: &BTreeMap<SecretKey, tfplug::Secret>) -> Result<bool, KubernetesError> {
        for (name, wanted) in by_name(values.iter()) {
            let held = self.ours::<Secret>(name).await?.and_then(|found| found.data);
            let holds = |(key, value): (&&str, &&tfplug::Secret)| {
                let held = held.as_ref().and_then(|data| data.get(*key));
                held.is_some_and(|held| held.0 == value.expose().as_bytes())
            };
            if !wanted.iter().all(holds) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Publishes the credentials that one Secret holds.
    ///
    /// # Errors
    /// When the Secret is somebody else's; when the cluster does not answer, or refuses.
    pub async fn publish_secret(
        &self,
        name: &str,
        values: &BTreeMap<&str, &tfplug::Secret>,
    ) -> Result<(), ClusterError> {
        let data = values.iter().map(|(key, value)| {
            let value = ByteString(value.expose().as_bytes().to_vec());
            ((*key).to_owned(), value)
        });
        let object = Secret {
            metadata: self.metadata(name),
            type_: Some("Opaque".to_owned()),
            data: Some(data.collect()),
            ..Secret::default()
        };
        self.publish(name, &object).await
    }

    /// Deletes those of the Secrets that are ours.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub async fn remove_secrets<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Result<(), KubernetesError> {
        for name in names {
            self.remove::<Secret>(name).await?;
        }
        Ok(())
    }

    fn metadata(&self, name: &str) -> ObjectMeta {
        let labels = [(MANAGED_BY, MANAGER), (ENVIRONMENT, self.environment)];
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace.to_owned()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into()),
            ..ObjectMeta::default()
        }
    }

    async fn ours<K: Object>(&self, name: &str) -> Result<Option<K>, KubernetesError> {
        let found: Option<K> = self.cluster.get(self.namespace, name).await?;
        Ok(found.filter(|found| is_of(found.meta(), self.environment)))
    }

    /// Applies an object that is ours or not there. What somebody changed by hand is changed back.
    async fn publish<K: Object>(&self, name: &str, object: &K) -> Result<(), ClusterError> {
        self.claim_one::<K>(name).await?;
        let apply = |force| self.cluster.apply(self.namespace, name, object, force);
        match apply(false).await {
            Err(KubernetesError::Conflicts { conflicts, .. }) if !conflicts.iter().any(|one| one.declares) => {
                Ok(apply(true).await?)
            }
            Err(KubernetesError::Conflicts { conflicts, .. }) => {
                let declared = || conflicts.iter().filter(|one| one.declares);
                Err(ClusterError::Shared {
                    object: self.describe::<K>(name),
                    owners: joined(declared().map(|one: &Conflict| one.manager.as_str())),
                    fields: joined(declared().map(|one| one.field.as_str())),
                })
            }
            answer => Ok(answer?),
        }
    }

    async fn claim_one<K: Object>(&self, name: &str) -> Result<(), ClusterError> {
        let found: Option<K> = self.cluster.get(self.namespace, name).await?;
        match found.filter(|found| !is_of(found.meta(), self.environment)) {
            Some(found) => Err(ClusterError::Foreign {
                object: self.describe::<K>(name),
                owner: owner(found.meta()),
                environment: self.environment.to_owned(),
            }),
            None => Ok(()),
        }
    }

    fn describe<K: Object>(&self, name: &str) -> String {
        format!("{} {}/{name}", K::kind(&()), self.namespace)
    }

    async fn remove<K: Object>(&self, name: &str) -> Result<(), KubernetesError> {
        match self.ours::<K>(name).await? {
            Some(found) => {
                self.cluster
                    .delete::<K>(self.namespace, name, found.meta().uid.clone())
                    .await
            }
            None => Ok(()),
        }
    }
}

/// The contract in a ConfigMap, whoever made it; `None` when there is none.
///
/// # Errors
/// When the cluster does not answer, or refuses.
pub async fn find_contract(cluster: &Cluster, namespace: &str, name: &str) -> Result<Option<String>, KubernetesError> {
    let found: Option<ConfigMap> = cluster.get(namespace, name).await?;
    Ok(found.and_then(|found| found.data?.remove(CONTRACT_KEY)))
}

/// What each Secret holds, by its name.
pub fn by_name<'k, V>(values: impl Iterator<Item = (&'k SecretKey, V)>) -> BTreeMap<&'k str, BTreeMap<&'k str, V>> {
    let mut secrets: BTreeMap<&str, BTreeMap<&str, V>> = BTreeMap::new();
    for (key, value) in values {
        secrets.entry(&key.name).or_default().insert(&key.key, value);
    }
    secrets
}

fn is_of(meta: &ObjectMeta, environment: &str) -> bool {
    label(meta, MANAGED_BY) == Some(MANAGER) && label(meta, ENVIRONMENT) == Some(environment)
}

fn label<'m>(meta: &'m ObjectMeta, name: &str) -> Option<&'m str> {
    meta.labels.as_ref()?.get(name).map(String::as_str)
}

/// Whose the object is, in words: by its labels, else by who wrote its fields.
fn owner(meta: &ObjectMeta) -> String {
    match (label(meta, MANAGED_BY), label(meta, ENVIRONMENT)) {
        (Some(MANAGER), Some(environment)) => format!("the environment {environment:?}"),
        (Some(manager), _) => manager.to_owned(),
        (None, _) => {
            let entries = meta.managed_fields.as_deref().unwrap_or_default();
            let managers: Vec<_> = entries.iter().filter_map(|entry| entry.manager.as_deref()).collect();
            if managers.is_empty() {
                "an unknown owner (no label and no field manager names one)".to_owned()
            } else {
                joined(managers.into_iter())
            }
        }
    }
}

fn joined<'t>(names: impl Iterator<Item = &'t str>) -> String {
    let names: BTreeSet<_> = names.collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// The keys of an object's data that we applied last. Whoever changes a value becomes its owner.
fn owned_keys(entries: &[ManagedFieldsEntry]) -> BTreeSet<String> {
    let applied = |entry: &&ManagedFieldsEntry| {
        entry.manager.as_deref() == Some(MANAGER) && entry.operation.as_deref() == Some("Apply")
    };
    let fields = entries
        .iter()
        .filter(applied)
        .filter_map(|entry| entry.fields_v1.as_ref());
    let data = fields.filter_map(|fields| fields.0.get("f:data")?.as_object());
    data.flat_map(|data| data.keys().filter_map(|key| Some(key.strip_prefix("f:")?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::FieldsV1;
    use serde_json::json;

    use super::*;

    fn labelled(labels: &[(&str, &str)]) -> ObjectMeta {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ObjectMeta {
            labels: Some(labels.collect()),
            ..ObjectMeta::default()
        }
    }

    #[test]
    fn an_owner_is_named_by_label_or_by_who_wrote_the_fields() {
        let ours = labelled(&[(MANAGED_BY, "mlplat"), (ENVIRONMENT, "local")]);
        assert!(is_of(&ours, "local") && !is_of(&ours, "staging"));
        assert_eq!(owner(&ours), "the environment \"local\"");
        let helm = labelled(&[(MANAGED_BY, "Helm"), (ENVIRONMENT, "local")]);
        assert!(!is_of(&helm, "local"));
        assert_eq!(owner(&helm), "Helm");
        let mut plain = labelled(&[]);
        assert_eq!(
            owner(&plain),
            "an unknown owner (no label and no field manager names one)"
        );
        plain.managed_fields = Some(vec![ManagedFieldsEntry {
            manager: Some("kubectl-create".into()),
            ..ManagedFieldsEntry::default()
        }]);
        assert_eq!(owner(&plain), "kubectl-create");
    }

    #[test]
    fn only_what_we_applied_last_counts_as_ours() {
        let entry = |manager: &str, operation: &str, key: &str| ManagedFieldsEntry {
            manager: Some(manager.into()),
            operation: Some(operation.into()),
            fields_v1: Some(FieldsV1(json!({"f:data": {".": {}, key: {}}, "f:type": {}}))),
            ..ManagedFieldsEntry::default()
        };
        let entries = [
            entry("mlplat", "Apply", "f:a.b"),
            entry("mlplat", "Update", "f:c"),
            entry("kubectl-edit", "Update", "f:d"),
        ];
        assert_eq!(owned_keys(&entries), ["a.b".to_owned()].into());
    }
}
