//! A resource, its model forgotten: plans, applies and reads values, and keeps what a failed operation left.

use async_trait::async_trait;

use crate::calls::{
    ApplyRequest, CallContext, IdentityAttribute, IdentitySchema, PlanRequest, PlanResponse, ReadRequest, StateResponse,
};
use crate::codec;
use crate::context::{Config, Context};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::erased::{AnyClients, context};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::plan::Plan;
use crate::planning;
use crate::resource::{ImportId, Kept, Moved, Resource};
use crate::schema::{Block, Presence};
use crate::types::Type;
use crate::value::Value;

#[async_trait]
pub(crate) trait AnyResource: Send + Sync {
    async fn validate(&self, config: Value) -> Diagnostics;
    fn upgrade(&self, version: i64, raw: &[u8]) -> Result<Value, Diagnostics>;
    fn upgrade_identity(&self, version: i64, raw: &[u8]) -> Result<Value, Diagnostics>;
    fn moved_from(&self, from: &Moved) -> StateResponse;
    async fn plan(&self, request: PlanRequest, clients: AnyClients, call: &CallContext) -> PlanResponse;
    async fn apply(&self, request: ApplyRequest, clients: AnyClients, call: &CallContext) -> StateResponse;
    async fn read(&self, request: ReadRequest, clients: AnyClients, call: &CallContext) -> StateResponse;
    async fn import(&self, id: ImportId, clients: AnyClients, call: &CallContext) -> StateResponse;
    fn subcategory(&self) -> &'static str;
}

pub(crate) struct ResourceOf<R> {
    name: String,
    inner: R,
    block: Block,
    ty: Type,
}

impl<R: Resource> ResourceOf<R> {
    pub(crate) fn new(name: String, inner: R) -> Self {
        let block = R::Model::block();
        let ty = block.ty();
        Self { name, inner, block, ty }
    }

    /// Made of the model's fields marked `identity`; `None` when there are none.
    pub(crate) fn identity_schema(&self) -> Option<IdentitySchema> {
        let attributes: Vec<IdentityAttribute> = self
            .block
            .attributes
            .iter()
            .filter(|attribute| attribute.identity)
            .map(|attribute| IdentityAttribute {
                name: attribute.name.clone(),
                ty: attribute.kind.ty(),
                description: attribute.description.clone(),
                required_for_import: attribute.presence == Presence::Required,
            })
            .collect();
        (!attributes.is_empty()).then_some(IdentitySchema {
            version: R::IDENTITY_VERSION,
            attributes,
        })
    }

    fn identity(&self, state: &Value) -> Option<Value> {
        let marked = || self.block.attributes.iter().filter(|attribute| attribute.identity);
        if state.is_null() || marked().next().is_none() {
            return None;
        }
        let known = marked().map(|attribute| (&attribute.name, state.attribute(&attribute.name).clone()));
        Some(Value::object(
            known.map(|(name, value)| (name.clone(), value.unknown_as_null())),
        ))
    }

    fn context(&self, clients: AnyClients, call: &CallContext, meta: Value, private: Vec<u8>) -> Context<R::Clients> {
        context(clients, call, meta, private)
    }

    /// The state of a model that is there; what it must not hold is told.
    fn state(&self, model: R::Model, reference: &Value, diagnostics: &mut Diagnostics) -> Value {
        planning::settle(&self.block, model.into_value(), reference, &self.name, diagnostics)
    }

    /// The state beside an error: holes in it are no second error.
    fn kept(&self, kept: Kept<R::Model>, otherwise: Value, reference: &Value) -> (Value, Diagnostics) {
        let Kept { model, mut diagnostics } = kept;
        if !diagnostics.has_errors() {
            diagnostics.push(Diagnostic::bug(format!("`{}` failed without saying why.", self.name)));
        }
        let state = match model {
            Some(model) => {
                let value = model.into_value().unknown_as_null();
                planning::settle(&self.block, value, reference, &self.name, &mut Diagnostics::none())
            }
            None => otherwise,
        };
        (state, diagnostics)
    }
}

