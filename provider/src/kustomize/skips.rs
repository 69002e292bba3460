//! What a client makes of each function when it is started with these flags, as measured with kubectl 1.27 to 1.36 and
//! kustomize 5.0 and 5.8: some fail, and some are skipped without a word.

use std::path::{Path, PathBuf};

use super::client::{in_path, is_program};
use super::{Client, ClientKind, Use, Way};
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
        Way::Other => fails("its annotation names neither `exec` nor `container`".to_owned(), "name one of the two, or remove the annotation for a plugin"),
        Way::Exec(_) if client.kind == ClientKind::Kubectl => Some(Skip {
            silent: true,
            why: "kubectl runs no function by `exec`".to_owned(),
            fix: "build with kustomize or `mlplat render`, or run it as a plugin: take the annotation away in an overlay for kubectl".to_owned(),
        }),
        Way::Exec(_) if !flags.exec => Some(Skip {
            silent: true,
            why: "the flag --enable-exec is missing".to_owned(),
            fix: "add the flag, or build with `mlplat render`".to_owned(),
        }),
        Way::Exec(path) => match program(path, &one.folder, config) {
            Some(_) => None,
            None => fails(format!("there is no program {path}{}", place(path, &one.folder)), "install it (`chmod +x` where the file is there), or put its folder into PATH"),
        },
        Way::Container { image, .. } => match in_path(Path::new("docker"), config) {
            Some(_) => None,
            None => fails(format!("`docker`, which runs {image}, is not in PATH"), "install Docker, or run the function by `exec`"),
        },
        Way::Plugin => match plugin(one, config) {
            Ok(_) => None,
            Err(tried) => fails(
                format!("there is no plugin {}", tried.display()),
                "link the function's binary there, and set KUSTOMIZE_PLUGIN_HOME to the folder above its group",
            ),
        },
    }
}

fn place(path: &str, folder: &Path) -> String {
    if path.contains('/') {
        format!(" (seen from {})", folder.display())
    } else {
        " in PATH".to_owned()
    }
}

/// The program of an exec function.
pub(super) fn program(path: &str, folder: &Path, config: &Config) -> Option<PathBuf> {
    if path.contains('/') {
        Some(folder.join(path)).filter(|path| is_program(path))
    } else {
        in_path(Path::new(path), config)
    }
}

/// The program of a legacy plugin, or where it should have been.
pub(super) fn plugin(one: &Use, config: &Config) -> Result<PathBuf, PathBuf> {
    let home = config.variable("HOME").map(PathBuf::from).unwrap_or_default();
    let roots = [
        config.variable("KUSTOMIZE_PLUGIN_HOME").map(PathBuf::from),
        config
            .variable("XDG_CONFIG_HOME")
            .map(|path| Path::new(path).join("kustomize/plugin")),
        Some(home.join(".config/kustomize/plugin")),
        Some(home.join("kustomize/plugin")),
    ];
    // The first root that exists is the only one that kustomize looks into.
    let found = roots.iter().flatten().find(|root| root.is_dir());
    let root = found
        .or_else(|| roots.iter().flatten().next())
        .cloned()
        .unwrap_or_default();
    let path = root
        .join(&one.api_version)
        .join(one.kind.to_lowercase())
        .join(&one.kind);
    if is_program(&path) { Ok(path) } else { Err(path) }
}
