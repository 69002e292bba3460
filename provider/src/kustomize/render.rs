//! Builds a kustomization with its functions. The order is kustomize's: resources and generators, components,
//! transformations, functions, validators, level by level; hashes of names and the order of the output come last.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::renames;
use super::runner::{Runner, joined, parsed};
use super::tree::{Tree, between, clean, entries, hold, release};
use super::uses::listed;
use super::{Client, Field, KustomizeError, Use, Way};
use crate::config::Config;

/// The documents of a step, beside its kustomization.
const STEP: &str = ".mlplat-step.yaml";
/// What makes objects, as opposed to changing them.
const SOURCES: [&str; 11] = [
    "resources",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "generatorOptions",
    "helmCharts",
    "helmGlobals",
    "helmChartInflationGenerator",
    "configurations",
    "crds",
    "openapi",
];
/// What kustomize does once, when everything else is done.
const LAST: [&str; 2] = ["sortOptions", "buildMetadata"];
/// What tells a build where names are referred to: the last one needs that of every level.
const KNOWLEDGE: [&str; 3] = ["configurations", "crds", "openapi"];

/// The documents that `kustomize build --enable-alpha-plugins --enable-exec` prints, by a client without these flags.
///
/// # Errors
/// When the client or a function fails, or a function is not there.
pub fn render(folder: &Path, client: &Client, config: &Config) -> Result<String, KustomizeError> {
    let tree = Tree::copy(folder)?;
    let mut levels = Levels {
        runner: Runner { tree: &tree, config },
        client,
    };
    if !levels.has_functions(&tree.root)? {
        return client
            .build(&tree.root)
            .map_err(|message| levels.refused(&tree.root, &message));
    }
    let documents = levels.accumulate(&tree.root, None)?;
    levels.finish(&documents)
}

struct Levels<'a> {
    runner: Runner<'a>,
    client: &'a Client,
}