#[async_trait]
impl<R: Resource> AnyResource for ResourceOf<R> {
    async fn validate(&self, config: Value) -> Diagnostics {
        self.inner.validate(&Config::new(&self.block, config)).await
    }

    fn upgrade(&self, version: i64, raw: &[u8]) -> Result<Value, Diagnostics> {
        if version > R::VERSION {
            return Err(Diagnostic::error(format!(
                "A newer version of the provider wrote the state of `{}`",
                self.name
            ))
            .detail(format!(
                "The state is of version {version}; this provider knows versions up to {}. \
                     To fix: use the newer provider.",
                R::VERSION
            ))
            .into());
        }
        if version == R::VERSION {
            let mut state = stored(raw, &self.ty)?;
            planning::normalise(&self.block, &mut state);
            return Ok(state);
        }
        let old = serde_json::from_slice(raw).map_err(|error| unreadable(&self.name, &error))?;
        let mut diagnostics = Diagnostics::none();
        let state = self.state(self.inner.upgrade(version, old)?, &Value::Null, &mut diagnostics);
        diagnostics.or_ok(state)
    }

    fn upgrade_identity(&self, version: i64, raw: &[u8]) -> Result<Value, Diagnostics> {
        let schema = self.identity_schema().ok_or_else(|| {
            Diagnostics::from(Diagnostic::error(format!(
                "`{}` has no identity in this version",
                self.name
            )))
        })?;
        if version != schema.version {
            return Err(Diagnostic::error(format!(
                "The identity of `{}` is of version {version}, which this provider cannot read",
                self.name
            ))
            .detail("To fix: use the version of the provider that wrote it, or import the resource again.")
            .into());
        }
        stored(
            raw,
            &Type::object(
                schema
                    .attributes
                    .into_iter()
                    .map(|attribute| (attribute.name, attribute.ty)),
            ),
        )
    }

    fn moved_from(&self, from: &Moved) -> StateResponse {
        match self.inner.moved_from(from) {
            Some(Ok(model)) => {
                let mut diagnostics = Diagnostics::none();
                let state = self.state(model, &Value::Null, &mut diagnostics);
                StateResponse {
                    identity: self.identity(&state),
                    state,
                    diagnostics,
                    ..Default::default()
                }
            }
            Some(Err(diagnostics)) => StateResponse {
                diagnostics,
                ..Default::default()
            },
            None => StateResponse {
                diagnostics: Diagnostic::error(format!(
                    "`{}` of {} cannot become `{}`",
                    from.resource_type, from.provider, self.name
                ))
                .detail("To fix: remove the `moved` block; import the object, or let Terraform make a new one.")
                .into(),
                ..Default::default()
            },
        }
    }

    async fn plan(&self, request: PlanRequest, clients: AnyClients, call: &CallContext) -> PlanResponse {
        let PlanRequest {
            mut prior,
            mut proposed,
            mut config,
            private,
            provider_meta,
            identity,
        } = request;
        for value in [&mut prior, &mut proposed, &mut config] {
            planning::normalise(&self.block, value);
        }
        let (planned, mut replace) = if proposed.is_null() {
            (Value::Null, Default::default())
        } else {
            planning::plan(&self.block, &prior, &config, proposed.clone())
        };
        let mut plan = match Plan::<R::Model>::new(&self.block, &prior, config.clone(), planned) {
            Ok(plan) => plan,
            Err(diagnostics) => {
                return PlanResponse {
                    planned: proposed,
                    private,
                    diagnostics,
                    ..Default::default()
                };
            }
        };
        let context = self.context(clients, call, provider_meta, private);
        let step = self.inner.plan(&context, &mut plan).await;
        let (mut planned, own_replace, mut diagnostics) = plan.into_parts();
        diagnostics.extend(step.err().unwrap_or_default());
        diagnostics.extend(context.told());
        if proposed.is_null() {
            planned = Value::Null;
        }
        planning::forget_write_only(&self.block, &mut planned);
        planning::reconcile(&mut planned, &prior);
        planning::reconcile(&mut planned, &config);
        planning::normalise(&self.block, &mut planned);
        if !prior.is_null() && !planned.is_null() {
            replace.extend(own_replace);
        }
        PlanResponse {
            planned,
            requires_replace: replace.into_iter().collect(),
            private: context.into_private(),
            identity,
            diagnostics,
        }
    }

