//! What the store keeps, and which names it takes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The largest blob, in bytes. Blobs are held in memory while they are hashed, so this bounds memory too.
pub(crate) const MAX_BLOB_BYTES: usize = 32 << 20;

/// A stored artefact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Artefact {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) media_type: String,
    pub(crate) bytes: i64,
    /// Of the blob, in lower-case hexadecimal digits.
    pub(crate) sha256: String,
    /// RFC 3339, UTC.
    pub(crate) created_at: String,
}

/// A name and version that the store takes: 1 to 128 letters, digits, `.`, `_`, `-` and `+`, a letter or digit first.
/// Both become part of an object's key, so `/` and `..` must not get in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label(String);

impl Label {
    pub(crate) fn new(text: &str) -> Option<Self> {
        let good = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
        let first = text.bytes().next()?;
        (text.len() <= 128 && first.is_ascii_alphanumeric() && text.bytes().all(good)).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// In lower-case hexadecimal digits.
pub(crate) fn sha256(content: &[u8]) -> String {
    hex(&Sha256::digest(content))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn a_label_cannot_leave_its_place_in_a_key() {
        for good in ["a", "churn-model", "1.0.0+build_7"] {
            assert!(Label::new(good).is_some(), "{good}");
        }
        for bad in ["", "..", "a/b", "-a", ".a", "a b", "é", "a\0", &"a".repeat(129)] {
            assert!(Label::new(bad).is_none(), "{bad:?}");
        }
    }
}
