//! The life of a managed resource. Whatever goes wrong in an apply, the answer has a state: without one Terraform
//! would forget what exists.

use super::{Call, Offer, produce, receive, type_of};
use crate::{
    calls::{ApplyRequest, CallContext, PlanRequest, ReadRequest, StateResponse},
    codec, convert,
    diagnostic::{Diagnostic, Diagnostics},
    generated::tfplugin6::{
        DynamicValue, ResourceIdentityData, apply_resource_change, import_resource_state, move_resource_state,
        plan_resource_change, read_resource, upgrade_resource_identity, upgrade_resource_state,
        validate_resource_config,
    },
    resource::{ImportId, Moved},
    value::Value,
};

const CONFIG: &str = "a configuration";
const STATE: &str = "a state";
const PLANNED: &str = "a planned state";
const META: &str = "a `provider_meta` block";

impl Call for validate_resource_config::Request {
    const NAME: &'static str = "ValidateResourceConfig";
    type Answer = validate_resource_config::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let config = receive(self.config.as_ref(), ty, CONFIG)?;
        let write_only_allowed = self
            .client_capabilities
            .is_some_and(|capabilities| capabilities.write_only_attributes_allowed);
        Ok(self.failed(
            offer,
            offer
                .provider
                .validate_resource(&self.type_name, config, write_only_allowed)
                .await,
        ))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        validate_resource_config::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for upgrade_resource_state::Request {
    const NAME: &'static str = "UpgradeResourceState";
    type Answer = upgrade_resource_state::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let raw = self.raw_state.as_ref().map_or(&[][..], |raw| &raw.json);
        let state = offer
            .provider
            .upgrade_resource(&self.type_name, self.version, raw)
            .await?;
        Ok(upgrade_resource_state::Response {
            upgraded_state: produce(&state, ty, "an upgraded state")?,
            diagnostics: Vec::new(),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        upgrade_resource_state::Response {
            upgraded_state: None,
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for upgrade_resource_identity::Request {
    const NAME: &'static str = "UpgradeResourceIdentity";
    type Answer = upgrade_resource_identity::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let identity = offer
            .provider
            .upgrade_identity(&self.type_name, self.version, &self.raw_identity)
            .await?;
        Ok(upgrade_resource_identity::Response {
            upgraded_identity: offer.produce_identity(&self.type_name, Some(&identity))?,
            diagnostics: Vec::new(),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        upgrade_resource_identity::Response {
            upgraded_identity: None,
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for read_resource::Request {
    const NAME: &'static str = "ReadResource";
    type Answer = read_resource::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let request = ReadRequest {
            state: receive(self.current_state.as_ref(), ty, STATE)?,
            private: self.private.clone(),
            provider_meta: receive(self.provider_meta.as_ref(), &offer.provider_meta, META)?,
            identity: offer.receive_identity(&self.type_name, self.current_identity.as_ref())?,
        };
        let read = offer.provider.read_resource(&self.type_name, request, context).await;
        Ok(read_resource::Response {
            new_state: produce(&read.state, ty, STATE)?,
            diagnostics: convert::diagnostics(read.diagnostics),
            private: read.private,
            deferred: None,
            new_identity: offer.produce_identity(&self.type_name, read.identity.as_ref())?,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        read_resource::Response {
            new_state: self.current_state.clone(),
            diagnostics: convert::diagnostics(diagnostics),
            private: self.private.clone(),
            deferred: None,
            new_identity: self.current_identity.clone(),
        }
    }
}

impl Call for plan_resource_change::Request {
    const NAME: &'static str = "PlanResourceChange";
    type Answer = plan_resource_change::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let request = PlanRequest {
            prior: receive(self.prior_state.as_ref(), ty, STATE)?,
            proposed: receive(self.proposed_new_state.as_ref(), ty, PLANNED)?,
            config: receive(self.config.as_ref(), ty, CONFIG)?,
            private: self.prior_private.clone(),
            provider_meta: receive(self.provider_meta.as_ref(), &offer.provider_meta, META)?,
            identity: offer.receive_identity(&self.type_name, self.prior_identity.as_ref())?,
        };
        let plan = offer.provider.plan_resource(&self.type_name, request, context).await;
        Ok(plan_resource_change::Response {
            planned_state: produce(&plan.planned, ty, PLANNED)?,
            requires_replace: plan.requires_replace.iter().map(convert::path).collect(),
            planned_private: plan.private,
            diagnostics: convert::diagnostics(plan.diagnostics),
            legacy_type_system: false,
            deferred: None,
            planned_identity: offer.produce_identity(&self.type_name, plan.identity.as_ref())?,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        plan_resource_change::Response {
            planned_state: self.prior_state.clone(),
            planned_private: self.prior_private.clone(),
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for apply_resource_change::Request {
    const NAME: &'static str = "ApplyResourceChange";
    type Answer = apply_resource_change::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let request = ApplyRequest {
            prior: receive(self.prior_state.as_ref(), ty, STATE)?,
            planned: receive(self.planned_state.as_ref(), ty, PLANNED)?,
            config: receive(self.config.as_ref(), ty, CONFIG)?,
            private: self.planned_private.clone(),
            provider_meta: receive(self.provider_meta.as_ref(), &offer.provider_meta, META)?,
            identity: offer.receive_identity(&self.type_name, self.planned_identity.as_ref())?,
        };
        let StateResponse {
            state,
            private,
            identity,
            mut diagnostics,
        } = offer.provider.apply_resource(&self.type_name, request, context).await;
        let encoded = produce(&state, ty, STATE)
            .and_then(|state| Ok((state, offer.produce_identity(&self.type_name, identity.as_ref())?)));
        match encoded {
            Ok((new_state, new_identity)) => Ok(apply_resource_change::Response {
                new_state,
                private,
                diagnostics: convert::diagnostics(diagnostics),
                legacy_type_system: false,
                new_identity,
            }),
            Err(bug) => {
                diagnostics.extend(bug);
                Err(diagnostics)
            }
        }
    }

    fn failed(&self, offer: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        apply_resource_change::Response {
            new_state: self.what_may_exist(offer),
            private: self.planned_private.clone(),
            diagnostics: convert::diagnostics(diagnostics),
            legacy_type_system: false,
            new_identity: self
                .planned_identity
                .clone()
                .filter(|identity| is_known(offer, &self.type_name, identity)),
        }
    }
}

impl apply_resource_change::Request {
    /// The state when an apply ended nobody knows how: the prior one; for a create what was planned, with null in
    /// the place of what is unknown, so that Terraform taints it and looks for it the next time.
    fn what_may_exist(&self, offer: &Offer) -> Option<DynamicValue> {
        let ty = offer.resources.get(&self.type_name)?;
        match codec::decode(self.prior_state.as_ref(), ty) {
            Ok(Value::Null) => {}
            _ => return self.prior_state.clone(),
        }
        let planned = codec::decode(self.planned_state.as_ref(), ty).ok()?;
        codec::encode(&planned.unknown_as_null(), ty).ok()
    }
}

/// Terraform refuses an identity that is unknown after an apply.
fn is_known(offer: &Offer, resource: &str, identity: &ResourceIdentityData) -> bool {
    matches!(offer.receive_identity(resource, Some(identity)), Ok(Some(value)) if value.is_wholly_known())
}

impl Call for import_resource_state::Request {
    const NAME: &'static str = "ImportResourceState";
    type Answer = import_resource_state::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.type_name)?;
        let id = match offer.receive_identity(&self.type_name, self.identity.as_ref())? {
            Some(Value::Map(attributes)) => ImportId::Identity(attributes),
            _ => ImportId::Id(self.id.clone()),
        };
        let imported = offer.provider.import_resource(&self.type_name, id, context).await;
        if imported.diagnostics.has_errors() {
            return Err(imported.diagnostics);
        }
        Ok(import_resource_state::Response {
            imported_resources: vec![import_resource_state::ImportedResource {
                type_name: self.type_name.clone(),
                state: produce(&imported.state, ty, "an imported state")?,
                private: imported.private,
                identity: offer.produce_identity(&self.type_name, imported.identity.as_ref())?,
            }],
            diagnostics: convert::diagnostics(imported.diagnostics),
            deferred: None,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        import_resource_state::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for move_resource_state::Request {
    const NAME: &'static str = "MoveResourceState";
    type Answer = move_resource_state::Response;

    fn subject(&self) -> &str {
        &self.target_type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.resources, "resource", &self.target_type_name)?;
        let raw = self.source_state.as_ref().map_or(&[][..], |raw| &raw.json);
        let state = serde_json::from_slice(raw).map_err(|error| {
            Diagnostic::error(format!("The state of `{}` is not JSON", self.source_type_name)).detail(format!(
                "{error}\nTo fix: apply with the provider that it came from, then move it again."
            ))
        })?;
        let from = Moved {
            provider: self.source_provider_address.clone(),
            resource_type: self.source_type_name.clone(),
            version: self.source_schema_version,
            state,
        };
        let moved = offer.provider.move_resource(&self.target_type_name, from).await;
        if moved.diagnostics.has_errors() {
            return Err(moved.diagnostics);
        }
        Ok(move_resource_state::Response {
            target_state: produce(&moved.state, ty, "a moved state")?,
            diagnostics: convert::diagnostics(moved.diagnostics),
            target_private: moved.private,
            target_identity: offer.produce_identity(&self.target_type_name, moved.identity.as_ref())?,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        move_resource_state::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}
