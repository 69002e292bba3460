//! An ephemeral resource, its model forgotten.

use async_trait::async_trait;

use crate::calls::{CallContext, OpenResponse, RenewResponse};
use crate::context::Config;
use crate::diagnostic::Diagnostics;
use crate::ephemeral::Ephemeral;
use crate::erased::{AnyClients, context};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::planning;
use crate::schema::Block;
use crate::value::Value;

#[async_trait]
pub(crate) trait AnyEphemeral: Send + Sync {
    async fn validate(&self, config: Value) -> Diagnostics;
    async fn open(&self, config: Value, clients: AnyClients, call: &CallContext) -> OpenResponse;
    async fn renew(&self, private: Vec<u8>, clients: AnyClients, call: &CallContext) -> RenewResponse;
    async fn close(&self, private: Vec<u8>, clients: AnyClients, call: &CallContext) -> Diagnostics;
    fn subcategory(&self) -> &'static str;
}

pub(crate) struct EphemeralOf<E> {
    inner: E,
    block: Block,
}

impl<E: Ephemeral> EphemeralOf<E> {
    pub(crate) fn new(inner: E) -> Self {
        Self {
            inner,
            block: E::Model::block(),
        }
    }
}

#[async_trait]
impl<E: Ephemeral> AnyEphemeral for EphemeralOf<E> {
    async fn validate(&self, config: Value) -> Diagnostics {
        self.inner.validate(&Config::new(&self.block, config)).await
    }

    async fn open(&self, config: Value, clients: AnyClients, call: &CallContext) -> OpenResponse {
        let asked = planning::with_defaults(&self.block, config);
        let model = match E::Model::from_value(asked.clone(), &Path::root()) {
            Ok(model) => model,
            Err(diagnostics) => {
                return OpenResponse {
                    diagnostics,
                    ..Default::default()
                };
            }
        };
        let context = context::<E::Clients>(clients, call, Value::Null, Vec::new());
        let opened = self.inner.open(&context, model).await;
        let private = context.into_private();
        match opened {
            Ok(opened) => {
                // Unknown parts stay: Terraform takes them in a plan, where what they come from is only planned itself.
                let mut result = opened.model.into_value();
                planning::normalise(&self.block, &mut result);
                planning::reconcile(&mut result, &asked);
                OpenResponse {
                    result,
                    private,
                    renew_at: opened.renew_at,
                    diagnostics: Diagnostics::none(),
                }
            }
            Err(diagnostics) => OpenResponse {
                private,
                diagnostics,
                ..Default::default()
            },
        }
    }

    async fn renew(&self, private: Vec<u8>, clients: AnyClients, call: &CallContext) -> RenewResponse {
        let context = context::<E::Clients>(clients, call, Value::Null, private);
        let (renew_at, diagnostics) = match self.inner.renew(&context).await {
            Ok(renew_at) => (renew_at, Diagnostics::none()),
            Err(diagnostics) => (None, diagnostics),
        };
        RenewResponse {
            private: context.into_private(),
            renew_at,
            diagnostics,
        }
    }

    async fn close(&self, private: Vec<u8>, clients: AnyClients, call: &CallContext) -> Diagnostics {
        let context = context::<E::Clients>(clients, call, Value::Null, private);
        self.inner.close(&context).await.err().unwrap_or_default()
    }

    fn subcategory(&self) -> &'static str {
        E::SUBCATEGORY
    }
}
