//! What the components of a stack are, without any I/O: which program runs with which files, what proves that it is ready,
//! and what it then offers. A runtime (`runtimes/`) does the doing.
//!
//! To add a component: one file here, a variant of [`Component`] and a line in [`StackSpec::services`].

mod access;
pub(crate) mod certificate;
pub mod object_store;
pub mod postgres;
pub mod redis;
mod unit;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use endpoint_contract::{Endpoints, HostPort};
use serde::{Deserialize, Serialize};
use tfplug::Secret;

pub use self::access::{ACCESS, access_unit};
pub use self::certificate::Certificate;
pub use self::object_store::ObjectStore;
pub use self::postgres::Postgres;
pub use self::redis::{MONITOR, Redis};
pub use self::unit::{Halt, Prepare, StopSignal, Unit};
use crate::engines::{Engine, Found, Locale};

/// The address on which every local service listens. Never more than loopback: nothing here speaks TLS.
pub const LOOPBACK: &str = "127.0.0.1";
/// [`LOOPBACK`] as an address.
pub const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// One part of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// The relational database.
    Postgres,
    /// The cache.
    Redis,
    /// The S3-compatible store.
    ObjectStore,
}

impl Component {
    /// Every component, in the order of the schema.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Redis, Self::ObjectStore];

    /// The attribute of `mlplat_local_services` and the folder below the stack's.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::ObjectStore => "object_store",
        }
    }
}

impl fmt::Display for Component {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A whole stack as the user describes it. A component that is absent shall not exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSpec {
    /// The stack's name: a lower-case DNS label.
    pub name: String,
    /// The Secret to which the endpoints' credentials refer.
    pub credentials_secret_name: String,
    /// Any other value makes new passwords for the applications; `None` = they stay.
    #[serde(default)]
    pub rotation: Option<String>,
    /// The relational database.
    pub postgres: Option<Postgres>,
    /// The cache.
    pub redis: Option<Redis>,
    /// The S3-compatible store.
    pub object_store: Option<ObjectStore>,
    /// The address of this machine on which pods reach the services; `None` = they do not.
    #[serde(default)]
    pub cluster_access: Option<IpAddr>,
}

impl StackSpec {
    /// The components that shall exist.
    #[must_use]
    pub fn services(&self) -> Vec<&dyn Service> {
        let mut services: Vec<&dyn Service> = Vec::new();
        services.extend(self.postgres.as_ref().map(|service| service as &dyn Service));
        services.extend(self.redis.as_ref().map(|service| service as &dyn Service));
        services.extend(self.object_store.as_ref().map(|service| service as &dyn Service));
        services
    }

    /// The same, with one component as it stands in `other`, or without it.
    #[must_use]
    pub fn with_component_of(mut self, component: Component, other: Option<&Self>) -> Self {
        match component {
            Component::Postgres => self.postgres = other.and_then(|other| other.postgres.clone()),
            Component::Redis => self.redis = other.and_then(|other| other.redis.clone()),
            Component::ObjectStore => self.object_store = other.and_then(|other| other.object_store.clone()),
        }
        self
    }

    /// Where pods reach a service that is published on `port`; `None` = they do not.
    #[must_use]
    pub fn door(&self, service: &dyn Service, port: u16) -> Option<SocketAddr> {
        let port = service.access_port(port);
        self.cluster_access.map(|address| SocketAddr::new(address, port))
    }

    /// The endpoints that the stack offers when its services listen on `ports`; a component without a port is left out.
    #[must_use]
    pub fn endpoints(&self, ports: &BTreeMap<Component, u16>) -> Endpoints {
        let mut endpoints = Endpoints::default();
        for service in self.services() {
            if let Some(&port) = ports.get(&service.component()) {
                let offer = Offer {
                    port,
                    door: self.door(service, port),
                    secret_name: &self.credentials_secret_name,
                };
                service.offer(&mut endpoints, &offer);
            }
        }
        endpoints
    }
}

/// The name of a port and its number. The component's own (published) port has the name [`PUBLISHED`].
pub type Ports = BTreeMap<String, u16>;

/// The name of the port that the endpoint offers.
pub const PUBLISHED: &str = "published";

/// Where and with what a service runs on this machine.
#[derive(Clone, Debug)]
pub struct Site {
    /// The component's folder: absolute, its own, 0700.
    pub dir: PathBuf,
    /// One port for each of [`Service::internal_ports`], and [`PUBLISHED`].
    pub ports: Ports,
    /// The engine's programs.
    pub engine: Found,
    /// The names and passwords of the service.
    pub login: Login,
    /// How text that is stored here sorts; only looked at when data is made.
    pub locale: Locale,
}

impl Site {
    /// The number of one port.
    ///
    /// # Panics
    /// When the service did not declare the name: a bug of ours.
    #[must_use]
    pub fn port(&self, name: &str) -> u16 {
        *self
            .ports
            .get(name)
            .expect("a service asks only for the ports that it declares")
    }

    /// A path below the component's folder, as an argument.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        text(&self.dir.join(name))
    }
}

/// Where a service is found, and where its credentials are kept.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// The published port.
    pub port: u16,
    /// Where pods reach it; `None` = they do not.
    pub door: Option<SocketAddr>,
    /// The Secret to which the endpoint's credentials refer.
    pub secret_name: &'a str,
}

impl Offer<'_> {
    /// Where this machine reaches the service.
    #[must_use]
    pub fn host(&self) -> HostPort {
        host_port(SocketAddr::new(LOCALHOST, self.port))
    }

    /// Where pods reach it.
    #[must_use]
    pub fn cluster(&self) -> Option<HostPort> {
        self.door.map(host_port)
    }
}

