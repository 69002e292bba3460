//! A managed resource: what its author writes.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use crate::context::{Config, Context};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::plan::Plan;
use crate::value::Value;

/// A managed resource: something that Terraform creates, keeps in its state, changes and destroys.
///
/// The model is the user's documentation: its doc comment is the resource's description, those of its fields the
/// arguments'. Handlers are cancelled by Terraform through the context, never by being dropped.
#[async_trait]
pub trait Resource: Send + Sync + 'static {
    /// Configuration and state.
    type Model: Model;
    /// What the provider made of its configuration.
    type Clients: Send + Sync + 'static;

    /// The type without the provider's name: `local_services`.
    const TYPE: &'static str;
    /// Counts up when stored state must be upgraded; see [`Resource::upgrade`].
    const VERSION: i64 = 0;
    /// Counts up when the attributes marked `identity` change.
    const IDENTITY_VERSION: i64 = 0;
    /// The heading in the registry's menu; empty for none.
    const SUBCATEGORY: &'static str = "";

    /// Checks that concern more than one attribute. Unknown parts are checked again when they are known.
    async fn validate(&self, _config: &Config<Self::Model>) -> Diagnostics {
        Diagnostics::none()
    }

    /// The resource's own plan step: after defaults, `keep` and `replace`, and on destroy too.
    ///
    /// # Errors
    /// When the change cannot be made.
    async fn plan(&self, _context: &Context<Self::Clients>, _plan: &mut Plan<Self::Model>) -> Result<(), Diagnostics> {
        Ok(())
    }

    /// Makes what is planned and returns it with every [`Computed`](crate::Computed) value known. `config` has the
    /// write-only values.
    ///
    /// # Errors
    /// When it fails; what exists by then stands beside the error and is tainted, not lost.
    async fn create(
        &self,
        context: &Context<Self::Clients>,
        planned: Self::Model,
        config: Self::Model,
    ) -> Result<Self::Model, Kept<Self::Model>>;

    /// What there is now; `None` when it is gone.
    ///
    /// # Errors
    /// When that cannot be found out; the state stays what it was.
    async fn read(
        &self,
        context: &Context<Self::Clients>,
        state: Self::Model,
    ) -> Result<Option<Self::Model>, Diagnostics>;

    /// Changes what is in place.
    ///
    /// # Errors
    /// When it fails; beside the error stands what is there by then, else the prior state is kept.
    async fn update(
        &self,
        context: &Context<Self::Clients>,
        prior: Self::Model,
        planned: Self::Model,
        config: Self::Model,
    ) -> Result<Self::Model, Kept<Self::Model>>;

    /// Removes it. What is gone already is removed.
    ///
    /// # Errors
    /// When it fails; beside the error stands what is left, else the prior state is kept.
    async fn delete(&self, context: &Context<Self::Clients>, state: Self::Model) -> Result<(), Kept<Self::Model>>;

    /// Finds what the user names and returns its state; a read follows.
    ///
    /// # Errors
    /// When there is no such thing, or it cannot be taken over.
    async fn import(&self, _context: &Context<Self::Clients>, _id: ImportId) -> Result<Self::Model, Diagnostics> {
        Err(Diagnostic::error("This resource cannot be imported")
            .detail("To fix: remove the import, and let Terraform create it.")
            .into())
    }

    /// Makes today's state out of one that an older version wrote. Version 0 of a resource needs none.
    ///
    /// # Errors
    /// When that version is unknown or its state makes no sense.
    fn upgrade(&self, version: i64, _state: serde_json::Value) -> Result<Self::Model, Diagnostics> {
        Err(Diagnostic::error(format!(
            "The state is of version {version}, which this provider cannot upgrade"
        ))
        .detail("To fix: upgrade step by step through the provider's released versions.")
        .into())
    }

    /// Takes over the state of another type (a `moved` block). `None` when it cannot be one of this resource.
    fn moved_from(&self, _from: &Moved) -> Option<Result<Self::Model, Diagnostics>> {
        None
    }
}

/// What exists although the operation failed. `?` on diagnostics makes one that knows nothing new.
#[derive(Clone)]
pub struct Kept<M> {
    /// What exists by now; `None` when nothing changed.
    pub model: Option<M>,
    /// Why it failed.
    pub diagnostics: Diagnostics,
}

impl<M> Kept<M> {
    /// `model` exists, and the operation failed.
    pub fn with(model: M, diagnostics: impl Into<Diagnostics>) -> Self {
        Self {
            model: Some(model),
            diagnostics: diagnostics.into(),
        }
    }
}

impl<M> From<Diagnostics> for Kept<M> {
    fn from(diagnostics: Diagnostics) -> Self {
        Self {
            model: None,
            diagnostics,
        }
    }
}

impl<M> From<Diagnostic> for Kept<M> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            model: None,
            diagnostics: diagnostic.into(),
        }
    }
}

/// Nothing of the model: parts of it are secret.
impl<M> fmt::Debug for Kept<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("model", &self.model.as_ref().map(|_| "…"))
            .field("diagnostics", &self.diagnostics)
            .finish()
    }
}

/// How the user names what is to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportId {
    /// `terraform import ADDRESS ID`.
    Id(String),
    /// The attributes marked `identity` (Terraform 1.12); null where the user gave none.
    Identity(BTreeMap<String, Value>),
}

impl ImportId {
    /// An identity attribute; `None` when it is null, or when the user gave an id.
    pub fn get<T: Field>(&self, name: &str) -> Option<T> {
        match self {
            Self::Id(_) => None,
            Self::Identity(attributes) => Option::from_value(
                attributes.get(name).cloned().unwrap_or_default(),
                &Path::root().attribute(name),
            )
            .ok()
            .flatten(),
        }
    }
}

/// A state that another type of resource left.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Moved {
    /// Host, namespace and name: `registry.terraform.io/hashicorp/null`.
    pub provider: String,
    /// The whole type name: `null_resource`.
    pub resource_type: String,
    /// Its schema's version.
    pub version: i64,
    /// Its state.
    pub state: serde_json::Value,
}
