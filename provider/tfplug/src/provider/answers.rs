//! What the provider answers to each call of the protocol.

use std::sync::PoisonError;

use crate::calls::{
    ApplyRequest, CallContext, CallFailure, OpenResponse, PlanRequest, PlanResponse, ReadRequest, RenewResponse,
    Schemas, StateResponse,
};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::erased::{AnyClients, AnyEphemeral, AnyResource};
use crate::provider::{Kind, Provider};
use crate::resource::{ImportId, Moved};
use crate::validate;
use crate::value::Value;

/// The calls of the protocol. A type that the provider does not have is a mistake of the caller's, told as such.
impl Provider {
    pub(crate) fn schemas(&self) -> &Schemas {
        &self.schemas
    }

    pub(crate) async fn validate_provider_config(&self, config: Value) -> Diagnostics {
        let mut found = validate::config(&self.schemas.provider.block, &config, true);
        found.extend(self.root.validate(config).await);
        found
    }

    pub(crate) async fn configure(&self, config: Value) -> Diagnostics {
        match self.root.configure(config).await {
            Ok(clients) => {
                *self.clients.write().unwrap_or_else(PoisonError::into_inner) = Some(clients);
                Diagnostics::none()
            }
            Err(diagnostics) => diagnostics,
        }
    }

    /// `write_only_allowed`: the client knows write-only arguments.
    pub(crate) async fn validate_resource(&self, ty: &str, config: Value, write_only_allowed: bool) -> Diagnostics {
        let (Ok(resource), Some(schema)) = (self.resource(ty), self.schemas.resources.get(ty)) else {
            return no_such("resource", ty);
        };
        let mut found = validate::config(&schema.block, &config, write_only_allowed);
        found.extend(resource.validate(config).await);
        found
    }

    pub(crate) async fn upgrade_resource(&self, ty: &str, version: i64, raw: &[u8]) -> Result<Value, Diagnostics> {
        self.resource(ty)?.upgrade(version, raw)
    }

    pub(crate) async fn upgrade_identity(&self, ty: &str, version: i64, raw: &[u8]) -> Result<Value, Diagnostics> {
        self.resource(ty)?.upgrade_identity(version, raw)
    }

    pub(crate) async fn plan_resource(&self, ty: &str, request: PlanRequest, call: &CallContext) -> PlanResponse {
        match self.resource(ty).and_then(|resource| Ok((resource, self.clients()?))) {
            Ok((resource, clients)) => resource.plan(request, clients, call).await,
            Err(diagnostics) => PlanResponse {
                planned: request.proposed,
                private: request.private,
                diagnostics,
                ..Default::default()
            },
        }
    }

    /// On failure the state in the answer is what exists by then.
    pub(crate) async fn apply_resource(&self, ty: &str, request: ApplyRequest, call: &CallContext) -> StateResponse {
        match self.resource(ty).and_then(|resource| Ok((resource, self.clients()?))) {
            Ok((resource, clients)) => resource.apply(request, clients, call).await,
            Err(diagnostics) => StateResponse {
                state: request.prior,
                private: request.private,
                identity: request.identity,
                diagnostics,
            },
        }
    }

    pub(crate) async fn read_resource(&self, ty: &str, request: ReadRequest, call: &CallContext) -> StateResponse {
        match self.resource(ty).and_then(|resource| Ok((resource, self.clients()?))) {
            Ok((resource, clients)) => resource.read(request, clients, call).await,
            Err(diagnostics) => StateResponse {
                state: request.state,
                private: request.private,
                identity: request.identity,
                diagnostics,
            },
        }
    }

    pub(crate) async fn import_resource(&self, ty: &str, id: ImportId, call: &CallContext) -> StateResponse {
        match self.resource(ty).and_then(|resource| Ok((resource, self.clients()?))) {
            Ok((resource, clients)) => resource.import(id, clients, call).await,
            Err(diagnostics) => StateResponse {
                diagnostics,
                ..Default::default()
            },
        }
    }

    pub(crate) async fn move_resource(&self, ty: &str, from: Moved) -> StateResponse {
        match self.resource(ty) {
            Ok(resource) => resource.moved_from(&from),
            Err(diagnostics) => StateResponse {
                diagnostics,
                ..Default::default()
            },
        }
    }

