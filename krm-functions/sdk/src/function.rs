//! What one writes to make a function, and what the function is given.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::config::ConfigError;
use crate::edits::{EditError, Edits};
use crate::finding::Findings;
use crate::object::Object;
use crate::position::SyntaxError;
use crate::run::Way;
use crate::stream::Stream;

/// A KRM function. See the crate's page for a whole one.
pub trait Function {
    /// The program's name, as in messages.
    const NAME: &'static str;
    /// `apiVersion` of its configuration; a function of your own has your group.
    const API_VERSION: &'static str = crate::API_VERSION;
    /// The kind of its configuration.
    const KIND: &'static str;
    /// One sentence for `--help`.
    const ABOUT: &'static str;
    /// The `spec` of its configuration. Refuse unknown fields: `#[serde(deny_unknown_fields)]`.
    type Config: DeserializeOwned + Default;

    /// Looks at the objects; notes edits and findings. An error, like an error among the findings, fails the run and
    /// nothing is changed.
    fn run(&self, context: &mut Context<'_, Self::Config>) -> Result<(), Error>;
}

/// What a function works on.
#[derive(Debug)]
pub struct Context<'a, C> {
    /// How the function is run, for one that must know who has made its input.
    pub way: Way,
    /// The function's configuration.
    pub config: C,
    /// `metadata.name` of the configuration; empty where it has none.
    pub config_name: String,
    /// The objects, which the edits apply to.
    pub stream: &'a Stream,
    /// Objects to read only (`--with`); never part of the answer.
    pub beside: &'a [Stream],
    /// The changes so far.
    pub edits: Edits,
    /// What there is to say so far.
    pub findings: Findings,
    /// What a successful run answers.
    pub output: Output,
}

/// What a validator answers when it succeeds: the `output` of its configuration. A function that changes objects leaves
/// it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Output {
    /// The objects: what kpt, a pipe, and kustomize's `transformers:` expect.
    #[default]
    Echo,
    /// No object: what kustomize asks of its `validators:`. Elsewhere it means that all of them are to be deleted.
    None,
}

impl<'a, C> Context<'a, C> {
    /// The objects that can be changed and then those to read only.
    pub fn all_objects(&self) -> impl Iterator<Item = Object<'a>> + use<'a, C> {
        let (stream, beside) = (self.stream, self.beside);
        stream.objects().chain(beside.iter().flat_map(Stream::objects))
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The input is not well-formed.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The configuration, or an object read as a type, is not what was expected.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// An edit would change more than it should.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// The function failed; the message says how to fix it.
    #[error("{0}")]
    Failed(String),
    /// The function cannot do what it is asked for.
    #[error("{what}. To fix: {fix}")]
    Refused {
        /// What failed and why.
        what: String,
        /// What to do about it.
        fix: String,
    },
}

impl Error {
    /// What failed and why, and what to do about it; both without a full stop.
    pub fn refused(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            fix: fix.into(),
        }
    }
}
