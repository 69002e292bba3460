//! The kustomizations that a folder leads to, as far as they are files on this machine. Nothing is copied, and no client is
//! needed.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use krm_fn::Stream;

use super::doubt::doubt;
use super::kustomization::{self, Kustomization, Place, clean, place};
use super::uses::{Field, is_ours, way};
use super::{KustomizeError, Way};

/// The fields whose entries become a part of what is built.
const SOURCES: [&str; 3] = ["resources", "bases", "components"];

/// What a kustomization is read for. One can be both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Its objects are those of the build, or of another one.
    Resources,
    /// Its objects are configurations of functions.
    Functions,
}

/// A kustomization and where it leads.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kustomization: Kustomization,
    /// The folders that it names: the entry, and the folder without symbolic links.
    pub(super) children: Vec<(String, PathBuf)>,
    roles: Vec<Role>,
}

/// An entry of a list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The kustomization's folder.
    pub(super) folder: PathBuf,
    pub(super) field: &'static str,
    /// As it is written.
    pub(super) entry: String,
}

impl Entry {
    /// Whether it is under `generators`, `transformers` or `validators`.
    pub(super) fn names_functions(&self) -> bool {
        !SOURCES.contains(&self.field)
    }
}

/// All kustomizations that a folder leads to.
#[derive(Debug)]
pub struct Tree {
    /// The kustomization that was asked for, without symbolic links, and how it was named.
    pub(super) root: PathBuf,
    asked: PathBuf,
    pub(super) unrestricted: bool,
    /// By their folders.
    pub(super) kustomizations: BTreeMap<PathBuf, Node>,
    /// What is elsewhere (URLs): a client fetches it, and nobody here knows whether it lists functions.
    pub(super) remote: Vec<Entry>,
    /// What is not there.
    pub(super) missing: Vec<Entry>,
}

/// A kustomization on the way down.
struct Visit {
    folder: PathBuf,
    /// Where it leads, the last first.
    next: Vec<(PathBuf, Role)>,
}

impl Tree {
    /// Reads all kustomizations; `unrestricted` allows files elsewhere, by symbolic links.
    ///
    /// # Errors
    /// When there is no kustomization, one cannot be read, or they name each other.
    pub fn read(folder: &Path, unrestricted: bool) -> Result<Self, KustomizeError> {
        let root = folder
            .canonicalize()
            .ok()
            .filter(|path| path.is_dir())
            .ok_or_else(|| KustomizeError::NoKustomization(folder.to_owned()))?;
        let mut tree = Self {
            root: root.clone(),
            asked: folder.to_owned(),
            unrestricted,
            kustomizations: BTreeMap::new(),
            remote: Vec::new(),
            missing: Vec::new(),
        };
        let mut way: Vec<Visit> = Vec::new();
        way.extend(tree.visit(&root, Role::Resources)?);
        while let Some(visit) = way.last_mut() {
            let Some((folder, role)) = visit.next.pop() else {
                way.pop();
                continue;
            };
            // A folder above one of those on the way is a cycle too, as kustomize has it.
            if way.iter().any(|visit| visit.folder.starts_with(&folder)) {
                let from = way.iter().position(|visit| visit.folder == folder).unwrap_or_default();
                let chain = way[from..].iter().map(|visit| visit.folder.clone()).chain([folder]);
                let chain: Vec<_> = chain.map(|folder| tree.file(&folder)).collect();
                return Err(KustomizeError::Cycle(chain.join(" names ")));
            }
            way.extend(tree.visit(&folder, role)?);
        }
        Ok(tree)
    }

    /// Reads one, unless it was read for this already.
    fn visit(&mut self, folder: &Path, role: Role) -> Result<Option<Visit>, KustomizeError> {
        if let Some(node) = self.kustomizations.get_mut(folder) {
            if node.roles.contains(&role) {
                return Ok(None);
            }
            node.roles.push(role);
        } else {
            self.add(folder, role)?;
        }
        let node = &self.kustomizations[folder];
        let mut next = Vec::new();
        for (field, child, role) in fields(role) {
            for entry in node.kustomization.entries(field) {
                if let Place::Folder(path) = place(folder, entry, child) {
                    next.push((path, role));
                }
            }
        }
        next.reverse();
        Ok(Some(Visit {
            folder: folder.to_owned(),
            next,
        }))
    }

