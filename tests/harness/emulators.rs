//! AWS without an account: moto and MiniStack on 127.0.0.1, started once per test binary and ended with it.

use crate::program::pinned;
use crate::{http, process, wait};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Starting takes a second or two; a cold disk and a busy machine take their time.
const START: Duration = Duration::from_secs(180);

/// Runs a server until the pipe that is its standard input closes, which happens however the test ends.
const UNTIL_THE_TEST_ENDS: &str = r#"
export STATE_DIR; STATE_DIR=$(mktemp -d); export S3_DATA_DIR=$STATE_DIR/s3 TMPDIR=$STATE_DIR
exec 3<&0
"$@" </dev/null &
server=$!
{ read -r _ <&3 || true; kill -KILL "$server"; } 2>/dev/null &
exec 3<&-
wait "$server"
rm -rf "$STATE_DIR"
"#;

/// Names service and region, by which MiniStack tells where a call goes; nobody checks the signature.
pub const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Which emulator.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Behaves most like AWS in what it refuses; can check signatures.
    Moto,
    /// A second opinion: another reading of the same API.
    MiniStack,
}

/// A running emulator; dropping it ends it.
pub struct Emulator {
    address: SocketAddr,
    launcher: Mutex<Child>,
}

impl Emulator {
    /// The one that all tests of this binary share. Names are global in it, as they are in AWS: let each test have its own.
    pub fn shared(kind: Kind) -> &'static Self {
        static MOTO: OnceLock<Emulator> = OnceLock::new();
        static MINISTACK: OnceLock<Emulator> = OnceLock::new();
        let place = match kind {
            Kind::Moto => &MOTO,
            Kind::MiniStack => &MINISTACK,
        };
        place.get_or_init(|| Self::start(kind, &[]))
    }

    /// One of its own, with further settings as environment variables.
    ///
    /// # Panics
    /// When it does not start; the message is what it printed.
    pub fn start(kind: Kind, settings: &[(&str, &str)]) -> Self {
        // Another program may take the port before the emulator does: then there is another one.
        (0..3)
            .find_map(|_| Self::try_to_start(kind, settings))
            .unwrap_or_else(|| panic!("{kind:?} ended at once, three times. To fix: run {:?}", kind.program()))
    }

    fn try_to_start(kind: Kind, settings: &[(&str, &str)]) -> Option<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, process::spare_port()));
        let mut command = Command::new("bash");
        command
            .args(["-c", UNTIL_THE_TEST_ENDS, "emulator"])
            .arg(kind.program())
            .args(match kind {
                Kind::Moto => vec![
                    "-H".to_owned(),
                    "127.0.0.1".to_owned(),
                    "-p".to_owned(),
                    address.port().to_string(),
                ],
                Kind::MiniStack => Vec::new(),
            })
            .envs([
                ("BIND_HOST", "127.0.0.1"),
                ("DOCKER_HOST", ""),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ])
            .env("GATEWAY_PORT", address.port().to_string())
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut launcher = command.spawn().expect("bash runs");
        let answers = wait::until(&format!("{kind:?} to answer on {address}"), START, || {
            if launcher.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Some(false);
            }
            let ours = |&pid: &u32| process::listens(pid, address.port());
            process::children(launcher.id()).iter().any(ours).then_some(true)
        });
        answers.then(|| Self {
            address,
            launcher: Mutex::new(launcher),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, for every service.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// One call to S3 that no provider made.
    pub fn s3(&self, method: &str, target: &str, body: &str) -> http::Message {
        http::call(self.address, method, target, &[("Authorization", AUTHORIZATION)], body)
    }

    /// Makes a bucket behind Terraform's back.
    ///
    /// # Panics
    /// When that fails.
    pub fn make_bucket(&self, name: &str) {
        let region = "<LocationConstraint>eu-central-1</LocationConstraint>";
        let body = format!("<CreateBucketConfiguration>{region}</CreateBucketConfiguration>");
        let answer = self.s3("PUT", &format!("/{name}"), &body);
        assert_eq!(answer.status(), 200, "{name}: {}", answer.text());
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let launcher = self.launcher.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(launcher.stdin.take());
        let _ = launcher.wait();
    }
}

impl Kind {
    /// The pinned emulator, installed once into the user's cache.
    fn program(self) -> PathBuf {
        let name = match self {
            Self::Moto => "moto",
            Self::MiniStack => "ministack",
        };
        pinned(name)
    }
}
