//! The application's role: what the master user of a managed PostgreSQL may do, and no more.

use postgres_protocol::password::scram_sha_256;
use tokio_postgres::Client;

use super::{MAINTENANCE, as_application, connect, identifier, is_made_already, literal};
use crate::runtimes::protocols::{NoAnswer, Reach};

/// Marks the roles that were applications' roles, so that former ones can be told from those that applications make.
const MARK: &str = "mlplat application role";

/// From this major version on, CREATEROLE gives no rights over roles that its holder did not make. Before it, who has it
/// may grant itself `pg_execute_server_program`, which runs programs as the user of this machine.
const CREATEROLE_IS_SAFE: i32 = 160_000;

/// SQL that is true for a member that mlplat never grants: a predefined role (`pg_…`) to any other role.
const GRANTED_TO_OTHERS: &str =
    "granted.rolname LIKE 'pg\\_%' AND member.rolname NOT LIKE 'pg\\_%' AND NOT member.rolsuper";

async fn version(client: &Client) -> Result<i32, NoAnswer> {
    let row = client
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .await?;
    Ok(row.get(0))
}

/// Whether an application could give itself access to this machine. Any role may ask that.
pub(super) async fn has_excess(client: &Client) -> Result<bool, NoAnswer> {
    if version(client).await? >= CREATEROLE_IS_SAFE {
        return Ok(false);
    }
    let row = client
        .query_one(
            &format!(
                "SELECT EXISTS (SELECT FROM pg_roles WHERE rolcreaterole AND NOT rolsuper)
                 OR EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles granted ON granted.oid = m.roleid
                    JOIN pg_roles member ON member.oid = m.member WHERE {GRANTED_TO_OTHERS})"
            ),
            &[],
        )
        .await?;
    Ok(row.get(0))
}

/// Makes the role, or gives it its password and rights again.
pub(super) async fn ensure(reach: &Reach, server: &Client) -> Result<(), NoAnswer> {
    let role = &reach.login.user;
    let is_safe = version(server).await? >= CREATEROLE_IS_SAFE;
    if as_application(reach, MAINTENANCE).await.is_err() {
        let create_role = if is_safe { "CREATEROLE" } else { "NOCREATEROLE" };
        let verifier = scram_sha_256(reach.login.secret.expose().as_bytes());
        let attributes = format!(
            "ROLE {} LOGIN CREATEDB {create_role} PASSWORD {}",
            identifier(role),
            literal(&verifier)
        );
        let exists = server
            .query_opt("SELECT 1 FROM pg_roles WHERE rolname = $1", &[role])
            .await?;
        let made = match exists {
            Some(_) => false,
            None => match server.batch_execute(&format!("CREATE {attributes}")).await {
                Ok(()) => true,
                Err(error) if is_made_already(&error) => false,
                Err(error) => return Err(error.into()),
            },
        };
        if !made {
            server.batch_execute(&format!("ALTER {attributes}")).await?;
        }
    }
    mark(server, role).await?;
    if is_safe { Ok(()) } else { take_excess(server).await }
}

/// Takes CREATEROLE and predefined roles from every role that is no superuser: one that an application made with CREATEROLE
/// may have been given them by it.
async fn take_excess(server: &Client) -> Result<(), NoAnswer> {
    let rows = server
        .query(
            "SELECT rolname::text FROM pg_roles WHERE rolcreaterole AND NOT rolsuper",
            &[],
        )
        .await?;
    let mut statements: Vec<_> = rows
        .iter()
        .map(|row| format!("ALTER ROLE {} NOCREATEROLE", identifier(row.get(0))))
        .collect();
    let rows = server
        .query(
            &format!(
                "SELECT DISTINCT granted.rolname::text, member.rolname::text FROM pg_auth_members m
                 JOIN pg_roles granted ON granted.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
                 WHERE {GRANTED_TO_OTHERS}"
            ),
            &[],
        )
        .await?;
    statements.extend(rows.iter().map(|row| {
        let (granted, member): (&str, &str) = (row.get(0), row.get(1));
        format!("REVOKE {} FROM {} CASCADE", identifier(granted), identifier(member))
    }));
    if statements.is_empty() {
        return Ok(());
    }
    Ok(server.batch_execute(&statements.join("; ")).await?)
}

/// Former applications' roles log in no more. Their password is the present one's too.
pub(super) async fn retire_former(reach: &Reach, server: &Client) -> Result<(), NoAnswer> {
    let rows = server
        .query(
            "SELECT rolname::text FROM pg_roles WHERE rolcanlogin AND NOT rolsuper AND rolname <> $1
             AND shobj_description(oid, 'pg_authid') = $2",
            &[&reach.login.user, &MARK],
        )
        .await?;
    for row in rows {
        server
            .batch_execute(&format!("ALTER ROLE {} NOLOGIN", identifier(row.get(0))))
            .await?;
    }
    Ok(())
}

/// Marks the role as one that was the application's.
async fn mark(server: &Client, role: &str) -> Result<(), NoAnswer> {
    let unmarked =
        "SELECT 1 FROM pg_roles WHERE rolname = $1 AND shobj_description(oid, 'pg_authid') IS DISTINCT FROM $2";
    if server.query_opt(unmarked, &[&role, &MARK]).await?.is_some() {
        let statement = format!("COMMENT ON ROLE {} IS {}", identifier(role), literal(MARK));
        server.batch_execute(&statement).await?;
    }
    Ok(())
}

/// Marks a role that an earlier version of mlplat made as the application's: it has the application's password.
pub(super) async fn mark_former(reach: &Reach, server: &Client, role: &str) -> Result<(), NoAnswer> {
    match connect(reach, role, &reach.login.secret, MAINTENANCE).await {
        Ok(_) => mark(server, role).await,
        Err(_) => Ok(()),
    }
}
