//! What every acceptance test stands on: the real programs, and a place of its own for each test.
//! A program that is missing is a failure that names the command which installs it, never a skip.
#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment and waits")]

pub mod cluster;
pub mod docker;
pub mod emulators;
pub mod fault_proxy;
pub mod http;
pub mod process;
pub mod program;
pub mod project;
pub mod tls;
pub mod wait;

pub use emulators::Emulator;
pub use fault_proxy::{Call, Fault, FaultProxy};
pub use program::{mlplat, repository, terraform, tool};
pub use project::{Output, Project};
pub use tls::TlsEndpoint;
