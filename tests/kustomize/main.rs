//! The functions under real kustomize and kubectl.

#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment")]

mod cases;
mod clients;
mod hostile;
mod overlays;
mod tokens;
mod transformers;
mod validators;
