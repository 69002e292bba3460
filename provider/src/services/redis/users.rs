//! Who may do what in the cache: its ACL file.

use sha2::{Digest, Sha256};
use tfplug::Secret;

use crate::services::{ConfigFile, Login};

/// The ACL file, below the component's folder. The server only reads it: no user may `ACL SAVE`.
pub(super) const FILE: &str = "users.acl";

/// The user that asks whether the server answers. What an application does to its own password does not lock it out.
pub const MONITOR: &str = "mlplat";

/// What the application may do beyond what is harmless: an application is no administrator, as on ElastiCache, which refuses
/// ACL changes, CONFIG, DEBUG, MIGRATE, MODULE, REPLICAOF, SAVE, SHUTDOWN and SYNC as well.
const ALLOWED: [&str; 15] = [
    "info",
    "keys",
    "flushdb",
    "flushall",
    "swapdb",
    "sort",
    "sort_ro",
    "restore",
    "role",
    "lastsave",
    "monitor",
    "client|list",
    "client|kill",
    "slowlog",
    "latency",
];

pub(super) fn file(login: &Login) -> ConfigFile {
    let allowed: Vec<_> = ALLOWED.iter().map(|command| format!("+{command}")).collect();
    let mut text = format!(
        "user {} on {} ~* &* +@all -@admin -@dangerous {} -script|debug\n",
        login.user,
        hashed(&login.secret),
        allowed.join(" ")
    );
    if let Some(secret) = &login.admin_secret {
        text.push_str(&format!("user {MONITOR} on {} -@all +ping\n", hashed(secret)));
    }
    ConfigFile { name: FILE, text }
}

/// A password as the file takes it without naming it. Passwords here are random: their digest leads nowhere.
fn hashed(secret: &Secret) -> String {
    let digest = Sha256::digest(secret.expose());
    format!(
        "#{}",
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::Engine;
    use crate::services::Redis;
    use crate::services::testing::site;

    #[test]
    fn passwords_stand_there_as_digests_and_the_monitor_can_only_ping() {
        let site = site(&Redis::default(), Engine::Valkey, "8.1.8");
        let text = file(&site.login).text;
        assert!(!text.contains("canary"), "{text}");
        let lines: Vec<_> = text.lines().collect();
        assert!(
            lines[0].starts_with("user default on #") && lines[0].contains(" -@admin -@dangerous "),
            "{text}"
        );
        assert!(
            lines[1].starts_with("user mlplat on #") && lines[1].ends_with(" -@all +ping"),
            "{text}"
        );
    }
}
