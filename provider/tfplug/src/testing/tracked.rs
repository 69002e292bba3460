//! One resource under test, and its state as Terraform would keep it.

use serde_json::Value as Json;

use crate::calls::{ApplyRequest, PlanRequest, PlanResponse, ReadRequest, StateResponse};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::planning;
use crate::resource::ImportId;
use crate::schema::Schema;
use crate::testing::{Harness, config_of, rules, values};
use crate::value::Value;

/// One resource, and its state as Terraform would keep it.
#[derive(Debug)]
pub struct Tracked<'a> {
    harness: &'a Harness,
    ty: String,
    schema: &'a Schema,
    state: Value,
    private: Vec<u8>,
    identity: Option<Value>,
    tainted: bool,
}

/// What Terraform would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    NoOp,
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Destroy it and make it anew.
    Replace,
    /// Destroy it.
    Delete,
}

/// What Terraform would show.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What would be done.
    pub action: Action,
    /// What there would be, with [`UNKNOWN`](crate::testing::UNKNOWN) in it; `None` after a destroy.
    pub value: Option<Json>,
    /// The attributes that need a new resource.
    pub replace: Vec<String>,
    /// The warnings.
    pub warnings: Diagnostics,
}

impl<'a> Tracked<'a> {
    pub(super) fn new(harness: &'a Harness, ty: &str, schema: &'a Schema) -> Self {
        let ty = ty.to_owned();
        Self {
            harness,
            ty,
            schema,
            state: Value::Null,
            private: Vec::new(),
            identity: None,
            tainted: false,
        }
    }

    /// The state; `None` when there is none.
    pub fn state(&self) -> Option<Json> {
        (!self.state.is_null()).then(|| values::to_json(&self.state))
    }

    /// The identity; `None` when there is none.
    pub fn identity(&self) -> Option<Json> {
        self.identity.as_ref().map(values::to_json)
    }

    /// A create has failed after it made something: the next apply replaces it.
    pub fn is_tainted(&self) -> bool {
        self.tainted
    }

    /// Checks a configuration; warnings are returned too.
    pub async fn validate(&self, config: Json) -> Diagnostics {
        match config_of(self.schema, &config) {
            Ok(config) => self.harness.provider.validate_resource(&self.ty, config, true).await,
            Err(refused) => refused,
        }
    }

    /// What an apply would do; the state is not read anew before.
    ///
    /// # Errors
    /// When the configuration is refused, the plan fails, or Terraform would not take the plan.
    pub async fn plan(&self, config: Json) -> Result<Planned, Diagnostics> {
        self.validate(config.clone()).await.or_ok(())?;
        let config = config_of(self.schema, &config)?;
        let prior = if self.tainted { &Value::Null } else { &self.state };
        let planned = self.plan_from(prior, config.clone()).await?;
        let action = match (&self.state, &planned.requires_replace[..]) {
            (Value::Null, _) => Action::Create,
            _ if self.tainted => Action::Replace,
            (state, []) if *state == planned.planned => Action::NoOp,
            (_, []) => Action::Update,
            _ => Action::Replace,
        };
        let replace = planned.requires_replace.iter().map(Path::to_string).collect();
        let (value, warnings) = if action == Action::Replace {
            let anew = self.plan_from(&Value::Null, config).await?;
            (anew.planned, anew.diagnostics)
        } else {
            (planned.planned, planned.diagnostics)
        };
        Ok(Planned {
            action,
            value: Some(values::to_json(&value)),
            replace,
            warnings,
        })
    }

    /// What a destroy would do.
    ///
    /// # Errors
    /// When the provider refuses it.
    pub async fn plan_destroy(&self) -> Result<Planned, Diagnostics> {
        let warnings = self.destruction().await?.diagnostics;
        Ok(Planned {
            action: Action::Delete,
            value: None,
            replace: Vec::new(),
            warnings,
        })
    }

    /// Plans and applies, then reads and plans again: that plan must be empty.
    ///
    /// # Errors
    /// When anything fails or breaks Terraform's rules. What exists by then is in the state.
    pub async fn apply(&mut self, config: Json) -> Result<Action, Diagnostics> {
        let action = self.apply_once(config.clone()).await?;
        self.refresh().await?;
        let again = self.plan(config).await?;
        if again.action == Action::NoOp {
            return Ok(action);
        }
        Err(Diagnostic::error("The plan after the apply is not empty")
            .detail(format!(
                "{:?}\nbefore: {}\nafter:  {}",
                again.action,
                self.state().unwrap_or_default(),
                again.value.unwrap_or_default()
            ))
            .into())
    }

    /// Plans and applies, and looks no further.
    ///
    /// # Errors
    /// When anything fails or breaks Terraform's rules. What exists by then is in the state.
    pub async fn apply_once(&mut self, config: Json) -> Result<Action, Diagnostics> {
        let action = self.plan(config.clone()).await?.action;
        let config = config_of(self.schema, &config)?;
        match action {
            Action::NoOp => return Ok(action),
            Action::Replace => self.destroy().await?,
            Action::Create | Action::Update | Action::Delete => {}
        }
        let prior = self.state.clone();
        let plan = self.plan_from(&prior, config.clone()).await?;
        self.change(prior, plan, config).await?;
        Ok(action)
    }