    pub(crate) async fn validate_data_source(&self, ty: &str, config: Value) -> Diagnostics {
        let (Some(data_source), Some(schema)) = (self.data_sources.get(ty), self.schemas.data_sources.get(ty)) else {
            return no_such("data source", ty);
        };
        let mut found = validate::config(&schema.block, &config, false);
        found.extend(data_source.validate(config).await);
        found
    }

    pub(crate) async fn read_data_source(
        &self,
        ty: &str,
        config: Value,
        provider_meta: Value,
        call: &CallContext,
    ) -> (Value, Diagnostics) {
        let Some(data_source) = self.data_sources.get(ty) else {
            return (Value::Null, no_such("data source", ty));
        };
        match self.clients() {
            Ok(clients) => data_source.read(config, provider_meta, clients, call).await,
            Err(diagnostics) => (Value::Null, diagnostics),
        }
    }

    pub(crate) async fn validate_ephemeral(&self, ty: &str, config: Value) -> Diagnostics {
        let (Some(ephemeral), Some(schema)) = (self.ephemerals.get(ty), self.schemas.ephemerals.get(ty)) else {
            return no_such("ephemeral resource", ty);
        };
        let mut found = validate::config(&schema.block, &config, false);
        found.extend(ephemeral.validate(config).await);
        found
    }

    pub(crate) async fn open_ephemeral(&self, ty: &str, config: Value, call: &CallContext) -> OpenResponse {
        match self
            .ephemeral(ty)
            .and_then(|ephemeral| Ok((ephemeral, self.clients()?)))
        {
            Ok((ephemeral, clients)) => ephemeral.open(config, clients, call).await,
            Err(diagnostics) => OpenResponse {
                diagnostics,
                ..Default::default()
            },
        }
    }

    pub(crate) async fn renew_ephemeral(&self, ty: &str, private: Vec<u8>, call: &CallContext) -> RenewResponse {
        match self
            .ephemeral(ty)
            .and_then(|ephemeral| Ok((ephemeral, self.clients()?)))
        {
            Ok((ephemeral, clients)) => ephemeral.renew(private, clients, call).await,
            Err(diagnostics) => RenewResponse {
                private,
                diagnostics,
                ..Default::default()
            },
        }
    }

    pub(crate) async fn close_ephemeral(&self, ty: &str, private: Vec<u8>, call: &CallContext) -> Diagnostics {
        match self
            .ephemeral(ty)
            .and_then(|ephemeral| Ok((ephemeral, self.clients()?)))
        {
            Ok((ephemeral, clients)) => ephemeral.close(private, clients, call).await,
            Err(diagnostics) => diagnostics,
        }
    }

    /// `arguments`: one per parameter, then the variadic ones.
    pub(crate) async fn call_function(&self, name: &str, arguments: Vec<Value>) -> Result<Value, CallFailure> {
        match self.functions.get(name) {
            Some(function) => function.call(arguments),
            None => Err(CallFailure {
                message: format!("There is no function `{name}`."),
                argument: None,
            }),
        }
    }

    /// The heading in the registry's menu of what has this type.
    pub(crate) fn subcategory(&self, kind: Kind, ty: &str) -> &'static str {
        match kind {
            Kind::Resource => self.resources.get(ty).map(|resource| resource.subcategory()),
            Kind::DataSource => self.data_sources.get(ty).map(|data_source| data_source.subcategory()),
            Kind::Ephemeral => self.ephemerals.get(ty).map(|ephemeral| ephemeral.subcategory()),
        }
        .unwrap_or_default()
    }

    fn resource(&self, ty: &str) -> Result<&dyn AnyResource, Diagnostics> {
        self.resources
            .get(ty)
            .map(AsRef::as_ref)
            .ok_or_else(|| no_such("resource", ty))
    }

    fn ephemeral(&self, ty: &str) -> Result<&dyn AnyEphemeral, Diagnostics> {
        self.ephemerals
            .get(ty)
            .map(AsRef::as_ref)
            .ok_or_else(|| no_such("ephemeral resource", ty))
    }

    fn clients(&self) -> Result<AnyClients, Diagnostics> {
        self.clients
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or_else(|| {
                Diagnostic::error("The provider is not configured")
                    .detail("Terraform asked for a resource before it configured the provider. To fix: report it.")
                    .into()
            })
    }
}

fn no_such(what: &str, ty: &str) -> Diagnostics {
    Diagnostic::error(format!("This provider has no {what} `{ty}`"))
        .detail("To fix: check the name, or use a version of the provider that has it.")
        .into()
}
