//! What kustomize fetches. Nobody here can look into it, so a function in there is refused.

use std::fs;

use krm_fn::Stream;
use serde_json::json;

use super::client::{Build, NotBuilt};
use super::environment::Needs;
use super::render::{Builder, PLUGINS_DISABLED};
use super::tree::Entry;
use super::{KustomizeError, Tree};

/// How URLs begin for some version of kustomize, in lower case.
const SCHEMES: [&str; 6] = ["git::", "gh:", "ssh://", "http://", "https://", "file://"];

const FIX: &str = "copy it into your tree, or, if you trust it, build with kustomize and `--enable-exec`";

/// Whether kustomize would take an entry for a URL.
pub(super) fn is_remote(entry: &str) -> bool {
    let lower = entry.to_ascii_lowercase();
    let has_scheme = SCHEMES.iter().any(|scheme| lower.starts_with(scheme));
    // `github.com/organisation/repository`, `user@host:organisation/repository`.
    let after_user = entry.split_once('@').filter(|(user, _)| {
        user.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    });
    let is_github = ["github.com/", "github.com:"]
        .iter()
        .any(|host| lower.starts_with(host));
    let host = after_user.map(|(_, host)| host).or(is_github.then_some(entry));
    let repository = host.and_then(|host| host.split_once([':', '/']));
    has_scheme || repository.is_some_and(|(_, path)| path.contains('/') || path.contains(".git"))
}

/// Refuses functions in what is fetched: the client builds each without a flag, which fails where it lists a function.
pub(super) fn refuse_functions(builder: &Builder<'_>, tree: &Tree) -> Result<(), KustomizeError> {
    for entry in &tree.remote {
        let refuse = |what: String| KustomizeError::Function {
            place: format!("{}: {}: {}", tree.file(&entry.folder), entry.field, entry.entry),
            what,
            fix: FIX.to_owned(),
        };
        match fetched(builder, entry) {
            Ok(documents) if entry.names_functions() => {
                let functions = Stream::parse(documents).map_err(|error| refuse(error.to_string()))?;
                if functions.objects().any(|object| object.api_version() != "builtin") {
                    return Err(refuse("functions that are fetched are not run".to_owned()));
                }
            }
            Ok(_) => {}
            Err(NotBuilt::Refused(message)) if message.contains(PLUGINS_DISABLED) => {
                return Err(refuse(
                    "it lists a function, and functions that are fetched are not run".to_owned(),
                ));
            }
            Err(NotBuilt::Refused(message)) => {
                return Err(refuse(format!(
                    "it cannot be built alone, so whether it lists functions is not known: {message}"
                )));
            }
            Err(NotBuilt::Other(error)) => return Err(error),
        }
    }
    Ok(())
}

/// A function that only a client has seen.
pub(super) fn refused(tree: &Tree, message: &str) -> KustomizeError {
    let entries: Vec<&str> = tree.remote.iter().map(|entry| entry.entry.as_str()).collect();
    KustomizeError::Function {
        place: tree.file(&tree.root),
        what: format!(
            "{}: functions that are fetched are not run: {message}",
            entries.join(", ")
        ),
        fix: FIX.to_owned(),
    }
}

fn fetched(builder: &Builder<'_>, entry: &Entry) -> Result<String, NotBuilt> {
    let folder = builder.session.folder().map_err(NotBuilt::Other)?.join("fetched");
    let field = if entry.field == "components" {
        "components"
    } else {
        "resources"
    };
    let kustomization = json!({ field: [entry.entry] }).to_string();
    let write = || {
        fs::create_dir_all(&folder)?;
        fs::write(folder.join("kustomization.yaml"), kustomization)
    };
    write()
        .map_err(KustomizeError::file(&folder))
        .map_err(NotBuilt::Other)?;
    let needs = Needs {
        network: true,
        docker: false,
    };
    let build = Build::plain(&folder, needs);
    Ok(builder.client.build(&build, builder.session, builder.config)?.documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_told_from_paths() {
        for url in [
            "https://github.com/a/b//c?ref=v1",
            "github.com/a/b",
            "GitHub.com:a/b",
            "git@example.test:a/b.git",
            "org-1@github.com:a/b",
            "ssh://git@example.test/a",
            "git::https://example.test/a.git",
            "file:///srv/a.git",
        ] {
            assert!(is_remote(url), "{url}");
        }
        for path in [
            "../base",
            "base",
            "github.company/a/b",
            "app@v2",
            "app@v2/base",
            "./user@host/a/b",
            "1@a/b/c",
        ] {
            assert!(!is_remote(path), "{path}");
        }
    }
}
