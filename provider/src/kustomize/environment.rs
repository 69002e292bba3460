//! The variables that clients and functions get. A client hands all of its own to every function that it runs, so what is
//! not here reaches neither: no credentials of AWS, no tokens of CI.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::config::Config;

/// What a build needs beside the files on this machine.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// URLs, or charts.
    pub(super) network: bool,
    /// Functions in containers.
    pub(super) docker: bool,
}

/// Names, and beginnings of names (`XDG_*`).
type Names = &'static [&'static str];

const ALWAYS: Names = &["PATH", "HOME", "TMPDIR", "KUSTOMIZE_*", "XDG_*"];
/// Proxies and authorities for HTTP; git and ssh, which fetch bases; Helm.
const NETWORK: Names = &[
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_*",
    "SSH_AUTH_SOCK",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "HELM_*",
];
const DOCKER: Names = &["DOCKER_*"];

/// The user's variables for a client.
pub(super) fn of(config: &Config, needs: Needs) -> Vec<(OsString, OsString)> {
    let mut names = vec![ALWAYS];
    if needs.network {
        names.push(NETWORK);
    }
    if needs.docker {
        names.push(DOCKER);
    }
    chosen(config, &names.concat())
}

/// The user's variables for a function that mlplat runs for a client.
pub(super) fn of_function(config: &Config) -> Vec<(OsString, OsString)> {
    chosen(config, ALWAYS)
}

fn chosen(config: &Config, names: &[&str]) -> Vec<(OsString, OsString)> {
    let is_chosen = |variable: &OsStr| {
        names.iter().any(|name| match name.strip_suffix('*') {
            Some(start) => variable.as_encoded_bytes().starts_with(start.as_bytes()),
            None => variable == *name,
        })
    };
    let mut chosen: Vec<_> = config
        .variables()
        .filter(|(name, _)| is_chosen(name) && *name != "PATH")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    chosen.push(("PATH".into(), path(config)));
    chosen
}

/// PATH without folders that depend on where a program is started; functions are also found beside mlplat.
fn path(config: &Config) -> OsString {
    let beside = config.program.parent().map(PathBuf::from);
    let folders = config.path.iter().filter(|folder| folder.is_absolute()).cloned();
    env::join_paths(folders.chain(beside)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_build_needs_is_handed_on() {
        let set = [
            ("PATH", "/bin:.:relative"),
            ("HOME", "/h"),
            ("KUSTOMIZE_PLUGIN_HOME", "/p"),
            ("XDG_RUNTIME_DIR", "/r"),
            ("TMPDIR", "/t"),
            ("AWS_SECRET_ACCESS_KEY", "canary"),
            ("GITHUB_TOKEN", "canary"),
            ("PATHS", "canary"),
            ("GIT_SSH_COMMAND", "ssh"),
            ("HTTPS_PROXY", "http://proxy"),
            ("DOCKER_HOST", "unix:///d"),
        ];
        let variables = set.map(|(name, value)| (name.into(), value.into()));
        let config = Config::from_variables(variables.into(), "/opt/mlplat".into(), "/tmp".into()).unwrap();
        let names = |needs| {
            let mut names: Vec<String> = of(&config, needs)
                .into_iter()
                .map(|(name, _)| name.into_string().unwrap())
                .collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(
            names(Needs::default()),
            "HOME KUSTOMIZE_PLUGIN_HOME PATH TMPDIR XDG_RUNTIME_DIR"
        );
        let all = Needs {
            network: true,
            docker: true,
        };
        assert_eq!(
            names(all),
            "DOCKER_HOST GIT_SSH_COMMAND HOME HTTPS_PROXY KUSTOMIZE_PLUGIN_HOME PATH TMPDIR XDG_RUNTIME_DIR"
        );
        assert_eq!(path(&config), "/bin:/opt");
    }
}
