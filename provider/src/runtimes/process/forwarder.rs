//! What runs beside a service to which pods are given access: `mlplat forward ADDRESS:PORT PUBLISHED`. It takes connections
//! there and passes their bytes on to the published port of 127.0.0.1. It reads nothing of them: whoever connects needs the service's
//! password, as on loopback.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::sockopt::set_socket_keepalive;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::services::LOCALHOST;
use crate::wait;

/// A rest when no more connections can be taken, because this process may open no more files.
const REST: Duration = Duration::from_millis(100);

/// More connections at once than any local service takes.
const MOST: usize = 4096;
/// Files that this process has open itself, generously.
const OWN_FILES: u64 = 64;

/// Forwards until the process is ended.
///
/// # Errors
/// When this machine has no such address, or another program has the port.
pub fn forward(door: SocketAddr, published: u16) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(door).await?;
        tracing::info!(%door, published, "forwarding");
        pass_all(listener, SocketAddr::new(LOCALHOST, published), most()).await;
        Ok(())
    })
}

/// How many connections at once: each has two open files.
fn most() -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    usize::try_from(files.saturating_sub(OWN_FILES) / 2).map_or(MOST, |most| most.clamp(1, MOST))
}

async fn pass_all(listener: TcpListener, to: SocketAddr, most: usize) {
    let free = Arc::new(Semaphore::new(most));
    let mut is_full = false;
    loop {
        match listener.accept().await {
            // How one connection ends concerns its two sides alone, and both see it.
            Ok((client, _)) => match Arc::clone(&free).try_acquire_owned() {
                Ok(permit) => {
                    is_full = false;
                    tokio::spawn(async move {
                        let _permit = permit;
                        pass(client, to).await
                    });
                }
                // Closed at once, so that the client sees an error rather than silence.
                Err(_) => {
                    drop(client);
                    if !std::mem::replace(&mut is_full, true) {
                        tracing::warn!(most, "too many connections at once; further ones are closed");
                    }
                }
            },
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                wait::pause(REST).await;
            }
        }
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr) -> io::Result<()> {
    let mut service = TcpStream::connect(to).await?;
    client.set_nodelay(true)?;
    service.set_nodelay(true)?;
    // A pod that is gone without a word must not keep a connection of the service for ever.
    set_socket_keepalive(&client, true)?;
    tokio::io::copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn bytes_pass_both_ways_and_the_end_of_one_side_reaches_the_other() {
        let (service, to) = listener().await;
        let (door, from) = listener().await;
        tokio::spawn(pass_all(door, to, MOST));
        let mut client = TcpStream::connect(from).await.unwrap();
        let (mut served, _) = service.accept().await.unwrap();
        client.write_all(b"question").await.unwrap();
        client.shutdown().await.unwrap();
        let mut asked = Vec::new();
        served.read_to_end(&mut asked).await.unwrap();
        assert_eq!(asked, b"question");
        let long = vec![b'x'; 1 << 20];
        served.write_all(&long).await.unwrap();
        drop(served);
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.len(), long.len());
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_are_closed_until_others_end() {
        let (service, to) = listener().await;
        let (door, from) = listener().await;
        tokio::spawn(pass_all(door, to, 2));
        let mut clients = Vec::new();
        for _ in 0..2 {
            let client = TcpStream::connect(from).await.unwrap();
            clients.push((client, service.accept().await.unwrap()));
        }
        let mut beyond = TcpStream::connect(from).await.unwrap();
        assert_eq!(beyond.read(&mut [0]).await.unwrap_or_default(), 0, "it is closed");
        drop(clients.pop());
        // The place is free once both directions have ended.
        let again = tokio::time::timeout(std::time::Duration::from_secs(60), async {
            loop {
                let (mut client, mut byte) = (TcpStream::connect(from).await.unwrap(), [0]);
                tokio::select! {
                    _ = client.read(&mut byte) => {}
                    accepted = service.accept() => break accepted.is_ok(),
                }
            }
        });
        assert!(again.await.unwrap());
    }

    #[tokio::test]
    async fn a_service_that_is_away_closes_the_connection_and_is_found_again() {
        let (service, to) = listener().await;
        drop(service);
        let (door, from) = listener().await;
        tokio::spawn(pass_all(door, to, MOST));
        let mut said = Vec::new();
        let mut client = TcpStream::connect(from).await.unwrap();
        assert!(client.read_to_end(&mut said).await.unwrap_or_default() == 0);
        // A process that another thread is just starting has all that is open here for a moment.
        let bound = tokio::time::timeout(std::time::Duration::from_secs(60), async {
            loop {
                if let Ok(service) = TcpListener::bind(to).await {
                    break service;
                }
                tokio::task::yield_now().await;
            }
        });
        let service = bound.await.expect("the place is free again");
        let _client = TcpStream::connect(from).await.unwrap();
        service.accept().await.unwrap();
    }
}
