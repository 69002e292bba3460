//! Kustomizations and their functions: which there are, whether a client would run them, and building with them.
//!
//! The client itself runs the functions, at their place in its own pipeline, and its output is printed as it is. kustomize
//! runs on the user's own folder with both of its flags. kubectl has no flag for functions that are run by `exec`: it runs
//! them as legacy plugins. Their annotation is taken off in a private copy of the kustomizations that lead to them, and
//! every plugin is mlplat, which runs the function as kustomize would.
//!
//! | module | what lives there |
//! |---|---|
//! | `kustomization` | one kustomization, read as leniently as kustomize reads it |
//! | `tree` | the kustomizations that a folder leads to; no client is needed |
//! | `uses` | the functions that they list, and how each is run |
//! | `consent` | which programs run without being asked for |
//! | `doubt` | text that clients may read otherwise |
//! | `skips` | what a client, started with these flags, would make of each function |
//! | `environment` | the variables that clients and functions get |
//! | `client` | kustomize or kubectl: found and run |
//! | `message` | what a client says, in words for the user |
//! | `session` | the private folder of one render, which no signal leaves behind |
//! | `plugins` | where the client finds the programs of functions without an annotation |
//! | `mirror` | the private copy for kubectl |
//! | `plugin` | mlplat, started by a client as a legacy plugin |
//! | `remote` | what kustomize fetches |
//! | `parity` | a render with what validate-parity needs besides |
//! | `error` | why a kustomization could not be read or built |
//! | `render` | which of these a build needs |

mod client;
mod consent;
mod doubt;
mod environment;
mod error;
mod kustomization;
mod message;
mod mirror;
mod parity;
mod plugin;
mod plugins;
mod remote;
mod render;
mod session;
mod skips;
mod tree;
mod uses;

pub use client::{Client, ClientKind};
pub use consent::refusal;
pub use error::KustomizeError;
pub use parity::render_for_parity;
pub use plugin::as_plugin;
pub use render::{Builder, Rendered, misplaced, render};
pub use session::Session;
pub use skips::{Flags, Skip, skips};
pub use tree::Tree;
pub use uses::{Field, Use, Way, uses};
