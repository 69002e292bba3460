//! A data source: what its author writes.

use async_trait::async_trait;

use crate::context::{Config, Context};
use crate::diagnostic::Diagnostics;
use crate::model::Model;

/// Something that Terraform looks up and does not manage.
#[async_trait]
pub trait DataSource: Send + Sync + 'static {
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

    /// Looks it up. Defaults stand in `config` already.
    ///
    /// # Errors
    /// When it cannot be found.
    async fn read(&self, context: &Context<Self::Clients>, config: Self::Model) -> Result<Self::Model, Diagnostics>;
}
