//! A kustomization and all that it names, copied into a folder of its own (mode 0700; it may hold Secrets), so that a build
//! can be taken apart without touching a file of the user.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::KustomizeError;

/// The names under which kustomize looks for a kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The fields that may name folders with kustomizations.
const FOLDERS: [&str; 6] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
];

/// What gives names to objects that others may still refer to by the old ones.
const RENAMES: [&str; 2] = ["namePrefix", "nameSuffix"];

/// What a client would act on too early, and what it is called meanwhile. The lengths are equal: nothing is wrapped anew.
pub(super) const HELD: [(&str, &str); 2] = [
    ("config.kubernetes.io/local-config", "held.by.mlplat.dev/is-localconfig"),
    (
        "internal.config.kubernetes.io/needsHashSuffix",
        "held.by.mlplat.dev.until.the.end/needs-a-hash",
    ),
];

/// A copy of a kustomization, of those below it, and of the files that they name.
#[derive(Debug)]
pub struct Tree {
    copy: TempDir,
    /// The copy's folder, without links: kustomize compares paths.
    top: PathBuf,
    /// The kustomization that was asked for, and how.
    pub(super) root: PathBuf,
    asked: PathBuf,
    /// Every kustomization by its folder in the user's tree, as it is to be built in steps.
    pub(super) kustomizations: BTreeMap<PathBuf, Value>,
    /// What is elsewhere (URLs): a client fetches it, and nobody here knows whether it lists functions.
    pub remote: Vec<String>,
}

impl Tree {
    /// Copies.
    ///
    /// # Errors
    /// When there is no kustomization, or a file cannot be read.
    pub fn copy(folder: &Path) -> Result<Self, KustomizeError> {
        let root = folder
            .canonicalize()
            .map_err(|_| KustomizeError::NoKustomization(folder.to_owned()))?;
        let copy = tempfile::Builder::new()
            .prefix("mlplat-render-")
            .tempdir()
            .map_err(KustomizeError::file(std::env::temp_dir()))?;
        let top = copy.path().canonicalize().map_err(KustomizeError::file(copy.path()))?;
        let mut tree = Self {
            copy,
            top,
            root: root.clone(),
            asked: folder.to_owned(),
            kustomizations: BTreeMap::new(),
            remote: Vec::new(),
        };
        tree.add(&root)?;
        Ok(tree)
    }

    /// Whether some level puts something before or after names.
    pub(super) fn renames(&self) -> bool {
        let renames = |one: &Value| RENAMES.iter().any(|field| one.get(field).is_some());
        self.kustomizations.values().any(renames)
    }

    /// Leaves all names as they are, on every level.
    pub(super) fn without_renames(mut self) -> Result<Self, KustomizeError> {
        for kustomization in self.kustomizations.values_mut().filter_map(Value::as_object_mut) {
            for field in RENAMES {
                kustomization.remove(field);
            }
        }
        for (folder, kustomization) in &self.kustomizations {
            self.write(folder, kustomization)?;
        }
        Ok(self)
    }

    /// Where a folder or file of the user lies in the copy.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        debug_assert!(self.copy.path().exists());
        self.top.join(path.strip_prefix("/").unwrap_or(path))
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

    /// A client's message, with the user's own paths.
    pub(super) fn in_users_words(&self, message: &str) -> String {
        message.replace(&*self.top.to_string_lossy(), "")
    }

    /// Writes a kustomization of the copy anew.
    pub(super) fn write(&self, folder: &Path, kustomization: &Value) -> Result<(), KustomizeError> {
        self.write_file(&folder.join(NAMES[0]), kustomization.to_string().as_bytes())
    }

    /// Writes a file of the copy.
    pub(super) fn write_file(&self, path: &Path, content: &[u8]) -> Result<(), KustomizeError> {
        let to = self.place(path);
        let above = to.parent().unwrap_or(&to);
        fs::create_dir_all(above).map_err(KustomizeError::file(above))?;
        fs::write(&to, content).map_err(KustomizeError::file(&to))
    }

