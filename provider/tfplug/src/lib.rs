//! Placeholder; the front page follows.

#[cfg(test)]
extern crate self as tfplug;

mod calls;
mod codec;
mod context;
mod convert;
mod data_source;
#[doc(hidden)]
pub mod declare;
pub mod diagnostic;
mod docs;
mod ephemeral;
mod erased;
mod error;
mod fields;
mod function;
mod generated;
mod handshake;
mod host;
mod lifetime;
mod logging;
pub mod model;
mod number;
mod path;
mod plan;
mod planning;
mod provider;
mod reattach;
mod resource;
mod router;
pub mod schema;
mod serve;
mod server;
mod socket;
pub mod testing;
mod tls;
mod types;
mod unwind;
pub mod validate;
mod value;
mod wrappers;

pub use async_trait::async_trait;
pub use tfplug_derive::Model;

pub use crate::context::{Config, Context};
pub use crate::data_source::DataSource;
pub use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
pub use crate::ephemeral::{Ephemeral, Opened};
pub use crate::function::{Function, FunctionError};
pub use crate::model::{Field, Model};
pub use crate::number::Number;
pub use crate::path::{Path, Step};
pub use crate::plan::Plan;
pub use crate::provider::{Builder, Configure, Provider};
pub use crate::resource::{ImportId, Kept, Moved, Resource};
pub use crate::error::ServeError;
pub use crate::serve::{Served, serve};
pub use crate::types::Type;
pub use crate::value::{Dynamic, Value};
pub use crate::wrappers::{Computed, Secret, WriteOnly};