impl Levels<'_> {
    fn tree(&self) -> &Tree {
        self.runner.tree
    }

    fn refused(&self, folder: &Path, message: &str) -> KustomizeError {
        KustomizeError::Client {
            client: self.client.kind.name().to_owned(),
            folder: folder.to_owned(),
            message: self.tree().in_users_words(message),
        }
    }

    /// Whether a function is listed here or below.
    fn has_functions(&self, folder: &Path) -> Result<bool, KustomizeError> {
        let Some(kustomization) = self.tree().kustomizations.get(folder) else {
            return Ok(false);
        };
        for field in Field::ALL {
            if self.listed(folder, field)?.iter().any(|one| one.way != Way::Builtin) {
                return Ok(true);
            }
        }
        for name in ["resources", "bases", "components"]
            .iter()
            .flat_map(|field| entries(kustomization, field))
        {
            if self.has_functions(&clean(&folder.join(name)))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn listed(&self, folder: &Path, field: Field) -> Result<Vec<Use>, KustomizeError> {
        listed(self.tree(), self.client, folder, field)
    }

    /// The documents of one kustomization, after those that stand before it where it is a component.
    fn accumulate(&mut self, folder: &Path, before: Option<String>) -> Result<String, KustomizeError> {
        let mut kustomization = self.tree().kustomizations[folder]
            .as_object()
            .cloned()
            .unwrap_or_default();
        self.check(folder, &kustomization)?;
        for field in LAST {
            kustomization.remove(field);
        }
        kustomization.insert("kind".to_owned(), "Kustomization".into());
        kustomization.insert("apiVersion".to_owned(), "kustomize.config.k8s.io/v1beta1".into());
        let [generators, transformers, validators] = Field::ALL.map(|field| self.listed(folder, field));
        let (generators, transformers, validators) = (generators?, transformers?, validators?);
        for field in Field::ALL {
            kustomization.remove(field.name());
        }
        for name in ["resources", "bases"]
            .iter()
            .flat_map(|field| names(&kustomization, field))
        {
            let below = clean(&folder.join(name));
            if self.has_functions(&below)? {
                let documents = self.accumulate(&below, None)?;
                self.tree().write_file(&below.join(STEP), hold(&documents).as_bytes())?;
                self.tree().write(&below, &json!({ "resources": [STEP] }))?;
            }
        }
        let components: Vec<String> = names(&kustomization, "components").collect();
        let mut apart = !generators.is_empty();
        for name in &components {
            apart |= self.has_functions(&clean(&folder.join(name)))?;
        }
        let mut documents = before;
        if apart {
            let (sources, rest): (Map<_, _>, Map<_, _>) = kustomization
                .into_iter()
                .partition(|(field, _)| SOURCES.contains(&field.as_str()));
            let mut made = self.build(folder, sources.clone(), documents)?;
            for one in &generators {
                made = self.generate(folder, one, made)?;
            }
            for name in components {
                let below = clean(&folder.join(&name));
                made = if self.has_functions(&below)? {
                    self.accumulate(&below, Some(made))?
                } else {
                    self.build(folder, fields([("components", json!([name]))]), Some(made))?
                };
            }
            documents = Some(made);
            kustomization = rest;
            kustomization.remove("components");
            kustomization.extend(
                sources
                    .into_iter()
                    .filter(|(field, _)| KNOWLEDGE.contains(&field.as_str())),
            );
        }
        let mut documents = if self.tree().renames() {
            if apart || folder != self.tree().root {
                return Err(KustomizeError::OnlyWithFlags {
                    folder: folder.to_owned(),
                    what: "a prefix or suffix of names, beside generators or functions of other levels",
                    fix: "list the functions under `transformers` and `validators` of the kustomization that is built, or build with \
                          `kustomize build --enable-alpha-plugins --enable-exec`",
                });
            }
            let renamed = self.build(folder, kustomization.clone(), documents)?;
            renames::noted(&renamed, &self.before_renames(folder, kustomization)?)
                .map_err(|message| self.refused(folder, &message))?
        } else {
            self.build(folder, kustomization, documents)?
        };
        for one in &transformers {
            documents = match one.way {
                Way::Builtin => self.builtin(folder, one, documents)?,
                _ => self.change(one, documents)?,
            };
        }
        for one in &validators {
            match one.way {
                Way::Builtin => drop(self.builtin(folder, one, documents.clone())?),
                _ => drop(self.runner.run(one, &documents)?),
            }
        }
        Ok(documents)
    }

    /// What a build in steps would silently lose.
    fn check(&self, folder: &Path, kustomization: &Map<String, Value>) -> Result<(), KustomizeError> {
        let only = |what, fix| {
            Err(KustomizeError::OnlyWithFlags {
                folder: folder.to_owned(),
                what,
                fix,
            })
        };
        let metadata = names(kustomization, "buildMetadata");
        if metadata.into_iter().any(|option| option != "managedByLabel") {
            return only(
                "`buildMetadata` with origins",
                "keep `managedByLabel` alone, or build with `kustomize build --enable-alpha-plugins --enable-exec`",
            );
        }
        Ok(())
    }

    /// A build by the client, without functions; the documents so far come first.
    fn build(
        &self,
        folder: &Path,
        mut kustomization: Map<String, Value>,
        before: Option<String>,
    ) -> Result<String, KustomizeError> {
        if let Some(documents) = before {
            if documents.trim().is_empty() && !SOURCES.iter().any(|field| kustomization.contains_key(*field)) {
                return Ok(documents);
            }
            self.tree()
                .write_file(&folder.join(STEP), hold(&documents).as_bytes())?;
            let mut resources = vec![Value::from(STEP)];
            if let Some(Value::Array(own)) = kustomization.remove("resources") {
                resources.extend(own);
            }
            kustomization.insert("resources".to_owned(), resources.into());
        }
        self.tree().write(folder, &Value::Object(kustomization))?;
        let built = self
            .client
            .build(&self.tree().place(folder))
            .map_err(|message| self.refused(folder, &message))?;
        Ok(release(&built))
    }

    /// The same objects under the names that they had before a prefix or suffix.
    fn before_renames(&self, folder: &Path, kustomization: Map<String, Value>) -> Result<String, KustomizeError> {
        let tree = Tree::copy(folder)?.without_renames()?;
        let levels = Levels {
            runner: Runner {
                tree: &tree,
                config: self.runner.config,
            },
            client: self.client,
        };
        let kept = kustomization
            .into_iter()
            .filter(|(field, _)| !["namePrefix", "nameSuffix"].contains(&field.as_str()));
        levels.build(folder, kept.collect(), None)
    }

    /// One of kustomize's own, named between functions.
    fn builtin(&self, folder: &Path, one: &Use, documents: String) -> Result<String, KustomizeError> {
        self.build(
            folder,
            fields([(one.field.name(), json!([one.config]))]),
            Some(documents),
        )
    }

    fn generate(&self, folder: &Path, one: &Use, documents: String) -> Result<String, KustomizeError> {
        if one.way == Way::Builtin {
            return self.builtin(folder, one, documents);
        }
        // A generator's only input is its own configuration; a plugin gets none.
        let input = if one.way == Way::Plugin { "" } else { &one.config };
        let made = self.runner.run(one, input)?;
        let made = parsed(one, &made)?;
        if made.objects().any(|object| {
            object
                .annotation("kustomize.config.k8s.io/behavior")
                .is_some_and(|it| it != "create")
        }) {
            return Err(KustomizeError::OnlyWithFlags {
                folder: folder.to_owned(),
                what: "a generator whose objects merge with others",
                fix: "build with `kustomize build --enable-alpha-plugins --enable-exec`",
            });
        }
        let made = joined(&made).replace(
            "kustomize.config.k8s.io/needs-hash: \"true\"",
            "internal.config.kubernetes.io/needsHashSuffix: enabled",
        );
        Ok(if documents.trim().is_empty() {
            made
        } else {
            format!("{documents}---\n{made}")
        })
    }

    fn change(&self, one: &Use, documents: String) -> Result<String, KustomizeError> {
        let answer = self.runner.run(one, &documents)?;
        let changed = parsed(one, &answer)?;
        if changed.objects().len() == 0 && parsed(one, &documents)?.objects().len() > 0 {
            return Err(KustomizeError::Function {
                place: one.to_string(),
                what: "it answered no object, which would delete all of them".to_owned(),
                fix: "list it under `validators`, or have it echo its input".to_owned(),
            });
        }
        Ok(joined(&changed))
    }

    /// Hashes, order and labels of the whole; objects for tools only leave.
    fn finish(&self, documents: &str) -> Result<String, KustomizeError> {
        let tree = self.tree();
        let mut last = fields([("resources", json!([STEP]))]);
        for field in LAST {
            if let Some(value) = tree.kustomizations[&tree.root].get(field) {
                last.insert(field.to_owned(), value.clone());
            }
        }
        for (folder, kustomization) in &tree.kustomizations {
            for field in KNOWLEDGE {
                match kustomization.get(field) {
                    Some(Value::Array(named)) => {
                        let list = last.entry(field).or_insert_with(|| json!([]));
                        let named = named
                            .iter()
                            .filter_map(Value::as_str)
                            .map(|name| Value::from(between(&tree.root, &folder.join(name))));
                        if let Some(list) = list.as_array_mut() {
                            list.extend(named);
                        }
                    }
                    Some(value) if *folder == tree.root => drop(last.insert(field.to_owned(), value.clone())),
                    _ => {}
                }
            }
        }
        tree.write_file(&tree.root.join(STEP), documents.as_bytes())?;
        tree.write(&tree.root, &Value::Object(last))?;
        self.client
            .build(&tree.place(&tree.root))
            .map_err(|message| self.refused(&tree.root, &message))
    }
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .map(|(field, value)| (field.to_owned(), value))
        .collect()
}

fn names(kustomization: &Map<String, Value>, field: &str) -> impl Iterator<Item = String> + use<> {
    let list = kustomization
        .get(field)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    list.into_iter().filter_map(|name| name.as_str().map(str::to_owned))
}