fn host_port(at: SocketAddr) -> HostPort {
    HostPort {
        address: at.ip().to_string(),
        port: at.port(),
    }
}

/// A path as an argument. Stacks refuse folders whose names are not Unicode, so nothing is lost.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Who may use a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The application's user name, or access key id.
    pub user: String,
    /// The application's password, or secret access key.
    pub secret: Secret,
    /// The password of the service's own administrator, where it has one. Never handed out.
    pub admin_secret: Option<Secret>,
    /// What the service's parts show each other, where they do. Never handed out.
    pub certificate: Option<Certificate>,
}

impl Login {
    /// The login with what `fresh` has and it lacks: one that an earlier version of mlplat wrote.
    #[must_use]
    pub fn completed(self, fresh: Self) -> Self {
        Self {
            user: self.user,
            secret: self.secret,
            admin_secret: self.admin_secret.or(fresh.admin_secret),
            certificate: self.certificate.or(fresh.certificate),
        }
    }

    /// Every value that no log and no message may show.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let key = self.certificate.as_ref().map(|certificate| &certificate.key);
        [Some(&self.secret), self.admin_secret.as_ref(), key]
            .into_iter()
            .flatten()
    }
}

/// A file that the service reads. Always written with mode 0600: most hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name below the component's folder.
    pub name: &'static str,
    /// Its whole text.
    pub text: String,
}

/// How to talk to a service to learn whether it is ready, and to make what the user asked for inside it.
#[derive(Clone, Debug)]
pub enum Dialogue {
    /// PostgreSQL's protocol, as administrator and as the application.
    Postgres {
        /// The administrator's role.
        admin: &'static str,
        /// The database that shall exist, owned by the application's role.
        database: String,
        /// The extensions that shall exist in it.
        extensions: Vec<String>,
        /// SQL to run once in it.
        seed_sql: Option<String>,
    },
    /// RESP.
    Redis,
    /// Signed S3 requests.
    S3 {
        /// The region in the signature.
        region: String,
        /// The buckets that shall exist.
        buckets: Vec<String>,
        /// A bucket that is no longer wanted is emptied first.
        force_destroy: bool,
    },
}

/// What every component answers. Implementations are plain settings: the user's, or what was found and chosen before.
pub trait Service: Send + Sync {
    /// Which one it is.
    fn component(&self) -> Component;
    /// The engines that may serve, best first; exactly one when the user named it.
    fn engines(&self) -> Vec<Engine>;
    /// The version asked for: a prefix in whole numbers ("15", "8.1").
    fn version(&self) -> Option<&str>;
    /// The port that the user fixed.
    fn port(&self) -> Option<u16>;
    /// Names of the further ports it listens on.
    fn internal_ports(&self) -> &'static [&'static str] {
        &[]
    }
    /// The port on which pods reach it, when it is published on this one.
    fn access_port(&self, published: u16) -> u16 {
        published
    }
    /// Sockets that the program makes at fixed places when it listens on this port.
    fn sockets_on(&self, _port: u16) -> Vec<PathBuf> {
        Vec::new()
    }
    /// Folders below the component's own that must exist before it starts.
    fn folders(&self, site: &Site) -> Vec<PathBuf>;
    /// What the file system must have free before its data is made, in MB.
    fn needs_free_mb(&self) -> u64;
    /// Ports that the program derives from another by adding a number: name, the other's name, the number.
    fn derived_ports(&self) -> &'static [(&'static str, &'static str, u16)] {
        &[]
    }
    /// The application's user name, when it is the user's choice.
    fn username(&self) -> Option<&str> {
        None
    }
    /// New credentials; `random` gives a new secret of 32 URL-safe characters at each call.
    fn new_login(&self, random: &mut dyn FnMut() -> Secret) -> Login;
    /// Whether there is data in the component's folder that can only be used with the login it was made with.
    fn data_knows_login(&self, _folder: &Path) -> bool {
        false
    }
    /// Whether the login has all that [`Service::new_login`] gives; one from an earlier version of mlplat may not.
    fn is_complete(&self, _login: &Login) -> bool {
        true
    }
    /// The files it reads.
    fn files(&self, site: &Site) -> Vec<ConfigFile>;
    /// What runs.
    fn unit(&self, site: &Site) -> Unit;
    /// How to talk to it.
    fn dialogue(&self) -> Dialogue;
    /// What to do about an end that another start cannot change, from the end of the log. `None` = it may start next time.
    fn hopeless(&self, _site: &Site, _log: &str) -> Option<String> {
        None
    }
    /// Adds its endpoint.
    fn offer(&self, endpoints: &mut Endpoints, offer: &Offer<'_>);
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A site in `/stacks/demo/<component>` with ports from 20000 on and telling secrets.
    pub(crate) fn site(service: &dyn Service, engine: Engine, version: &str) -> Site {
        let derived = service.derived_ports().iter().map(|(name, _, _)| *name);
        let names = std::iter::once(PUBLISHED)
            .chain(service.internal_ports().iter().copied())
            .chain(derived);
        let mut count = 0;
        Site {
            dir: Path::new("/stacks/demo").join(service.component().as_str()),
            ports: names
                .zip(20_000..)
                .map(|(name, port)| (name.to_owned(), port))
                .collect(),
            engine: Found {
                engine,
                version: version.to_owned(),
                bin: "/engine/bin".into(),
            },
            login: service.new_login(&mut || {
                count += 1;
                Secret::new(format!("canary-{count}"))
            }),
            locale: Locale::default(),
        }
    }
}
