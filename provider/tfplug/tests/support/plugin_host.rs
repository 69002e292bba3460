//! A plugin host: starts the provider as go-plugin does and calls it over HTTP/2, with whatever certificate a test
//! wants to try.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use h2::client::SendRequest;
use prost::Message;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    client::{ResolvesClientCert, danger},
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use tokio::net::UnixStream;
use tokio_rustls::TlsConnector;
use tonic::codegen::{Bytes, http};

/// Every wait of a test ends after this.
pub(crate) const SOON: Duration = Duration::from_secs(60);

const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// A certificate as go-plugin makes one: P-521, self-signed, a CA used as a leaf.
pub(crate) struct Certificate {
    pub(crate) der: CertificateDer<'static>,
    pub(crate) pem: String,
    key: KeyPair,
}

impl Certificate {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }

    fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// This certificate with another one's key: what a thief of the public half could show.
    pub(crate) fn with_key_of(&self, other: &Self) -> CertifiedKey {
        let key = aws_lc_rs::sign::any_supported_type(&other.key()).unwrap();
        CertifiedKey::new(vec![self.der.clone()], key)
    }
}

/// A started provider that has said where it listens.
pub(crate) struct Plugin {
    pub(crate) child: Child,
    pub(crate) stdout: BufReader<ChildStdout>,
    pub(crate) socket: PathBuf,
    pub(crate) server_certificate: CertificateDer<'static>,
    pub(crate) client_certificate: Certificate,
    _sockets: tempfile::TempDir,
}

impl Plugin {
    pub(crate) fn start() -> Self {
        Self::start_with(|_| {})
    }

    pub(crate) fn start_with(change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(super::example());
        change(&mut command);
        Self::spawn(command)
    }

    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_in(tempfile::tempdir().unwrap(), command)
    }

    /// Starts it with its socket below `sockets`.
    pub(crate) fn spawn_in(sockets: tempfile::TempDir, mut command: Command) -> Self {
        let client_certificate = Certificate::new();
        let mut child = command
            .env(COOKIE.0, COOKIE.1)
            .env("PLUGIN_PROTOCOL_VERSIONS", "6,5")
            .env("PLUGIN_CLIENT_CERT", &client_certificate.pem)
            .env("PLUGIN_UNIX_SOCKET_DIR", sockets.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let fields: Vec<&str> = line.trim_end_matches('\n').split('|').collect();
        let ["1", "6", "unix", socket, "grpc", certificate] = fields[..] else {
            panic!("handshake: {line:?}")
        };
        assert!(Path::new(socket).starts_with(sockets.path()), "{socket}");
        let server_certificate = BASE64_STANDARD_NO_PAD.decode(certificate).unwrap().into();
        Self {
            child,
            stdout,
            socket: socket.into(),
            server_certificate,
            client_certificate,
            _sockets: sockets,
        }
    }

    pub(crate) async fn connect(&self) -> Result<Connection, String> {
        let certificate = &self.client_certificate;
        self.connect_with(Some(certificate.with_key_of(certificate))).await
    }

    /// Connects with any certificate, or none; the first call tells whether it was let in.
    pub(crate) async fn connect_with(&self, shown: Option<CertifiedKey>) -> Result<Connection, String> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.server_certificate.clone())
            .map_err(|error| error.to_string())?;
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Pinned(self.server_certificate.clone())))
            .with_client_cert_resolver(Arc::new(Shown(shown.map(Arc::new))));
        config.alpn_protocols = vec![b"h2".to_vec()];
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .map_err(|error| error.to_string())?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Connection::over(stream).await
    }

    /// Waits until the process has ended by itself.
    pub(crate) fn wait_for_end(&mut self) {
        let start = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < SOON, "still there after {SOON:?}");
            pause();
        }
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "nothing but the handshake belongs on stdout");
    }

    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub(crate) fn socket_folder(&self) -> &Path {
        self.socket.parent().unwrap()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    assert!(
        Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[expect(clippy::disallowed_methods, reason = "tests wait for processes that report nothing")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}

/// A connection that calls methods.
pub(crate) struct Connection(SendRequest<Bytes>);

impl Connection {
    pub(crate) async fn over<S>(stream: S) -> Result<Self, String>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let (send, connection) = h2::client::Builder::new()
            .initial_window_size(1 << 26)
            .initial_connection_window_size(1 << 27)
            .handshake(stream)
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self(send))
    }

    /// Calls `/service/Method`; an error is the gRPC status and its message, or what broke.
    pub(crate) async fn call<R: Message + Default>(&self, method: &str, request: &impl Message) -> Result<R, String> {
        let fail = |error: h2::Error| format!("transport: {error}");
        let head = http::Request::post(format!("http://localhost{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap();
        let mut send = self.0.clone().ready().await.map_err(fail)?;
        let (response, mut body) = send.send_request(head, false).map_err(fail)?;
        let message = request.encode_to_vec();
        let mut frame = vec![0];
        frame.extend_from_slice(&u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&message);
        body.send_data(frame.into(), true).map_err(fail)?;

        let response = response.await.map_err(fail)?;
        let mut status = response.headers().clone();
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(chunk) = body.data().await {
            let chunk = chunk.map_err(fail)?;
            body.flow_control().release_capacity(chunk.len()).map_err(fail)?;
            bytes.extend_from_slice(&chunk);
        }
        if let Some(trailers) = body.trailers().await.map_err(fail)? {
            status = trailers;
        }
        let text = |name| status.get(name).map_or("", |value| value.to_str().unwrap());
        match text("grpc-status") {
            "0" => Ok(R::decode(&bytes[5..]).unwrap()),
            code => Err(format!("{code} {}", text("grpc-message"))),
        }
    }
}

#[derive(Debug)]
struct Shown(Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.clone()
    }

    fn has_certs(&self) -> bool {
        self.0.is_some()
    }
}

/// Trusts the certificate of the handshake line and no other, as Terraform does.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>);

impl danger::ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<danger::ServerCertVerified, rustls::Error> {
        assert_eq!(*end_entity, self.0);
        Ok(danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        unreachable!("the provider offers TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
