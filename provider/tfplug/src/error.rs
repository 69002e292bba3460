//! What can go wrong before or while the plugin host is served.

use std::{io, path::PathBuf};

/// Why a provider could not be served. Each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The cookie is there but a part of the invitation is missing or broken.
    #[error("the plugin host sent no usable `{variable}`: {reason}. To fix: {fix}")]
    Invitation {
        /// The environment variable.
        variable: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        fix: &'static str,
    },
    /// The socket could not be made.
    #[error("cannot listen on a socket in {}: {source}. To fix: set TMPDIR to a short, writable folder", folder.display())]
    Socket {
        /// The folder that should hold the socket.
        folder: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Our certificate or the TLS settings could not be made.
    #[error("cannot set up TLS: {0}. This is a bug of the provider's library, or the machine has no random numbers")]
    Tls(String),
    /// The runtime, a signal handler or standard output failed.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the gRPC server ended: {0}")]
    Transport(String),
}

impl ServeError {
    /// Names what was being done when `source` happened, for `map_err`.
    pub(crate) fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }
}