    fn add(&mut self, folder: &Path, role: Role) -> Result<(), KustomizeError> {
        let kustomization = Kustomization::read(folder, self.unrestricted)?;
        let mut children = Vec::new();
        for (field, may_be_inline, _) in fields(role) {
            for entry in kustomization.entries(field) {
                let named = || Entry {
                    folder: folder.to_owned(),
                    field,
                    entry: entry.to_owned(),
                };
                match place(folder, entry, may_be_inline) {
                    Place::Folder(path) => children.push((entry.to_owned(), path)),
                    Place::Remote => self.remote.push(named()),
                    Place::Missing => self.missing.push(named()),
                    Place::Other => {
                        return Err(KustomizeError::Function {
                            place: self.shown(folder).join(kustomization.name()).display().to_string(),
                            what: format!("{field}: {entry} is neither a file nor a folder"),
                            fix: "name a file or a folder".to_owned(),
                        });
                    }
                    Place::Inline | Place::File(_) => {}
                }
            }
        }
        let node = Node {
            kustomization,
            children,
            roles: vec![role],
        };
        self.kustomizations.insert(folder.to_owned(), node);
        Ok(())
    }

    /// The files of a folder of functions' configurations, with their kustomizations' folders, where it names them and does
    /// nothing else.
    pub(super) fn plain_files(&self, folder: &Path) -> Option<Vec<(PathBuf, PathBuf)>> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let kustomization = &self.kustomizations.get(&folder)?.kustomization;
            if !kustomization.has_only(&["apiversion", "kind", "metadata", "resources"]) {
                return None;
            }
            for entry in kustomization.entries("resources") {
                match place(&folder, entry, false) {
                    Place::File(path) => files.push((folder.clone(), path)),
                    Place::Folder(path) => folders.push(path),
                    _ => return None,
                }
            }
        }
        Some(files)
    }

    /// A kustomization's file as the user would write it.
    pub(super) fn file(&self, folder: &Path) -> String {
        let node = self.kustomizations.get(folder);
        let name = node.map_or("kustomization.yaml".as_ref(), |node| node.kustomization.name());
        self.shown(folder).join(name).display().to_string()
    }

    /// A folder as the user would write it: from where the one that was asked for was named.
    pub(super) fn shown(&self, folder: &Path) -> PathBuf {
        let below = between(&self.root, folder);
        let ups = below.split('/').filter(|part| *part == "..").count();
        let named = self
            .asked
            .components()
            .filter(|part| matches!(part, Component::Normal(_)))
            .count();
        if self.asked.is_absolute() || ups > named {
            return folder.to_owned();
        }
        clean(&self.asked.join(below))
    }

    /// What a client cannot find, in words that say what to do.
    pub(super) fn explained(&self, error: KustomizeError) -> KustomizeError {
        let KustomizeError::Client { message, .. } = &error else {
            return error;
        };
        let missing = self.missing.iter().find(|entry| message.contains(&entry.entry));
        missing.map_or(error, |entry| self.missing(entry))
    }

    /// What to do about an entry that is not there.
    pub(super) fn missing(&self, entry: &Entry) -> KustomizeError {
        KustomizeError::Function {
            place: self.file(&entry.folder),
            what: format!("{}: {} does not exist", entry.field, entry.entry),
            fix: FIX_MISSING.to_owned(),
        }
    }

    /// Refuses kustomizations, and files with configurations of functions, that a client may read otherwise.
    ///
    /// # Errors
    /// With the first of them.
    pub fn refuse_doubts(&self) -> Result<(), KustomizeError> {
        let refuse = |file: String, text: &str| match doubt(text) {
            None => Ok(()),
            Some(what) => Err(KustomizeError::Function {
                place: file,
                what: format!(
                    "it has {what}, which not every client reads alike, so which functions run is not certain"
                ),
                fix: "write it without; or, if you trust it, add `--enable-exec`".to_owned(),
            }),
        };
        for (folder, node) in &self.kustomizations {
            refuse(self.file(folder), &node.kustomization.text)?;
            let functions = node.roles.contains(&Role::Functions).then_some("resources");
            for field in Field::ALL.iter().map(|field| field.name()).chain(functions) {
                for entry in node.kustomization.entries(field) {
                    let text = match place(folder, entry, true) {
                        Place::Inline => entry.to_owned(),
                        Place::File(path) => kustomization::read(&path, folder, self.unrestricted).unwrap_or_default(),
                        _ => continue,
                    };
                    refuse(format!("{}: {field}: {entry:.40}", self.file(folder)), &text)?;
                }
            }
        }
        Ok(())
    }

    /// What is not there or elsewhere, as sentences.
    pub fn notes(&self) -> impl Iterator<Item = String> {
        let missing = self.missing.iter().map(|entry| {
            let (file, name) = (self.file(&entry.folder), &entry.entry);
            format!("{file}: {name} is no file or folder here. To fix: {FIX_MISSING}")
        });
        let remote = self.remote.iter().map(|entry| {
            let (file, name) = (self.file(&entry.folder), &entry.entry);
            format!("{file}: {name} is fetched by the client; whether it lists functions is not known")
        });
        missing.chain(remote)
    }

    /// Configurations of functions that stand among the resources, where they would be applied to the cluster.
    ///
    /// # Errors
    /// With the first of them.
    pub fn refuse_functions_as_resources(&self) -> Result<(), KustomizeError> {
        for (folder, node) in &self.kustomizations {
            if !node.roles.contains(&Role::Resources) {
                continue;
            }
            for (field, entry) in SOURCES
                .iter()
                .flat_map(|field| node.kustomization.entries(field).map(move |entry| (field, entry)))
            {
                let Place::File(path) = place(folder, entry, false) else {
                    continue;
                };
                // What cannot be read here, the client says.
                let Some(function) = kustomization::read(&path, folder, self.unrestricted)
                    .ok()
                    .and_then(function_in)
                else {
                    continue;
                };
                return Err(KustomizeError::Function {
                    place: self.file(folder),
                    what: format!(
                        "{field}: {entry} has {function}, the configuration of a function; as a resource it would be \
                         applied to the cluster, and the function would not run"
                    ),
                    fix: "list the file under `transformers` (or `validators`)".to_owned(),
                });
            }
        }
        Ok(())
    }
}

