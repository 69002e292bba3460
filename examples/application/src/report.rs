//! The job: reads every blob of the bucket, checks it against the digest in its key, and writes one summary row.

use crate::Failure;
use crate::artefact::hex;
use crate::blobs::Blobs;
use crate::store::Store;
use sha2::{Digest, Sha256};

/// Fails when a blob is damaged, after the row is written: the job's status then says so.
pub(crate) async fn run(store: &Store) -> Result<(), Failure> {
    let (mut artefacts, mut bytes, mut damaged) = (0, 0, Vec::new());
    let mut from = None;
    loop {
        let (keys, next) = store.blobs.keys(from).await?;
        for key in keys {
            // Deleted since it was listed: not an artefact any more.
            let Some((digest, length)) = digest(&store.blobs, &key).await? else {
                continue;
            };
            artefacts += 1;
            bytes += length;
            if !key.ends_with(&digest) {
                tracing::error!(key, digest, "damaged");
                damaged.push(key);
            }
        }
        from = next;
        if from.is_none() {
            break;
        }
    }
    let count = i64::try_from(damaged.len())?;
    let report = store.database.add_report(artefacts, bytes, count).await?;
    tracing::info!(report, artefacts, bytes, damaged = count, "reported");
    if damaged.is_empty() {
        Ok(())
    } else {
        Err(format!("damaged blobs: {}", damaged.join(", ")).into())
    }
}

/// SHA-256 in hexadecimal digits, and the length; read piece by piece.
async fn digest(blobs: &Blobs, key: &str) -> Result<Option<(String, i64)>, Failure> {
    let Some(mut content) = blobs.get(key).await? else {
        return Ok(None);
    };
    let (mut hash, mut length) = (Sha256::new(), 0);
    while let Some(piece) = content.try_next().await? {
        length += i64::try_from(piece.len())?;
        hash.update(&piece);
    }
    Ok(Some((hex(&hash.finalize()), length)))
}
