//! The protocol's calls: each is decoded, handed to the [`Provider`] in plain types, and its answer encoded.
//! A call runs in a task of its own, so that a client that goes away does not leave it half done; a panic ends it
//! with a diagnostic.

mod functions;
mod metadata;
mod others;
mod resources;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tonic::{Request, Response, Status, async_trait};
use tracing::{Instrument, field::Empty};

use crate::{
    calls::CallContext,
    codec::{self, CodecError},
    diagnostic::{Diagnostic, Diagnostics},
    generated::tfplugin6::{
        DynamicValue, ResourceIdentityData, apply_resource_change, call_function, close_ephemeral_resource,
        configure_provider, get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas,
        import_resource_state, move_resource_state, open_ephemeral_resource, plan_resource_change,
        provider_server as wire, read_data_source, read_resource, renew_ephemeral_resource, stop_provider,
        upgrade_resource_identity, upgrade_resource_state, validate_data_resource_config,
        validate_ephemeral_resource_config, validate_provider_config, validate_resource_config,
    },
    provider::Provider,
    types::Type,
    unwind,
    value::Value,
};

/// Serves one provider; clones share it.
#[derive(Clone)]
pub(crate) struct Server {
    offer: Arc<Offer>,
    /// Cancelled by StopProvider. Terraform promises no calls after that, but one may be on its way, so it stays
    /// cancelled until the next run of Terraform configures the provider (in debug mode only there is one).
    stop: Arc<Mutex<CancellationToken>>,
    /// Cancelled when the process ends.
    end: CancellationToken,
    running: TaskTracker,
}

/// The provider, and the types of everything that is encoded for it.
struct Offer {
    provider: Provider,
    provider_config: Type,
    provider_meta: Type,
    resources: BTreeMap<String, Type>,
    identities: BTreeMap<String, Type>,
    data_sources: BTreeMap<String, Type>,
    ephemerals: BTreeMap<String, Type>,
}

/// A request of the protocol, and what is done for it.
trait Call: Send + Sync + 'static {
    /// Its name in the protocol.
    const NAME: &'static str;
    /// Its answer.
    type Answer: Send + 'static;
    /// Hears of StopProvider. What cleans up does not.
    const STOPPABLE: bool = true;
    /// Begins a run of Terraform: an earlier StopProvider is over.
    const BEGINS: bool = false;

    /// The resource type, data source or function that it is about; empty for none.
    fn subject(&self) -> &str {
        ""
    }

    /// Does it. An error is for what was sent or made and fits no schema; what the provider itself reports is a part
    /// of the answer.
    fn run(
        &self,
        offer: &Offer,
        context: &CallContext,
    ) -> impl Future<Output = Result<Self::Answer, Diagnostics>> + Send;

    /// The answer that consists of diagnostics; when they tell of an error, with what must not be lost beside it.
    fn failed(&self, offer: &Offer, diagnostics: Diagnostics) -> Self::Answer;
}

impl Server {
    pub(crate) fn new(provider: Provider) -> Self {
        let schemas = provider.schemas();
        let types = |schemas: &BTreeMap<String, crate::schema::Schema>| {
            schemas
                .iter()
                .map(|(name, schema)| (name.clone(), schema.ty()))
                .collect()
        };
        let identities = schemas.identities.iter().map(|(name, identity)| {
            let attributes = identity.attributes.iter();
            (
                name.clone(),
                Type::object(attributes.map(|attribute| (attribute.name.clone(), attribute.ty.clone()))),
            )
        });
        let offer = Offer {
            provider_config: schemas.provider.ty(),
            provider_meta: schemas.provider_meta.ty(),
            resources: types(&schemas.resources),
            identities: identities.collect(),
            data_sources: types(&schemas.data_sources),
            ephemerals: types(&schemas.ephemerals),
            provider,
        };
        let end = CancellationToken::new();
        let stop = Arc::new(Mutex::new(end.child_token()));
        Self {
            offer: Arc::new(offer),
            stop,
            end,
            running: TaskTracker::new(),
        }
    }

    /// Tells everything that runs to stop, and waits until it has.
    pub(crate) async fn end(&self) {
        self.end.cancel();
        self.running.close();
        self.running.wait().await;
    }

    /// Every call has its answer, and Terraform has not asked to stop.
    pub(crate) fn is_done(&self) -> bool {
        let stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        self.running.is_empty() && !stop.is_cancelled()
    }

    /// The token that a call hears of.
    fn cancellation<C: Call>(&self) -> CancellationToken {
        if !C::STOPPABLE {
            return self.end.clone();
        }
        let mut stop = self.stop.lock().unwrap_or_else(PoisonError::into_inner);
        if C::BEGINS && stop.is_cancelled() {
            *stop = self.end.child_token();
        }
        stop.clone()
    }

