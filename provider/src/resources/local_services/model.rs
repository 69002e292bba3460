//! The arguments and attributes of `mlplat_local_services`, and how they become a stack and come from one.

use std::collections::BTreeMap;

use tfplug::{Computed, Model};

use super::existing_cluster::Cluster;
use super::rules::{
    absolute_path, access_address, buckets, database, extensions, major, secret_name, stack_name, username, version,
};
use super::stack_endpoints::StackEndpoints;
use crate::engines::Engine;
use crate::runtimes::process::{ComponentStatus, Status};
use crate::services::{self, Component, Service, StackSpec};

/// A local stack of real services, for development and tests: PostgreSQL, a Redis-compatible cache and an S3-compatible
/// object store, each only if its argument is given.
///
/// The services run as processes of the user, listen on 127.0.0.1 only, and outlive Terraform: `apply` starts them and
/// returns when every one answers. With `cluster_access`, a small process beside each passes on what pods send to its port
/// on that address: they need the service's password there too, and giving or taking access restarts no service. A service that dies is started again with its data; one that was stopped or deleted
/// shows in the next plan and is mended by the next apply. Changing one component leaves the others running.
///
/// Passwords are random and stay in the stack's folder. They are in no plan and no state: the ephemeral resource
/// `mlplat_credentials` reads them.
///
/// What each service takes and refuses, and where it differs from RDS, ElastiCache and S3, is in
/// [Local services and their AWS twins](../guides/local-services.md).
///
/// **Data.** Removing a component deletes its data, destroying the resource deletes the stack's folder. What an application
/// wrote is not kept elsewhere. Files of others in that folder stay.
///
/// **Ownership.** A stack belongs to one configuration: the one that created it, with its own state. Another configuration
/// (folder, workspace, Git worktree), or a second resource with the same `name` or `data_dir`, is refused in the plan; the
/// message names the owner and the command `terraform import ADDRESS NAME` (or `NAME@DATA_DIR`) that takes the stack over
/// (an `import` block does so in the plan already).
/// The former owner is told so by its next plan, and can no longer change or destroy the stack. To run one configuration
/// several times, derive the name: `name = "demo-${terraform.workspace}"`. A create that was interrupted, or whose resource
/// was removed from the state, is continued by the next apply of the same folder and workspace, as long as it deletes no
/// data. `create_before_destroy` does not make a new stack under the same name: the existing one goes on, with its data.
///
/// **Folder.** Only this user and root may be able to write to the stack's folder and to those above it; a folder with the
/// sticky bit, such as `/tmp`, is allowed above it. A stack runs on one machine and in one container: where another one
/// shares the folder, its plan and apply leave the stack alone until it is ended where it runs.
///
/// **Misspelt arguments.** Terraform itself drops unknown arguments inside `postgres = { … }`, `redis = { … }` and
/// `object_store = { … }`, without a warning. The plan shows the values that are used: check them there.
///
/// **Hung services.** A service whose process runs and says nothing is `unresponsive`. The next apply restarts it, once, with its
/// data, after it was silent for 15 seconds.
///
/// **As root** the services run as root too: mlplat takes all capabilities from them but those for ports below 1024, yet they can
/// still read and write what belongs to root. Apply as an ordinary user wherever you can.
///
/// **Engines** are taken from where they are installed and from the user's cache, which `mlplat engines install` fills: the
/// newest, unless `version` names one.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct LocalServices {
    /// Name of the stack: a lower-case DNS label of at most 32 characters.
    #[model(replace, identity, validate = stack_name)]
    pub name: String,
    /// How the services run. `process`: as plain processes, without root and without a container engine.
    #[model(replace, default = "process", one_of = ["process"])]
    pub runtime: String,
    /// Folder for the data, passwords and logs: absolute, and empty or the stack's own. Default: `stacks/NAME` in the
    /// user's data folder. Another folder is another stack: the old one is destroyed with its data.
    #[model(optional, keep, identity, validate = absolute_path)]
    pub data_dir: Computed<String>,
    /// Name of the Kubernetes Secret to which the credentials in `endpoints` refer.
    #[model(default = "mlplat-credentials", validate = secret_name)]
    pub credentials_secret_name: String,
    /// Any text, such as a date. Another one gives the applications new passwords, and a new access key of the object store, in
    /// place: data stays, PostgreSQL runs on, the cache and the store restart. Read them again with `mlplat_credentials`.
    #[model(length = 1..=256)]
    pub rotation: Option<String>,
    /// The cluster whose pods use the services.
    pub cluster: Option<Cluster>,
    /// A PostgreSQL server with one database.
    pub postgres: Option<Postgres>,
    /// A cache that speaks Redis' protocol.
    pub redis: Option<Redis>,
    /// A store that speaks S3.
    pub object_store: Option<ObjectStore>,
    /// The IP address of this machine on which pods reach the services, such as the gateway of the cluster's bridge; null =
    /// they do not. Nothing here speaks TLS: give the bridge's address, not that of a network to others.
    #[model(validate = access_address)]
    pub cluster_access: Option<String>,
    /// Where the services are: the endpoint contract that `mlplat_environment` publishes.
    pub endpoints: Computed<StackEndpoints>,
}

