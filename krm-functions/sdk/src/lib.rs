//! Write KRM functions that change only the bytes they mean to change.
//!
//! A function reads a [`Stream`] of Kubernetes objects, walks it by [`Node`]s, and notes [`Edits`] and [`Findings`].
//! The text is never parsed into a tree and written anew: quoted strings, comments, key order and anchors of everything
//! that is not edited are the same bytes afterwards.
//!
//! ```no_run
//! use krm_fn::{Context, Error, Function, Value};
//!
//! struct SetReplicas;
//!
//! #[derive(Default, serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     replicas: i64,
//! }
//!
//! impl Function for SetReplicas {
//!     const NAME: &'static str = "set-replicas";
//!     const KIND: &'static str = "SetReplicas";
//!     const ABOUT: &'static str = "Sets the replicas of every Deployment.";
//!     type Config = Config;
//!
//!     fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
//!         for object in context.stream.objects().filter(|object| object.kind() == "Deployment") {
//!             if let Some(spec) = object.root().get("spec") {
//!                 context.edits.set(spec, "replicas", &Value::Int(context.config.replicas))?;
//!             }
//!         }
//!         Ok(())
//!     }
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     krm_fn::main(&SetReplicas)
//! }
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | `index` | where every node of a text starts and ends: three readers, from fast to complete |
//! | `node`, `object`, `stream` | handles on that: paths, scalars, objects, lists |
//! | `value`, `edits`, `layout` | what to put in, and where |
//! | `config`, `finding`, `suggestion` | configuration as a type; what there is to say |
//! | `function`, `run`, `program` | the trait, one run without I/O, and the program around it |
//! | [`workload`], [`selector`] | pod templates and containers of all known kinds; which of them are meant |
//! | [`credential`], [`expansion`] | what looks like a password in plain text; `$(NAME)` in values |
//! | [`image`] | names of images |
//! | [`testing`] | case folders |

mod config;
pub mod credential;
mod edits;
pub mod expansion;
mod finding;
mod function;
pub mod image;
mod index;
mod layout;
mod node;
mod object;
mod position;
mod program;
mod run;
mod scalar;
pub mod selector;
mod stream;
mod suggestion;
pub mod testing;
mod value;
pub mod workload;

pub use config::ConfigError;
pub use edits::{EditError, Edits};
pub use finding::{Finding, Findings, Severity};
pub use function::{Context, Error, Function, Output};
pub use node::{Node, NodeKind};
pub use object::Object;
pub use position::{Position, SyntaxError};
pub use program::{ReadError, main, read_file};
pub use run::{Answer, Named, Request, Way, respond};
pub use selector::Selector;
pub use stream::Stream;
pub use suggestion::{nearest, suggestion};
pub use value::Value;

/// `apiVersion` of the configurations of mlplat's own functions.
pub const API_VERSION: &str = "mlplat.dev/v1alpha1";

#[cfg(test)]
mod tests {
    /// The one of this page is compiled.
    #[test]
    fn the_first_example_of_the_guide_is_that_of_this_page() {
        let (_, example) = include_str!("lib.rs").split_once("//! ```no_run\n").unwrap();
        let (example, _) = example.split_once("//! ```\n").unwrap();
        let example: String = example
            .lines()
            .map(|line| line.strip_prefix("//!").unwrap())
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        let guide = include_str!("../../../docs/guides/functions.md");
        assert!(guide.contains(&format!("```rust\n{example}```")), "{example}");
    }
}