    async fn apply(&self, request: ApplyRequest, clients: AnyClients, call: &CallContext) -> StateResponse {
        let ApplyRequest {
            prior,
            planned,
            config,
            private,
            provider_meta,
            identity,
        } = request;
        let context = self.context(clients, call, provider_meta, private);
        let result = async {
            if planned.is_null() {
                let prior = R::Model::from_value(prior.clone(), &Path::root())?;
                self.inner.delete(&context, prior).await?;
                return Ok(None);
            }
            let wanted = R::Model::from_value(planned.clone(), &Path::root())?;
            let config = R::Model::from_value(planning::with_defaults(&self.block, config), &Path::root())?;
            match Option::from_value(prior.clone(), &Path::root())? {
                None => self.inner.create(&context, wanted, config).await.map(Some),
                Some(prior) => self.inner.update(&context, prior, wanted, config).await.map(Some),
            }
        };
        let (state, mut diagnostics) = match result.await {
            Ok(None) => (Value::Null, Diagnostics::none()),
            Ok(Some(model)) => {
                let mut diagnostics = Diagnostics::none();
                (self.state(model, &planned, &mut diagnostics), diagnostics)
            }
            Err(kept) => self.kept(kept, prior, &planned),
        };
        let identity = self.identity(&state).or(identity);
        diagnostics.extend(context.told());
        StateResponse {
            state,
            private: context.into_private(),
            identity,
            diagnostics,
        }
    }

    async fn read(&self, request: ReadRequest, clients: AnyClients, call: &CallContext) -> StateResponse {
        let ReadRequest {
            state: before,
            private,
            provider_meta,
            identity,
        } = request;
        let model = match R::Model::from_value(before.clone(), &Path::root()) {
            Ok(model) => model,
            Err(diagnostics) => {
                return StateResponse {
                    state: before,
                    private,
                    identity,
                    diagnostics,
                };
            }
        };
        let context = self.context(clients, call, provider_meta, private);
        let (state, mut diagnostics) = match self.inner.read(&context, model).await {
            Ok(None) => (Value::Null, Diagnostics::none()),
            Ok(Some(model)) => {
                let mut diagnostics = Diagnostics::none();
                (self.state(model, &before, &mut diagnostics), diagnostics)
            }
            Err(diagnostics) if diagnostics.has_errors() => (before, diagnostics),
            Err(_) => (
                before,
                Diagnostic::bug(format!("Reading `{}` failed without saying why.", self.name)).into(),
            ),
        };
        let identity = self.identity(&state).or(identity);
        diagnostics.extend(context.told());
        StateResponse {
            state,
            private: context.into_private(),
            identity,
            diagnostics,
        }
    }

    async fn import(&self, id: ImportId, clients: AnyClients, call: &CallContext) -> StateResponse {
        let context = self.context(clients, call, Value::Null, Vec::new());
        let mut diagnostics = Diagnostics::none();
        let state = match self.inner.import(&context, id).await {
            Ok(model) => self.state(model, &Value::Null, &mut diagnostics),
            Err(errors) => {
                diagnostics.extend(errors);
                Value::Null
            }
        };
        diagnostics.extend(context.told());
        StateResponse {
            identity: self.identity(&state),
            state,
            private: context.into_private(),
            diagnostics,
        }
    }

    fn subcategory(&self) -> &'static str {
        R::SUBCATEGORY
    }
}

fn unreadable(name: &str, error: &serde_json::Error) -> Diagnostics {
    Diagnostic::error(format!("The state of `{name}` is not readable"))
        .detail(format!(
            "It is no JSON: {error}. To fix: restore the state from a backup."
        ))
        .into()
}

fn stored(raw: &[u8], ty: &Type) -> Result<Value, Diagnostics> {
    codec::decode_stored(raw, ty).map_err(|error| error.received("a stored state").into())
}
