//! The cache: Valkey or Redis, which take the same configuration.

mod damage;
mod users;

pub use self::users::MONITOR;

use std::path::PathBuf;

use endpoint_contract::{Endpoints, RedisCredentials};
use serde::{Deserialize, Serialize};
use tfplug::Secret;

use super::{
    Component, ConfigFile, Dialogue, Halt, LOOPBACK, Login, Offer, PUBLISHED, Service, Site, StopSignal, Unit,
};
use crate::engines::Engine;

/// The user's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redis {
    /// `None` = Valkey, or Redis where only that is found.
    pub engine: Option<Engine>,
    /// Version, in whole numbers ("8", "7.0"); `None` = whichever is found.
    pub version: Option<String>,
    /// Fixed port; `None` = chosen once.
    pub port: Option<u16>,
    /// `None` = no limit.
    pub maxmemory_mb: Option<u32>,
    /// What goes when memory is full ("allkeys-lru" …); `None` = the engine's "noeviction".
    pub maxmemory_policy: Option<String>,
    /// `true`: every write is appended to a file, synced each second.
    pub persistence: bool,
}

/// The policies that both engines know.
pub const MAXMEMORY_POLICIES: [&str; 8] = [
    "noeviction",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
];

impl Default for Redis {
    fn default() -> Self {
        Self {
            engine: None,
            version: None,
            port: None,
            maxmemory_mb: None,
            maxmemory_policy: None,
            persistence: true,
        }
    }
}

impl Service for Redis {
    fn component(&self) -> Component {
        Component::Redis
    }

    fn engines(&self) -> Vec<Engine> {
        self.engine
            .map_or_else(|| vec![Engine::Valkey, Engine::Redis], |engine| vec![engine])
    }

    fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn port(&self) -> Option<u16> {
        self.port
    }

    fn folders(&self, site: &Site) -> Vec<PathBuf> {
        vec![data(site)]
    }

    fn needs_free_mb(&self) -> u64 {
        32
    }

    fn new_login(&self, random: &mut dyn FnMut() -> Secret) -> Login {
        // The name that clients mean which give a password alone.
        Login {
            user: "default".to_owned(),
            secret: random(),
            admin_secret: Some(random()),
            certificate: None,
        }
    }

    fn is_complete(&self, login: &Login) -> bool {
        login.admin_secret.is_some()
    }

    fn files(&self, site: &Site) -> Vec<ConfigFile> {
        let mut text = format!(
            "bind {LOOPBACK}\nport {}\nprotected-mode yes\ndaemonize no\naclfile \"{}\"\ndir \"{}\"\n",
            site.port(PUBLISHED),
            quoted(&site.path(users::FILE)),
            quoted(&data(site).to_string_lossy()),
        );
        text.push_str(if self.persistence {
            "appendonly yes\nappendfsync everysec\n"
        } else {
            "appendonly no\nsave \"\"\n"
        });
        if let Some(megabytes) = self.maxmemory_mb {
            text.push_str(&format!("maxmemory {megabytes}mb\n"));
        }
        if let Some(policy) = &self.maxmemory_policy {
            text.push_str(&format!("maxmemory-policy {policy}\n"));
        }
        let configuration = ConfigFile {
            name: "cache.conf",
            text,
        };
        vec![configuration, users::file(&site.login)]
    }

    fn unit(&self, site: &Site) -> Unit {
        let program = match site.engine.engine {
            Engine::Redis => "redis-server",
            Engine::Valkey | Engine::Postgres | Engine::Seaweedfs => "valkey-server",
        };
        Unit {
            dir: site.dir.clone(),
            program: site.engine.program(program),
            args: vec![site.path("cache.conf")],
            refuses_root: false,
            prepare: None,
            pid_file: None,
            stray_sockets: Vec::new(),
            stop: Halt {
                signal: StopSignal::Terminate,
                patience_ms: 10_000,
            },
            discard: Halt {
                signal: StopSignal::Kill,
                patience_ms: 0,
            },
            fingerprint: String::new(),
        }
        .stamped(&self.files(site))
    }

    fn dialogue(&self) -> Dialogue {
        Dialogue::Redis
    }

    fn hopeless(&self, site: &Site, log: &str) -> Option<String> {
        damage::advice(site, &data(site), log)
    }

    fn offer(&self, endpoints: &mut Endpoints, offer: &Offer<'_>) {
        endpoints.redis = Some(endpoint_contract::Redis {
            host: offer.host(),
            cluster: offer.cluster(),
            database: 0,
            tls: false,
            credentials: Some(RedisCredentials::in_secret(offer.secret_name)),
        });
    }
}

/// Each engine has a folder of its own: one cannot be trusted to read what the other wrote.
fn data(site: &Site) -> PathBuf {
    site.dir.join(format!("data-{}", site.engine.engine))
}

/// Inside the double quotes of the configuration file.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::site;

    #[test]
    fn the_password_is_in_the_file_alone() {
        let redis = Redis {
            maxmemory_mb: Some(64),
            maxmemory_policy: Some("allkeys-lru".into()),
            persistence: false,
            ..Redis::default()
        };
        let site = site(&redis, Engine::Redis, "7.0.15");
        let unit = redis.unit(&site);
        let shown = format!("{unit:?} {site:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(unit.program.to_str(), Some("/engine/bin/redis-server"));
        assert_eq!(unit.args, ["/stacks/demo/redis/cache.conf"]);
        assert_eq!(
            redis.files(&site)[0].text,
            "bind 127.0.0.1\nport 20000\nprotected-mode yes\ndaemonize no\n\
             aclfile \"/stacks/demo/redis/users.acl\"\ndir \"/stacks/demo/redis/data-redis\"\nappendonly no\nsave \"\"\nmaxmemory 64mb\nmaxmemory-policy allkeys-lru\n"
        );
    }

    #[test]
    fn valkey_comes_first_unless_the_user_names_an_engine() {
        assert_eq!(Redis::default().engines(), [Engine::Valkey, Engine::Redis]);
        assert_eq!(
            Redis {
                engine: Some(Engine::Redis),
                ..Redis::default()
            }
            .engines(),
            [Engine::Redis]
        );
    }
}