/// A PostgreSQL server with one database.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Postgres {
    /// The server program.
    #[model(default = "postgres", one_of = ["postgres"])]
    pub engine: String,
    /// Major version, such as `15`. Default: the newest that is installed or in the cache, when the data is made. It cannot
    /// change while the data exists.
    #[model(optional, keep, validate = version)]
    pub version: Computed<String>,
    /// TCP port. Default: chosen once, then stable; chosen again only when another program has taken it meanwhile.
    #[model(optional, keep, range = 1..=65535)]
    pub port: Computed<u16>,
    /// Name of the database: letters, digits and `_`, as RDS takes it. Another name makes another database beside it.
    #[model(default = "app", validate = database)]
    pub database: String,
    /// The application's role: letters, digits and `_`. It owns the database and may make databases, and roles from PostgreSQL
    /// 16 on, but is no superuser: as the master user of RDS. Another name takes over what the former owned, and the former
    /// role logs in no more.
    #[model(default = "app", validate = username)]
    pub username: String,
    /// Connections at once. Default: PostgreSQL's 100.
    #[model(range = 5..=10000)]
    pub max_connections: Option<u32>,
    /// Memory for the server's own cache, in MB. Default: PostgreSQL's 128.
    #[model(range = 1..=1048576)]
    pub shared_buffers_mb: Option<u32>,
    /// Extensions of the database, such as `vector`, which an application's role may not make itself. They are made before
    /// the seed runs. One that leaves the list is dropped, unless something uses it: that is an error. Others are left alone.
    #[model(default = Vec::new(), validate = extensions)]
    pub extensions: Vec<String>,
    /// SQL that runs once in the database, in one transaction, as the application's role. Another text runs once more:
    /// write it so that it fits what is there. `COPY … FROM stdin` and psql's `\` commands are not SQL: dump with
    /// `pg_dump --inserts`.
    pub seed_sql: Option<String>,
    /// `false` makes writes faster and may lose data when the machine crashes. Data always outlives a restart.
    #[model(default = true)]
    pub persistence: bool,
    /// `running`; else what is wrong: `stopped`, `unresponsive` (its process runs and does not answer), `failed` (it ends
    /// whenever it is started, or its passwords are lost), `unreachable` (from pods), `outdated` (it was started with other
    /// settings, such as those of an earlier version of mlplat) or `incomplete` (the database, the role or an extension was not
    /// found, or the role may do too much).
    pub status: Computed<String>,
    /// The whole version of the server.
    #[model(keep)]
    pub engine_version_actual: Computed<String>,
}

