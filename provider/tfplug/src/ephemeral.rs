//! An ephemeral resource: what its author writes.

use std::fmt;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::context::{Config, Context};
use crate::diagnostic::Diagnostics;
use crate::model::Model;

/// Something that is there during one run of Terraform and in no plan and no state: a token, a password.
#[async_trait]
pub trait Ephemeral: Send + Sync + 'static {
    /// The question, and in its [`Computed`](crate::Computed) fields the answer.
    type Model: Model;
    /// What the provider made of its configuration.
    type Clients: Send + Sync + 'static;

    /// The type without the provider's name.
    const TYPE: &'static str;
    /// The heading in the registry's menu; empty for none.
    const SUBCATEGORY: &'static str = "";

    /// Checks that concern more than one attribute.
    async fn validate(&self, _config: &Config<Self::Model>) -> Diagnostics {
        Diagnostics::none()
    }

    /// Makes it. What [`Ephemeral::renew`] and [`Ephemeral::close`] need goes into the context's private data.
    ///
    /// Terraform asks for it in the plan too. What it depends on may be planned only then: answer with
    /// [`Computed::Unknown`](crate::Computed) in that case, never in an apply.
    ///
    /// # Errors
    /// When it cannot be made.
    async fn open(
        &self,
        context: &Context<Self::Clients>,
        config: Self::Model,
    ) -> Result<Opened<Self::Model>, Diagnostics>;

    /// Makes it last longer; returns when to ask again, `None` for never.
    ///
    /// # Errors
    /// When it cannot be renewed.
    async fn renew(&self, _context: &Context<Self::Clients>) -> Result<Option<SystemTime>, Diagnostics> {
        Ok(None)
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it may still be there.
    async fn close(&self, _context: &Context<Self::Clients>) -> Result<(), Diagnostics> {
        Ok(())
    }
}

/// An open ephemeral resource; `model.into()` when it needs no renewal.
#[derive(Clone)]
pub struct Opened<M> {
    /// The answer.
    pub model: M,
    /// When it must be renewed; `None` for never.
    pub renew_at: Option<SystemTime>,
}

impl<M> From<M> for Opened<M> {
    fn from(model: M) -> Self {
        Self { model, renew_at: None }
    }
}

/// Nothing of the model: it is secret.
impl<M> fmt::Debug for Opened<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("renew_at", &self.renew_at)
            .finish_non_exhaustive()
    }
}
