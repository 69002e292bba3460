//! What a client makes of each function when it is started with these flags, as measured with kubectl 1.27 to 1.36 and
//! kustomize 5.0 and 5.8: some fail, and some are skipped without a word.

use std::path::Path;

use super::client::{in_path, is_program};
use super::consent::place;
use super::{Client, ClientKind, Use, Way, plugins};
use crate::config::Config;

/// The flags that the client will be started with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags {
    /// `--enable-alpha-plugins`.
    pub alpha_plugins: bool,
    /// `--enable-exec`, which only kustomize has.
    pub exec: bool,
}

/// A function that would not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip {
    /// Whether the client says nothing and exits with 0.
    pub silent: bool,
    /// Why it would not run.
    pub why: String,
    /// What to do.
    pub fix: String,
}

/// Why the client would not run this function; `None` when it would.
#[must_use]
pub fn skips(one: &Use, client: &Client, flags: Flags, config: &Config) -> Option<Skip> {
    let fails = |why: String, fix: &str| {
        Some(Skip {
            silent: false,
            why,
            fix: fix.to_owned(),
        })
    };
    if !flags.alpha_plugins {
        return fails(
            "the flag --enable-alpha-plugins is missing".to_owned(),
            match client.kind {
                ClientKind::Kubectl => {
                    "add the flag (`kubectl apply -k` has none: pipe `kubectl kustomize` into `kubectl apply -f -`), or build with `mlplat render`"
                }
                ClientKind::Kustomize => "add the flag, or build with `mlplat render`",
            },
        );
    }
    match &one.way {
        Way::Builtin => None,
        Way::Other => fails(
            "its annotation names neither `exec` nor `container`".to_owned(),
            "name one of the two, or remove the annotation for a plugin",
        ),
        Way::Exec(_) if client.kind == ClientKind::Kubectl => Some(Skip {
            silent: true,
            why: "kubectl runs no function by `exec`".to_owned(),
            fix: "build with `mlplat render`, which runs it under kubectl too, or with kustomize".to_owned(),
        }),
        Way::Exec(_) if !flags.exec => Some(Skip {
            silent: true,
            why: "the flag --enable-exec is missing".to_owned(),
            fix: "add the flag, or build with `mlplat render`".to_owned(),
        }),
        Way::Exec(exec) => {
            let path = &exec.path;
            let found = if path.contains('/') {
                is_program(&one.folder.join(path))
            } else {
                in_path(Path::new(path), config).is_some()
            };
            if found {
                return None;
            }
            fails(
                format!("there is no program {path}{}", place(path, &one.folder)),
                "install it (`chmod +x` where the file is there), or put its folder into PATH",
            )
        }
        Way::Container { image } => match in_path(Path::new("docker"), config) {
            Some(_) => None,
            None => fails(
                format!("`docker`, which runs {image}, is not in PATH"),
                "install Docker, or run the function by `exec`",
            ),
        },
        Way::Plugin => match plugins::installed(one, config) {
            Ok(_) => None,
            Err(tried) => fails(
                format!("there is no plugin {}", tried.display()),
                "link the function's binary there, and set KUSTOMIZE_PLUGIN_HOME to the folder above its group",
            ),
        },
    }
}
