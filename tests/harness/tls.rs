//! TLS before a server that speaks none, with a certificate of an authority that nobody else trusts.

use crate::http::{self, Message};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// A running endpoint; dropping it closes it.
pub struct TlsEndpoint {
    address: SocketAddr,
    authority: String,
    closed: Arc<AtomicBool>,
}

impl TlsEndpoint {
    /// An endpoint on a free port of 127.0.0.1 that is all of these names, and passes on to a server what it is asked.
    ///
    /// # Panics
    /// When there is no free port, or a name is none.
    pub fn before(server: SocketAddr, names: &[&str]) -> Self {
        let (authority, config) = certificates(names).expect("certificates for names");
        let config = Arc::new(config);
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let endpoint = Self {
            address: socket.local_addr().expect("a bound socket has an address"),
            authority,
            closed: Arc::default(),
        };
        let closed = Arc::clone(&endpoint.closed);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let config = Arc::clone(&config);
                // Callers that do not trust the certificate leave in the middle, and need not be told.
                thread::spawn(move || serve(stream, server, config));
            }
        });
        endpoint
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority, in PEM.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for TlsEndpoint {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for callers.
        let _ = TcpStream::connect(self.address);
    }
}

fn certificates(names: &[&str]) -> Result<(String, ServerConfig), Box<dyn std::error::Error>> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority
        .distinguished_name
        .push(DnType::CommonName, "an authority of this test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )?;
    Ok((authority_pem, config))
}

fn serve(stream: TcpStream, server: SocketAddr, config: Arc<ServerConfig>) -> io::Result<()> {
    stream.set_read_timeout(Some(http::SILENCE))?;
    let connection = ServerConnection::new(config).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    if let Some(mut request) = Message::request(&mut stream)? {
        // Some clients name the host here too behind a proxy, which servers have to take.
        request.take_host();
        http::exchange(server, &request)?.write(&mut stream)?;
        stream.conn.send_close_notify();
        stream.flush()?;
    }
    Ok(())
}
