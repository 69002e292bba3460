//! The files that close SeaweedFS' inner ports. Its parts (master, volume, filer, S3 gateway, administrator) talk to each
//! other over TCP on 127.0.0.1, where every user of the machine and every web page in a browser can ask them too.
//!
//! * gRPC and the master's HTTP ask for a client certificate that only this stack has. (The master acts on a plain GET.)
//! * The HTTP of volume server and filer asks for tokens, for reading too. (Its clients do not speak TLS to them.)
//! * What stays: the volume server's `/status` tells the sizes of its volumes, `/metrics` and `/healthz` tell counts.
//!
//! SeaweedFS looks for each of its files in the working folder first, then in `/etc/seaweedfs`: the files without
//! settings keep those of a server of the machine out of the stack.

use sha2::{Digest, Sha256};
use tfplug::Secret;

use crate::services::{ConfigFile, Site};

const AUTHORITY: &str = "inner-ca.pem";
const CERTIFICATE: &str = "inner-cert.pem";
const KEY: &str = "inner-key.pem";

/// Who shows the certificate over gRPC: every server, and `client` for all that they ask.
const GRPC: [&str; 7] = ["master", "volume", "filer", "s3", "admin", "worker", "client"];
/// What is signed with a key: writing and reading, at the volume server and at the filer.
const SIGNED: [&str; 4] = ["signing", "signing.read", "filer_signing", "filer_signing.read"];
/// Files that SeaweedFS looks for, and the stack has no settings for.
const NO_SETTINGS: [&str; 3] = ["master.toml", "notification.toml", "credential.toml"];

/// The files; none for a login that an earlier version of mlplat wrote and no apply has completed.
pub(super) fn files(site: &Site) -> Vec<ConfigFile> {
    let (Some(secret), Some(certificate)) = (&site.login.admin_secret, &site.login.certificate) else {
        return Vec::new();
    };
    let file = |name: &'static str, text: &str| ConfigFile {
        name,
        text: text.to_owned(),
    };
    let filer = format!(
        "[leveldb2]\nenabled = true\ndir = {}\n",
        quoted(&site.path("data/filerldb2"))
    );
    let mut files = vec![
        file("security.toml", &security(site, secret)),
        file(AUTHORITY, &certificate.authority),
        file(CERTIFICATE, &certificate.certificate),
        file(KEY, certificate.key.expose()),
        file("filer.toml", &filer),
    ];
    files.extend(NO_SETTINGS.map(|name| file(name, "")));
    files
}

fn security(site: &Site, secret: &Secret) -> String {
    let mut text = String::new();
    for name in SIGNED {
        text.push_str(&format!("[jwt.{name}]\nkey = \"{}\"\n", key(name, secret)));
    }
    // No origin of a web page; what a bucket's own CORS rules allow at the S3 port is another matter.
    text.push_str("[cors.allowed_origins]\nvalues = \"http://127.0.0.1\"\n");
    text.push_str("[filer.expose_directory_metadata]\nenabled = false\n");
    let authority = quoted(&site.path(AUTHORITY));
    let own = format!(
        "cert = {}\nkey = {}\n",
        quoted(&site.path(CERTIFICATE)),
        quoted(&site.path(KEY))
    );
    text.push_str(&format!("[grpc]\nca = {authority}\n"));
    for part in GRPC {
        text.push_str(&format!("[grpc.{part}]\n{own}"));
    }
    text.push_str(&format!("[https.master]\n{own}ca = {authority}\n"));
    text
}

/// One secret makes a key for each purpose: from 192 random bits no key leads to another.
fn key(purpose: &str, secret: &Secret) -> String {
    let digest = Sha256::digest(format!("mlplat seaweedfs jwt.{purpose}:{}", secret.expose()));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A basic string of TOML. (JSON escapes what TOML asks for, but for DEL, which TOML escapes like a character of JSON.)
fn quoted(path: &str) -> String {
    serde_json::Value::from(path).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engines::Engine;
    use crate::services::testing::site;
    use crate::services::{Login, ObjectStore};

    #[test]
    fn every_inner_server_asks_for_the_certificate_or_for_a_token() {
        let site = site(&ObjectStore::default(), Engine::Seaweedfs, "4.48");
        let files = files(&site);
        let text = &files[0].text;
        for section in [
            "grpc.master",
            "grpc.volume",
            "grpc.filer",
            "grpc.s3",
            "grpc.admin",
            "https.master",
        ] {
            let wanted = format!(
                "[{section}]\ncert = \"/stacks/demo/object_store/inner-cert.pem\"\n\
                 key = \"/stacks/demo/object_store/inner-key.pem\"\n"
            );
            assert!(text.contains(&wanted), "{section}: {text}");
        }
        let keys: std::collections::BTreeSet<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("key = "))
            .filter(|key| key.len() == 66)
            .collect();
        assert_eq!(keys.len(), 4, "{text}");
        assert!(!text.contains("canary"), "the secret itself: {text}");
        assert!(files[3].text.contains("PRIVATE KEY"));
    }

    #[test]
    fn a_login_of_an_earlier_version_is_completed_and_keeps_its_key() {
        let store = ObjectStore::default();
        let new = site(&store, Engine::Seaweedfs, "4.48").login;
        let old = Login {
            secret: Secret::new("old"),
            admin_secret: None,
            certificate: None,
            ..new.clone()
        };
        let completed = old.completed(new.clone());
        assert_eq!(completed.secret.expose(), "old");
        assert_eq!(completed.certificate, new.certificate);
    }

    #[test]
    fn a_folder_cannot_leave_its_quotes() {
        assert_eq!(quoted("/a \"b\"\\\u{7f}"), r#""/a \"b\"\\\u007f""#);
    }
}
