//! The environment that the kubelet would give a container, worked out from rendered manifests.
//! Pure: it is handed text, it starts nothing and reads no file.

mod expansion;
mod manifest;
mod reference;
mod resolve;
mod stream;

pub use reference::{Reference, ReferenceError};
pub use resolve::{Override, OverrideError, ResolveError, Source, Variable, resolve};
pub use stream::{Container, Stream, StreamError, Workload};
