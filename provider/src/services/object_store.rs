//! The S3-compatible store: SeaweedFS.

mod security;

use std::path::PathBuf;

use endpoint_contract::{Endpoints, HostPort, Origin, S3Credentials};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tfplug::Secret;

use super::{
    Certificate, Component, ConfigFile, Dialogue, Halt, LOOPBACK, Login, Offer, PUBLISHED, Service, Site, StopSignal,
    Unit,
};
use crate::engines::Engine;

/// The user's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectStore {
    /// Version, in whole numbers ("4"); `None` = whichever is found.
    pub version: Option<String>,
    /// Fixed port; `None` = chosen once.
    pub port: Option<u16>,
    /// The region in signatures.
    pub region: String,
    /// Buckets that shall exist. Others, made by applications, are left alone.
    pub buckets: Vec<String>,
    /// A bucket that leaves `buckets` is deleted with all that it holds instead of being refused.
    pub force_destroy: bool,
}

impl Default for ObjectStore {
    fn default() -> Self {
        Self {
            version: None,
            port: None,
            region: "us-east-1".to_owned(),
            buckets: Vec::new(),
            force_destroy: false,
        }
    }
}

impl Service for ObjectStore {
    fn component(&self) -> Component {
        Component::ObjectStore
    }

    fn engines(&self) -> Vec<Engine> {
        vec![Engine::Seaweedfs]
    }

    fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn port(&self) -> Option<u16> {
        self.port
    }

    fn internal_ports(&self) -> &'static [&'static str] {
        // A gRPC port that is not given is the other one plus 10000, and a stranger may have that.
        &[
            "s3.grpc",
            "master",
            "master.grpc",
            "volume",
            "volume.grpc",
            "filer",
            "filer.grpc",
            "admin",
        ]
    }

    fn derived_ports(&self) -> &'static [(&'static str, &'static str, u16)] {
        // `mini`'s worker looks for its administrator there, whatever `-admin.port.grpc` says.
        &[("admin.grpc", "admin", 10_000)]
    }

    fn access_port(&self, published: u16) -> u16 {
        // It does not start while somebody has one of its ports on any address of the machine.
        published.checked_add(1).unwrap_or(published - 1)
    }

    fn sockets_on(&self, port: u16) -> Vec<PathBuf> {
        let parts = [
            "master-grpc",
            "volume-grpc",
            "filer-grpc",
            "s3-grpc",
            "admin-grpc",
            "filer",
            "s3",
        ];
        parts.map(|part| socket(part, port)).into()
    }

    fn folders(&self, site: &Site) -> Vec<PathBuf> {
        vec![site.dir.join("data")]
    }

    fn needs_free_mb(&self) -> u64 {
        64
    }

    fn new_login(&self, random: &mut dyn FnMut() -> Secret) -> Login {
        // An access key id is a name, not a secret; clients accept any of 16 to 128 word characters.
        let id = random().expose().replace(['-', '_'], "0").to_ascii_uppercase();
        Login {
            user: format!("MLPLAT{}", &id[..id.len().min(14)]),
            secret: random(),
            // Its parts sign what they ask of each other with keys that are made from it.
            admin_secret: Some(random()),
            certificate: Some(Certificate::new()),
        }
    }

    fn is_complete(&self, login: &Login) -> bool {
        login.admin_secret.is_some() && login.certificate.is_some()
    }

    fn files(&self, site: &Site) -> Vec<ConfigFile> {
        let identities = json!({"identities": [{
            "name": "mlplat",
            "credentials": [{"accessKey": site.login.user, "secretKey": site.login.secret.expose()}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }]});
        let mut files = vec![ConfigFile {
            name: "identities.json",
            text: format!("{identities}\n"),
        }];
        files.extend(security::files(site));
        files
    }

    fn unit(&self, site: &Site) -> Unit {
        // `mini` is the server for one machine: the same parts as `server`, ready in 0.7 s instead of 3.3 s.
        // Its own log files would lie in the folder for temporary files, and outlive the stack.
        let mut args = vec!["-logtostderr=true".to_owned(), "mini".to_owned()];
        let mut set = |name: &str, value: &str| args.push(format!("-{name}={value}"));
        set("dir", &site.path("data"));
        set("ip", LOOPBACK);
        set("ip.bind", LOOPBACK);
        set("s3.port", &site.port(PUBLISHED).to_string());
        set("s3.port.grpc", &site.port("s3.grpc").to_string());
        for part in ["master", "volume", "filer", "admin"] {
            set(&format!("{part}.port"), &site.port(part).to_string());
            set(
                &format!("{part}.port.grpc"),
                &site.port(&format!("{part}.grpc")).to_string(),
            );
        }
        set("s3.port.iceberg", "0");
        set("s3.port.lance", "0");
        set("s3.config", &site.path("identities.json"));
        set("s3.iam", "false");
        set("s3.allowDeleteBucketNotEmpty", "false");
        set("master.telemetry", "false");
        set("admin.ui", "false");
        set("webdav", "false");
        Unit {
            dir: site.dir.clone(),
            program: site.engine.program("weed"),
            args,
            refuses_root: false,
            prepare: None,
            pid_file: None,
            stray_sockets: stray_sockets(site),
            stop: Halt {
                signal: StopSignal::Terminate,
                patience_ms: 10_000,
            },
            // An orderly end takes 2 s, for data that is deleted next.
            discard: Halt {
                signal: StopSignal::Kill,
                patience_ms: 0,
            },
            fingerprint: String::new(),
        }
        .stamped(&self.files(site))
    }

    fn dialogue(&self) -> Dialogue {
        Dialogue::S3 {
            region: self.region.clone(),
            buckets: self.buckets.clone(),
            force_destroy: self.force_destroy,
        }
    }

    fn offer(&self, endpoints: &mut Endpoints, offer: &Offer<'_>) {
        let origin = |at: HostPort| Origin {
            url: format!("http://{}", at.authority()),
        };
        endpoints.s3 = Some(endpoint_contract::S3 {
            host: origin(offer.host()),
            cluster: offer.cluster().map(origin),
            region: self.region.clone(),
            force_path_style: true,
            buckets: self.buckets.clone(),
            credentials: Some(S3Credentials::in_secret(offer.secret_name)),
        });
    }
}

