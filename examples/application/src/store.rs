//! The store: what is asked of the three services, and in which order.

use aws_sdk_s3::primitives::ByteStream;
use axum::body::Bytes;

use crate::Failure;
use crate::artefact::{Artefact, Label, sha256};
use crate::blobs::{BlobError, Blobs, PREFIX};
use crate::cache::{Cache, Lookup};
use crate::config::Config;
use crate::database::{Added, Database, DatabaseError, NewArtefact};

/// How many artefacts one page of the list has.
pub(crate) const PAGE: i64 = 100;

/// The three services.
pub(crate) struct Store {
    pub(crate) database: Database,
    pub(crate) cache: Cache,
    pub(crate) blobs: Blobs,
}

/// Why a request could not be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error("artefact {id} has a row, but its object {key} is gone from the bucket")]
    Lost { id: i64, key: String },
}

/// Where a list came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cached {
    Hit,
    Miss,
    /// The cache was not asked, or did not answer.
    Bypass,
}

impl Store {
    /// Connects to nothing yet: a service that is away shows in `/readyz`, not in a crash loop.
    pub(crate) async fn new(config: &Config) -> Result<Self, Failure> {
        // Redis over TLS takes the process's default.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self {
            database: Database::new(&config.database_url, config.database_roots.as_deref())?,
            cache: Cache::new(&config.redis_url).map_err(|error| format!("REDIS_URL cannot be used: {error}"))?,
            blobs: Blobs::new(&config.s3).await,
        })
    }

    /// Blob first, row second: what fails half-way leaves an object that nothing refers to and that a second try
    /// writes again, never a row without its blob.
    pub(crate) async fn add(
        &self,
        name: &Label,
        version: &Label,
        media_type: &str,
        content: Bytes,
    ) -> Result<Added, StoreError> {
        let sha256 = sha256(&content);
        let object_key = format!("{PREFIX}{}/{}/{sha256}", name.as_str(), version.as_str());
        let bytes = i64::try_from(content.len()).expect("a blob is far smaller than 8 EiB");
        self.blobs
            .put(&object_key, media_type, ByteStream::from(content))
            .await?;
        let row = NewArtefact {
            name: name.as_str(),
            version: version.as_str(),
            media_type,
            bytes,
            sha256: &sha256,
            object_key: &object_key,
        };
        let added = self.database.add(&row).await?;
        if let Err(error) = self.cache.forget_list().await {
            tracing::warn!(%error, "the cached list may be stale until it expires");
        }
        Ok(added)
    }

    /// The newest artefacts as JSON. A cache that is away costs speed, not the answer.
    pub(crate) async fn list(&self) -> Result<(Vec<u8>, Cached), StoreError> {
        let generation = match self.cache.list().await {
            Ok(Lookup::Hit(list)) => return Ok((list, Cached::Hit)),
            Ok(Lookup::Miss(generation)) => Some(generation),
            Err(error) => {
                tracing::warn!(%error, "the cache does not answer");
                None
            }
        };
        let list = as_json(&self.database.list(None, PAGE).await?);
        let Some(generation) = generation else {
            return Ok((list, Cached::Bypass));
        };
        if let Err(error) = self.cache.keep_list(generation, &list).await {
            tracing::warn!(%error, "the list was not cached");
        }
        Ok((list, Cached::Miss))
    }

    /// The artefacts older than an id, as JSON; never cached.
    pub(crate) async fn list_before(&self, id: i64) -> Result<(Vec<u8>, Cached), StoreError> {
        Ok((as_json(&self.database.list(Some(id), PAGE).await?), Cached::Bypass))
    }

    /// `None` when there is no such artefact.
    pub(crate) async fn blob(&self, id: i64) -> Result<Option<(Artefact, ByteStream)>, StoreError> {
        let Some((artefact, key)) = self.database.find(id).await? else {
            return Ok(None);
        };
        match self.blobs.get(&key).await? {
            Some(content) => Ok(Some((artefact, content))),
            None => Err(StoreError::Lost { id, key }),
        }
    }
}

fn as_json(artefacts: &[Artefact]) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({ "artefacts": artefacts })).expect("text and numbers become JSON")
}
