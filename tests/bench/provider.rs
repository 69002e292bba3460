//! The provider's start, and plans over a provider that does nothing and over Terraform's own floor.
pub(crate) fn start() {}
pub(crate) fn plans() {}
