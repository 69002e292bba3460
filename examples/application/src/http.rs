//! The routes of the store, and their errors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use tokio_util::io::ReaderStream;

use crate::artefact::{Label, MAX_BLOB_BYTES};
use crate::database::Added;
use crate::endpoints::{self, Outcome};
use crate::metrics::Metrics;
use crate::store::{Cached, Store, StoreError};

/// The longest that a request may take to be answered, its body included.
const REQUEST: Duration = Duration::from_secs(10);
const OCTETS: &str = "application/octet-stream";

/// Asked every few seconds by machines, so their answers are not worth a line. What fails has its own.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

struct App {
    store: Store,
    metrics: Metrics,
}

pub(crate) fn router(store: Store) -> Router {
    let app = Arc::new(App {
        store,
        metrics: Metrics::default(),
    });
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/endpoints", get(list_endpoints))
        .route("/artefacts", get(list).post(add))
        .route("/artefacts/{id}/blob", get(blob))
        .fallback(async || Refusal::NotFound("there is no such page".to_owned()))
        .layer(DefaultBodyLimit::max(MAX_BLOB_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), observe))
        .with_state(app)
}

/// Bounds, counts and logs every request.
async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let late = || Refusal::Unavailable(format!("no answer within {REQUEST:?}")).into_response();
    let response = tokio::time::timeout(REQUEST, next.run(request))
        .await
        .unwrap_or_else(|_| late());
    let (status, took) = (response.status(), start.elapsed());
    app.metrics.observe(&method, &route, status.as_u16(), took);
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    if PROBES.contains(&route.as_str()) {
        tracing::debug!(%method, route, status, milliseconds, "answered");
    } else {
        tracing::info!(%method, route, status, milliseconds, "answered");
    }
    response
}

/// The process answers; says nothing of its services, so that a lost database restarts no pod.
async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// All three services answer; otherwise 503 and which do not.
async fn readyz(State(app): State<Arc<App>>) -> Response {
    let probed = endpoints::probe(&app.store).await;
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed { .. });
    let ready = !probed.iter().any(|it| failed(&it.outcome));
    let checks: serde_json::Map<_, _> = probed
        .into_iter()
        .map(|it| match it.outcome {
            Outcome::Reached { .. } => (it.endpoint, "ok".into()),
            Outcome::Failed { error } => {
                tracing::warn!(endpoint = it.endpoint, error, "not ready");
                (it.endpoint, error.into())
            }
        })
        .collect();
    let (code, status) = if ready {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (
        code,
        Json(json!({ "application": "artefact-store", "status": status, "checks": checks })),
    )
        .into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        app.metrics.render(),
    )
        .into_response()
}

async fn list_endpoints(State(app): State<Arc<App>>) -> Json<serde_json::Value> {
    Json(json!({ "endpoints": endpoints::probe(&app.store).await }))
}

#[derive(Deserialize)]
struct Page {
    before: Option<i64>,
}

/// `GET /artefacts[?before=ID]`: the newest first; the header `x-cache` says where the list came from.
async fn list(State(app): State<Arc<App>>, page: Result<Query<Page>, QueryRejection>) -> Result<Response, Refusal> {
    let (list, cached) = match page?.before {
        Some(id) => app.store.list_before(id).await?,
        None => app.store.list().await?,
    };
    let cached = match cached {
        Cached::Hit => "hit",
        Cached::Miss => "miss",
        Cached::Bypass => "bypass",
    };
    Ok((
        [(header::CONTENT_TYPE.as_str(), "application/json"), ("x-cache", cached)],
        list,
    )
        .into_response())
}

#[derive(Deserialize)]
struct New {
    name: String,
    version: String,
}

/// `POST /artefacts?name=…&version=…`, the blob as the body: 201, or 200 when exactly this is there already.
async fn add(
    State(app): State<Arc<App>>,
    new: Result<Query<New>, QueryRejection>,
    headers: HeaderMap,
    content: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let (new, content) = (new?, content?);
    let label = |field: &str, text: &str| {
        Label::new(text).ok_or_else(|| {
            let rule = "1 to 128 letters, digits, `.`, `_`, `-` and `+`, a letter or digit first";
            Refusal::Invalid(format!("{field} is not {rule}"))
        })
    };
    let (name, version) = (label("name", &new.name)?, label("version", &new.version)?);
    if content.is_empty() {
        return Err(Refusal::Invalid("the body is empty; it should be the blob".to_owned()));
    }
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or(OCTETS);
    match app.store.add(&name, &version, media_type, content).await? {
        Added::New(artefact) => Ok((StatusCode::CREATED, Json(artefact)).into_response()),
        Added::Same(artefact) => Ok(Json(artefact).into_response()),
        Added::Taken => Err(Refusal::Conflict(format!(
            "version {} of {} is there with other content; a version is never overwritten",
            version.as_str(),
            name.as_str()
        ))),
    }
}

/// Streams the blob. Browsers download it, whatever type its maker claimed.
async fn blob(State(app): State<Arc<App>>, id: Result<Path<i64>, PathRejection>) -> Result<Response, Refusal> {
    let Path(id) = id?;
    let Some((artefact, content)) = app.store.blob(id).await? else {
        return Err(Refusal::NotFound(format!("there is no artefact {id}")));
    };
    let headers = [
        (header::CONTENT_TYPE, artefact.media_type),
        (header::CONTENT_LENGTH, artefact.bytes.to_string()),
        (header::ETAG, format!("\"{}\"", artefact.sha256)),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{}-{}\"", artefact.name, artefact.version),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(content.into_async_read()))).into_response())
}

/// An answer that is not what was asked for: `{"error": "…"}`.
#[derive(Debug)]
enum Refusal {
    Invalid(String),
    NotFound(String),
    Conflict(String),
    Unavailable(String),
    /// The request could not be read; the framework says why.
    Unread(StatusCode, String),
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        Self::Unread(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Refusal {
    fn from(rejection: PathRejection) -> Self {
        Self::Unread(rejection.status(), rejection.body_text())
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        Self::Unread(rejection.status(), rejection.body_text())
    }
}

impl From<StoreError> for Refusal {
    /// The details are for the log: who asks may be a stranger.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a service failed");
        Self::Unavailable(match error {
            StoreError::Database(_) => "the database does not answer as it should".to_owned(),
            StoreError::Blobs(_) => "the object store does not answer as it should".to_owned(),
            StoreError::Lost { id, .. } => format!("the blob of artefact {id} is gone"),
        })
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = match self {
            Self::Invalid(error) => (StatusCode::BAD_REQUEST, error),
            Self::NotFound(error) => (StatusCode::NOT_FOUND, error),
            Self::Conflict(error) => (StatusCode::CONFLICT, error),
            Self::Unavailable(error) => (StatusCode::SERVICE_UNAVAILABLE, error),
            Self::Unread(status, error) => (status, error),
        };
        (status, Json(json!({ "error": error }))).into_response()
    }
}