    /// Reads what there is; the state is `None` afterwards when it is gone.
    ///
    /// # Errors
    /// When the read fails; the state stays what it was.
    pub async fn refresh(&mut self) -> Result<(), Diagnostics> {
        if self.state.is_null() {
            return Ok(());
        }
        let request = ReadRequest {
            state: self.state.clone(),
            private: self.private.clone(),
            provider_meta: Value::Null,
            identity: self.identity.clone(),
        };
        let read = self
            .harness
            .provider
            .read_resource(&self.ty, request, &self.harness.call)
            .await;
        self.take(read)
    }

    /// Imports by id and reads.
    ///
    /// # Errors
    /// When there is no such thing, or something is managed already.
    pub async fn import(&mut self, id: &str) -> Result<(), Diagnostics> {
        self.import_as(ImportId::Id(id.to_owned())).await
    }

    /// Imports by identity and reads; attributes that are left out are null.
    ///
    /// # Errors
    /// When there is no such thing, or something is managed already.
    ///
    /// # Panics
    /// When the resource has no identity, or not these attributes.
    pub async fn import_identity(&mut self, identity: Json) -> Result<(), Diagnostics> {
        let schema = self
            .harness
            .provider
            .schemas()
            .identities
            .get(&self.ty)
            .expect("the resource has an identity");
        let attributes = schema
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.ty.clone()));
        let value =
            values::from_json(&identity, &crate::Type::object(attributes)).expect("an identity of its attributes");
        let Value::Map(attributes) = value else {
            panic!("an identity is an object")
        };
        self.import_as(ImportId::Identity(attributes)).await
    }

    async fn import_as(&mut self, id: ImportId) -> Result<(), Diagnostics> {
        assert!(self.state.is_null(), "Terraform imports into nothing only");
        let imported = self
            .harness
            .provider
            .import_resource(&self.ty, id, &self.harness.call)
            .await;
        self.take(imported)?;
        self.refresh().await?;
        if self.state.is_null() {
            return Err(Diagnostic::error("Cannot import non-existent remote object").into());
        }
        Ok(())
    }

    /// Takes over a state file's JSON of this schema version, as the first step of every run does.
    ///
    /// # Errors
    /// When it cannot be read or upgraded.
    pub async fn load(&mut self, version: i64, state: Json) -> Result<(), Diagnostics> {
        self.state = self
            .harness
            .provider
            .upgrade_resource(&self.ty, version, state.to_string().as_bytes())
            .await?;
        rules::fits(&self.state, &self.schema.ty())
    }

    /// Destroys it; nothing happens when it is not there.
    ///
    /// # Errors
    /// When the plan or the destroy fails. What is left is in the state.
    pub async fn destroy(&mut self) -> Result<(), Diagnostics> {
        if self.state.is_null() {
            return Ok(());
        }
        let plan = self.destruction().await?;
        self.change(self.state.clone(), plan, Value::Null).await
    }

    async fn destruction(&self) -> Result<PlanResponse, Diagnostics> {
        let request = PlanRequest {
            prior: self.state.clone(),
            private: self.private.clone(),
            identity: self.identity.clone(),
            ..PlanRequest::default()
        };
        let plan = self
            .harness
            .provider
            .plan_resource(&self.ty, request, &self.harness.call)
            .await;
        if plan.diagnostics.has_errors() {
            Err(plan.diagnostics)
        } else {
            Ok(plan)
        }
    }

    async fn plan_from(&self, prior: &Value, config: Value) -> Result<PlanResponse, Diagnostics> {
        let block = &self.schema.block;
        let (private, identity) = if prior.is_null() {
            (Vec::new(), None)
        } else {
            (self.private.clone(), self.identity.clone())
        };
        let request = PlanRequest {
            prior: prior.clone(),
            proposed: planning::propose(block, prior, &config),
            config: config.clone(),
            private,
            provider_meta: Value::Null,
            identity,
        };
        let plan = self
            .harness
            .provider
            .plan_resource(&self.ty, request, &self.harness.call)
            .await;
        if plan.diagnostics.has_errors() {
            return Err(plan.diagnostics);
        }
        rules::fits(&plan.planned, &self.schema.ty())?;
        rules::plan(block, prior, &config, &plan.planned).or_ok(plan)
    }

    async fn change(&mut self, prior: Value, plan: PlanResponse, config: Value) -> Result<(), Diagnostics> {
        let creating = prior.is_null();
        let request = ApplyRequest {
            prior,
            planned: plan.planned.clone(),
            config,
            private: plan.private,
            provider_meta: Value::Null,
            identity: plan.identity,
        };
        let done = self
            .harness
            .provider
            .apply_resource(&self.ty, request, &self.harness.call)
            .await;
        let succeeded = !done.diagnostics.has_errors();
        let taken = self.take(done);
        self.tainted = creating && !succeeded && !self.state.is_null();
        taken?;
        rules::applied(&self.schema.ty(), &plan.planned, &self.state).or_ok(())
    }

    fn take(&mut self, response: StateResponse) -> Result<(), Diagnostics> {
        rules::fits(&response.state, &self.schema.ty())?;
        self.state = response.state;
        self.private = response.private;
        self.identity = response.identity.filter(|_| !self.state.is_null());
        if self.state.is_null() {
            self.private.clear();
            self.tainted = false;
        }
        response.diagnostics.or_ok(())
    }
}
