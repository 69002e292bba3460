//! PostgreSQL's protocol. No password ever stands in a statement: the server may log those.

use postgres_protocol::password::scram_sha_256;
use sha2::{Digest, Sha256};
use tfplug::Secret;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::{NoAnswer, Reach};

/// The database that always exists.
const MAINTENANCE: &str = "postgres";

/// Starts the comment on a database that tells which seed ran in it.
const SEEDED: &str = "mlplat seed sha256:";

impl From<tokio_postgres::Error> for NoAnswer {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => {
                let mut text = format!("{} ({})", said.message(), said.code().code());
                for more in [said.detail(), said.hint()].into_iter().flatten() {
                    text.push_str("; ");
                    text.push_str(more);
                }
                Self(text)
            }
            None => {
                let mut text = error.to_string();
                let mut source = std::error::Error::source(&error);
                while let Some(cause) = source {
                    text = format!("{text}: {cause}");
                    source = cause.source();
                }
                Self(text)
            }
        }
    }
}

async fn connect(
    reach: &Reach,
    role: &str,
    password: &Secret,
    database: &str,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = Config::new()
        .host(reach.address.to_string())
        .port(reach.port)
        .user(role)
        .password(password.expose())
        .dbname(database)
        .application_name("mlplat")
        .connect(NoTls)
        .await?;
    // Ends with the client; an error of it reaches the client's next call.
    tokio::spawn(connection);
    Ok(client)
}

async fn as_admin(reach: &Reach, admin: &str, database: &str) -> Result<Client, NoAnswer> {
    let password = reach
        .login
        .admin_secret
        .as_ref()
        .ok_or_else(|| NoAnswer::new("the administrator has no password"))?;
    Ok(connect(reach, admin, password, database).await?)
}

async fn as_application(reach: &Reach, database: &str) -> Result<Client, tokio_postgres::Error> {
    connect(reach, &reach.login.user, &reach.login.secret, database).await
}

pub(super) async fn answers(reach: &Reach, admin: &str) -> Result<(), NoAnswer> {
    as_admin(reach, admin, MAINTENANCE)
        .await?
        .simple_query("SELECT 1")
        .await?;
    Ok(())
}

/// Whether the application cannot use its database although the server answers.
pub(super) async fn lacks_database(reach: &Reach, admin: &str, database: &str) -> Result<bool, NoAnswer> {
    match as_application(reach, database).await {
        Ok(client) => {
            client.simple_query("SELECT 1").await?;
            Ok(false)
        }
        // The role or the database is gone, or the password was changed: all of it is ours to mend if the server answers.
        Err(error) if error.code().is_some_and(|code| *code != SqlState::CANNOT_CONNECT_NOW) => {
            answers(reach, admin).await.map(|()| true)
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the role and the database and runs the seed; each only where it is missing.
pub(super) async fn furnish(
    reach: &Reach,
    admin: &str,
    database: &str,
    seed_sql: Option<&str>,
) -> Result<(), NoAnswer> {
    let server = as_admin(reach, admin, MAINTENANCE).await?;
    let role = &reach.login.user;
    if as_application(reach, MAINTENANCE).await.is_err() {
        let verb = if server
            .query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[role])
            .await?
            .is_none()
        {
            "CREATE"
        } else {
            "ALTER"
        };
        // What the master user of a managed PostgreSQL may do; superuser is not part of it.
        let verifier = scram_sha_256(reach.login.secret.expose().as_bytes());
        let statement = format!(
            "{verb} ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}",
            identifier(role),
            literal(&verifier)
        );
        server.batch_execute(&statement).await?;
    }
    let owner = server
        .query_opt(
            "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1",
            &[&database],
        )
        .await?
        .map(|row| row.get::<_, String>(0));
    match owner {
        None => {
            let statement = format!("CREATE DATABASE {} OWNER {}", identifier(database), identifier(role));
            server.batch_execute(&statement).await?;
        }
        Some(owner) if owner == *role => {}
        Some(owner) => {
            let inside = as_admin(reach, admin, database).await?;
            if owner != admin {
                let statement = format!("REASSIGN OWNED BY {} TO {}", identifier(&owner), identifier(role));
                inside.batch_execute(&statement).await?;
            }
            let statement = format!("ALTER DATABASE {} OWNER TO {}", identifier(database), identifier(role));
            inside.batch_execute(&statement).await?;
        }
    }
    match seed_sql {
        Some(seed) => sow(reach, database, seed).await,
        None => Ok(()),
    }
}

/// Runs the seed unless it is the last one that ran. Seed and mark are one transaction: a crash leaves both or neither.
async fn sow(reach: &Reach, database: &str, seed: &str) -> Result<(), NoAnswer> {
    let digest: String = Sha256::digest(seed).iter().map(|byte| format!("{byte:02x}")).collect();
    let mark = format!("{SEEDED}{digest}");
    let mut client = as_application(reach, database).await?;
    let transaction = client.transaction().await?;
    let row = transaction
        .query_one(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()",
            &[],
        )
        .await?;
    if row.get::<_, Option<String>>(0).as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    transaction
        .batch_execute(seed)
        .await
        .map_err(|error| NoAnswer(format!("seed_sql: {}", NoAnswer::from(error))))?;
    transaction
        .batch_execute(&format!(
            "COMMENT ON DATABASE {} IS {}",
            identifier(database),
            literal(&mark)
        ))
        .await?;
    Ok(transaction.commit().await?)
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(identifier(r#"a"; DROP TABLE x; --"#), r#""a""; DROP TABLE x; --""#);
        assert_eq!(literal("it's"), "'it''s'");
    }
}
