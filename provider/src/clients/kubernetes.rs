//! Kubernetes clusters: the only file that builds a client. A kubeconfig file and a context are always named, so that no
//! apply depends on what a shell happens to point at. Every call has a deadline, and none is repeated: an error is told.

mod error;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tfplug::Diagnostic;

pub use self::error::{Conflict, KubernetesError};
use super::aws::endpoints::is_loopback;

/// The field manager under which everything is applied.
pub const MANAGER: &str = "mlplat";
/// How long the API server may take to accept a connection.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a login plugin may take.
const LOGGING_IN: Duration = Duration::from_secs(60);
/// How long the API server may take to answer.
const ANSWERING: Duration = Duration::from_secs(30);

/// Which cluster, and as whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Path of the kubeconfig file.
    pub kubeconfig: String,
    /// A context in it.
    pub context: String,
}

/// An object in a namespace that can be read and applied.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + DeserializeOwned + Clone + Debug
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Serialize + DeserializeOwned + Clone + Debug
{
}

/// The clusters that were opened in this process.
#[derive(Default)]
pub struct Clusters(Mutex<BTreeMap<Target, Cluster>>);

impl Clusters {
    /// Opens a cluster: reads the kubeconfig and runs its login plugin, once per process. Nothing is asked of the cluster.
    ///
    /// # Errors
    /// When the kubeconfig has no such context, or the login fails.
    pub async fn open(&self, target: &Target) -> Result<Cluster, KubernetesError> {
        let known = |clusters: &Mutex<BTreeMap<Target, Cluster>>| {
            let clusters = clusters.lock().unwrap_or_else(PoisonError::into_inner);
            clusters.get(target).cloned()
        };
        if let Some(cluster) = known(&self.0) {
            return Ok(cluster);
        }
        let cluster = Cluster::open(target).await?;
        let mut clusters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(clusters.entry(target.clone()).or_insert(cluster).clone())
    }
}

/// Names only: a client knows tokens.
impl Debug for Clusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Clusters").finish_non_exhaustive()
    }
}

/// One cluster, as one of its users sees it.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    place: Arc<Place>,
}

/// What errors name.
#[derive(Debug)]
struct Place {
    target: Target,
    server: String,
}

impl Cluster {
    async fn open(target: &Target) -> Result<Self, KubernetesError> {
        let wrong = |error: &KubeconfigError| KubernetesError::kubeconfig(target, error);
        let mut kubeconfig = Kubeconfig::read_from(&target.kubeconfig).map_err(|error| wrong(&error))?;
        let names = kubeconfig.contexts.iter().map(|context| context.name.clone());
        let names: Vec<_> = names.collect();
        if !names.contains(&target.context) {
            return Err(KubernetesError::NoContext {
                target: target.clone(),
                there: names,
            });
        }
        // Terraform gives a provider no terminal: a plugin that could ask there must not try.
        let logins = kubeconfig
            .auth_infos
            .iter_mut()
            .filter_map(|named| named.auth_info.as_mut());
        for login in logins.filter_map(|login| login.exec.as_mut()) {
            login.interactive_mode = Some(ExecInteractiveMode::Never);
        }
        let cluster = kubeconfig
            .contexts
            .iter()
            .find(|context| context.name == target.context);
        let cluster = cluster.and_then(|context| Some(context.context.as_ref()?.cluster.clone()));
        let proxied = kubeconfig
            .clusters
            .iter()
            .any(|named| Some(&named.name) == cluster.as_ref() && has_proxy(named));
        let options = KubeConfigOptions {
            context: Some(target.context.clone()),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(|error| wrong(&error))?;
        if !proxied {
            // A proxy of the environment is not asked for what the kubeconfig reaches by itself.
            config.proxy_url = None;
        }
        config.connect_timeout = Some(CONNECTING);
        config.read_timeout = Some(ANSWERING);
        config.write_timeout = Some(ANSWERING);
        config.default_retry = false;
        if warning(target).is_some() {
            tracing::warn!(
                context = target.context,
                "the connection to the API server can be read or taken over"
            );
        }
        let place = Arc::new(Place {
            target: target.clone(),
            server: config.cluster_url.to_string(),
        });
        // A login plugin is waited for without giving way to others.
        let building = tokio::task::spawn_blocking(move || Client::try_from(config));
        let built = tokio::time::timeout(LOGGING_IN, building).await;
        let Ok(Ok(built)) = built else {
            return Err(KubernetesError::Login {
                target: target.clone(),
                why: format!("its login plugin did not end within {} s", LOGGING_IN.as_secs()),
            });
        };
        let client = built.map_err(|error| KubernetesError::of(&place, "reading the kubeconfig", error))?;
        Ok(Self { client, place })
    }

    /// Where its API server is.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.place.server
    }

