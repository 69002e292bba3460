//! The parts of a node, in the order in which they start.

use super::site::{NODE, Site};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// A program of the node, kept running by its first process.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<String>,
    /// What it cannot start without.
    after: &'static [After],
}

#[derive(Clone, Copy)]
enum After {
    ApiServer,
    Containerd,
    /// Somebody asked for it: [`ENFORCE_POLICIES`] is in the node's folder.
    Asked,
}

/// The file that starts what makes NetworkPolicies effective.
pub(super) const ENFORCE_POLICIES: &str = "enforce-policies";

impl Part {
    /// Whether what it needs is there.
    pub(super) fn may_start(&self, site: &Site) -> bool {
        self.after.iter().all(|after| match after {
            After::ApiServer => {
                let address = SocketAddr::from((site.node(), 6443));
                TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_ok()
            }
            After::Containerd => Path::new("/run/containerd/containerd.sock").exists(),
            After::Asked => site.folder().join(ENFORCE_POLICIES).exists(),
        })
    }
}

/// Every part.
pub(super) fn all(site: &Site) -> Vec<Part> {
    let folder = site.folder().display().to_string();
    let (node, services) = (site.node().to_string(), site.services());
    let kubeconfig = format!("--kubeconfig={}", site.kubeconfig().display());
    let part = |name, after, arguments: &[&str]| Part {
        name,
        after,
        arguments: arguments
            .iter()
            .map(|argument| {
                argument
                    .replace("FOLDER", &folder)
                    .replace("NODE", &node)
                    .replace("SERVICES", &services)
            })
            .collect(),
    };
    let api_server: &[After] = &[After::ApiServer];
    vec![
        part("containerd", &[], &["--config=FOLDER/etc/containerd.toml"]),
        part(
            "etcd",
            &[],
            &[
                "--name=node",
                "--data-dir=FOLDER/etcd",
                "--unsafe-no-fsync",
                "--listen-client-urls=http://127.0.0.1:2379",
                "--advertise-client-urls=http://127.0.0.1:2379",
                "--listen-peer-urls=http://127.0.0.1:2380",
                "--initial-advertise-peer-urls=http://127.0.0.1:2380",
                "--initial-cluster=node=http://127.0.0.1:2380",
            ],
        ),
        part(
            "kube-apiserver",
            &[],
            &[
                "--etcd-servers=http://127.0.0.1:2379",
                "--bind-address=NODE",
                "--advertise-address=NODE",
                "--secure-port=6443",
                "--cert-dir=FOLDER/pki",
                "--tls-cert-file=FOLDER/pki/apiserver.crt",
                "--tls-private-key-file=FOLDER/pki/apiserver.key",
                "--kubelet-preferred-address-types=InternalIP",
                "--kubelet-client-certificate=FOLDER/pki/kubelet-client.crt",
                "--kubelet-client-key=FOLDER/pki/kubelet-client.key",
                "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
                "--service-account-key-file=FOLDER/pki/accounts.pub",
                "--service-account-signing-key-file=FOLDER/pki/accounts.key",
                "--service-cluster-ip-range=SERVICES",
                "--token-auth-file=FOLDER/pki/tokens.csv",
                "--authorization-mode=RBAC",
            ],
        ),
        part(
            "kube-controller-manager",
            api_server,
            &[
                &kubeconfig,
                "--bind-address=127.0.0.1",
                "--leader-elect=false",
                "--root-ca-file=FOLDER/pki/ca.crt",
                "--service-account-private-key-file=FOLDER/pki/accounts.key",
            ],
        ),
        part(
            "kube-scheduler",
            api_server,
            &[&kubeconfig, "--bind-address=127.0.0.1", "--leader-elect=false"],
        ),
        part(
            "kubelet",
            &[After::ApiServer, After::Containerd],
            &[
                &kubeconfig,
                "--config=FOLDER/etc/kubelet.yaml",
                "--root-dir=FOLDER/kubelet",
                "--node-ip=NODE",
                &format!("--hostname-override={NODE}"),
            ],
        ),
        part("kube-proxy", api_server, &["--config=FOLDER/etc/kube-proxy.yaml"]),
        part("coredns", api_server, &["-conf=FOLDER/etc/Corefile"]),
        part(
            "kube-router",
            &[After::ApiServer, After::Asked],
            &[
                &kubeconfig,
                &format!("--hostname-override={NODE}"),
                "--run-firewall=true",
                "--run-router=false",
                "--run-service-proxy=false",
                "--service-cluster-ip-range=SERVICES",
                "--health-port=0",
                "--metrics-port=0",
            ],
        ),
    ]
}