/// A cache that speaks Redis' protocol.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Redis {
    /// The server program: `valkey` or `redis`. Default: Valkey, or Redis where only that is found. Each has its own data.
    #[model(optional, keep, one_of = ["valkey", "redis"])]
    pub engine: Computed<String>,
    /// Version in whole numbers, such as `8` or `7.0`. Default: the newest that is installed or in the cache.
    #[model(optional, keep, validate = version)]
    pub version: Computed<String>,
    /// TCP port. Default: chosen once, then stable; chosen again only when another program has taken it meanwhile.
    #[model(optional, keep, range = 1..=65535)]
    pub port: Computed<u16>,
    /// Memory for data, in MB. Default: no limit.
    #[model(range = 1..=1048576)]
    pub maxmemory_mb: Option<u32>,
    /// What goes when memory is full. Default: the server's `noeviction`.
    #[model(one_of = ["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu",
        "volatile-random", "volatile-ttl"])]
    pub maxmemory_policy: Option<String>,
    /// `true`: writes are kept on disk (appended to a file that is synced each second). `false`: a restart empties it.
    #[model(default = true)]
    pub persistence: bool,
    /// `running`; else what is wrong: `stopped`, `unresponsive` (its process runs and does not answer), `failed` (it ends
    /// whenever it is started), `unreachable` (from pods) or `outdated` (it was started with other settings, such as those of an
    /// earlier version of mlplat).
    pub status: Computed<String>,
    /// The whole version of the server.
    #[model(keep)]
    pub engine_version_actual: Computed<String>,
}

/// A store that speaks S3.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct ObjectStore {
    /// The server program.
    #[model(default = "seaweedfs", one_of = ["seaweedfs"])]
    pub engine: String,
    /// Version in whole numbers, such as `4`. Default: the newest that is installed or in the cache.
    #[model(optional, keep, validate = version)]
    pub version: Computed<String>,
    /// TCP port. Default: chosen once, then stable; chosen again only when another program has taken it meanwhile.
    #[model(optional, keep, range = 1..=65535)]
    pub port: Computed<u16>,
    /// The region that requests are signed for.
    #[model(default = "us-east-1", length = 1..=64)]
    pub region: String,
    /// Buckets that shall exist; the first is the main one. A bucket that leaves the list is deleted if it holds no object, no
    /// version, no delete marker and no unfinished upload. Buckets that applications make are left alone.
    #[model(default = Vec::new(), validate = buckets)]
    pub buckets: Vec<String>,
    /// Whether a bucket that leaves `buckets` is deleted together with all that it holds.
    #[model(default = false)]
    pub force_destroy: bool,
    /// `running`; else what is wrong: `stopped`, `unresponsive` (its process runs and does not answer), `failed` (it ends
    /// whenever it is started), `unreachable` (from pods), `outdated` (it was started with other settings, such as those of an
    /// earlier version of mlplat) or `incomplete` (buckets were not found).
    pub status: Computed<String>,
    /// The whole version of the server.
    #[model(keep)]
    pub engine_version_actual: Computed<String>,
}

impl LocalServices {
    /// The stack that is asked for. What is unknown is left to be found or chosen.
    pub(super) fn spec(&self) -> StackSpec {
        StackSpec {
            name: self.name.clone(),
            credentials_secret_name: self.credentials_secret_name.clone(),
            rotation: self.rotation.clone(),
            cluster_access: self.cluster_access.as_deref().and_then(|address| address.parse().ok()),
            postgres: self.postgres.as_ref().map(|model| services::Postgres {
                version: model.version.known().cloned(),
                port: model.port.known().copied(),
                database: model.database.clone(),
                username: model.username.clone(),
                max_connections: model.max_connections,
                shared_buffers_mb: model.shared_buffers_mb,
                extensions: model.extensions.clone(),
                seed_sql: model.seed_sql.clone(),
                persistence: model.persistence,
            }),
            redis: self.redis.as_ref().map(|model| services::Redis {
                engine: model.engine.known().and_then(|name| Engine::named(name)),
                version: model.version.known().cloned(),
                port: model.port.known().copied(),
                maxmemory_mb: model.maxmemory_mb,
                maxmemory_policy: model.maxmemory_policy.clone(),
                persistence: model.persistence,
            }),
            object_store: self.object_store.as_ref().map(|model| services::ObjectStore {
                version: model.version.known().cloned(),
                port: model.port.known().copied(),
                region: model.region.clone(),
                buckets: model.buckets.clone(),
                force_destroy: model.force_destroy,
            }),
        }
    }

