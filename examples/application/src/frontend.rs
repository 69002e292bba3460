//! `artefact-store frontend`: a folder of static files, and beside them what their scripts ask of the store, so that
//! browsers see one origin.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use reqwest::Client;
use serde_json::json;

use crate::Failure;
use crate::config::FrontendConfig;

const CONNECT: Duration = Duration::from_secs(2);
/// Between two pieces of an answer; longer than the store itself takes to give up.
const SILENCE: Duration = Duration::from_secs(12);

/// Said of every answer. The scripts of the page are its own and talk to this origin only.
const HEADERS: [(&str, &str); 3] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; connect-src 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
];
/// What the store may be told by a browser, and what a browser may be told by the store.
const TO_STORE: [HeaderName; 3] = [header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_LENGTH];
const TO_BROWSER: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_DISPOSITION,
    header::ETAG,
    HeaderName::from_static("x-cache"),
];

struct Frontend {
    /// By path, such as `/index.html`.
    files: BTreeMap<String, (&'static str, Vec<u8>)>,
    backend: String,
    client: Client,
}

/// The routes; reads all files, so that none can be missed later.
pub(crate) fn router(config: &FrontendConfig) -> Result<Router, Failure> {
    let frontend = Frontend {
        files: files(&config.content)?,
        backend: config.backend.trim_end_matches('/').to_owned(),
        client: Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()?,
    };
    // Only what the page needs; metrics and probes of the store stay inside.
    Ok(Router::new()
        .route("/healthz", get("ok\n"))
        .route("/api/endpoints", get(forward))
        .route("/api/artefacts", any(forward))
        .route("/api/artefacts/{*below}", any(forward))
        .fallback(file)
        .layer(middleware::map_response(with_headers))
        .with_state(Arc::new(frontend)))
}

/// The files of a folder, not of those below it. A mounted ConfigMap links each of them into a hidden folder.
fn files(folder: &Path) -> Result<BTreeMap<String, (&'static str, Vec<u8>)>, Failure> {
    let fail = |path: &Path, error| format!("CONTENT_DIR: {} cannot be read: {error}", path.display());
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|error| fail(folder, error))? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if name.starts_with('.') || !path.is_file() {
            continue;
        }
        let content = fs::read(&path).map_err(|error| fail(&path, error))?;
        files.insert(format!("/{name}"), (media_type(name), content));
    }
    if files.contains_key("/index.html") {
        Ok(files)
    } else {
        Err(format!(
            "CONTENT_DIR: {} has no index.html. To fix: set it to the folder of the page",
            folder.display()
        )
        .into())
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        _ => "application/octet-stream",
    }
}

async fn file(State(frontend): State<Arc<Frontend>>, request: Request) -> Response {
    let path = match request.uri().path() {
        "/" => "/index.html",
        path => path,
    };
    match frontend.files.get(path) {
        Some(_) if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "a file can only be read")
        }
        Some((media_type, content)) => ([(header::CONTENT_TYPE, *media_type)], content.clone()).into_response(),
        None => refusal(StatusCode::NOT_FOUND, "there is no such page"),
    }
}

/// `/api/…` of the page is `/…` of the store. Bodies are passed on piece by piece, whatever their size.
async fn forward(State(frontend): State<Arc<Frontend>>, request: Request) -> Response {
    let (asked, body) = request.into_parts();
    let path = asked.uri.path_and_query().map_or("", |path| path.as_str());
    let url = format!("{}{}", frontend.backend, path.strip_prefix("/api").unwrap_or(path));
    let mut forwarded = frontend.client.request(asked.method.clone(), url);
    for name in &TO_STORE {
        if let Some(value) = asked.headers.get(name) {
            forwarded = forwarded.header(name, value);
        }
    }
    if !matches!(asked.method, Method::GET | Method::HEAD) {
        forwarded = forwarded.body(reqwest::Body::wrap_stream(body.into_data_stream()));
    }
    let answer = match forwarded.send().await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, backend = frontend.backend, "the store does not answer");
            return refusal(StatusCode::BAD_GATEWAY, "the store does not answer");
        }
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for name in TO_BROWSER {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    *response.body_mut() = Body::from_stream(answer.bytes_stream());
    response
}

async fn with_headers(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn refusal(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
