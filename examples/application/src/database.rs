//! PostgreSQL: a small pool, migrations, and every query of the store.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio::sync::OnceCell;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::artefact::Artefact;
use crate::tls::{self, Verification};

const CONNECT: Duration = Duration::from_secs(3);
const STATEMENT: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 8;

/// Applied in order, each once per database; one that was released is never changed.
const MIGRATIONS: [&str; 2] = [
    include_str!("../migrations/0001_artefacts.sql"),
    include_str!("../migrations/0002_reports.sql"),
];
/// Any number that no other program uses: replicas that start together wait for each other on it.
const MIGRATION_LOCK: i64 = 0x6172_7465_6661_6374;

const COLUMNS: &str = "id, name, version, media_type, bytes, sha256,
    to_char(created_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') as created_at";

/// The rows of the store. Connects when it is first asked.
pub(crate) struct Database {
    pool: Pool,
    migrated: OnceCell<()>,
    address: String,
}

/// Why the database cannot be used. No text of it holds a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DatabaseError {
    #[error("DATABASE_URL cannot be used: {0}")]
    Url(String),
    #[error("PostgreSQL at {address} does not answer: {reason}")]
    Connect { address: String, reason: String },
    #[error("PostgreSQL refused a statement: {}", causes(.0))]
    Statement(#[from] tokio_postgres::Error),
}

/// What adding a row came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    New(Artefact),
    /// The same name, version and content was there.
    Same(Artefact),
    /// The name and version are taken by other content.
    Taken,
}

/// A row to be added.
pub(crate) struct NewArtefact<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) media_type: &'a str,
    pub(crate) bytes: i64,
    pub(crate) sha256: &'a str,
    pub(crate) object_key: &'a str,
}

impl Database {
    pub(crate) fn new(url: &str, roots: Option<&str>) -> Result<Self, DatabaseError> {
        let refuse = |error: &dyn std::fmt::Display| DatabaseError::Url(error.to_string());
        let (url, mode) = take_sslmode(url)?;
        let mut config: tokio_postgres::Config = url.parse().map_err(|error| refuse(&error))?;
        config
            .ssl_mode(mode.ssl_mode())
            .connect_timeout(CONNECT)
            .tcp_user_timeout(STATEMENT);
        config.application_name("artefact-store");
        if config.get_options().is_none() {
            config.options(format!("-c statement_timeout={}", STATEMENT.as_millis()));
        }
        let address = address(&config);
        let options = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match mode.verification() {
            None => Manager::from_config(config, NoTls, options),
            Some(verification) => {
                let tls = tls::client_config(verification, roots).map_err(|error| refuse(&error))?;
                Manager::from_config(config, MakeRustlsConnect::new(tls), options)
            }
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(CONNECT))
            .build()
            .map_err(|error| refuse(&error))?;
        Ok(Self {
            pool,
            migrated: OnceCell::new(),
            address,
        })
    }

    /// Host and port, as `DATABASE_URL` names them.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A connection to a database whose tables are there.
    pub(crate) async fn client(&self) -> Result<Object, DatabaseError> {
        let mut client = self.pool.get().await.map_err(|error| {
            let reason = match error {
                PoolError::Backend(error) => causes(&error),
                PoolError::Timeout(_) => format!("no connection within {CONNECT:?}"),
                other => causes(&other),
            };
            DatabaseError::Connect {
                address: self.address.clone(),
                reason,
            }
        })?;
        self.migrated.get_or_try_init(|| migrate(&mut client)).await?;
        Ok(client)
    }

    /// The server's own words: `15.18 (Debian …)`.
    pub(crate) async fn version(client: &Object) -> Result<String, DatabaseError> {
        Ok(client.query_one("show server_version", &[]).await?.get(0))
    }

    pub(crate) async fn add(&self, new: &NewArtefact<'_>) -> Result<Added, DatabaseError> {
        let client = self.client().await?;
        let insert = format!(
            "insert into artefacts (name, version, media_type, bytes, sha256, object_key) values ($1, $2, $3, $4, $5, $6)
             on conflict (name, version) do nothing returning {COLUMNS}"
        );
        let values: &[&(dyn tokio_postgres::types::ToSql + Sync)] = &[
            &new.name,
            &new.version,
            &new.media_type,
            &new.bytes,
            &new.sha256,
            &new.object_key,
        ];
        if let Some(row) = client.query_opt(&insert, values).await? {
            return Ok(Added::New(artefact(&row)));
        }
        let select = format!("select {COLUMNS} from artefacts where name = $1 and version = $2 and sha256 = $3");
        let same = client
            .query_opt(&select, &[&new.name, &new.version, &new.sha256])
            .await?;
        Ok(same.map_or(Added::Taken, |row| Added::Same(artefact(&row))))
    }

    /// The newest first; with `before`, those older than that id.
    pub(crate) async fn list(&self, before: Option<i64>, limit: i64) -> Result<Vec<Artefact>, DatabaseError> {
        let select = format!("select {COLUMNS} from artefacts where id < $1 order by id desc limit $2");
        let rows = self
            .client()
            .await?
            .query(&select, &[&before.unwrap_or(i64::MAX), &limit])
            .await?;
        Ok(rows.iter().map(artefact).collect())
    }

