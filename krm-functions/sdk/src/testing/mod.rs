//! Case folders: the input as a client sends it, and the whole answer that is expected.
//!
//! | file of a case | |
//! |---|---|
//! | `input.yaml`, `input.json` | what comes on stdin |
//! | `config.yaml` | the configuration, for a pipe; without it the input is a ResourceList |
//! | `plugin.yaml` | the configuration, for kustomize's legacy exec plugin |
//! | `with.yaml` | objects to read beside the stream |
//! | `expected.yaml`, `expected.json` | what goes to stdout; absent = nothing |
//! | `error.txt` | what goes to stderr when the run fails |
//! | `warnings.txt` | what goes to stderr when it succeeds |
//!
//! Every case runs twice and must answer the same bytes; a successful answer, sent in again, must come out unchanged.
//! `UPDATE=1` writes the expectations anew.

mod invariant;
mod reference;

use std::fs;
use std::path::{Path, PathBuf};

use crate::function::Function;
use crate::run::{Answer, Named, Request, Way, respond};

pub use self::invariant::{edits_stay_inside, readers_agree};
pub use self::reference::{check_reference, check_section};

/// Runs every case of a folder.
///
/// # Panics
/// When a case does not answer what is expected; the message shows every such case.
pub fn run_cases<F: Function>(function: &F, folder: impl AsRef<Path>) {
    let folder = folder.as_ref();
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", folder.display()))
        .map(|entry| entry.expect("a folder's entries can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "{} has no case", folder.display());
    let problems: Vec<String> = cases.iter().filter_map(|case| problem(function, case)).collect();
    assert!(
        problems.is_empty(),
        "{}\nUPDATE=1 accepts the answers\n",
        problems.join("\n")
    );
}

/// What is wrong with one case.
fn problem<F: Function>(function: &F, case: &Path) -> Option<String> {
    let (input, format) = [("input.yaml", "yaml"), ("input.json", "json")]
        .into_iter()
        .find_map(|(name, format)| Some((text_of(case, name)?, format)))
        .unwrap_or_else(|| panic!("{} has no input", case.display()));
    let ask = |input: &str| {
        let (way, config) = match (text_of(case, "config.yaml"), text_of(case, "plugin.yaml")) {
            (Some(text), _) => (
                Way::Pipe,
                Some(Named {
                    name: "config.yaml".to_owned(),
                    text,
                }),
            ),
            (None, Some(text)) => (
                Way::Plugin,
                Some(Named {
                    name: "plugin.yaml".to_owned(),
                    text,
                }),
            ),
            (None, None) => (Way::ResourceList, None),
        };
        let beside = text_of(case, "with.yaml").map(|text| Named {
            name: "with.yaml".to_owned(),
            text,
        });
        respond(
            function,
            Request {
                way,
                input: input.to_owned(),
                config,
                beside: beside.into_iter().collect(),
            },
        )
    };
    let answer = ask(&input);
    let stdout = answer.stdout();
    let mut problems = Vec::new();
    if same(&answer, &stdout, &ask(&input)).is_none() {
        problems.push("a second run answers otherwise".to_owned());
    }
    if !answer.failed && same(&answer, &stdout, &ask(&stdout)).is_none() {
        problems.push(format!("its own answer is changed again:\n{}", ask(&stdout).stdout()));
    }
    let said = |wanted: bool| wanted.then_some(answer.stderr.as_str()).filter(|text| !text.is_empty());
    let expectations = [
        (
            format!("expected.{format}"),
            Some(stdout.as_str()).filter(|text| !text.is_empty()),
        ),
        ("error.txt".to_owned(), said(answer.failed)),
        ("warnings.txt".to_owned(), said(!answer.failed)),
    ];
    for (name, found) in expectations {
        let expected = text_of(case, &name);
        if expected.as_deref() == found {
            continue;
        }
        if update() {
            let path = case.join(&name);
            match found {
                Some(text) => fs::write(path, text),
                None => fs::remove_file(path),
            }
            .unwrap_or_else(|error| panic!("{}/{name}: {error}", case.display()));
        } else {
            let expected = expected.unwrap_or_default();
            problems.push(format!(
                "{name}: expected\n{expected}\nfound\n{}",
                found.unwrap_or_default()
            ));
        }
    }
    (!problems.is_empty()).then(|| format!("case {}: {}", case.display(), problems.join("\n")))
}

fn same(first: &Answer, stdout: &str, second: &Answer) -> Option<()> {
    (first.stderr == second.stderr && first.failed == second.failed && stdout == second.stdout()).then_some(())
}

fn text_of(case: &Path, name: &str) -> Option<String> {
    fs::read_to_string(case.join(name)).ok()
}

#[allow(clippy::disallowed_methods, reason = "a test driver asks whether it may write")]
pub(crate) fn update() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// A small seeded generator (xorshift) for tests with random edits: the same seed gives the same numbers.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator; `seed` may be anything.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33)
            .expect("31 bits fit")
            .checked_rem(bound)
            .unwrap_or(0)
    }
}
