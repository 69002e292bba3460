//! The functions under real kustomize and kubectl.

#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment")]

mod cases;
mod clients;
mod consent;
mod containers;
mod explain;
mod hostile;
mod kpt;
mod overlays;
mod pages;
mod private;
mod random;
mod render;
mod tokens;
mod transformers;
mod trees;
mod validators;
mod verify;
