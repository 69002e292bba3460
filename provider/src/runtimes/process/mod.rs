//! Services as plain processes of the user, for machines without a container engine.
//!
//! One folder per [`Stack`] holds everything: what was asked for (`stack.json`), what shall run (`units.json`), what runs
//! (`state.json`), and one folder per component with its data, password and log. One [`supervisor`] per folder outlives
//! Terraform and keeps the services running; it is found, adopted and ended through these files alone.

pub mod addresses;
mod adoption;
mod advice;
mod build;
mod children;
mod confinement;
mod error;
mod folder;
pub mod forwarder;
mod identity;
mod keeper;
mod keyring;
mod ledger;
mod owner;
mod ownership;
mod platform;
mod ports;
mod readiness;
mod record;
mod removal;
mod siting;
mod stack;
mod status;
mod store;
mod summons;
pub mod supervisor;

pub use self::error::StackError;
pub use self::keyring::{Credentials, credentials};
pub use self::owner::{Claim, Configuration, Run, new_id, same_folder};
pub use self::ownership::Holding;
pub use self::removal::Removed;
pub use self::stack::Stack;
pub use self::status::{ComponentStatus, Health, Status};
