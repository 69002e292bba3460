//! Which Terraform configuration has a stack, and what a caller may therefore do with it. Pure but for [`Configuration::here`].
//!
//! A stack belongs to one configuration. `stack.json` holds a random id, the private state of the resource holds the same
//! one: who shows it owns the stack, wherever its project folder lies by then. Where no state shows an id (a create), the
//! folder and workspace of Terraform decide.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::config::Config;

/// A Terraform configuration with its own state, as its user knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// Where Terraform runs, without links. Empty: not known.
    pub directory: PathBuf,
    /// The workspace.
    pub workspace: String,
    /// `TF_DATA_DIR`, absolute: another backend may be configured there. `None`: the usual `.terraform`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
}

impl Configuration {
    /// The one for which this process works.
    #[must_use]
    pub fn here(config: &Config) -> Self {
        let set = |name: &str| config.variable(name).filter(|value| !value.is_empty());
        let directory = config.working_dir.clone();
        let data_dir = set("TF_DATA_DIR").map(|dir| directory.join(dir));
        let settings = data_dir.clone().unwrap_or_else(|| directory.join(".terraform"));
        let selected = || fs::read_to_string(settings.join("environment")).unwrap_or_default();
        let workspace = set("TF_WORKSPACE").map_or_else(selected, |name| name.to_string_lossy().into_owned());
        let workspace = match workspace.trim() {
            "" => "default".to_owned(),
            name => name.to_owned(),
        };
        Self {
            directory,
            workspace,
            data_dir,
        }
    }

    /// Whether a state lies beside the configuration. A folder that shows the id of another that still has its state is a
    /// copy of it (`cp -r`), not the same project at another place. States in a remote backend are shared on purpose.
    fn has_local_state(&self) -> bool {
        let state = match self.workspace.as_str() {
            "default" => self.directory.join("terraform.tfstate"),
            name => self
                .directory
                .join("terraform.tfstate.d")
                .join(name)
                .join("terraform.tfstate"),
        };
        fs::read_to_string(state).is_ok_and(|text| text.contains("mlplat_local_services"))
    }

    /// Whether both are known and the same.
    fn is(&self, other: &Self) -> bool {
        self == other && !self.directory.as_os_str().is_empty()
    }
}

/// For error messages: `/home/me/demo, workspace "default"`.
impl fmt::Display for Configuration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            directory,
            workspace,
            data_dir,
        } = self;
        if directory.as_os_str().is_empty() {
            return write!(out, "an unknown folder, workspace {workspace:?}");
        }
        write!(out, "{}", directory.display())?;
        if !directory.exists() {
            write!(out, " (which does not exist any more)")?;
        }
        write!(out, ", workspace {workspace:?}")?;
        match data_dir {
            Some(dir) => write!(out, ", TF_DATA_DIR {}", dir.display()),
            None => Ok(()),
        }
    }
}

/// Who has a stack, as `stack.json` says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Random; the private state of the resource has it too.
    pub(super) id: String,
    /// Where Terraform last showed that id, or got it.
    pub(super) configuration: Configuration,
    /// Terraform has shown that its state has the stack. `false`: the create or the import may have been cut off before
    /// its answer was stored.
    #[serde(default)]
    pub(super) confirmed: bool,
}

impl Owner {
    pub(super) fn new(id: String, configuration: Configuration) -> Self {
        Self {
            id,
            configuration,
            confirmed: false,
        }
    }
}

