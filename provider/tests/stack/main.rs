//! Stacks of real engines, driven through the library: what holds whatever is killed, taken, changed or deleted.
//!
//! Linux only: processes and ports are checked in /proc. They need PostgreSQL, Valkey or Redis, and SeaweedFS:
//! `mlplat engines install` fetches what is missing.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod access;
mod adoption;
mod change;
mod harness;
mod hung;
mod inner_ports;
mod insides;
mod lifecycle;
mod obstacles;
mod ownership;
mod postgres;
mod resource;
mod s3;
mod taken_ports;
mod upgrade;
