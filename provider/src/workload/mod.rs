//! The environment that the kubelet would give a container, worked out from rendered manifests.
//! Pure: it is handed text, it starts nothing and reads no file.

mod expansion;
mod manifest;
mod reference;
mod resolve;
mod stream;
mod variable;

pub use reference::{Reference, ReferenceError};
pub use resolve::{ReferredKind, ResolveError, resolve};
pub use stream::{Container, Stream, StreamError, Workload};
pub use variable::{Override, OverrideError, Source, Variable};