    pub(super) fn has(&self, component: Component) -> bool {
        match component {
            Component::Postgres => self.postgres.is_some(),
            Component::Redis => self.redis.is_some(),
            Component::ObjectStore => self.object_store.is_some(),
        }
    }

    /// The endpoints as far as the plan knows them: those of the components that `stay` and whose ports are known.
    pub(super) fn planned_endpoints(&self, stay: impl Fn(Component) -> bool) -> StackEndpoints {
        let spec = self.spec();
        let services = spec.services();
        let known = |service: &&&dyn Service| stay(service.component()) && service.port().is_some();
        let ports: BTreeMap<_, _> = services
            .iter()
            .filter(known)
            .filter_map(|service| Some((service.component(), service.port()?)))
            .collect();
        let mut endpoints = StackEndpoints::from(spec.endpoints(&ports));
        for component in services.iter().map(|service| service.component()) {
            if !ports.contains_key(&component) {
                match component {
                    Component::Postgres => endpoints.postgres = Computed::Unknown,
                    Component::Redis => endpoints.redis = Computed::Unknown,
                    Component::ObjectStore => endpoints.s3 = Computed::Unknown,
                }
            }
        }
        endpoints
    }

    /// What was planned, with what was unknown taken from what there is now. What is still unknown then is null: it
    /// exists only beside an error.
    pub(super) fn filled(mut self, status: Option<&Status>) -> Self {
        let seen = |component| status.and_then(|status: &Status| status.components.get(&component));
        if let Some(model) = &mut self.postgres {
            let seen = seen(Component::Postgres);
            fill(&mut model.version, seen, |seen| major(&seen.version).to_owned());
            fill(&mut model.port, seen, |seen| seen.port);
            fill(&mut model.engine_version_actual, seen, |seen| seen.version.clone());
            model.status = status_of(seen);
        }
        if let Some(model) = &mut self.redis {
            let seen = seen(Component::Redis);
            fill(&mut model.engine, seen, |seen| seen.engine.as_str().to_owned());
            fill(&mut model.version, seen, |seen| major(&seen.version).to_owned());
            fill(&mut model.port, seen, |seen| seen.port);
            fill(&mut model.engine_version_actual, seen, |seen| seen.version.clone());
            model.status = status_of(seen);
        }
        if let Some(model) = &mut self.object_store {
            let seen = seen(Component::ObjectStore);
            fill(&mut model.version, seen, |seen| major(&seen.version).to_owned());
            fill(&mut model.port, seen, |seen| seen.port);
            fill(&mut model.engine_version_actual, seen, |seen| seen.version.clone());
            model.status = status_of(seen);
        }
        if let Some(cluster) = &mut self.cluster {
            // Only beside an error: whoever got further has asked it.
            null_unless_known(&mut cluster.status);
            null_unless_known(&mut cluster.server);
            null_unless_known(&mut cluster.server_version);
        }
        let found = status.map(|status| StackEndpoints::from(status.endpoints.clone()));
        match (&mut self.endpoints, found) {
            (Computed::Known(planned), Some(found)) => planned.fill(found),
            (Computed::Known(planned), None) => planned.fill(StackEndpoints::default()),
            (unknown @ Computed::Unknown, found) => *unknown = found.into(),
            (Computed::Null, _) => {}
        }
        null_unless_known(&mut self.data_dir);
        self
    }