const FIX_MISSING: &str = "correct the path, or run `terraform apply` where Terraform writes the file";

/// The fields that lead on, whether an entry may be an object itself, and what the next one is read for.
fn fields(role: Role) -> impl Iterator<Item = (&'static str, bool, Role)> {
    let sources = SOURCES.iter().map(move |field| (*field, false, role));
    sources.chain(Field::ALL.iter().map(|field| (field.name(), true, Role::Functions)))
}

/// The first function's configuration that is meant for a cluster.
fn function_in(text: String) -> Option<String> {
    // Nearly no file has one: do not parse the others.
    if !text.contains("mlplat.dev/") && !text.contains("/function") {
        return None;
    }
    let stream = Stream::parse(text).ok()?;
    let is_function = |object: &krm_fn::Object<'_>| {
        let ours = is_ours(&object.api_version(), &object.kind());
        ours || matches!(way(*object), Way::Exec(_) | Way::Container { .. } | Way::Other)
    };
    stream
        .objects()
        .find(|object| is_function(object) && !object.is_local_config())
        .map(|object| object.to_string())
}

/// A path as seen from a folder.
pub(super) fn between(folder: &Path, path: &Path) -> String {
    let path = clean(path);
    let common = folder
        .components()
        .zip(path.components())
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder.components().skip(common).map(|_| "..".to_owned());
    let down = path
        .components()
        .skip(common)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}
