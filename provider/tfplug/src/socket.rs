//! The unix socket in a folder of its own (0700), and the connections that come in on it.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{UnixListener, UnixStream},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;

use crate::error::ServeError;

/// A peer that is slower than this with its TLS handshake is not the host.
const TLS_DEADLINE: Duration = Duration::from_secs(60);

/// Pause after a failed accept, so that a process without free file descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The folder's name: this and sixteen hexadecimal digits.
pub(crate) const PREFIX: &str = "tfplug-";
/// The socket's name in its folder.
pub(crate) const SOCKET: &str = "p.sock";

/// A bound socket, not yet accepting.
#[derive(Debug)]
pub(crate) struct Socket {
    folder: SocketFolder,
    path: PathBuf,
    listener: UnixListener,
}

/// Removes the socket's folder when dropped. It is locked until then: see [`crate::leftovers`].
#[derive(Debug)]
pub(crate) struct SocketFolder {
    path: PathBuf,
    _held: File,
}

impl Socket {
    /// Binds a socket with an unguessable name below `parent`.
    pub(crate) fn bind(parent: &Path) -> Result<Self, ServeError> {
        let mut random = [0; 8];
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut random)
            .map_err(|_| ServeError::Tls("no random numbers".into()))?;
        let folder = parent.join(format!("{PREFIX}{:016x}", u64::from_ne_bytes(random)));
        let path = folder.join(SOCKET);
        let bind = || {
            // The folder's mode closes the moment between bind and chmod.
            DirBuilder::new().mode(0o700).create(&folder)?;
            let held = File::open(&folder)?;
            // Where locks are not offered, the socket tells.
            let _ = held.try_lock();
            let listener = UnixListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            Ok((listener, held))
        };
        match bind() {
            Ok((listener, held)) => Ok(Self {
                folder: SocketFolder {
                    path: folder,
                    _held: held,
                },
                path,
                listener,
            }),
            Err(source) => {
                let _ = fs::remove_dir_all(&folder);
                Err(ServeError::Socket {
                    folder: parent.into(),
                    source,
                })
            }
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder.path
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Starts accepting. With `tls` every connection is authenticated before it is handed out, each in a task of
    /// its own so that a silent peer holds up nobody.
    pub(crate) fn accept(self, tls: Option<TlsAcceptor>) -> Incoming {
        let (sender, receiver) = mpsc::channel(1);
        let (open, count) = watch::channel(None);
        let listener = self.listener;
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = sender.closed() => return,
                };
                let stream = match accepted {
                    Ok((stream, _)) => stream,
                    // A client that went away at once, or no file descriptors for a moment.
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        let _ = timeout(ACCEPT_PAUSE, sender.closed()).await;
                        continue;
                    }
                };
                let (sender, open, tls) = (sender.clone(), open.clone(), tls.clone());
                tokio::spawn(async move {
                    match authenticate(stream, tls).await {
                        Ok(stream) => {
                            let _ = sender
                                .send(Ok(Connection {
                                    stream,
                                    _open: Open::new(open),
                                }))
                                .await;
                        }
                        Err(error) => tracing::warn!(%error, "a connection was refused"),
                    }
                });
            }
        });
        Incoming {
            connections: ReceiverStream::new(receiver),
            count,
            folder: self.folder,
        }
    }
}

async fn authenticate(stream: UnixStream, tls: Option<TlsAcceptor>) -> io::Result<Transport> {
    match tls {
        None => Ok(Transport::Plain(stream)),
        Some(tls) => Ok(Transport::Tls(Box::new(
            timeout(TLS_DEADLINE, tls.accept(stream)).await??,
        ))),
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::debug!(%error, folder = %self.path.display(), "the socket's folder could not be removed");
        }
    }
}

/// What a bound socket gives.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Authenticated connections, in the order in which they became so.
    pub(crate) connections: ReceiverStream<io::Result<Connection>>,
    /// How many of them are open now; `None` before the first.
    pub(crate) count: watch::Receiver<Option<usize>>,
    /// To be dropped when serving has ended.
    pub(crate) folder: SocketFolder,
}

/// One connection of the host; counted while it is open.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Transport,
    _open: Open,
}

#[derive(Debug)]
enum Transport {
    Plain(UnixStream),
    Tls(Box<TlsStream<UnixStream>>),
}

#[derive(Debug)]
struct Open(watch::Sender<Option<usize>>);

impl Open {
    fn new(count: watch::Sender<Option<usize>>) -> Self {
        count.send_modify(|count| *count = Some(count.unwrap_or_default() + 1));
        Self(count)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.map(|open| open - 1));
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
