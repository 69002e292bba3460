//! A provider without Terraform: every operation on JSON values, under the rules that Terraform itself applies. For tests.

pub(crate) mod rules;
mod tracked;
pub(crate) mod values;

use std::time::SystemTime;

use serde_json::Value as Json;

pub use tracked::{Action, Planned, Tracked};
pub use values::UNKNOWN;

use crate::calls::CallContext;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::function::FunctionError;
use crate::provider::Provider;
use crate::schema::Schema;
use crate::types::Type;
use crate::value::Value;

/// A configured provider, and the part of Terraform that talks to it.
///
/// ```
/// # use tfplug::{Config, Configure, Context, Diagnostics, Kept, Model, Provider, Resource, async_trait};
/// # #[derive(Model, Clone)]
/// # struct Nothing {}
/// # struct Root;
/// # #[async_trait]
/// # impl Configure for Root {
/// #     type Config = Nothing;
/// #     type Clients = ();
/// #     async fn configure(&self, _: Config<Nothing>) -> Result<(), Diagnostics> { Ok(()) }
/// # }
/// # #[derive(Model, Clone)]
/// # struct Thing { size: u16 }
/// # struct Things;
/// # #[async_trait]
/// # impl Resource for Things {
/// #     type Model = Thing;
/// #     type Clients = ();
/// #     const TYPE: &'static str = "thing";
/// #     async fn create(&self, _: &Context<()>, planned: Thing, _: Thing) -> Result<Thing, Kept<Thing>> { Ok(planned) }
/// #     async fn read(&self, _: &Context<()>, state: Thing) -> Result<Option<Thing>, Diagnostics> { Ok(Some(state)) }
/// #     async fn update(&self, _: &Context<()>, _: Thing, planned: Thing, _: Thing) -> Result<Thing, Kept<Thing>> { Ok(planned) }
/// #     async fn delete(&self, _: &Context<()>, _: Thing) -> Result<(), Kept<Thing>> { Ok(()) }
/// # }
/// use serde_json::json;
/// use tfplug::testing::Harness;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let provider = Provider::builder("example", "0.1.0", Root).resource(Things).build();
/// let harness = Harness::new(provider, json!({})).await?;
/// let mut thing = harness.resource("example_thing");
/// thing.apply(json!({"size": 3})).await?;
/// assert_eq!(thing.state(), Some(json!({"size": 3})));
/// thing.destroy().await?;
/// # Ok::<(), Diagnostics>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Harness {
    provider: Provider,
    call: CallContext,
}

/// An open ephemeral resource.
#[derive(Debug)]
pub struct OpenEphemeral<'a> {
    harness: &'a Harness,
    ty: String,
    private: Vec<u8>,
    /// What it holds.
    pub result: Json,
    /// When it must be renewed; `None` for never.
    pub renew_at: Option<SystemTime>,
}

impl Harness {
    /// Checks the provider block and configures the provider with it.
    ///
    /// # Errors
    /// When the provider refuses it.
    pub async fn new(provider: Provider, config: Json) -> Result<Self, Diagnostics> {
        let config = config_of(&provider.schemas().provider, &config)?;
        provider.validate_provider_config(config.clone()).await.or_ok(())?;
        provider.configure(config).await.or_ok(())?;
        Ok(Self {
            provider,
            call: CallContext::default(),
        })
    }

    /// The provider that is tested.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Asks everything that runs to stop, as Ctrl-C does.
    pub fn stop(&self) {
        self.call.cancel.cancel();
    }

