//! The provider block, data sources and ephemeral resources.

use super::{Call, Offer, produce, receive, type_of};
use crate::{
    calls::CallContext,
    convert,
    diagnostic::Diagnostics,
    generated::tfplugin6::{
        close_ephemeral_resource, configure_provider, open_ephemeral_resource, read_data_source,
        renew_ephemeral_resource, validate_data_resource_config, validate_ephemeral_resource_config,
        validate_provider_config,
    },
};

const CONFIG: &str = "a configuration";

impl Call for validate_provider_config::Request {
    const NAME: &'static str = "ValidateProviderConfig";
    type Answer = validate_provider_config::Response;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let config = receive(self.config.as_ref(), &offer.provider_config, CONFIG)?;
        Ok(self.failed(offer, offer.provider.validate_provider_config(config).await))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        validate_provider_config::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for configure_provider::Request {
    const NAME: &'static str = "ConfigureProvider";
    type Answer = configure_provider::Response;
    const BEGINS: bool = true;

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let config = receive(self.config.as_ref(), &offer.provider_config, CONFIG)?;
        Ok(self.failed(offer, offer.provider.configure(config).await))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        configure_provider::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for validate_data_resource_config::Request {
    const NAME: &'static str = "ValidateDataResourceConfig";
    type Answer = validate_data_resource_config::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.data_sources, "data source", &self.type_name)?;
        let config = receive(self.config.as_ref(), ty, CONFIG)?;
        Ok(self.failed(
            offer,
            offer.provider.validate_data_source(&self.type_name, config).await,
        ))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        validate_data_resource_config::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for read_data_source::Request {
    const NAME: &'static str = "ReadDataSource";
    type Answer = read_data_source::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.data_sources, "data source", &self.type_name)?;
        let config = receive(self.config.as_ref(), ty, CONFIG)?;
        let meta = receive(
            self.provider_meta.as_ref(),
            &offer.provider_meta,
            "a `provider_meta` block",
        )?;
        let (state, diagnostics) = offer
            .provider
            .read_data_source(&self.type_name, config, meta, context)
            .await;
        Ok(read_data_source::Response {
            state: produce(&state, ty, "a result")?,
            diagnostics: convert::diagnostics(diagnostics),
            deferred: None,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        read_data_source::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for validate_ephemeral_resource_config::Request {
    const NAME: &'static str = "ValidateEphemeralResourceConfig";
    type Answer = validate_ephemeral_resource_config::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, _: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.ephemerals, "ephemeral resource", &self.type_name)?;
        let config = receive(self.config.as_ref(), ty, CONFIG)?;
        Ok(self.failed(offer, offer.provider.validate_ephemeral(&self.type_name, config).await))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        validate_ephemeral_resource_config::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}

impl Call for open_ephemeral_resource::Request {
    const NAME: &'static str = "OpenEphemeralResource";
    type Answer = open_ephemeral_resource::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let ty = type_of(&offer.ephemerals, "ephemeral resource", &self.type_name)?;
        let config = receive(self.config.as_ref(), ty, CONFIG)?;
        let opened = offer.provider.open_ephemeral(&self.type_name, config, context).await;
        Ok(open_ephemeral_resource::Response {
            diagnostics: convert::diagnostics(opened.diagnostics),
            renew_at: opened.renew_at.map(convert::timestamp),
            result: produce(&opened.result, ty, "a result")?,
            private: Some(opened.private),
            deferred: None,
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        open_ephemeral_resource::Response {
            diagnostics: convert::diagnostics(diagnostics),
            ..Default::default()
        }
    }
}

impl Call for renew_ephemeral_resource::Request {
    const NAME: &'static str = "RenewEphemeralResource";
    type Answer = renew_ephemeral_resource::Response;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let private = self.private.clone().unwrap_or_default();
        let renewed = offer.provider.renew_ephemeral(&self.type_name, private, context).await;
        Ok(renew_ephemeral_resource::Response {
            diagnostics: convert::diagnostics(renewed.diagnostics),
            renew_at: renewed.renew_at.map(convert::timestamp),
            private: Some(renewed.private),
        })
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        renew_ephemeral_resource::Response {
            diagnostics: convert::diagnostics(diagnostics),
            renew_at: None,
            private: self.private.clone(),
        }
    }
}

impl Call for close_ephemeral_resource::Request {
    const NAME: &'static str = "CloseEphemeralResource";
    type Answer = close_ephemeral_resource::Response;
    const STOPPABLE: bool = false;

    fn subject(&self) -> &str {
        &self.type_name
    }

    async fn run(&self, offer: &Offer, context: &CallContext) -> Result<Self::Answer, Diagnostics> {
        let private = self.private.clone().unwrap_or_default();
        Ok(self.failed(
            offer,
            offer.provider.close_ephemeral(&self.type_name, private, context).await,
        ))
    }

    fn failed(&self, _: &Offer, diagnostics: Diagnostics) -> Self::Answer {
        close_ephemeral_resource::Response {
            diagnostics: convert::diagnostics(diagnostics),
        }
    }
}
