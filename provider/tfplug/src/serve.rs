//! The entry of a provider's binary: decides who started it, and serves until nobody needs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport;

use crate::{
    error::ServeError,
    handshake::{self, Environment, Invitation},
    host::Host,
    leftovers,
    lifetime::{self, Parent, Signals},
    logging,
    provider::Provider,
    reattach,
    router::Router,
    server::Server,
    socket::Socket,
    tls::Tls,
    unwind,
};

/// How long running handlers get, after they were told to stop, before the process ends.
const HANDLERS: Duration = Duration::from_secs(30);
/// How long open connections get to close by themselves; Terraform waits no longer for the process.
const CONNECTIONS: Duration = Duration::from_secs(2);
/// Large states come in few round trips.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 8 << 20;

/// How [`serve`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a program that no plugin host started should say so, or run its command line"]
pub enum Served {
    /// The provider was served, and is not needed any more: a signal, or Terraform was stopped, killed or lost.
    Done,
    /// Terraform has every answer and has ended the provider in its own time. So the run was not cut off before that.
    Dismissed,
    /// A person started the program: nothing was served or printed.
    NotAPlugin,
}

/// Serves a provider to Terraform or OpenTofu, which started this process; or, with `--debug` as the only argument,
/// to whoever sets the `TF_REATTACH_PROVIDERS` that is printed.
///
/// `source` is the provider's `namespace/name`. `provider` is called only when there is something to serve. Makes its
/// own runtime, so it is to be called from a plain `main`; standard output belongs to the plugin host from then on.
///
/// # Errors
/// When the plugin host's invitation is incomplete, or no socket can be made.
pub fn serve(source: &str, provider: impl FnOnce() -> Provider) -> Result<Served, ServeError> {
    let parent = Parent::now();
    let environment = Environment::read(source.rsplit('/').next().unwrap_or(source))?;
    let mode = match (environment.invitation, environment.debug) {
        (Some(invitation), _) => Mode::Plugin(invitation, parent),
        (None, true) => Mode::Debug,
        (None, false) => return Ok(Served::NotAPlugin),
    };
    logging::install(environment.log_level);
    unwind::install_hook();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::io("start the asynchronous runtime"))?;
    let served = runtime.block_on(run(mode, &environment.socket_dir, source, provider));
    // A handler that hears nothing of being cancelled may not hold up the end.
    runtime.shutdown_background();
    served.map(|dismissed| if dismissed { Served::Dismissed } else { Served::Done })
}

enum Mode {
    Plugin(Invitation, Parent),
    Debug,
}

async fn run(
    mode: Mode,
    socket_dir: &std::path::Path,
    source: &str,
    provider: impl FnOnce() -> Provider,
) -> Result<bool, ServeError> {
    let signals = Signals::catch()?;
    let socket = Socket::bind(socket_dir)?;
    let folder = socket.folder().to_owned();
    // Beside all else: no start waits for it, and no end.
    std::thread::spawn(move || leftovers::sweep(&folder));
    let shutdown = CancellationToken::new();
    let server = Server::new(provider());
    let dismissed = Arc::new(AtomicBool::new(false));
    let host = Host {
        shutdown: shutdown.clone(),
        may_shut_down: matches!(mode, Mode::Plugin(..)),
        dismissed: Arc::clone(&dismissed),
        server: server.clone(),
    };
    let incoming = match mode {
        Mode::Plugin(invitation, parent) => {
            let tls = Tls::trusting(invitation.client_certificate)?;
            handshake::announce(socket.path(), &tls.certificate)?;
            let incoming = socket.accept(Some(tls.acceptor));
            end_after(&shutdown, lifetime::host_gone(parent, incoming.count.clone()));
            end_after(&shutdown, signals.asked_to_end(false));
            incoming
        }
        Mode::Debug => {
            reattach::announce(source, socket.path())?;
            end_after(&shutdown, signals.asked_to_end(true));
            socket.accept(None)
        }
    };
    // The folder goes when this function ends, in whatever way.
    let _folder = incoming.folder;

    let mut serving = std::pin::pin!(
        transport::Server::builder()
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .serve_with_incoming_shutdown(
                Router::new(server.clone(), host),
                incoming.connections,
                shutdown.clone().cancelled_owned(),
            )
    );
    let served = tokio::select! {
        served = &mut serving => Some(served),
        () = shutdown.cancelled() => None,
    };
    tracing::debug!("ending");
    // Where no connection is open, serving is over the moment it is to end: handlers may still run, and are told here.
    match served {
        Some(served) => {
            let _ = timeout(HANDLERS, server.end()).await;
            served.map_err(|error| ServeError::Transport(error.to_string()))?;
        }
        None => {
            let _ = tokio::join!(timeout(HANDLERS, server.end()), timeout(CONNECTIONS, serving));
        }
    }
    Ok(dismissed.load(Ordering::Relaxed))
}

fn end_after(shutdown: &CancellationToken, reason: impl Future<Output = ()> + Send + 'static) {
    let shutdown = shutdown.clone();
    tokio::spawn(async move {
        reason.await;
        shutdown.cancel();
    });
}
