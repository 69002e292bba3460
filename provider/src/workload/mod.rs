//! The environment that the kubelet would give a container, worked out from rendered manifests.
//! Pure: it is handed text, it starts nothing and reads no file.

mod error;
mod expansion;
mod manifest;
mod reference;
mod resolve;
mod secrets;
mod stream;
mod variable;

pub use error::StreamError;
pub use reference::{Reference, ReferenceError, aliases};
pub use resolve::{ReferredKind, ResolveError, resolve};
pub use stream::{Container, Stream, Workload};
pub use variable::{Override, OverrideError, Source, Variable};
