//! PostgreSQL.

use std::path::{Path, PathBuf};

use endpoint_contract::{Endpoints, PostgresCredentials, SslMode};
use serde::{Deserialize, Serialize};
use tfplug::Secret;

use super::{
    Component, ConfigFile, Dialogue, Halt, LOOPBACK, Login, Offer, PUBLISHED, Prepare, Service, Site, StopSignal, Unit,
};
use crate::engines::{Engine, PINNED_POSTGRES_MAJOR as PINNED_MAJOR};

/// The role that initdb makes. The application's role is another one, without its powers: as in RDS.
pub const ADMIN: &str = "mlplat_admin";

/// The user's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postgres {
    /// Major version; `None` = whichever is found.
    pub version: Option<String>,
    /// Fixed port; `None` = chosen once.
    pub port: Option<u16>,
    /// The application's database.
    pub database: String,
    /// The application's role, which owns the database.
    pub username: String,
    /// Connections at once; `None` = PostgreSQL's 100.
    pub max_connections: Option<u32>,
    /// `None` = PostgreSQL's 128 MB.
    pub shared_buffers_mb: Option<u32>,
    /// Extensions of the database, made by the administrator.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// SQL to run once in the database, in one transaction, as the application's role.
    pub seed_sql: Option<String>,
    /// `false`: a crash of the machine may lose data, and writes are faster.
    pub persistence: bool,
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            version: None,
            port: None,
            database: "app".to_owned(),
            username: "app".to_owned(),
            max_connections: None,
            shared_buffers_mb: None,
            extensions: Vec::new(),
            seed_sql: None,
            persistence: true,
        }
    }
}

/// Extensions that are of no use unless the server loads their library when it starts. (RDS loads the first by itself.)
const PRELOADED: [&str; 3] = ["pg_stat_statements", "pg_cron", "pgaudit"];

/// The error about extensions that the server does not offer.
#[must_use]
pub fn missing_extensions(names: &[&str], server_version: &str) -> String {
    let version = server_version.split_whitespace().next().unwrap_or_default();
    let major = version.split('.').next().unwrap_or_default();
    let package = |name: &&str| match *name {
        // Debian's names differ for a few; most are that of the extension.
        "vector" => format!("`postgresql-{major}-pgvector`"),
        "postgis" | "postgis_topology" | "postgis_raster" => format!("`postgresql-{major}-postgis-3`"),
        "pg_cron" => format!("`postgresql-{major}-cron`"),
        // Part of PostgreSQL itself, and not of the engine that is fetched.
        "pgcrypto" | "uuid-ossp" | "xml2" | "sslinfo" => format!("`postgresql-{major}` itself"),
        other => format!("`postgresql-{major}-{}`", other.replace('_', "-")),
    };
    let packages: Vec<_> = names.iter().map(package).collect();
    let fetched = if names.contains(&"vector") && major != PINNED_MAJOR {
        format!(
            ", or use the engine that `mlplat engines install postgres` fetches, which has `vector`, with \
             `version = \"{PINNED_MAJOR}\"` (data of another major version is not converted)"
        )
    } else {
        String::new()
    };
    format!(
        "PostgreSQL {version} here does not offer the extension{} {}. To fix: install the package of it for this major version \
         (on Debian {}){fetched}, or remove it from `postgres.extensions`",
        if names.len() == 1 { "" } else { "s" },
        names.join(", "),
        packages.join(", ")
    )
}

impl Service for Postgres {
    fn component(&self) -> Component {
        Component::Postgres
    }

    fn engines(&self) -> Vec<Engine> {
        vec![Engine::Postgres]
    }

    fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    fn port(&self) -> Option<u16> {
        self.port
    }

    fn username(&self) -> Option<&str> {
        Some(&self.username)
    }

    fn folders(&self, _site: &Site) -> Vec<PathBuf> {
        Vec::new()
    }

    fn needs_free_mb(&self) -> u64 {
        128
    }

    fn new_login(&self, random: &mut dyn FnMut() -> Secret) -> Login {
        Login {
            user: self.username.clone(),
            secret: random(),
            admin_secret: Some(random()),
            certificate: None,
        }
    }

    fn data_knows_login(&self, folder: &Path) -> bool {
        folder.join("data").exists()
    }

    fn files(&self, site: &Site) -> Vec<ConfigFile> {
        let password = site.login.admin_secret.as_ref().map_or("", Secret::expose);
        vec![ConfigFile {
            name: "admin-password",
            text: format!("{password}\n"),
        }]
    }

