//! Which way of building a kustomization needs.

use std::path::Path;

use super::client::{Build, NotBuilt};
use super::environment::Needs;
use super::mirror::Mirror;
use super::uses::uses;
use super::{Client, ClientKind, Field, KustomizeError, Session, Tree, Use, Way, plugins, refusal, remote};
use crate::config::Config;

/// What a client says of a function when it has no flag.
pub(super) const PLUGINS_DISABLED: &str = "external plugins disabled";

/// What a client prints.
#[derive(Debug)]
pub struct Rendered {
    /// The documents.
    pub documents: String,
    /// What it and the functions said.
    pub warnings: String,
}

/// What a build is done with.
#[derive(Debug, Clone, Copy)]
pub struct Builder<'a> {
    /// Who builds.
    pub client: &'a Client,
    /// Whether functions may be any program (`--enable-exec`).
    pub exec: bool,
    /// The private folder.
    pub session: &'a Session,
    /// The environment.
    pub config: &'a Config,
}

/// The documents that `kustomize build --enable-alpha-plugins --enable-exec` prints, from any client.
///
/// # Errors
/// When the client or a function fails, or a function is not there or needs consent.
pub fn render(folder: &Path, builder: &Builder<'_>) -> Result<Rendered, KustomizeError> {
    let tree = match Tree::read(folder, builder.client.unrestricted) {
        Ok(tree) => tree,
        Err(error) => return builder.without_functions(folder, error),
    };
    tree.refuse_functions_as_resources()?;
    builder.build(&tree).map_err(|error| tree.explained(error))
}

impl Builder<'_> {
    /// The documents of a folder of functions' configurations.
    pub(super) fn functions_of(&self, folder: &Path) -> Result<String, KustomizeError> {
        let tree = Tree::read(folder, self.client.unrestricted)?;
        self.build(&tree).map(|rendered| rendered.documents)
    }

    /// What could not be read here may be no trouble to the client. It runs no function.
    fn without_functions(&self, folder: &Path, error: KustomizeError) -> Result<Rendered, KustomizeError> {
        let root = match (&error, folder.canonicalize()) {
            (KustomizeError::Syntax { .. } | KustomizeError::File { .. }, Ok(root)) => root,
            _ => return Err(error),
        };
        match self.plain(&root) {
            Err(NotBuilt::Refused(message)) if message.contains(PLUGINS_DISABLED) => Err(error),
            built => built.map_err(|not_built| not_built.of(self.client, folder)),
        }
    }

    fn plain(&self, root: &Path) -> Result<Rendered, NotBuilt> {
        let needs = Needs {
            network: true,
            docker: false,
        };
        self.client.build(&Build::plain(root, needs), self.session, self.config)
    }

    fn build(&self, tree: &Tree) -> Result<Rendered, KustomizeError> {
        let failed = |not_built: NotBuilt| not_built.of(self.client, &tree.root);
        let fetches = !tree.remote.is_empty();
        let trusts = self.exec && self.client.kind == ClientKind::Kustomize;
        let uses = match uses(tree, self) {
            Ok(uses) => uses,
            Err(error) => return self.without_functions(&tree.root, error),
        };
        if uses.is_empty() && !(trusts && fetches) {
            return self.plain(&tree.root).map_err(|not_built| match not_built {
                NotBuilt::Refused(message) if message.contains(PLUGINS_DISABLED) && fetches => {
                    remote::refused(tree, &message)
                }
                other => failed(other),
            });
        }
        if let Some(entry) = tree.missing.first() {
            return Err(tree.missing(entry));
        }
        if !self.exec {
            tree.refuse_doubts()?;
        }
        for one in &uses {
            self.check(one)?;
        }
        if fetches && !trusts {
            remote::refuse_functions(self, tree)?;
        }
        let needs = Needs {
            network: fetches || self.client.helm,
            docker: uses.iter().any(|one| matches!(one.way, Way::Container { .. })),
        };
        let runs_programs = uses.iter().any(|one| matches!(one.way, Way::Exec(_)));
        // With the flag, kustomize would run any program that what it fetches or puts together names: all of that must have
        // been seen here. In the copy, only mlplat runs programs.
        let seen = !fetches && uses.iter().all(|one| !one.built);
        let in_place = self.client.kind == ClientKind::Kustomize && (seen || self.exec);
        if runs_programs && !in_place {
            return Mirror::make(self, tree, &uses)?.build(self, tree, &uses, needs);
        }
        let mut flags = vec!["--enable-alpha-plugins"];
        if in_place && (runs_programs || trusts) {
            flags.push("--enable-exec");
        }
        let mut set = Vec::new();
        let mut plugins = uses.iter().filter(|one| one.way == Way::Plugin).peekable();
        if plugins.peek().is_some() {
            let home = self.session.folder()?.join("plugins");
            plugins::home(&home, plugins, |one| plugins::find(one, self.config).ok())?;
            set.push(("KUSTOMIZE_PLUGIN_HOME", home));
        }
        let build = Build {
            folder: &tree.root,
            flags: &flags,
            needs,
            set,
        };
        self.client.build(&build, self.session, self.config).map_err(failed)
    }

    /// Whether a function may run, and where it is listed.
    fn check(&self, one: &Use) -> Result<(), KustomizeError> {
        let refused = refusal(one, self.exec, self.config).or_else(|| misplaced(one));
        match refused {
            None => Ok(()),
            Some(skip) => Err(KustomizeError::Function {
                place: one.to_string(),
                what: skip.why,
                fix: skip.fix,
            }),
        }
    }
}

/// What is wrong with the list that names one of our own functions.
pub fn misplaced(one: &Use) -> Option<super::Skip> {
    one.ours()?;
    let (why, fix) = match one.field {
        Field::Generators => (
            "it makes no objects, it works on those of the build, and under `generators` it gets none",
            "list it under `transformers`",
        ),
        Field::Transformers if answers_nothing(&one.config) => (
            "with `output: None` it answers no object, which under `transformers` would delete all of them",
            "list it under `validators`, or have it echo its input",
        ),
        _ => return None,
    };
    Some(super::Skip {
        silent: false,
        why: why.to_owned(),
        fix: fix.to_owned(),
    })
}

fn answers_nothing(config: &str) -> bool {
    super::kustomization::value(config).is_ok_and(|value| value["spec"]["output"] == "None")
}