    fn add(&mut self, folder: &Path) -> Result<(), KustomizeError> {
        if self.kustomizations.contains_key(folder) {
            return Ok(());
        }
        let mut kustomization = read(folder)?;
        hold_names(&mut kustomization);
        let mut named = Vec::new();
        strings(&kustomization, &mut named);
        for name in named {
            // `key=path`, as generators name files.
            let after = name.split_once('=').map(|(_, path)| path);
            for name in std::iter::once(name).chain(after) {
                let path = clean(&folder.join(name));
                if path.is_file() {
                    let content = fs::read(&path).map_err(KustomizeError::file(&path))?;
                    self.write_file(&path, &held(content))?;
                }
            }
        }
        self.write(folder, &kustomization)?;
        self.kustomizations.insert(folder.to_owned(), kustomization.clone());
        for name in FOLDERS.iter().flat_map(|field| entries(&kustomization, field)) {
            let path = clean(&folder.join(name));
            if path.is_dir() {
                self.add(&path)?;
            } else if !path.is_file() && !name.contains('\n') {
                self.remote.push(name.to_owned());
            }
        }
        Ok(())
    }
}

/// The entries of a list of texts.
pub(super) fn entries<'a>(kustomization: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    kustomization
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// Puts names of our own in the place of those that a client would act on.
pub(super) fn hold(text: &str) -> String {
    HELD.iter()
        .fold(text.to_owned(), |text, (real, held)| text.replace(real, held))
}

/// Takes back what [`hold`] did.
pub(super) fn release(text: &str) -> String {
    HELD.iter()
        .fold(text.to_owned(), |text, (real, held)| text.replace(held, real))
}

/// `.` and `..` resolved by name, as kustomize joins paths.
pub(super) fn clean(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, component| {
        match component {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
        clean
    })
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

fn read(folder: &Path) -> Result<Value, KustomizeError> {
    let path = NAMES
        .iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| KustomizeError::NoKustomization(folder.to_owned()))?;
    let text = fs::read_to_string(&path).map_err(KustomizeError::file(&path))?;
    let value: Value = serde_saphyr::from_str(&hold(&text)).map_err(|error| KustomizeError::Syntax {
        path: path.clone(),
        message: error.to_string(),
    })?;
    if value.is_object() {
        Ok(value)
    } else {
        let message = "a kustomization is a mapping".to_owned();
        Err(KustomizeError::Syntax { path, message })
    }
}

fn held(content: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(content) {
        Ok(text) => hold(&text).into_bytes(),
        Err(other) => other.into_bytes(),
    }
}

/// Lets no generator put a hash to a name yet; the annotation that kustomize itself would set says that it is to be done.
fn hold_names(kustomization: &mut Value) {
    let is_off =
        |options: Option<&Value>| options.and_then(|it| it.get("disableNameSuffixHash")) == Some(&Value::Bool(true));
    let off_for_all = is_off(kustomization.get("generatorOptions"));
    for field in ["configMapGenerator", "secretGenerator"] {
        let generators = kustomization.get_mut(field).and_then(Value::as_array_mut);
        for generator in generators.into_iter().flatten().filter_map(Value::as_object_mut) {
            if off_for_all || is_off(generator.get("options")) {
                continue;
            }
            let options = generator.entry("options").or_insert_with(|| json!({}));
            if !options.is_object() {
                *options = json!({});
            }
            options["disableNameSuffixHash"] = Value::Bool(true);
            if !options["annotations"].is_object() {
                options["annotations"] = json!({});
            }
            options["annotations"][HELD[1].1] = "enabled".into();
        }
    }
}

fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if !text.is_empty() && !text.contains('\n') => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_names_are_as_long_as_those_whose_place_they_take() {
        for (real, held) in HELD {
            assert_eq!(real.len(), held.len(), "{real}");
        }
        let text = "a: {config.kubernetes.io/local-config: \"true\"}";
        assert_eq!(release(&hold(text)), text);
    }

    #[test]
    fn only_generators_with_hashes_are_held() {
        let mut kustomization = json!({
            "configMapGenerator": [{"name": "a"}, {"name": "b", "options": {"disableNameSuffixHash": true}}],
        });
        hold_names(&mut kustomization);
        let generators = &kustomization["configMapGenerator"];
        assert_eq!(generators[0]["options"]["annotations"][HELD[1].1], "enabled");
        assert_eq!(generators[1]["options"].get("annotations"), None);
    }

    #[test]
    fn paths_are_joined_by_name() {
        assert_eq!(clean(Path::new("/a/b/../../c/./d")), Path::new("/c/d"));
    }
}