    /// A resource that is not there yet.
    ///
    /// # Panics
    /// When the provider has no such type.
    pub fn resource(&self, ty: &str) -> Tracked<'_> {
        let schema = self.provider.schemas().resources.get(ty);
        let schema = schema.unwrap_or_else(|| panic!("the provider has no resource `{ty}`"));
        Tracked::new(self, ty, schema)
    }

    /// Reads a data source.
    ///
    /// # Errors
    /// When its configuration is refused, or it is not found.
    ///
    /// # Panics
    /// When the provider has no such type.
    pub async fn data_source(&self, ty: &str, config: Json) -> Result<Json, Diagnostics> {
        let schema = self.provider.schemas().data_sources.get(ty);
        let schema = schema.unwrap_or_else(|| panic!("the provider has no data source `{ty}`"));
        let config = config_of(schema, &config)?;
        self.provider.validate_data_source(ty, config.clone()).await.or_ok(())?;
        let (value, diagnostics) = self
            .provider
            .read_data_source(ty, config, Value::Null, &self.call)
            .await;
        diagnostics.or_ok(())?;
        rules::fits(&value, &schema.ty())?;
        Ok(values::to_json(&value))
    }

    /// Opens an ephemeral resource.
    ///
    /// # Errors
    /// When its configuration is refused, or it cannot be made.
    ///
    /// # Panics
    /// When the provider has no such type.
    pub async fn open(&self, ty: &str, config: Json) -> Result<OpenEphemeral<'_>, Diagnostics> {
        let schema = self.provider.schemas().ephemerals.get(ty);
        let schema = schema.unwrap_or_else(|| panic!("the provider has no ephemeral resource `{ty}`"));
        let config = config_of(schema, &config)?;
        self.provider.validate_ephemeral(ty, config.clone()).await.or_ok(())?;
        let opened = self.provider.open_ephemeral(ty, config, &self.call).await;
        opened.diagnostics.or_ok(())?;
        rules::fits(&opened.result, &schema.ty())?;
        Ok(OpenEphemeral {
            harness: self,
            ty: ty.to_owned(),
            private: opened.private,
            result: values::to_json(&opened.result),
            renew_at: opened.renew_at,
        })
    }

    /// Calls a function.
    ///
    /// # Errors
    /// When it fails; a parameter that it is about is named.
    ///
    /// # Panics
    /// When the provider has no such function, or the arguments are too few, too many or of the wrong type, which
    /// Terraform finds out by itself.
    pub async fn call(&self, name: &str, arguments: Vec<Json>) -> Result<Json, FunctionError> {
        let signature = self.provider.schemas().functions.get(name);
        let signature = signature.unwrap_or_else(|| panic!("the provider has no function `{name}`"));
        let parameter = |i: usize| signature.parameters.get(i).or(signature.variadic.as_ref());
        let mut values = Vec::new();
        for (i, argument) in arguments.iter().enumerate() {
            let parameter = parameter(i).unwrap_or_else(|| panic!("`{name}` takes {i} arguments"));
            let value = values::from_json(argument, &parameter.ty)
                .unwrap_or_else(|what| panic!("argument `{}` of `{name}`: {what}", parameter.name));
            values.push(value);
        }
        assert!(
            values.len() >= signature.parameters.len(),
            "`{name}` takes {} arguments",
            signature.parameters.len()
        );
        match self.provider.call_function(name, values).await {
            Ok(value) => {
                rules::fits(&value, &signature.output).map_err(|error| FunctionError::new(error.to_string()))?;
                Ok(values::to_json(&value))
            }
            Err(failure) => Err(FunctionError {
                message: failure.message,
                parameter: failure
                    .argument
                    .and_then(parameter)
                    .map(|parameter| parameter.name.clone()),
            }),
        }
    }
}

impl OpenEphemeral<'_> {
    /// Makes it last longer.
    ///
    /// # Errors
    /// When it cannot be renewed.
    pub async fn renew(&mut self) -> Result<(), Diagnostics> {
        let call = &self.harness.call;
        let renewed = self
            .harness
            .provider
            .renew_ephemeral(&self.ty, self.private.clone(), call)
            .await;
        self.private = renewed.private;
        self.renew_at = renewed.renew_at;
        renewed.diagnostics.or_ok(())
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn close(self) -> Result<(), Diagnostics> {
        self.harness
            .provider
            .close_ephemeral(&self.ty, self.private, &self.harness.call)
            .await
            .or_ok(())
    }
}

/// A configuration as Terraform sends it: every attribute is there, and what it checks itself is checked.
fn config_of(schema: &Schema, config: &Json) -> Result<Value, Diagnostics> {
    let mut value = from_json(config, &schema.ty())?;
    crate::planning::normalise(&schema.block, &mut value);
    rules::config(&schema.block, &value).or_ok(value)
}

fn from_json(json: &Json, ty: &Type) -> Result<Value, Diagnostics> {
    values::from_json(json, ty)
        .map_err(|what| Diagnostic::error(format!("Terraform refuses the configuration: {what}")).into())
}
