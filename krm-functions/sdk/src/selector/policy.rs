//! What becomes of a part of the configuration that matches nothing.

use serde::Deserialize;

use crate::Severity;

/// What to do when a part of the configuration that selects something matches nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum OnNoMatch {
    /// The run fails: a misspelt name must not pass for success.
    #[default]
    #[serde(alias = "error")]
    Error,
    /// The run warns and goes on.
    #[serde(alias = "warn")]
    Warn,
    /// Nothing.
    #[serde(alias = "ignore")]
    Ignore,
}

impl OnNoMatch {
    /// How much it matters; `None` = it is not said.
    #[must_use]
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warn => Some(Severity::Warning),
            Self::Ignore => None,
        }
    }

    /// The end of a message that fails the run: how a configuration that several overlays share lets it pass.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Error => "; `spec.onNoMatch: Warn` lets it pass",
            Self::Warn | Self::Ignore => "",
        }
    }
}
