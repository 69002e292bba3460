//! The requests of an application.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;

use crate::harness::TestStack;

pub(crate) async fn put(test: &TestStack, path: &str) {
    send(test, Method::PUT, path, "text").await;
}

pub(crate) async fn get(test: &TestStack, path: &str) -> String {
    send(test, Method::GET, path, "").await
}

pub(crate) async fn delete(test: &TestStack, path: &str) {
    send(test, Method::DELETE, path, "").await;
}

/// What the bucket keeps of each object from now on.
pub(crate) async fn version(test: &TestStack, bucket: &str) {
    let body = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    send(test, Method::PUT, &format!("{bucket}?versioning="), body).await;
}

pub(crate) async fn start_upload(test: &TestStack, path: &str) {
    send(test, Method::POST, &format!("{path}?uploads="), "").await;
}

pub(crate) async fn delete_bucket(test: &TestStack, bucket: &str) {
    send(test, Method::DELETE, bucket, "").await;
}

async fn send(test: &TestStack, method: Method, path: &str, body: &'static str) -> String {
    let login = test.credentials().object_store.unwrap();
    let endpoint = test.status().await.endpoints.s3.unwrap();
    let authority = endpoint.host.url.strip_prefix("http://").unwrap().to_owned();
    let url = format!("http://{authority}/{path}");
    let mut request = Request::new(Full::new(Bytes::from_static(body.as_bytes())));
    *request.method_mut() = method.clone();
    *request.uri_mut() = format!("/{path}").parse().unwrap();
    request.headers_mut().insert("host", authority.parse().unwrap());
    let identity = Credentials::new(login.user, login.secret.expose(), None, None, "test").into();
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&endpoint.region)
        .name("s3");
    let params = params
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let signable = SignableBody::Bytes(body.as_bytes());
    let signable = SignableRequest::new(method.as_str(), &url, std::iter::empty(), signable).unwrap();
    sign(signable, &params)
        .unwrap()
        .into_parts()
        .0
        .apply_to_request_http1x(&mut request);
    let stream = tokio::net::TcpStream::connect(&authority).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(status.is_success(), "{method} {path}: {status} {body}");
    body
}