    async fn answer<C: Call>(&self, request: Request<C>) -> Result<Response<C::Answer>, Status> {
        let request = Arc::new(request.into_inner());
        let context = CallContext {
            cancel: self.cancellation::<C>(),
        };
        let span = tracing::error_span!(
            "rpc",
            tf_rpc = C::NAME,
            tf_resource_type = Empty,
            tf_req_id = request_id()
        );
        if !request.subject().is_empty() {
            span.record("tf_resource_type", request.subject());
        }
        let (offer, call) = (self.offer.clone(), request.clone());
        let work = async move {
            let start = Instant::now();
            let answer = call.run(&offer, &context).await;
            tracing::debug!(milliseconds = start.elapsed().as_millis() as u64, "answered");
            answer
        };
        let answer = match self.running.spawn(unwind::catch(work).instrument(span)).await {
            Ok(Ok(Ok(answer))) => answer,
            Ok(Ok(Err(diagnostics))) => request.failed(&self.offer, diagnostics),
            Ok(Err(panic)) => request.failed(&self.offer, panicked(C::NAME, request.subject(), &panic)),
            // Only the end of the runtime cancels a task.
            Err(_) => return Err(Status::unavailable("the provider is ending")),
        };
        Ok(Response::new(answer))
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("provider", &self.offer.provider)
            .finish_non_exhaustive()
    }
}

fn panicked(rpc: &str, subject: &str, panic: &unwind::Panic) -> Diagnostics {
    let of = if subject.is_empty() {
        String::new()
    } else {
        format!(" of `{subject}`")
    };
    Diagnostic::bug(format!("Its code panicked during {rpc}{of}: {}", panic.0)).into()
}

/// Different for every call of every provider process, so that one call's lines can be found in a shared log.
fn request_id() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(1);
    format!("{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The type of something by name; a name that the provider lacks is refused.
fn type_of<'a>(types: &'a BTreeMap<String, Type>, what: &str, name: &str) -> Result<&'a Type, Diagnostics> {
    types.get(name).ok_or_else(|| {
        Diagnostic::error(format!("This provider has no {what} `{name}`"))
            .detail("To fix: check the name, or use a version of the provider that has it.")
            .into()
    })
}

/// Reads what Terraform sent. `what` names it in an error: "a configuration".
fn receive(value: Option<&DynamicValue>, ty: &Type, what: &str) -> Result<Value, Diagnostics> {
    codec::decode(value, ty).map_err(|error| error.received(what).into())
}

/// Writes what the provider made.
fn produce(value: &Value, ty: &Type, what: &str) -> Result<Option<DynamicValue>, Diagnostics> {
    codec::encode(value, ty)
        .map(Some)
        .map_err(|error: CodecError| error.produced(what).into())
}

impl Offer {
    /// Reads an identity; `None` when none was sent or this resource has none.
    fn receive_identity(
        &self,
        resource: &str,
        identity: Option<&ResourceIdentityData>,
    ) -> Result<Option<Value>, Diagnostics> {
        let (Some(identity), Some(ty)) = (identity, self.identities.get(resource)) else {
            return Ok(None);
        };
        let value = receive(identity.identity_data.as_ref(), ty, "an identity")?;
        Ok(if value.is_null() { None } else { Some(value) })
    }

    /// Writes an identity; `None` when there is none or this resource has none.
    fn produce_identity(
        &self,
        resource: &str,
        identity: Option<&Value>,
    ) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        let (Some(identity), Some(ty)) = (identity, self.identities.get(resource)) else {
            return Ok(None);
        };
        Ok(Some(ResourceIdentityData {
            identity_data: produce(identity, ty, "an identity")?,
        }))
    }
}

/// The calls by their names in the protocol; what is missing here is answered UNIMPLEMENTED.
macro_rules! serve_calls {
    ($($method:ident => $call:ident,)*) => {
        #[async_trait]
        impl wire::Provider for Server {
            $(async fn $method(
                &self,
                request: Request<$call::Request>,
            ) -> Result<Response<$call::Response>, Status> {
                self.answer(request).await
            })*

            async fn stop_provider(
                &self,
                _: Request<stop_provider::Request>,
            ) -> Result<Response<stop_provider::Response>, Status> {
                tracing::info!("Terraform asks to stop");
                self.stop.lock().unwrap_or_else(PoisonError::into_inner).cancel();
                Ok(Response::new(stop_provider::Response::default()))
            }
        }
    };
}

serve_calls! {
    get_metadata => get_metadata,
    get_provider_schema => get_provider_schema,
    get_resource_identity_schemas => get_resource_identity_schemas,
    get_functions => get_functions,
    validate_provider_config => validate_provider_config,
    configure_provider => configure_provider,
    validate_resource_config => validate_resource_config,
    upgrade_resource_state => upgrade_resource_state,
    upgrade_resource_identity => upgrade_resource_identity,
    read_resource => read_resource,
    plan_resource_change => plan_resource_change,
    apply_resource_change => apply_resource_change,
    import_resource_state => import_resource_state,
    move_resource_state => move_resource_state,
    validate_data_resource_config => validate_data_resource_config,
    read_data_source => read_data_source,
    validate_ephemeral_resource_config => validate_ephemeral_resource_config,
    open_ephemeral_resource => open_ephemeral_resource,
    renew_ephemeral_resource => renew_ephemeral_resource,
    close_ephemeral_resource => close_ephemeral_resource,
    call_function => call_function,
}
