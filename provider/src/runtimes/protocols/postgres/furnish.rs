//! What the user asked for inside the server: role, database, extensions, seed; each only where it is missing.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_util::sync::CancellationToken;

use super::{MAINTENANCE, Wanted, as_admin, extensions, identifier, is_made_already, role, seed};
use crate::runtimes::protocols::{NoAnswer, Reach};
use crate::wait::{self, Look};

/// How long another session may stand in the way: one that copies the same template database, or changes the same role.
const IN_THE_WAY: Duration = Duration::from_secs(60);

/// Makes everything; can be repeated, also while an apply that was killed is still at it in the server.
pub(in crate::runtimes::protocols) async fn furnish(reach: &Reach, wanted: &Wanted<'_>) -> Result<(), NoAnswer> {
    let server = as_admin(reach, wanted.admin, MAINTENANCE).await?;
    role::ensure(reach, &server).await?;
    own_database(reach, &server, wanted).await?;
    role::retire_former(reach, &server).await?;
    extensions::ensure(reach, wanted).await?;
    match wanted.seed_sql {
        Some(text) => seed::sow(reach, wanted.database, text).await,
        None => Ok(()),
    }
}

async fn owner(server: &Client, database: &str) -> Result<Option<String>, NoAnswer> {
    let row = server
        .query_opt(
            "SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datname = $1",
            &[&database],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Makes the database, or hands it and what is in it to the application's role.
async fn own_database(reach: &Reach, server: &Client, wanted: &Wanted<'_>) -> Result<(), NoAnswer> {
    let (role, database) = (&reach.login.user, wanted.database);
    let found = match owner(server, database).await? {
        Some(owner) => Some(owner),
        None => {
            let statement = format!("CREATE DATABASE {} OWNER {}", identifier(database), identifier(role));
            if made(server, &statement).await? {
                return Ok(());
            }
            owner(server, database).await?
        }
    };
    match found {
        Some(owner) if owner == *role => Ok(()),
        None => Err(NoAnswer::new(format!(
            "database \"{database}\" was deleted while it was being made. To fix: apply again"
        ))),
        Some(owner) => {
            let inside = as_admin(reach, wanted.admin, database).await?;
            // Not what the administrator, the role of this stack before it had others, owns: its extensions too.
            if owner != wanted.admin {
                let statement = format!("REASSIGN OWNED BY {} TO {}", identifier(&owner), identifier(role));
                inside.batch_execute(&statement).await?;
                role::mark_former(reach, server, &owner).await?;
            }
            let statement = format!("ALTER DATABASE {} OWNER TO {}", identifier(database), identifier(role));
            Ok(inside.batch_execute(&statement).await?)
        }
    }
}

/// Runs a statement that makes something; `false` when another session has made it. Waits while one stands in the way.
pub(super) async fn made(server: &Client, statement: &str) -> Result<bool, NoAnswer> {
    let never = CancellationToken::new();
    let made = wait::until("another session to end", IN_THE_WAY, &never, || async {
        match server.batch_execute(statement).await {
            Ok(()) => Ok(Look::Done(true)),
            Err(error) if is_made_already(&error) => Ok(Look::Done(false)),
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => {
                Ok(Look::NotYet(NoAnswer::from(error).to_string()))
            }
            Err(error) => Err(NoAnswer::from(error)),
        }
    });
    made.await.map_err(NoAnswer::new)
}
