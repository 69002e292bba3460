//! What there is, and its schemas.

use super::{Call, Offer};
use crate::{
    calls::{CallContext, IdentitySchema},
    codec::type_to_json,
    convert,
    diagnostic::Diagnostics,
    generated::tfplugin6::{
        ResourceIdentitySchema, ServerCapabilities, get_metadata, get_provider_schema, get_resource_identity_schemas,
        resource_identity_schema::IdentityAttribute,
    },
};

fn capabilities() -> Option<ServerCapabilities> {
    Some(ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
    })
}

impl Call for get_metadata::Request {
    const NAME: &'static str = "GetMetadata";
    type Answer = get_metadata::Response;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        use get_metadata::{DataSourceMetadata, EphemeralMetadata, FunctionMetadata, ResourceMetadata};
        let schemas = offer.provider.schemas();
        Ok(get_metadata::Response {
            server_capabilities: capabilities(),
            diagnostics: Vec::new(),
            data_sources: schemas
                .data_sources
                .keys()
                .cloned()
                .map(|type_name| DataSourceMetadata { type_name })
                .collect(),
            resources: schemas
                .resources
                .keys()
                .cloned()
                .map(|type_name| ResourceMetadata { type_name })
                .collect(),
            functions: schemas
                .functions
                .keys()
                .cloned()
                .map(|name| FunctionMetadata { name })
                .collect(),
            ephemeral_resources: schemas
                .ephemerals
                .keys()
                .cloned()
                .map(|type_name| EphemeralMetadata { type_name })
                .collect(),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        get_metadata::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for get_provider_schema::Request {
    const NAME: &'static str = "GetProviderSchema";
    type Answer = get_provider_schema::Response;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let schemas = offer.provider.schemas();
        Ok(get_provider_schema::Response {
            provider: Some(convert::schema(&schemas.provider)),
            resource_schemas: convert::schemas(&schemas.resources),
            data_source_schemas: convert::schemas(&schemas.data_sources),
            diagnostics: Vec::new(),
            // Without a schema Terraform itself refuses the block.
            provider_meta: (!schemas.provider_meta.block.attributes.is_empty())
                .then(|| convert::schema(&schemas.provider_meta)),
            server_capabilities: capabilities(),
            functions: convert::functions(&schemas.functions),
            ephemeral_resource_schemas: convert::schemas(&schemas.ephemerals),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        get_provider_schema::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for get_resource_identity_schemas::Request {
    const NAME: &'static str = "GetResourceIdentitySchemas";
    type Answer = get_resource_identity_schemas::Response;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let identities = offer.provider.schemas().identities.iter();
        Ok(get_resource_identity_schemas::Response {
            identity_schemas: identities
                .map(|(name, identity)| (name.clone(), identity_schema(identity)))
                .collect(),
            diagnostics: Vec::new(),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        get_resource_identity_schemas::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

fn identity_schema(identity: &IdentitySchema) -> ResourceIdentitySchema {
    let attributes = identity.attributes.iter().map(|attribute| IdentityAttribute {
        name: attribute.name.clone(),
        r#type: type_to_json(&attribute.ty),
        required_for_import: attribute.required_for_import,
        optional_for_import: !attribute.required_for_import,
        description: attribute.description.clone(),
    });
    ResourceIdentitySchema {
        version: identity.version,
        identity_attributes: attributes.collect(),
    }
}
