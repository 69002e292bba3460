//! Which services were reached, where, and how fast: for readiness, and for people who wonder.

use std::future::Future;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::store::Store;

/// Shorter than the readiness probe's own, so that the answer names the one that hangs.
const PROBE: Duration = Duration::from_secs(2);

/// One service, as this process sees it now. Holds no secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    /// `postgres`, `redis`, `s3`.
    pub(crate) endpoint: String,
    /// Host and port, or URL.
    pub(crate) address: String,
    /// The variable that named it.
    pub(crate) variable: String,
    #[serde(flatten)]
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Outcome {
    /// One small request over an open connection took so long.
    Reached {
        latency_ms: f64,
        server: String,
    },
    Failed {
        error: String,
    },
}

/// Asks all three at once.
pub(crate) async fn probe(store: &Store) -> [Endpoint; 3] {
    let Store { database, cache, blobs } = store;
    let postgres = async {
        let client = database.client().await?;
        let start = Instant::now();
        let version = Database::version(&client).await?;
        Ok((
            start.elapsed(),
            format!("PostgreSQL {}", version.split_whitespace().next().unwrap_or_default()),
        ))
    };
    let redis = async {
        let version = cache.version().await?;
        let start = Instant::now();
        cache.ping().await?;
        Ok((start.elapsed(), version))
    };
    let s3 = async {
        blobs.ping().await?;
        let start = Instant::now();
        blobs.ping().await?;
        Ok((start.elapsed(), blobs.server().unwrap_or("unknown").to_owned()))
    };
    let (postgres, redis, s3) = tokio::join!(outcome(postgres), outcome(redis), outcome(s3));
    [
        ("postgres", database.address(), "DATABASE_URL", postgres),
        ("redis", cache.address(), "REDIS_URL", redis),
        ("s3", blobs.address(), blobs.variable(), s3),
    ]
    .map(|(endpoint, address, variable, outcome)| Endpoint {
        endpoint: endpoint.to_owned(),
        address: address.to_owned(),
        variable: variable.to_owned(),
        outcome,
    })
}

async fn outcome(request: impl Future<Output = Result<(Duration, String), crate::Failure>>) -> Outcome {
    match tokio::time::timeout(PROBE, request).await {
        Ok(Ok((latency, server))) => Outcome::Reached {
            latency_ms: (latency.as_secs_f64() * 100_000.0).round() / 100.0,
            server,
        },
        Ok(Err(error)) => Outcome::Failed {
            error: error.to_string(),
        },
        Err(_) => Outcome::Failed {
            error: format!("no answer within {PROBE:?}"),
        },
    }
}
