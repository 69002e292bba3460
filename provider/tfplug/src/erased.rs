//! Resources, data sources, ephemeral resources and functions whose models are forgotten: values in, values out.

mod data;
mod ephemeral;
mod function;
mod resource;

use std::any::Any;
use std::sync::Arc;

pub(crate) use data::{AnyData, DataOf};
pub(crate) use ephemeral::{AnyEphemeral, EphemeralOf};
pub(crate) use function::{AnyFunction, FunctionOf};
pub(crate) use resource::{AnyResource, ResourceOf};

use crate::calls::CallContext;
use crate::context::Context;
use crate::value::Value;

/// What the provider made of its configuration, its type forgotten.
pub(crate) type AnyClients = Arc<dyn Any + Send + Sync>;

fn context<C: Send + Sync + 'static>(
    clients: AnyClients,
    call: &CallContext,
    meta: Value,
    private: Vec<u8>,
) -> Context<C> {
    let clients = clients
        .downcast::<C>()
        .expect("the builder takes handlers of one type of clients only");
    Context::new(clients, call, meta, private)
}
