//! Which programs run without being asked for. A kustomization is text that others write: it may name functions that its
//! user has installed, and no other program.

use std::path::{Path, PathBuf};

use super::client::{in_path, is_program};
use super::plugins;
use super::skips::Skip;
use super::uses::{Exec, is_our_program};
use super::{Use, Way};
use crate::config::Config;

/// The folders of the operating system: what is there reads commands (`sh`, `make`) and is no function.
const SYSTEM: [&str; 4] = ["/bin", "/sbin", "/usr/bin", "/usr/sbin"];

/// Why mlplat runs no such function; `None` when it does. `exec` is the user's consent to any program (`--enable-exec`).
#[must_use]
pub fn refusal(one: &Use, exec: bool, config: &Config) -> Option<Skip> {
    let refuse = |why: String, fix: &str| {
        Some(Skip {
            silent: false,
            why,
            fix: fix.to_owned(),
        })
    };
    match &one.way {
        Way::Builtin | Way::Container { .. } => None,
        Way::Other => refuse(
            "its annotation names neither `exec` nor `container`".to_owned(),
            "name one of the two, or remove the annotation for a plugin",
        ),
        Way::Exec(program) => {
            if let (false, Some(why)) = (exec, foreign(program, config)) {
                return refuse(
                    why,
                    "name a function that is installed in PATH; if you trust the program, add `--enable-exec`",
                );
            }
            match find(program, &one.folder, config) {
                Some(_) => None,
                None => refuse(
                    format!(
                        "there is no program {}{}",
                        program.path,
                        place(&program.path, &one.folder)
                    ),
                    "install it (`chmod +x` where the file is there), or put its folder into PATH",
                ),
            }
        }
        Way::Plugin => match plugins::find(one, config) {
            Ok(_) => None,
            Err(tried) => refuse(
                format!("there is no plugin {}", tried.display()),
                "link the function's binary there, or put the folder of mlplat's functions into PATH",
            ),
        },
    }
}

/// Why a program needs consent.
pub(super) fn foreign(exec: &Exec, config: &Config) -> Option<String> {
    let name = &exec.path;
    if name.contains('/') {
        return Some(format!(
            "{name} is a path, and without consent only installed functions run"
        ));
    }
    if !exec.args.is_empty() || !exec.envs.is_empty() {
        return Some(format!(
            "{name} gets arguments or variables, which could make it run anything"
        ));
    }
    let found = in_path(Path::new(name), config)?;
    let folder = found.parent()?;
    let is_system = SYSTEM.iter().any(|system| {
        let system = Path::new(system);
        system == folder
            || system
                .canonicalize()
                .is_ok_and(|real| folder.canonicalize().is_ok_and(|it| it == real))
    });
    (is_system && !is_our_program(name)).then(|| format!("{} belongs to the operating system", found.display()))
}

/// The program of an exec function: in PATH, beside mlplat, or at its path.
pub(super) fn find(exec: &Exec, folder: &Path, config: &Config) -> Option<PathBuf> {
    if exec.path.contains('/') {
        return Some(folder.join(&exec.path)).filter(|path| is_program(path));
    }
    in_path(Path::new(&exec.path), config).or_else(|| beside(&exec.path, config))
}

/// A release puts mlplat and its functions into one folder.
pub(super) fn beside(name: &str, config: &Config) -> Option<PathBuf> {
    let folder = config.program.parent()?;
    Some(folder.join(name)).filter(|path| is_program(path))
}

pub(super) fn place(path: &str, folder: &Path) -> String {
    if path.contains('/') {
        format!(" (seen from {})", folder.display())
    } else {
        " in PATH".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_arguments_and_programs_of_the_system_need_consent() {
        let folder = tempfile::tempdir().unwrap();
        let path = format!("/usr/bin:/bin:{}", folder.path().display());
        let variables = [("PATH".into(), path.into()), ("HOME".into(), "/h".into())];
        let config = Config::from_variables(variables.into(), "/opt/mlplat".into(), "/tmp".into()).unwrap();
        let exec = |path: &str, args: &[&str]| Exec {
            path: path.to_owned(),
            args: args.iter().map(|&argument| argument.to_owned()).collect(),
            envs: Vec::new(),
        };
        assert!(foreign(&exec("./evil.sh", &[]), &config).is_some());
        assert!(foreign(&exec("/opt/inject-endpoints", &[]), &config).is_some());
        assert!(foreign(&exec("sh", &[]), &config).is_some());
        assert!(foreign(&exec("inject-endpoints", &["-x"]), &config).is_some());
        assert_eq!(foreign(&exec("inject-endpoints", &[]), &config), None);
        assert_eq!(foreign(&exec("my-function", &[]), &config), None);
    }
}