    fn unit(&self, site: &Site) -> Unit {
        let mut args = vec!["-D".to_owned(), site.path("data")];
        let mut set = |name: &str, value: &str| args.extend(["-c".to_owned(), format!("{name}={value}")]);
        set("listen_addresses", LOOPBACK);
        set("port", &site.port(PUBLISHED).to_string());
        // A socket path longer than 107 bytes is refused, and nobody needs the socket.
        set("unix_socket_directories", "");
        set("password_encryption", "scram-sha-256");
        set("logging_collector", "off");
        if let Some(count) = self.max_connections {
            set("max_connections", &count.to_string());
        }
        if let Some(megabytes) = self.shared_buffers_mb {
            set("shared_buffers", &format!("{megabytes}MB"));
        }
        let preloaded = PRELOADED
            .iter()
            .filter(|name| self.extensions.iter().any(|wanted| wanted == *name));
        let preloaded: Vec<_> = preloaded.copied().collect();
        if !preloaded.is_empty() {
            set("shared_preload_libraries", &preloaded.join(","));
            if preloaded.contains(&"pg_cron") {
                // It can be made in this database alone.
                set("cron.database_name", &self.database);
            }
        }
        if !self.persistence {
            set("fsync", "off");
            set("synchronous_commit", "off");
            set("full_page_writes", "off");
        }
        Unit {
            dir: site.dir.clone(),
            program: site.engine.program("postgres"),
            args,
            refuses_root: true,
            prepare: Some(Prepare {
                program: site.engine.program("initdb"),
                args: [
                    "-D",
                    &site.path("data.new"),
                    "--username",
                    ADMIN,
                    "--pwfile",
                    &site.path("admin-password"),
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    // The server syncs what it writes later; a crash before that leaves a folder without a user's data.
                    "--no-sync",
                ]
                .map(str::to_owned)
                .into_iter()
                .chain(site.locale.initdb())
                .collect(),
                staging: site.dir.join("data.new"),
                result: site.dir.join("data"),
            }),
            pid_file: Some(site.dir.join("data/postmaster.pid")),
            stray_sockets: Vec::new(),
            // SIGINT closes the sessions; SIGTERM would wait for them. A killed server leaves shared memory behind.
            stop: Halt {
                signal: StopSignal::Interrupt,
                patience_ms: 20_000,
            },
            discard: Halt {
                signal: StopSignal::Interrupt,
                patience_ms: 5_000,
            },
            fingerprint: String::new(),
        }
        .stamped(&self.files(site))
    }

    fn dialogue(&self) -> Dialogue {
        Dialogue::Postgres {
            admin: ADMIN,
            database: self.database.clone(),
            extensions: self.extensions.clone(),
            seed_sql: self.seed_sql.clone(),
        }
    }

    fn offer(&self, endpoints: &mut Endpoints, offer: &Offer<'_>) {
        endpoints.postgres = Some(endpoint_contract::Postgres {
            host: offer.host(),
            cluster: offer.cluster(),
            database: self.database.clone(),
            ssl_mode: SslMode::Disable,
            credentials: PostgresCredentials::in_secret(offer.secret_name),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::testing::site;

    #[test]
    fn no_password_is_in_the_command_line() {
        let postgres = Postgres {
            max_connections: Some(20),
            shared_buffers_mb: Some(64),
            ..Postgres::default()
        };
        let site = site(&postgres, Engine::Postgres, "15.14");
        let unit = postgres.unit(&site);
        let shown = format!("{unit:?} {site:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(
            unit.args.join(" "),
            "-D /stacks/demo/postgres/data -c listen_addresses=127.0.0.1 -c port=20000 -c unix_socket_directories= \
             -c password_encryption=scram-sha-256 -c logging_collector=off -c max_connections=20 -c shared_buffers=64MB"
        );
        assert_eq!(postgres.files(&site)[0].text, "canary-2\n");
    }

    #[test]
    fn an_extension_that_needs_its_library_is_loaded_with_the_server() {
        let one = Postgres::default();
        let site = site(&one, Engine::Postgres, "18.6");
        let with = |names: &[&str]| {
            let extensions = names.iter().map(|name| (*name).to_owned()).collect();
            Postgres {
                extensions,
                ..Postgres::default()
            }
            .unit(&site)
        };
        assert_eq!(with(&["vector"]).fingerprint, one.unit(&site).fingerprint);
        let args = with(&["vector", "pg_stat_statements"]).args.join(" ");
        assert!(
            args.ends_with("-c shared_preload_libraries=pg_stat_statements"),
            "{args}"
        );
    }

    #[test]
    fn a_missing_extension_names_the_ways_to_it() {
        assert_eq!(
            missing_extensions(&["vector"], "15.18 (Debian 15.18-0+deb12u1)"),
            "PostgreSQL 15.18 here does not offer the extension vector. To fix: install the package of it for this major \
             version (on Debian `postgresql-15-pgvector`), or use the engine that `mlplat engines install postgres` fetches, \
             which has `vector`, with `version = \"18\"` (data of another major version is not converted), or remove it from \
             `postgres.extensions`"
        );
    }

    #[test]
    fn what_needs_no_restart_keeps_the_fingerprint() {
        let one = Postgres::default();
        let site = site(&one, Engine::Postgres, "15.14");
        let other = Postgres {
            database: "b".into(),
            seed_sql: Some("select 1".into()),
            ..Postgres::default()
        };
        assert_eq!(one.unit(&site).fingerprint, other.unit(&site).fingerprint);
        let slower = Postgres {
            max_connections: Some(7),
            ..Postgres::default()
        };
        assert_ne!(one.unit(&site).fingerprint, slower.unit(&site).fingerprint);
    }
}
