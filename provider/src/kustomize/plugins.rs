//! Functions without an annotation: legacy plugins, which a client finds in one folder by group, version and kind.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::client::{in_path, is_program};
use super::consent::beside;
use super::{KustomizeError, Use};
use crate::config::Config;

/// Where a plugin of these is, below the folder of all plugins. `None` where the names would lead elsewhere (`../..`).
pub(super) fn below(api_version: &str, kind: &str) -> Option<PathBuf> {
    let is_name = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(allowed)
    };
    let well_formed = api_version.split('/').count() <= 2 && api_version.split('/').all(is_name) && is_name(kind);
    well_formed.then(|| Path::new(api_version).join(kind.to_lowercase()))
}

/// The program of a plugin: where the user has installed it, else, for mlplat's own functions, in PATH or beside mlplat.
/// Otherwise where it should have been.
pub(super) fn find(one: &Use, config: &Config) -> Result<PathBuf, PathBuf> {
    installed(one, config).or_else(|tried| {
        let name = one.ours().ok_or(tried.clone())?;
        in_path(Path::new(name), config)
            .or_else(|| beside(name, config))
            .ok_or(tried)
    })
}

/// The program of a plugin where a client looks for it, or where it should have been.
pub(super) fn installed(one: &Use, config: &Config) -> Result<PathBuf, PathBuf> {
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
    let Some(below) = below(&one.api_version, &one.kind) else {
        return Err(root.join(&one.api_version).join(&one.kind));
    };
    let path = root.join(below).join(&one.kind);
    if is_program(&path) { Ok(path) } else { Err(path) }
}

/// Makes a folder in which a client finds these plugins; `at` says which program each is.
pub(super) fn home<'a>(
    folder: &Path,
    uses: impl Iterator<Item = &'a Use>,
    at: impl Fn(&Use) -> Option<PathBuf>,
) -> Result<(), KustomizeError> {
    for one in uses {
        let (Some(below), Some(program)) = (below(&one.api_version, &one.kind), at(one)) else {
            continue;
        };
        let parent = folder.join(below);
        let link = parent.join(&one.kind);
        let make = || {
            fs::create_dir_all(&parent)?;
            match symlink(&program, &link) {
                // Of several functions of one kind, the first has made it.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                done => done,
            }
        };
        make().map_err(KustomizeError::file(&link))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder_of_plugins() {
        let found = below("mlplat.dev/v1alpha1", "InjectEndpoints");
        assert_eq!(found, Some("mlplat.dev/v1alpha1/injectendpoints".into()));
        assert_eq!(below("v1", "A"), Some("v1/a".into()));
        for (version, kind) in [
            ("../../tmp", "A"),
            ("a/..", "A"),
            ("/tmp", "A"),
            ("a/b/c", "A"),
            ("v1", "../A"),
            ("v1", ""),
        ] {
            assert_eq!(below(version, kind), None, "{version} {kind}");
        }
    }
}
