//! Extensions of the application's database, made by the stack's administrator: most are refused to other roles.

use std::collections::BTreeSet;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::furnish::made;
use super::{Wanted, as_admin, identifier, literal};
use crate::runtimes::protocols::{NoAnswer, Reach};
use crate::services::postgres::missing_extensions;

/// Ends the comment on an extension that was made because the configuration names it: others are the application's.
const MARK: &str = " (made by mlplat)";

/// The extensions that the database has.
pub(super) async fn made_in(client: &Client) -> Result<BTreeSet<String>, NoAnswer> {
    names(client, "SELECT extname::text FROM pg_extension").await
}

async fn names(client: &Client, query: &str) -> Result<BTreeSet<String>, NoAnswer> {
    let rows = client.query(query, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Makes those that are wanted, with what they need, and drops those that were wanted before. One that something still uses
/// is not dropped: that is an error, as for a bucket that holds objects.
pub(super) async fn ensure(reach: &Reach, wanted: &Wanted<'_>) -> Result<(), NoAnswer> {
    let inside = as_admin(reach, wanted.admin, wanted.database).await?;
    let offered = names(&inside, "SELECT name::text FROM pg_available_extensions").await?;
    let missing: Vec<_> = wanted
        .extensions
        .iter()
        .filter(|name| !offered.contains(*name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let row = inside
            .query_one("SELECT current_setting('server_version')", &[])
            .await?;
        return Err(NoAnswer::new(missing_extensions(&missing, row.get(0))));
    }
    let there = made_in(&inside).await?;
    for name in wanted.extensions.iter().filter(|name| !there.contains(*name)) {
        let about = "SELECT coalesce(comment, '') FROM pg_available_extensions WHERE name = $1";
        let about: String = inside.query_one(about, &[name]).await?.get(0);
        let name = identifier(name);
        // One transaction, as every text of several statements.
        let statements = format!(
            "CREATE EXTENSION {name} CASCADE; COMMENT ON EXTENSION {name} IS {}",
            literal(&format!("{about}{MARK}"))
        );
        made(&inside, &statements).await?;
    }
    let marked = format!(
        "SELECT extname::text FROM pg_extension WHERE obj_description(oid, 'pg_extension') LIKE {}",
        literal(&format!("%{MARK}"))
    );
    let marked = names(&inside, &marked).await?;
    let unwanted: Vec<_> = marked
        .iter()
        .filter(|name| !wanted.extensions.contains(*name))
        .map(String::as_str)
        .collect();
    drop_unused(&inside, &unwanted).await
}

/// In one statement, since one may need another.
async fn drop_unused(inside: &Client, names: &[&str]) -> Result<(), NoAnswer> {
    if names.is_empty() {
        return Ok(());
    }
    let list: Vec<_> = names.iter().map(|name| identifier(name)).collect();
    let statement = format!("DROP EXTENSION IF EXISTS {}", list.join(", "));
    inside.batch_execute(&statement).await.map_err(|error| {
        if error.code() != Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST) {
            return error.into();
        }
        let uses = error.as_db_error().and_then(|said| said.detail()).unwrap_or_default();
        NoAnswer::new(format!(
            "extension {} is still in use: {uses}. To fix: drop what uses it, or put it back into `postgres.extensions`",
            list.join(", ")
        ))
    })
}