/// A new [`Owner::id`].
#[must_use]
pub fn new_id() -> String {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What this process, one run of Terraform, has seen of stacks. Two resources with one stack show here: no state of
/// Terraform's tells a resource of the others.
#[derive(Debug, Default)]
pub struct Run {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Ids that the state has shown.
    shown: BTreeSet<String>,
    /// Ids that a resource of the state has, and keeps or gives up.
    held: BTreeSet<String>,
    /// Ids of stacks that a resource which is not in the state would adopt.
    claimed: BTreeSet<String>,
    /// Ids that were given out.
    given: BTreeSet<String>,
}

impl Run {
    fn with<T>(&self, act: impl FnOnce(&mut Seen) -> T) -> T {
        act(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn show(&self, id: &str) {
        self.with(|seen| seen.shown.insert(id.to_owned()));
    }

    /// A resource of the state has it.
    pub(super) fn was_shown(&self, id: &str) -> bool {
        self.with(|seen| seen.shown.contains(id))
    }

    /// Notes that a resource of the state has it; whether another one would adopt it.
    pub(super) fn hold(&self, id: &str) -> bool {
        self.with(|seen| {
            seen.held.insert(id.to_owned());
            seen.claimed.contains(id)
        })
    }

    /// Notes that a new resource would adopt it; whether another one of the state has it.
    pub(super) fn claim(&self, id: &str) -> bool {
        self.with(|seen| {
            seen.claimed.insert(id.to_owned());
            seen.held.contains(id)
        })
    }

    pub(super) fn give(&self, id: &str) {
        self.with(|seen| seen.given.insert(id.to_owned()));
    }

    pub(super) fn gave(&self, id: &str) -> bool {
        self.with(|seen| seen.given.contains(id))
    }

    /// The stack does not exist any more.
    pub(super) fn forget(&self, id: &str) {
        self.with(|seen| {
            seen.shown.remove(id);
            seen.held.remove(id);
            seen.claimed.remove(id);
            seen.given.remove(id);
        });
    }
}

/// Who asks for a stack, and on what ground.
#[derive(Clone, Debug)]
pub struct Claim {
    /// For whom.
    pub configuration: Configuration,
    /// What the id of the stack is to be from now on, where the caller may have it.
    pub id: String,
    /// Terraform has the stack in its state.
    pub in_state: bool,
    /// The id in that state. `None`: it was written by a version without ids, or there is none.
    pub known: Option<String>,
    /// How the user imports the stack: `NAME` or `NAME@DATA_DIR`.
    pub import_id: String,
    /// The run of Terraform.
    pub run: Arc<Run>,
}

/// What a claim is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The caller has the stack.
    Ours,
    /// The caller's configuration made it, and has it in no state: what a create that was cut off left behind, or a stack
    /// that was removed from the state.
    LeftBehind,
    /// The same configuration has it under another id by now.
    Superseded,
    /// A version without ids made it: any configuration may have it in its state.
    Unmarked,
    /// Another configuration has it.
    Foreign,
}

impl Claim {
    pub(super) fn on(&self, owner: Option<&Owner>) -> Standing {
        let Some(owner) = owner else {
            return if self.in_state {
                Standing::Ours
            } else {
                Standing::Unmarked
            };
        };
        if self.known.as_ref() == Some(&owner.id) {
            let moved = owner.configuration.directory != self.configuration.directory;
            return if moved && owner.configuration.has_local_state() {
                Standing::Foreign
            } else {
                Standing::Ours
            };
        }
        if !owner.configuration.is(&self.configuration) {
            return Standing::Foreign;
        }
        match (self.in_state, &self.known) {
            (true, Some(_)) => Standing::Superseded,
            (true, None) => Standing::Ours,
            (false, _) => Standing::LeftBehind,
        }
    }
}

/// The folder without links and `..`, as far as it exists; what does not exist yet is appended as it is written.
pub(super) fn real_path(path: &Path) -> PathBuf {
    let mut rest = Vec::new();
    let mut at = path;
    loop {
        if let Ok(real) = at.canonicalize() {
            let goes_up = rest.contains(&Component::ParentDir);
            let whole = rest.into_iter().rev().fold(real, |mut path, step| {
                if step == Component::ParentDir {
                    path.pop();
                } else {
                    path.push(step);
                }
                path
            });
            // Behind a folder that does not exist, `..` may lead back to one that does.
            return if goes_up { real_path(&whole) } else { whole };
        }
        let (Some(step), Some(parent)) = (at.components().next_back(), at.parent()) else {
            return path.to_path_buf();
        };
        rest.push(step);
        at = parent;
    }
}

/// Whether both paths lead to one folder, which need not exist yet.
#[must_use]
pub fn same_folder(one: &Path, other: &Path) -> bool {
    one == other || real_path(one) == real_path(other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsString;

    use super::*;

    fn claim(directory: &str, in_state: bool, known: Option<&str>) -> Claim {
        Claim {
            configuration: configuration(directory),
            id: "new".into(),
            in_state,
            known: known.map(str::to_owned),
            import_id: "demo".into(),
            run: Arc::default(),
        }
    }

    fn configuration(directory: &str) -> Configuration {
        Configuration {
            directory: directory.into(),
            workspace: "default".into(),
            data_dir: None,
        }
    }

    #[test]
    fn a_copy_of_a_project_does_not_have_the_stack_of_the_first_while_that_has_its_state() {
        let first = tempfile::tempdir().unwrap();
        let mut owner = Owner::new("id".into(), configuration(first.path().to_str().unwrap()));
        let of = |owner: &Owner, directory: &str| claim(directory, true, Some("id")).on(Some(owner));
        assert_eq!(of(&owner, "/copy"), Standing::Ours, "its state lies in a backend");
        let state = "{\"resources\": [{\"type\": \"mlplat_local_services\"}]}";
        fs::write(first.path().join("terraform.tfstate"), state).unwrap();
        assert_eq!(of(&owner, "/copy"), Standing::Foreign);
        assert_eq!(of(&owner, first.path().to_str().unwrap()), Standing::Ours);
        owner.configuration.workspace = "two".into();
        assert_eq!(of(&owner, "/copy"), Standing::Ours, "this workspace has no state there");
        fs::create_dir_all(first.path().join("terraform.tfstate.d/two")).unwrap();
        fs::write(first.path().join("terraform.tfstate.d/two/terraform.tfstate"), state).unwrap();
        assert_eq!(of(&owner, "/copy"), Standing::Foreign);
    }

    #[test]
    fn who_shows_the_id_has_the_stack_and_a_create_only_what_its_configuration_left_behind() {
        let owner = Owner::new("id".into(), configuration("/a"));
        let of = |claim: Claim| claim.on(Some(&owner));
        assert_eq!(of(claim("/a", true, Some("id"))), Standing::Ours);
        assert_eq!(of(claim("/moved", true, Some("id"))), Standing::Ours);
        assert_eq!(of(claim("/a", true, None)), Standing::Ours);
        assert_eq!(of(claim("/b", true, None)), Standing::Foreign);
        assert_eq!(of(claim("/b", true, Some("other"))), Standing::Foreign);
        assert_eq!(of(claim("/a", true, Some("other"))), Standing::Superseded);
        assert_eq!(of(claim("/a", false, None)), Standing::LeftBehind);
        assert_eq!(of(claim("/b", false, None)), Standing::Foreign);
        let mut other = claim("/a", false, None);
        other.configuration.workspace = "two".into();
        assert_eq!(of(other), Standing::Foreign);
        // Nothing is known of where it runs: nothing is the same.
        let unknown = Owner::new("id".into(), configuration(""));
        assert_eq!(claim("", false, None).on(Some(&unknown)), Standing::Foreign);
    }

    #[test]
    fn a_stack_without_an_id_is_of_whoever_has_it_in_the_state() {
        assert_eq!(claim("/a", true, None).on(None), Standing::Ours);
        assert_eq!(claim("/a", false, None).on(None), Standing::Unmarked);
    }

    #[test]
    fn two_resources_of_one_run_with_one_stack_are_noticed_whichever_comes_first() {
        let run = Run::default();
        assert!(!run.hold("a") && run.claim("a"));
        assert!(!run.claim("b") && run.hold("b"));
        run.forget("a");
        assert!(!run.claim("a"));
    }

    #[test]
    fn the_workspace_is_the_one_that_terraform_uses() {
        let dir = tempfile::tempdir().unwrap();
        let here = |variables: &[(&str, &str)]| {
            let mut variables: BTreeMap<OsString, OsString> = variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect();
            variables.insert("HOME".into(), "/h".into());
            let mut config = Config::from_variables(variables, "/bin/mlplat".into(), "/tmp".into()).unwrap();
            config.working_dir = dir.path().to_owned();
            Configuration::here(&config)
        };
        assert_eq!(here(&[]).workspace, "default");
        fs::create_dir(dir.path().join(".terraform")).unwrap();
        fs::write(dir.path().join(".terraform/environment"), "two").unwrap();
        assert_eq!(here(&[]).workspace, "two");
        assert_eq!(here(&[("TF_WORKSPACE", "three")]).workspace, "three");
        let elsewhere = here(&[("TF_DATA_DIR", "elsewhere")]);
        assert_eq!(elsewhere.workspace, "default");
        assert_eq!(elsewhere.data_dir, Some(dir.path().join("elsewhere")));
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("link")).unwrap();
        for (path, wanted) in [
            ("a/", "a"),
            ("a/.", "a"),
            ("./a//b/", "a/b"),
            ("link/b/c", "a/b/c"),
            ("a/../a/b/../c", "a/c"),
            ("none/../link", "a"),
        ] {
            let found = real_path(&dir.path().join(path));
            assert_eq!(found, real.join(wanted), "{path}");
        }
    }
}