    /// The API server's version, such as `v1.36.3`.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn version(&self) -> Result<String, KubernetesError> {
        let asked = self.client.apiserver_version();
        Ok(self.call("asking for the version", asked).await?.git_version)
    }

    /// An object; `None` only when the API server says that it is not there.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn get<K: Object>(&self, namespace: &str, name: &str) -> Result<Option<K>, KubernetesError> {
        let what = describe::<K>("reading", namespace, name);
        match self.call(&what, self.api::<K>(namespace).get(name)).await {
            Ok(found) => Ok(Some(found)),
            Err(KubernetesError::NotThere { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies an object's fields on the server. `force` takes fields over from whoever else set them.
    ///
    /// # Errors
    /// [`KubernetesError::Conflicts`] when others set these fields; when the server does not answer, or refuses.
    pub async fn apply<K: Object>(
        &self,
        namespace: &str,
        name: &str,
        object: &K,
        force: bool,
    ) -> Result<(), KubernetesError> {
        let what = describe::<K>("applying", namespace, name);
        let params = PatchParams {
            force,
            ..PatchParams::apply(MANAGER)
        };
        let api = self.api::<K>(namespace);
        match self.call(&what, api.patch(name, &params, &Patch::Apply(object))).await {
            // What is applied is made; only what holds it can be missing.
            Err(KubernetesError::NotThere { what, .. }) => Err(KubernetesError::NoNamespace {
                what,
                namespace: namespace.to_owned(),
            }),
            answer => answer.map(drop),
        }
    }

    /// Deletes the object of that uid; that it is gone is fine.
    ///
    /// # Errors
    /// When the API server does not answer, or refuses.
    pub async fn delete<K: Object>(
        &self,
        namespace: &str,
        name: &str,
        uid: Option<String>,
    ) -> Result<(), KubernetesError> {
        let what = describe::<K>("deleting", namespace, name);
        let params = DeleteParams {
            preconditions: Some(Preconditions {
                uid,
                resource_version: None,
            }),
            ..DeleteParams::default()
        };
        match self.call(&what, self.api::<K>(namespace).delete(name, &params)).await {
            Ok(_) | Err(KubernetesError::NotThere { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn api<K: Object>(&self, namespace: &str) -> Api<K> {
        Api::namespaced(self.client.clone(), namespace)
    }

    async fn call<T>(&self, what: &str, answer: impl Future<Output = kube::Result<T>>) -> Result<T, KubernetesError> {
        match tokio::time::timeout(ANSWERING, answer).await {
            Ok(answer) => answer.map_err(|error| KubernetesError::of(&self.place, what, error)),
            Err(_) => Err(KubernetesError::Away {
                server: self.place.server.clone(),
                target: self.place.target.clone(),
                why: format!("no answer within {} s", ANSWERING.as_secs()),
            }),
        }
    }
}

/// `applying ConfigMap shop/mlplat-environment`.
fn describe<K: Object>(verb: &str, namespace: &str, name: &str) -> String {
    format!("{verb} {} {namespace}/{name}", K::kind(&()))
}

/// What a plan tells of a connection that others can read or take over: tokens and Secrets go through it.
#[must_use]
pub fn warning(target: &Target) -> Option<Diagnostic> {
    // What cannot be read is told when the cluster is opened.
    let kubeconfig = Kubeconfig::read_from(&target.kubeconfig).ok()?;
    let mut contexts = kubeconfig.contexts.iter();
    let chosen = contexts.find(|named| named.name == target.context)?.context.as_ref()?;
    let named = kubeconfig.clusters.iter().find(|named| named.name == chosen.cluster)?;
    let cluster = named.cluster.as_ref()?;
    let server = cluster.server.as_deref().unwrap_or_default();
    let (summary, why, fix) = if cluster.insecure_skip_tls_verify == Some(true) {
        (
            "The certificate of the API server is not verified",
            "`insecure-skip-tls-verify` is true",
            "set `certificate-authority-data` (or `certificate-authority`) there and remove `insecure-skip-tls-verify`",
        )
    } else if !server.starts_with("https://") && !is_loopback(server) {
        (
            "The API server is called without TLS",
            "its address is not an https:// one",
            "use the server's https:// address",
        )
    } else {
        return None;
    };
    Some(Diagnostic::warning(summary).detail(format!(
        "In the kubeconfig {}, for the cluster {:?} of the context {:?}, {why}. Whoever is on the way to {server} can read and \
         change what is sent, the login and the Secrets too. To fix: {fix}.",
        target.kubeconfig, named.name, target.context
    )))
}

fn has_proxy(named: &kube::config::NamedCluster) -> bool {
    let proxy = named.cluster.as_ref().and_then(|cluster| cluster.proxy_url.as_ref());
    proxy.is_some_and(|proxy| !proxy.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_others_can_take_over_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let told = |cluster: &str| {
            let text = format!(
                "contexts: [{{name: one, context: {{cluster: far, user: me}}}}]\nclusters: [{{name: far, cluster: {{{cluster}}}}}]\n"
            );
            std::fs::write(&path, text).unwrap();
            let target = Target {
                kubeconfig: path.display().to_string(),
                context: "one".into(),
            };
            warning(&target).map(|warning| format!("{warning:?}"))
        };
        assert_eq!(told("server: 'https://k.example:6443'"), None);
        assert_eq!(told("server: 'http://127.0.0.1:8001'"), None);
        let skipped = told("server: 'https://k.example:6443', insecure-skip-tls-verify: true").unwrap();
        assert!(
            skipped.contains("not verified") && skipped.contains("\\\"far\\\""),
            "{skipped}"
        );
        assert!(told("server: 'http://k.example:6443'").unwrap().contains("without TLS"));
    }
}