    /// The state, with what is found now: settings that another way changed show as drift. What only Terraform knows, and
    /// how the user writes an address or a folder, stays.
    pub(super) fn refreshed(self, status: &Status) -> Self {
        let found = Self::imported(self.data_dir.known().cloned().unwrap_or_default(), status);
        let same_address =
            self.cluster_access.as_deref().and_then(|text| text.parse().ok()) == status.reached.cluster_access;
        Self {
            cluster_access: if same_address {
                self.cluster_access
            } else {
                found.cluster_access
            },
            cluster: self.cluster,
            name: self.name,
            runtime: self.runtime,
            data_dir: self.data_dir,
            ..found
        }
    }

    /// The stack as an apply last left it and is now. A component whose folder is not found is absent.
    pub(super) fn imported(data_dir: String, status: &Status) -> Self {
        let spec = &status.reached;
        // What an apply that failed has made by now is there too.
        let (postgres, redis, object_store) = (
            spec.postgres.as_ref().or(status.spec.postgres.as_ref()),
            spec.redis.as_ref().or(status.spec.redis.as_ref()),
            spec.object_store.as_ref().or(status.spec.object_store.as_ref()),
        );
        let there = |component| status.components.get(&component).filter(|seen| seen.exists());
        let whole = Self {
            name: spec.name.clone(),
            runtime: "process".to_owned(),
            data_dir: Computed::Known(data_dir),
            credentials_secret_name: spec.credentials_secret_name.clone(),
            rotation: spec.rotation.clone(),
            postgres: postgres.zip(there(Component::Postgres)).map(|(spec, seen)| Postgres {
                engine: "postgres".to_owned(),
                version: unknown_unless(spec.version.clone()),
                port: Computed::Unknown,
                database: spec.database.clone(),
                username: spec.username.clone(),
                max_connections: spec.max_connections,
                shared_buffers_mb: spec.shared_buffers_mb,
                extensions: spec
                    .extensions
                    .iter()
                    .filter(|name| !seen.missing_extensions.contains(*name))
                    .cloned()
                    .collect(),
                seed_sql: spec.seed_sql.clone(),
                persistence: spec.persistence,
                status: Computed::Unknown,
                engine_version_actual: Computed::Unknown,
            }),
            redis: redis.zip(there(Component::Redis)).map(|(spec, _)| Redis {
                engine: Computed::Unknown,
                version: unknown_unless(spec.version.clone()),
                port: Computed::Unknown,
                maxmemory_mb: spec.maxmemory_mb,
                maxmemory_policy: spec.maxmemory_policy.clone(),
                persistence: spec.persistence,
                status: Computed::Unknown,
                engine_version_actual: Computed::Unknown,
            }),
            object_store: object_store
                .zip(there(Component::ObjectStore))
                .map(|(spec, seen)| ObjectStore {
                    engine: "seaweedfs".to_owned(),
                    version: unknown_unless(spec.version.clone()),
                    port: Computed::Unknown,
                    region: spec.region.clone(),
                    buckets: spec
                        .buckets
                        .iter()
                        .filter(|name| !seen.missing_buckets.contains(*name))
                        .cloned()
                        .collect(),
                    force_destroy: spec.force_destroy,
                    status: Computed::Unknown,
                    engine_version_actual: Computed::Unknown,
                }),
            cluster: None,
            cluster_access: spec.cluster_access.map(|address| address.to_string()),
            endpoints: Computed::Unknown,
        };
        whole.filled(Some(status))
    }
}

fn unknown_unless<T>(value: Option<T>) -> Computed<T> {
    value.map_or(Computed::Unknown, Computed::Known)
}

fn fill<T>(value: &mut Computed<T>, seen: Option<&ComponentStatus>, take: impl Fn(&ComponentStatus) -> T) {
    if value.is_unknown() {
        *value = seen.map(take).into();
    }
}

fn null_unless_known(value: &mut Computed<String>) {
    if value.is_unknown() {
        *value = Computed::Null;
    }
}

fn status_of(seen: Option<&ComponentStatus>) -> Computed<String> {
    seen.map_or("stopped", |seen| seen.health.as_str()).to_owned().into()
}