/// SeaweedFS's parts talk to each other through sockets whose place is fixed. (The two that have an option would be limited
/// to the length of a socket's path, which a stack's folder is not.)
fn socket(part: &str, port: u16) -> PathBuf {
    format!("/tmp/seaweedfs-{part}-{port}.sock").into()
}

fn stray_sockets(site: &Site) -> Vec<PathBuf> {
    let grpc = ["master", "volume", "filer", "s3", "admin"]
        .map(|part| socket(&format!("{part}-grpc"), site.port(&format!("{part}.grpc"))));
    let plain = [socket("filer", site.port("filer")), socket("s3", site.port(PUBLISHED))];
    grpc.into_iter().chain(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::site;

    #[test]
    fn every_port_is_ours_and_every_listener_on_loopback() {
        let store = ObjectStore::default();
        let site = site(&store, Engine::Seaweedfs, "4.48");
        let unit = store.unit(&site);
        assert_eq!(
            unit.args.join(" "),
            "-logtostderr=true mini -dir=/stacks/demo/object_store/data -ip=127.0.0.1 -ip.bind=127.0.0.1 -s3.port=20000 \
             -s3.port.grpc=20001 -master.port=20002 -master.port.grpc=20003 -volume.port=20004 \
             -volume.port.grpc=20005 -filer.port=20006 -filer.port.grpc=20007 -admin.port=20008 \
             -admin.port.grpc=20009 -s3.port.iceberg=0 -s3.port.lance=0 \
             -s3.config=/stacks/demo/object_store/identities.json -s3.iam=false \
             -s3.allowDeleteBucketNotEmpty=false -master.telemetry=false -admin.ui=false -webdav=false"
        );
        assert!(
            unit.stray_sockets
                .contains(&"/tmp/seaweedfs-filer-grpc-20007.sock".into())
        );
        assert_eq!(site.login.user, "MLPLATCANARY01");
        assert!(store.files(&site)[0].text.contains(r#""secretKey":"canary-2""#));
        let shown = format!("{unit:?} {site:?}");
        assert!(!shown.contains("canary") && !shown.contains("PRIVATE KEY"), "{shown}");
    }

    #[test]
    fn another_bucket_starts_nothing_anew() {
        let one = ObjectStore::default();
        let site = site(&one, Engine::Seaweedfs, "4.48");
        let other = ObjectStore {
            buckets: vec!["models".into()],
            region: "eu-west-1".into(),
            ..ObjectStore::default()
        };
        assert_eq!(one.unit(&site).fingerprint, other.unit(&site).fingerprint);
    }
}
