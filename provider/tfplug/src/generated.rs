//! Protobuf code made from `proto/` and checked in, so that building needs no protoc.
//! `UPDATE=1 cargo test -p tfplug --test staleness` makes it anew.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::all, reason = "generated")]

#[rustfmt::skip]
#[path = "generated/grpc.health.v1.rs"]
pub(crate) mod health;
#[rustfmt::skip]
#[path = "generated/plugin.rs"]
pub(crate) mod plugin;
#[rustfmt::skip]
#[path = "generated/tfplugin6.rs"]
pub(crate) mod tfplugin6;
