//! The server around the routes: it listens, and ends in order.

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::Failure;

/// After a signal to stop, how long requests that were begun may go on.
const DRAIN: Duration = Duration::from_secs(15);

/// Answers requests until SIGTERM or SIGINT, and then those that were begun.
pub(crate) async fn serve(router: Router, address: SocketAddr) -> Result<(), Failure> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("cannot listen on {address}: {error}. To fix: set PORT to one that is free"))?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async { drop(stopped.await) });
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
    let mut server = tokio::spawn(server.into_future());
    tokio::select! {
        ended = &mut server => return Ok(ended??),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    drop(stop);
    match tokio::time::timeout(DRAIN, server).await {
        Ok(ended) => ended??,
        Err(_) => tracing::warn!("some requests were not answered in time"),
    }
    tracing::info!("stopped");
    Ok(())
}
