//! The seed: SQL that runs once in the application's database, as the application's role.

use sha2::{Digest, Sha256};
use tokio_postgres::error::{ErrorPosition, SqlState};

use super::{as_application, identifier, literal, with_causes};
use crate::runtimes::protocols::{NoAnswer, Reach};

/// Starts the comment on a database that tells which seed ran in it.
const SEEDED: &str = "mlplat seed sha256:";
/// The advisory lock under which seeds run: an apply that was killed may have left one running in the server.
const LOCK: i64 = 0x6d6c_706c_6174;
/// From this version on, the server can look whether who sent a statement is still there.
const LOOKS_FOR_CLIENT: i32 = 140_000;

/// Runs the seed unless it is the last one that ran. Seed and mark are one transaction: a crash leaves both or neither.
pub(super) async fn sow(reach: &Reach, database: &str, seed: &str) -> Result<(), NoAnswer> {
    let digest: String = Sha256::digest(seed).iter().map(|byte| format!("{byte:02x}")).collect();
    let mark = format!("{SEEDED}{digest}");
    let mut client = as_application(reach, database).await?;
    let version = client
        .query_one("SELECT current_setting('server_version_num')::int", &[])
        .await?;
    let transaction = client.transaction().await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    let row = transaction
        .query_one(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()",
            &[],
        )
        .await?;
    if row.get::<_, Option<String>>(0).as_deref() == Some(mark.as_str()) {
        return Ok(());
    }
    if version.get::<_, i32>(0) >= LOOKS_FOR_CLIENT {
        // Without an apply that waits for it, a seed shall end too.
        let set = "SET LOCAL client_connection_check_interval = '2s'";
        // Some systems cannot do that.
        let nested = transaction.batch_execute(&format!("SAVEPOINT look; {set}")).await;
        if nested.is_err() {
            transaction.batch_execute("ROLLBACK TO SAVEPOINT look").await?;
        }
    }
    transaction
        .batch_execute(seed)
        .await
        .map_err(|error| explained(seed, &error))?;
    transaction
        .batch_execute(&format!(
            "COMMENT ON DATABASE {} IS {}",
            identifier(database),
            literal(&mark)
        ))
        .await?;
    Ok(transaction.commit().await?)
}

/// What is wrong with the seed: the server's words, where it is, and what to do.
fn explained(seed: &str, error: &tokio_postgres::Error) -> NoAnswer {
    let said = error.as_db_error();
    let position = said
        .and_then(|said| said.position())
        .and_then(|position| match position {
            ErrorPosition::Original(position) => Some(*position as usize),
            ErrorPosition::Internal { .. } => None,
        });
    let text = match said {
        Some(said) => {
            let mut text = format!("{} ({})", said.message(), said.code().code());
            for more in [said.detail(), said.hint()].into_iter().flatten() {
                text.push_str("; ");
                text.push_str(more);
            }
            text
        }
        // The server answers COPY with a wait for rows.
        None if psql_only(seed).is_some() => "the server waits for rows that do not come".to_owned(),
        None => with_causes(error),
    };
    let place = position.map(|position| place(seed, position)).unwrap_or_default();
    let fix = fix(seed, position, said.map(|said| said.code()));
    NoAnswer::new(format!(
        "seed_sql: {text}{place}. Nothing of it was kept. To fix: {fix}"
    ))
}

/// Line, column and text of the place, which is counted in characters from 1.
fn place(seed: &str, position: usize) -> String {
    const SHOWN: usize = 80;
    let before: String = seed.chars().take(position.saturating_sub(1)).collect();
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    let mut place = format!(", line {line}, column {column}");
    // The rows of a dump are data, which no message shows.
    if psql_only(&before).is_none() {
        let masked = masked(seed);
        let text = masked.lines().nth(line - 1).unwrap_or_default().trim();
        let cut: String = text.chars().take(SHOWN).collect();
        let more = if cut.len() < text.len() { " …" } else { "" };
        place.push_str(&format!(": `{cut}{more}`"));
    }
    place
}

