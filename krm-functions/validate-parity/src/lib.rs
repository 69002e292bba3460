//! Two rendered environments side by side: [`compare`] finds every difference that nothing allows.
//!
//! Everything must be the same unless a rule says otherwise, so a field that no rule knows is compared too.
//!
//! ```
//! use krm_fn::Stream;
//! use validate_parity::{Allow, compare};
//!
//! let deployment = |image: &str| Stream::parse(format!(
//!     "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: a}}, spec: {{template: {{spec: \
//!      {{containers: [{{name: a, image: '{image}'}}]}}}}}}}}"
//! ));
//! let (local, prod) = (deployment("app:1")?, deployment("registry.example.com/app:2")?);
//! let found: Vec<String> = compare(&local, &prod, &Allow::default()).iter().map(|one| one.field.clone()).collect();
//! assert_eq!(found, ["spec.template.spec.containers[a].image"]);
//! # Ok::<(), krm_fn::SyntaxError>(())
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | `config`, `allow` | the `spec` of kind ValidateParity; what may differ |
//! | `rules`, `contract`, `image`, `names` | the fields, variables, images and names that environments differ in |
//! | `given`, `stage` | what one side's contract gives; what the objects were before mlplat's functions |
//! | `pairs` | which object, entry or item belongs to which |
//! | `compare`, `list`, `expansion` | the walk down both sides; items of lists; `$(NAME)` in variables |
//! | `path`, `difference` | where the walk is; what it found |
//! | `function` | the KRM function |

mod allow;
mod compare;
mod config;
mod contract;
mod difference;
mod expansion;
mod function;
mod given;
mod image;
mod list;
mod names;
mod pairs;
mod path;
mod rules;
mod stage;

pub use allow::{Allow, Aspect, Exception};
pub use compare::{Comparison, compare};
pub use config::Config;
pub use difference::{Change, Difference, Side};
pub use function::ValidateParity;
pub use stage::{Stage, mark};
