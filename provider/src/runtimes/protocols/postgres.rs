//! PostgreSQL's protocol. No password ever stands in a statement: the server may log those.

mod extensions;
mod furnish;
mod role;
mod seed;

use std::collections::BTreeSet;

use tfplug::Secret;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

pub(super) use self::furnish::furnish;
use super::{Missing, NoAnswer, Reach};

/// The database that always exists.
const MAINTENANCE: &str = "postgres";

/// What shall be in the server.
pub(super) struct Wanted<'a> {
    /// The administrator's role.
    pub(super) admin: &'a str,
    /// The application's database.
    pub(super) database: &'a str,
    /// Extensions of it.
    pub(super) extensions: &'a [String],
    /// SQL to run once in it.
    pub(super) seed_sql: Option<&'a str>,
}

impl From<tokio_postgres::Error> for NoAnswer {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(said) => {
                let mut text = format!("{} ({})", said.message(), said.code().code());
                for more in [said.detail(), said.hint()].into_iter().flatten() {
                    text.push_str("; ");
                    text.push_str(more);
                }
                let login = [
                    SqlState::INVALID_PASSWORD,
                    SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
                ];
                if login.contains(said.code()) {
                    Self::refused(text)
                } else {
                    Self::new(text)
                }
            }
            None => Self::new(with_causes(&error)),
        }
    }
}

/// What went wrong on the way to the server.
fn with_causes(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
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

/// What the application lacks, or has too much of, although the server answers.
pub(super) async fn missing(
    reach: &Reach,
    admin: &str,
    database: &str,
    extensions: &[String],
) -> Result<Missing, NoAnswer> {
    match as_application(reach, database).await {
        Ok(client) => {
            let there = extensions::made_in(&client).await?;
            let lacks = |name: &&String| !there.contains(*name);
            Ok(Missing {
                extensions: extensions.iter().filter(lacks).cloned().collect::<BTreeSet<_>>(),
                excess: role::has_excess(&client).await?,
                ..Missing::default()
            })
        }
        // The role or the database is gone, or the password was changed: all of it is ours to mend if the server answers.
        Err(error) if error.code().is_some_and(|code| *code != SqlState::CANNOT_CONNECT_NOW) => {
            answers(reach, admin).await?;
            Ok(Missing {
                database: true,
                ..Missing::default()
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the error says that another session has made the same thing at the same time: an apply that was killed may leave
/// a statement running in the server.
fn is_made_already(error: &tokio_postgres::Error) -> bool {
    let codes = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_DATABASE,
        SqlState::DUPLICATE_OBJECT,
    ];
    error.code().is_some_and(|code| codes.contains(code))
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
