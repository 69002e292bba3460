//! Data that the server cannot load: no further start changes that.

use std::path::Path;

use crate::engines::Engine;
use crate::services::Site;

/// What both engines say when they start.
const START: &str = "oO0OoO0OoO0Oo";
/// An entry that is no command: everything before it can be kept.
const DAMAGED: &str = "Bad file format reading the append only file";
/// What cannot be mended: the manifest, or the file that the appended ones stand on.
const UNREADABLE: [&str; 5] = [
    "Fatal error loading the DB",
    "Wrong signature trying to load DB from file",
    "Invalid AOF manifest file format",
    "The AOF manifest file contains an invalid",
    "Error reading the append only file",
];

/// What is wrong with the data in `data`, from the end of the log, and what to do; `None` = it is not the data.
pub(super) fn advice(site: &Site, data: &Path, log: &str) -> Option<String> {
    // An earlier start may have met data that is right by now.
    let last = log.rsplit_once(START).map_or(log, |(_, last)| last);
    if last.contains(DAMAGED) {
        let manifest = data.join("appendonlydir/appendonly.aof.manifest");
        return Some(format!(
            "its append-only file is damaged: it holds what is no command. To fix: run\n  {} --fix '{}'\nwhich cuts the file off at \
             the damage, then apply again; or delete {} to start empty",
            checker(site),
            manifest.display(),
            data.display(),
        ));
    }
    UNREADABLE.iter().any(|text| last.contains(text)).then(|| {
        format!(
            "it cannot load its data. To fix: put the files of {} back from a copy, or delete that folder to start empty; then \
             apply again",
            data.display()
        )
    })
}

/// The command that checks append-only files.
fn checker(site: &Site) -> String {
    let name = match site.engine.engine {
        Engine::Redis => "redis",
        Engine::Valkey | Engine::Postgres | Engine::Seaweedfs => "valkey",
    };
    let checker = site.engine.program(&format!("{name}-check-aof"));
    if checker.is_file() {
        return format!("'{}'", checker.display());
    }
    // The server is the checker under that name; the engine that is fetched comes without the link.
    let server = site.engine.program(&format!("{name}-server"));
    format!(
        "bash -c 'exec -a {name}-check-aof \"$0\" \"$@\"' '{}'",
        server.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::Redis;
    use crate::services::testing::site;

    #[test]
    fn only_the_last_start_counts() {
        let site = site(&Redis::default(), Engine::Valkey, "8.1.8");
        let said = |log: &str| advice(&site, Path::new("/stacks/demo/redis/data-valkey"), log);
        let damaged = format!("1:C * {START} Valkey is starting\n1:M # {DAMAGED}: make a backup\n");
        assert!(
            said(&damaged)
                .unwrap()
                .contains("--fix '/stacks/demo/redis/data-valkey/appendonlydir/appendonly.aof.manifest'")
        );
        assert_eq!(
            said(&format!(
                "{damaged}2:C * {START} Valkey is starting\n2:M # Failed listening"
            )),
            None
        );
        let unreadable = said(&format!(
            "1:C * {START}\n1:M # Fatal error loading the DB, check server logs. Exiting."
        ));
        assert!(unreadable.unwrap().contains("delete that folder to start empty"));
    }
}