/// The SQL without what stands between single quotes, which may be a password. Lines stay what they are.
fn masked(seed: &str) -> String {
    let mut quoted = false;
    seed.chars()
        .filter(|letter| {
            let was = quoted;
            if *letter == '\'' {
                quoted = !quoted;
                return true;
            }
            !was || *letter == '\n'
        })
        .collect()
}

/// The number of the first line that psql understands and the server does not, and what it is.
fn psql_only(seed: &str) -> Option<(usize, &'static str)> {
    seed.lines().enumerate().find_map(|(index, line)| {
        let line = line.trim_start().to_ascii_lowercase();
        if line.starts_with('\\') {
            return Some((index + 1, "a `\\` command of psql"));
        }
        let mut statements = line.split(';').map(str::trim_start);
        let copies = statements.any(|statement| statement.starts_with("copy ") && statement.contains("from stdin"));
        copies.then_some((index + 1, "COPY … FROM stdin"))
    })
}

fn fix(seed: &str, position: Option<usize>, code: Option<&SqlState>) -> String {
    let upto: String = match position {
        Some(position) => seed.chars().take(position + 1).collect(),
        None => seed.to_owned(),
    };
    if let Some((line, what)) = psql_only(&upto) {
        return format!(
            "COPY … FROM stdin and psql's \\ commands are not SQL, and line {line} of the seed is {what}: dump with \
             `pg_dump --inserts` and remove the lines that begin with `\\`, or load the dump with psql after the apply"
        );
    }
    match code {
        Some(code) if seed.to_ascii_lowercase().contains("create extension") && is_about_extensions(code) => {
            "name the extension in `postgres.extensions`, which makes it before the seed runs".to_owned()
        }
        Some(&SqlState::ACTIVE_SQL_TRANSACTION) => {
            "remove that statement: a seed runs in one transaction, where it is not possible".to_owned()
        }
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
            "remove that statement: a seed runs as the application's role, which is no superuser".to_owned()
        }
        _ => "correct `postgres.seed_sql`, then apply again".to_owned(),
    }
}

fn is_about_extensions(code: &SqlState) -> bool {
    [
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::FEATURE_NOT_SUPPORTED,
        SqlState::UNDEFINED_FILE,
    ]
    .contains(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_line_and_column_in_characters() {
        let seed = "SELECT 'ä';\n  SELECT 'geheim', nix;\n";
        let position = seed.chars().position(|letter| letter == 'x').unwrap() - 1;
        assert_eq!(place(seed, position), ", line 2, column 20: `SELECT '', nix;`");
        assert_eq!(place("SELEC", 1), ", line 1, column 1: `SELEC`");
        // One past the end: the statement is not complete.
        assert_eq!(place("SELECT (", 9), ", line 1, column 9: `SELECT (`");
    }

    #[test]
    fn no_value_and_no_row_of_a_dump_is_shown() {
        assert_eq!(masked("a 'it''s\nsecret' b"), "a '''\n' b");
        let dump = "COPY public.t (a) FROM stdin;\n1\tsecret\n\\.\n";
        let place = place(dump, 31);
        assert_eq!(place, ", line 2, column 1");
        assert!(fix(dump, Some(31), Some(&SqlState::SYNTAX_ERROR)).contains("line 1 of the seed is COPY … FROM stdin"));
        let restrict = "\\restrict abc\nSELECT 1;";
        assert!(fix(restrict, Some(1), Some(&SqlState::SYNTAX_ERROR)).contains("a `\\` command of psql"));
    }

    #[test]
    fn what_to_do_depends_on_what_is_wrong() {
        let extension = fix(
            "create extension vector;",
            None,
            Some(&SqlState::INSUFFICIENT_PRIVILEGE),
        );
        assert!(extension.contains("`postgres.extensions`"), "{extension}");
        let vacuum = fix("vacuum;", None, Some(&SqlState::ACTIVE_SQL_TRANSACTION));
        assert!(vacuum.contains("one transaction"), "{vacuum}");
    }
}
