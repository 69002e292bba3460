//! The first contact with the plugin host (go-plugin): its invitation in the environment, our one line on stdout.
//! The only reader of the process environment in this crate.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tracing::level_filters::LevelFilter;

use crate::error::ServeError;

/// Says "you were started by Terraform", not "you are safe to talk to"; the certificates do that.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);
/// Version of go-plugin's own line format, then the version of Terraform's protocol.
const VERSIONS: &str = "1|6";

/// What the process environment says about how to serve.
#[derive(Debug)]
pub(crate) struct Environment {
    /// There when a plugin host started us.
    pub(crate) invitation: Option<Invitation>,
    /// `--debug` stands alone on the command line.
    pub(crate) debug: bool,
    /// Where sockets go when the host names no folder.
    pub(crate) socket_dir: PathBuf,
    /// The most detailed level that is wanted on stderr.
    pub(crate) log_level: LevelFilter,
}

/// What a plugin host needs from us.
#[derive(Debug)]
pub(crate) struct Invitation {
    /// The only certificate that a client may show.
    pub(crate) client_certificate: CertificateDer<'static>,
}

impl Environment {
    /// Reads the environment and the command line. `name` is the provider's, for `TF_LOG_PROVIDER_<NAME>`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the handshake is this crate's reader of the environment"
    )]
    pub(crate) fn read(name: &str) -> Result<Self, ServeError> {
        Self::from_parts(name, |key| env::var(key).ok(), env::args_os().skip(1), env::temp_dir())
    }

    fn from_parts(
        name: &str,
        variable: impl Fn(&str) -> Option<String>,
        mut arguments: impl Iterator<Item = OsString>,
        temp_dir: PathBuf,
    ) -> Result<Self, ServeError> {
        let invited = variable(COOKIE.0).is_some_and(|cookie| cookie == COOKIE.1);
        let invitation = invited
            .then(|| Invitation::from_pem(variable("PLUGIN_CLIENT_CERT")))
            .transpose()?;
        let first = arguments.next();
        let debug = first.is_some_and(|word| word == "--debug" || word == "-debug") && arguments.next().is_none();
        Ok(Self {
            debug: !invited && debug,
            socket_dir: variable("PLUGIN_UNIX_SOCKET_DIR")
                .filter(|dir| !dir.is_empty())
                .map_or(temp_dir, Into::into),
            log_level: log_level(name, variable),
            invitation,
        })
    }
}

impl Invitation {
    fn from_pem(pem: Option<String>) -> Result<Self, ServeError> {
        const VARIABLE: &str = "PLUGIN_CLIENT_CERT";
        const FIX: &str = "let Terraform 1.0 or newer, or OpenTofu, start this program";
        let refuse = |reason: &str| ServeError::Invitation {
            variable: VARIABLE,
            reason: reason.into(),
            fix: FIX,
        };
        let pem = pem.filter(|pem| !pem.is_empty()).ok_or_else(|| {
            refuse("it is not set, and a connection that is not mutually authenticated is never served")
        })?;
        let client_certificate =
            CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| refuse(&error.to_string()))?;
        Ok(Self { client_certificate })
    }
}

/// Terraform's own order: the provider's variable, then all providers', then everything's. None set = silence.
fn log_level(name: &str, variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!("TF_LOG_PROVIDER_{}", name.to_uppercase().replace('-', "_"));
    let Some(level) = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"]
        .into_iter()
        .find_map(variable)
    else {
        return LevelFilter::OFF;
    };
    match level.to_uppercase().as_str() {
        "" | "OFF" => LevelFilter::OFF,
        "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        // "TRACE" and "JSON"; Terraform reads any other word as TRACE too.
        _ => LevelFilter::TRACE,
    }
}

/// Tells the host where we listen and which certificate we show. Nothing else may ever reach stdout.
#[expect(
    clippy::print_stdout,
    reason = "the handshake line is the one thing that belongs there"
)]
pub(crate) fn announce(socket: &Path, certificate: &CertificateDer<'_>) -> Result<(), ServeError> {
    println!("{}", line(socket, certificate));
    io::stdout()
        .flush()
        .map_err(ServeError::io("write the handshake line to standard output"))
}

fn line(socket: &Path, certificate: &CertificateDer<'_>) -> String {
    format!(
        "{VERSIONS}|unix|{}|grpc|{}",
        socket.display(),
        BASE64_STANDARD_NO_PAD.encode(certificate)
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Environment, ServeError> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        Environment::from_parts(
            "my-cloud",
            |key| variables.get(key).map(ToString::to_string),
            arguments.iter().map(OsString::from),
            "/tmp".into(),
        )
    }

    #[test]
    fn a_person_gets_no_handshake_whatever_the_other_variables_say() {
        let environment = read(&[("PLUGIN_CLIENT_CERT", "x"), (COOKIE.0, "wrong")], &["status"]).unwrap();
        assert!(environment.invitation.is_none());
        assert!(!environment.debug);
    }

    #[test]
    fn an_invitation_without_a_certificate_is_refused() {
        let error = read(&[COOKIE], &[]).unwrap_err().to_string();
        assert!(error.contains("`PLUGIN_CLIENT_CERT`: it is not set"), "{error}");
        let error = read(&[COOKIE, ("PLUGIN_CLIENT_CERT", "no pem")], &[])
            .unwrap_err()
            .to_string();
        assert!(error.contains("To fix: let Terraform"), "{error}");
    }

    #[test]
    fn debug_stands_alone() {
        assert!(read(&[], &["--debug"]).unwrap().debug);
        assert!(read(&[], &["-debug"]).unwrap().debug);
        assert!(!read(&[], &["status", "--debug"]).unwrap().debug);
        assert!(!read(&[], &["--debug", "status"]).unwrap().debug);
    }

    #[test]
    fn the_nearest_log_variable_wins() {
        let level = |variables: &[(&str, &str)]| read(variables, &[]).unwrap().log_level;
        assert_eq!(level(&[]), LevelFilter::OFF);
        assert_eq!(level(&[("TF_LOG", "info")]), LevelFilter::INFO);
        assert_eq!(level(&[("TF_LOG", "JSON")]), LevelFilter::TRACE);
        assert_eq!(
            level(&[("TF_LOG", "TRACE"), ("TF_LOG_PROVIDER", "WARN")]),
            LevelFilter::WARN
        );
        assert_eq!(
            level(&[("TF_LOG_PROVIDER", "WARN"), ("TF_LOG_PROVIDER_MY_CLOUD", "off")]),
            LevelFilter::OFF
        );
    }

    #[test]
    fn the_line_has_six_fields_and_an_unpadded_certificate() {
        let certificate = CertificateDer::from(vec![0xff, 0xfe, 0xfd, 0xfc]);
        assert_eq!(
            line(Path::new("/tmp/a/p.sock"), &certificate),
            "1|6|unix|/tmp/a/p.sock|grpc|//79/A"
        );
    }
}
