//! SeaweedFS' inner ports give nothing to who has not the stack's own keys: other users of this machine, and the web pages
//! in a browser, which reach 127.0.0.1 as well.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use terraform_provider_mlplat::runtimes::process::Health;
use terraform_provider_mlplat::services::{Component, StackSpec};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use crate::harness::{TestStack, cache, store, until};
use crate::s3;

/// How an HTTP/2 client, and so one of gRPC, greets: its preface and empty settings.
const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

fn store_alone() -> StackSpec {
    StackSpec {
        object_store: Some(store(&["models"])),
        redis: None,
        ..cache()
    }
}

/// The store's ports by name.
fn ports(test: &TestStack) -> Vec<(String, u16)> {
    let record: Value = serde_json::from_slice(&std::fs::read(test.dir.join("stack.json")).unwrap()).unwrap();
    let ports = record["parts"]["object_store"]["ports"].as_object().unwrap();
    ports
        .iter()
        .map(|(name, port)| (name.clone(), u16::try_from(port.as_u64().unwrap()).unwrap()))
        .collect()
}

/// Everything that is said to `request`, until nothing comes any more.
async fn said(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &[u8]) -> Vec<u8> {
    let mut answer = Vec::new();
    if stream.write_all(request).await.is_ok() {
        let whole = stream.read_to_end(&mut answer);
        // A server that keeps the connection open has said what it had to say.
        let _ = tokio::time::timeout(Duration::from_secs(2), whole).await;
    }
    answer
}

async fn said_to(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    said(&mut stream, request).await
}

/// As a web page asks.
fn http(method: &str, path: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: evil.example\r\norigin: https://evil.example\r\nsec-fetch-site: cross-site\r\n\
         content-length: 0\r\nconnection: close\r\n\r\n"
    )
    .into_bytes()
}

/// What the server says to gRPC's greeting inside TLS, with or without the stack's own certificate.
async fn greeted_in_tls(test: &TestStack, port: u16, with_certificate: bool) -> Vec<u8> {
    let folder = test.dir.join("object_store");
    let mut roots = RootCertStore::empty();
    let authority = CertificateDer::from_pem_file(folder.join("inner-ca.pem")).unwrap();
    roots.add(authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = if with_certificate {
        let certificate = CertificateDer::from_pem_file(folder.join("inner-cert.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("inner-key.pem")).unwrap();
        config.with_client_auth_cert(vec![certificate], key).unwrap()
    } else {
        config.with_no_client_auth()
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    match TlsConnector::from(Arc::new(config)).connect(name, stream).await {
        Ok(mut stream) => said(&mut stream, GREETING).await,
        Err(_) => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_user_and_a_web_page_get_nothing() {
    let test = TestStack::new();
    test.apply(&store_alone()).await.unwrap();
    s3::put(&test, "models/private/report.txt").await;
    let paths = [
        "/",
        "/buckets/models/private/report.txt",
        "/buckets/models/?metadata=true",
        "/.tus/buckets/models/new",
        "/dir/assign",
        "/dir/status",
        "/vol/grow?count=1",
        "/col/delete?collection=models",
        "/1,01637037d6",
        "/ui/index.html",
    ];
    for (name, port) in ports(&test) {
        // The administrator starts when the store already answers.
        until("an inner port to listen", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await;
        for path in paths.iter().filter(|_| name != "published") {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let answer = said_to(port, &http(method, path)).await;
                let text = String::from_utf8_lossy(&answer);
                let status = text.split_whitespace().nth(1).unwrap_or_default();
                // Not an answer in HTTP, a refusal, or (at the administrator's port) no such thing.
                let refused =
                    !text.starts_with("HTTP/") || ["400", "401", "403", "404", "405", "412"].contains(&status);
                assert!(refused, "{name} {method} {path}: {text}");
            }
        }
        if name.ends_with(".grpc") {
            // Frames of HTTP/2 start with a length; 4 is the type of settings.
            let is_greeted = |answer: &[u8]| answer.get(3) == Some(&4);
            assert!(!is_greeted(&said_to(port, GREETING).await), "{name} without TLS");
            let stranger = greeted_in_tls(&test, port, false).await;
            assert!(!is_greeted(&stranger), "{name} without a certificate");
            let part = greeted_in_tls(&test, port, true).await;
            assert!(is_greeted(&part), "{name} with the stack's certificate: {part:?}");
        }
    }
    for socket in test.stray_sockets() {
        let mut stream = UnixStream::connect(&socket).await.unwrap();
        let answer = said(&mut stream, &http("GET", "/buckets/models/private/report.txt")).await;
        assert!(
            !String::from_utf8_lossy(&answer).contains(" 200 "),
            "{}",
            socket.display()
        );
    }
    // After all that, the application has what it had.
    assert_eq!(s3::get(&test, "models/private/report.txt").await, "text");
    for file in ["security.toml", "inner-key.pem", "identities.json"] {
        let mode = test
            .dir
            .join("object_store")
            .join(file)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    test.destroy().await;
}

/// A stack of an earlier version has neither keys nor certificates: plan shows it, and apply closes its ports.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_stack_is_closed_by_the_next_apply_and_keeps_its_objects() {
    let test = TestStack::new();
    test.apply(&store_alone()).await.unwrap();
    s3::put(&test, "models/kept").await;
    let login = test.dir.join("object_store/login.json");
    let mut stored: Value = serde_json::from_slice(&std::fs::read(&login).unwrap()).unwrap();
    let key = stored["secret"].clone();
    stored["admin_secret"] = Value::Null;
    stored.as_object_mut().unwrap().remove("certificate");
    std::fs::write(&login, stored.to_string()).unwrap();
    test.is(Component::ObjectStore, Health::Outdated).await;
    let before = test.pids()["object_store"];
    let status = test.apply(&store_alone()).await.unwrap();
    assert_eq!(status.components[&Component::ObjectStore].health, Health::Running);
    assert_ne!(test.pids()["object_store"], before);
    assert_eq!(s3::get(&test, "models/kept").await, "text");
    let stored: Value = serde_json::from_slice(&std::fs::read(&login).unwrap()).unwrap();
    assert_eq!(stored["secret"], key);
    assert_ne!(stored["admin_secret"], json!(null));
    test.destroy().await;
}
