//! Stacks of real engines, driven through the library: what holds whatever is killed, taken, changed or deleted.
//!
//! They need PostgreSQL, Valkey or Redis, and SeaweedFS: `mlplat engines install` fetches what is missing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod adoption;
mod change;
mod harness;
mod lifecycle;
mod obstacles;
mod resource;