    /// An artefact and the key of its blob.
    pub(crate) async fn find(&self, id: i64) -> Result<Option<(Artefact, String)>, DatabaseError> {
        let select = format!("select {COLUMNS}, object_key from artefacts where id = $1");
        let row = self.client().await?.query_opt(&select, &[&id]).await?;
        Ok(row.map(|row| (artefact(&row), row.get("object_key"))))
    }

    /// Writes what a report found; answers with the row's id.
    pub(crate) async fn add_report(&self, artefacts: i64, bytes: i64, damaged: i64) -> Result<i64, DatabaseError> {
        let insert = "insert into reports (artefacts, bytes, damaged) values ($1, $2, $3) returning id";
        Ok(self
            .client()
            .await?
            .query_one(insert, &[&artefacts, &bytes, &damaged])
            .await?
            .get(0))
    }
}

async fn migrate(client: &mut Object) -> Result<(), DatabaseError> {
    let transaction = client.transaction().await?;
    transaction
        .execute("select pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])
        .await?;
    transaction
        .batch_execute(
            "create table if not exists schema_migrations (
                 version integer primary key, applied_at timestamptz not null default now())",
        )
        .await?;
    let done: i32 = transaction
        .query_one("select coalesce(max(version), 0) from schema_migrations", &[])
        .await?
        .get(0);
    for (version, migration) in (1..).zip(MIGRATIONS).filter(|(version, _)| *version > done) {
        transaction.batch_execute(migration).await?;
        transaction
            .execute("insert into schema_migrations (version) values ($1)", &[&version])
            .await?;
        tracing::info!(version, "migrated");
    }
    transaction.commit().await?;
    Ok(())
}

fn artefact(row: &Row) -> Artefact {
    Artefact {
        id: row.get("id"),
        name: row.get("name"),
        version: row.get("version"),
        media_type: row.get("media_type"),
        bytes: row.get("bytes"),
        sha256: row.get("sha256"),
        created_at: row.get("created_at"),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyFull,
}

impl Mode {
    fn ssl_mode(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyFull => SslMode::Require,
        }
    }

    fn verification(self) -> Option<Verification> {
        match self {
            Self::Disable => None,
            Self::Prefer | Self::Require => Some(Verification::None),
            Self::VerifyFull => Some(Verification::Full),
        }
    }
}

/// Takes `sslmode` out of the URL, since the driver does not know all of libpq's. Its default is libpq's too.
fn take_sslmode(url: &str) -> Result<(String, Mode), DatabaseError> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut mode = Mode::Prefer;
    let mut rest = Vec::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        mode = match parameter.strip_prefix("sslmode=") {
            Some("disable") => Mode::Disable,
            Some("prefer") => Mode::Prefer,
            Some("require") => Mode::Require,
            Some("verify-full") => Mode::VerifyFull,
            Some(other) => {
                let known = "disable, prefer, require or verify-full";
                return Err(DatabaseError::Url(format!("sslmode is {other}. To fix: use {known}")));
            }
            None => {
                rest.push(parameter);
                continue;
            }
        };
    }
    let query = if rest.is_empty() {
        String::new()
    } else {
        format!("?{}", rest.join("&"))
    };
    Ok((format!("{base}{query}"), mode))
}

fn address(config: &tokio_postgres::Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    format!("{host}:{}", config.get_ports().first().unwrap_or(&5432))
}

/// An error and what caused it, in one line; the driver keeps the telling part in the cause.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let part = match error.downcast_ref::<tokio_postgres::error::DbError>() {
            Some(refusal) if *refusal.code() == SqlState::QUERY_CANCELED => format!("no answer within {STATEMENT:?}"),
            Some(refusal) => format!("{} (SQLSTATE {})", refusal.message(), refusal.code().code()),
            None => error.to_string(),
        };
        if !parts.iter().any(|said| said.contains(&part)) {
            parts.push(part);
        }
        next = error.source();
    }
    parts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_read_as_libpq_reads_it() {
        let taken = |url| take_sslmode(url).map_err(|error| error.to_string());
        let base = "postgresql://u:p@h/d";
        assert_eq!(taken(base), Ok((base.to_owned(), Mode::Prefer)));
        assert_eq!(
            taken("postgresql://u:p@h/d?application_name=x&sslmode=verify-full"),
            Ok((format!("{base}?application_name=x"), Mode::VerifyFull))
        );
        assert_eq!(
            taken("postgresql://u:p@h/d?sslmode=require"),
            Ok((base.to_owned(), Mode::Require))
        );
        assert_eq!(
            taken("postgresql://u:p@h/d?sslmode=on"),
            Err(
                "DATABASE_URL cannot be used: sslmode is on. To fix: use disable, prefer, require or verify-full"
                    .into()
            )
        );
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_named_without_its_password() {
        let database = Database::new("postgresql://u:canary@127.0.0.1:1/d?sslmode=disable", None).unwrap();
        let error = database.list(None, 1).await.unwrap_err().to_string();
        assert!(
            error.starts_with("PostgreSQL at 127.0.0.1:1 does not answer: "),
            "{error}"
        );
        assert!(error.contains("refused") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn a_url_that_cannot_be_read_is_not_shown() {
        for url in [
            "postgresql://u:canary@h:port/d",
            "canary",
            "postgresql://u:canary@h/d?canary=1",
        ] {
            let error = Database::new(url, None).err().unwrap().to_string();
            assert!(error.starts_with("DATABASE_URL cannot be used: "), "{error}");
        }
    }
}
