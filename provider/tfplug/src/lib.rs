//! Terraform providers in Rust: the plugin protocol behind typed structs.
//!
//! A resource sees its own struct and `async fn`s. Protobuf, MessagePack, gRPC, certificates, the planning order and the
//! unknown values of a plan stay in here; nothing of them is in the public surface.
//!
//! ```no_run
//! use std::process::ExitCode;
//! use tfplug::{
//!     Computed, Config, Configure, Context, Diagnostics, Kept, Model, Provider, Resource, Served, async_trait,
//! };
//!
//! /// The provider block's arguments.
//! #[derive(Model, Clone)]
//! struct Settings {
//!     /// Where the rooms are.
//!     house: Option<String>,
//! }
//!
//! struct Rooms;
//!
//! #[async_trait]
//! impl Configure for Rooms {
//!     type Config = Settings;
//!     type Clients = Option<String>;
//!
//!     async fn configure(&self, config: Config<Settings>) -> Result<Option<String>, Diagnostics> {
//!         Ok(config.get("house").into_known())
//!     }
//! }
//!
//! /// A lamp in a room. This comment is the resource's description, those below the arguments'.
//! #[derive(Model, Clone)]
//! struct Lamp {
//!     /// The room that it hangs in.
//!     #[model(replace)]
//!     room: String,
//!     /// How bright it is.
//!     #[model(default = 40, range = 1..=100)]
//!     watts: u16,
//!     /// Its number, given once.
//!     #[model(keep)]
//!     number: Computed<u32>,
//! }
//!
//! struct Lamps;
//!
//! #[async_trait]
//! impl Resource for Lamps {
//!     type Model = Lamp;
//!     type Clients = Option<String>;
//!     const TYPE: &'static str = "lamp";
//!
//!     async fn create(&self, _: &Context<Self::Clients>, planned: Lamp, _config: Lamp) -> Result<Lamp, Kept<Lamp>> {
//!         Ok(Lamp { number: 7.into(), ..planned })
//!     }
//!
//!     async fn read(&self, _: &Context<Self::Clients>, state: Lamp) -> Result<Option<Lamp>, Diagnostics> {
//!         Ok(Some(state))
//!     }
//!
//!     async fn update(
//!         &self,
//!         _: &Context<Self::Clients>,
//!         _prior: Lamp,
//!         planned: Lamp,
//!         _config: Lamp,
//!     ) -> Result<Lamp, Kept<Lamp>> {
//!         Ok(planned)
//!     }
//!
//!     async fn delete(&self, _: &Context<Self::Clients>, _state: Lamp) -> Result<(), Kept<Lamp>> {
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> ExitCode {
//!     match tfplug::serve("example/house", || Provider::builder("house", "0.1.0", Rooms).resource(Lamps).build()) {
//!         Ok(Served::Done | Served::Dismissed) => ExitCode::SUCCESS,
//!         Ok(Served::NotAPlugin) | Err(_) => ExitCode::FAILURE,
//!     }
//! }
//! ```
//!
//! # Models
//!
//! `#[derive(Model)]` makes a struct schema, documentation and state at once. The field's type says who gives the value:
//!
//! | field | attribute |
//! |---|---|
//! | `T` | required |
//! | `T` with `#[model(default = …)]` | optional and computed |
//! | `Option<T>` | optional |
//! | [`Computed<T>`](Computed) | computed; with `#[model(optional)]` optional too |
//! | [`WriteOnly<T>`](WriteOnly) | write-only and optional; with `#[model(required)]` required |
//!
//! `T` is `bool`, an integer of 8 to 64 bits, `f64`, [`Number`], `String`, [`Secret`] (sensitive, never printed), [`Value`]
//! (any type), another model (a nested attribute), or `Vec<T>`, `BTreeSet<T>`, `BTreeMap<String, T>`. A model in a plain
//! `Computed` is read-only in all its fields.
//!
//! The words of `#[model(…)]` at a field:
//!
//! | word | meaning |
//! |---|---|
//! | `replace` | a change makes a new resource; in a nested object only while that object is there before and after |
//! | `keep` | once known it is not unknown again in a later plan |
//! | `default = "x"`, `default = 3`, `default` | in the place of null; without a value `Default::default()` |
//! | `one_of = ["a", "b"]`, `range = 1..=9`, `length = 1..` | checked, and said in the documentation; in a collection `one_of` and `range` hold for each element |
//! | `validate = function` | a `fn(&T) -> Result<(), impl Display>`; the words follow the attribute's name: "must be …" |
//! | `conflicts_with`, `required_with`, `exactly_one_of`, `at_least_one_of` `= ["sibling"]` | which siblings may, must not or must be set |
//! | `sensitive` | Terraform does not print it |
//! | `identity` | a part of the resource's identity (Terraform 1.12) |
//! | `block` | a block in the place of an attribute: `Option<M>`, `M`, `Vec<M>` or `BTreeSet<M>` |
//! | `name = "…"`, `deprecated = "Use …"` | another name; deprecated, and what to use instead (at a struct too) |
//! | `optional`, `required` | of `Computed` and `WriteOnly`, as above |
//!
//! # Handlers
//!
//! [`Resource`], [`DataSource`], [`Ephemeral`] and [`Function`] are what an author implements; [`Configure`] makes of the
//! provider block what they share; [`Provider::builder`] is the table of them. [`Context`] has the clients, private data
//! that is kept beside the state, and cancellation. [`Plan`] is a resource's own plan step. A failed operation returns
//! [`Kept`]: what exists already, and why it failed.
//!
//! [`testing`] drives a provider without Terraform and under its rules; [`Provider::pages`] writes its documentation.

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
mod leftovers;
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
pub use crate::error::ServeError;
pub use crate::function::{Function, FunctionError};
pub use crate::model::{Field, Model};
pub use crate::number::Number;
pub use crate::path::{Path, Step};
pub use crate::plan::Plan;
pub use crate::provider::{Builder, Configure, Provider};
pub use crate::resource::{ImportId, Kept, Moved, Resource};
pub use crate::serve::{Served, serve};
pub use crate::types::Type;
pub use crate::value::{Dynamic, Value};
pub use crate::wrappers::{Computed, Secret, WriteOnly};
