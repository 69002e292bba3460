//! Where a stack's services run. A runtime does what `services/` describes.

pub mod process;
pub mod protocols;
