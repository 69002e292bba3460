//! One kustomization, read as leniently as kustomize reads it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::KustomizeError;
use super::remote::is_remote;

/// The names under which kustomize looks for a kustomization.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The largest file that is read, in bytes. Functions take as much.
const LIMIT: u64 = 1 << 30;

/// A kustomization.
#[derive(Debug)]
pub(super) struct Kustomization {
    /// Its file.
    pub(super) file: PathBuf,
    /// The file's text.
    pub(super) text: String,
    /// Its fields, the names in lower case: kustomize takes `Transformers` for `transformers`.
    fields: Vec<(String, Value)>,
}

/// What an entry of a list is to kustomize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A function's configuration, written into the list itself.
    Inline,
    /// A file.
    File(PathBuf),
    /// A folder, without symbolic links.
    Folder(PathBuf),
    /// A URL.
    Remote,
    /// A device or a pipe, which may never end.
    Other,
    /// Nothing.
    Missing,
}

impl Kustomization {
    /// Reads the one of a folder; `unrestricted` allows files elsewhere, by symbolic links.
    pub(super) fn read(folder: &Path, unrestricted: bool) -> Result<Self, KustomizeError> {
        let file = NAMES
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.is_file())
            .ok_or_else(|| KustomizeError::NoKustomization(folder.to_owned()))?;
        let text = read(&file, folder, unrestricted).map_err(KustomizeError::file(&file))?;
        let fields = match value(&text) {
            Ok(Value::Object(fields)) => fields.into_iter().map(|(name, value)| (folded(&name), value)).collect(),
            // The client says that this is no kustomization.
            Ok(_) => Vec::new(),
            Err(message) => return Err(KustomizeError::Syntax { path: file, message }),
        };
        Ok(Self { file, text, fields })
    }

    /// The name of its file.
    pub(super) fn name(&self) -> &Path {
        self.file.file_name().map_or(&*self.file, Path::new)
    }

    /// The entries of a list of texts; a list that is there several times counts each time.
    pub(super) fn entries<'a>(&'a self, field: &str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(name, _)| name == field)
            .filter_map(|(_, value)| value.as_array())
            .flatten()
            .filter_map(Value::as_str)
    }

    /// Every text in it, but for those in these fields.
    pub(super) fn strings_beside(&self, fields: &[&str]) -> Vec<&str> {
        let mut found = Vec::new();
        for (_, value) in self.fields.iter().filter(|(name, _)| !fields.contains(&name.as_str())) {
            strings(value, &mut found);
        }
        found
    }

    /// Whether it has no other fields than these.
    pub(super) fn has_only(&self, names: &[&str]) -> bool {
        self.fields.iter().all(|(name, _)| names.contains(&name.as_str()))
    }

    /// The text at the end of a path of keys.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        let (_, value) = self.fields.iter().find(|(name, _)| name == first)?;
        rest.iter().try_fold(value, |value, key| value.get(key))?.as_str()
    }
}

/// What an entry is. kustomize takes a text that reads as an object for one, then a file, a URL, and a folder.
pub(super) fn place(folder: &Path, entry: &str, may_be_inline: bool) -> Place {
    if may_be_inline && is_object(entry) {
        return Place::Inline;
    }
    let path = clean(&folder.join(entry));
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_file() => Place::File(path),
        _ if is_remote(entry) => Place::Remote,
        Ok(metadata) if metadata.is_dir() => path.canonicalize().map_or(Place::Missing, Place::Folder),
        Ok(_) => Place::Other,
        Err(_) => Place::Missing,
    }
}

fn is_object(text: &str) -> bool {
    // A path with these is possible, and then no mapping.
    let may_be = text.contains('\n') || text.contains(": ") || text.contains('{');
    may_be && value(text).is_ok_and(|value| value.is_object())
}

/// The text of a file that a kustomization in `root` may name. An empty file is not read: some in `/proc` never end.
pub(super) fn read(file: &Path, root: &Path, unrestricted: bool) -> io::Result<String> {
    let real = file.canonicalize()?;
    if !unrestricted && !real.starts_with(root) {
        let message = format!("it is {}, which is not in or below {}", real.display(), root.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, message));
    }
    let metadata = real.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    if metadata.len() == 0 {
        return Ok(String::new());
    }
    let mut text = String::new();
    File::open(&real)?.take(LIMIT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB"));
    }
    Ok(text)
}

/// The first document of a text, as kustomize reads it: of keys that are there twice the last one counts.
pub(super) fn value(text: &str) -> Result<Value, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        budget: serde_saphyr::budget! {
            max_events: 10_000_000,
            max_nodes: 10_000_000,
        },
    };
    let documents: Vec<Value> =
        serde_saphyr::from_multiple_with_options(text, options).map_err(|error| error.to_string())?;
    Ok(documents.into_iter().next().unwrap_or_default())
}

/// A key as Go's JSON compares it.
fn folded(name: &str) -> String {
    name.chars()
        .flat_map(|letter| {
            match letter {
                '\u{17F}' => 's',
                '\u{212A}' => 'k',
                other => other,
            }
            .to_lowercase()
        })
        .collect()
}

/// Every text in a value, in order.
pub(super) fn strings<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| strings(field, found)),
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_by_name() {
        assert_eq!(clean(Path::new("/a/b/../../c/./d")), Path::new("/c/d"));
    }

    #[test]
    fn keys_are_compared_as_kustomize_compares_them() {
        let folder = tempfile::tempdir().unwrap();
        let text = "Tran\u{17F}formers: [a]\nTRANSFORMERS: [b]\ntransformers: [c]\ntransformers: [d]\n---\ntransformers: [e]\n";
        fs::write(folder.path().join("Kustomization"), text).unwrap();
        let read = Kustomization::read(&folder.path().canonicalize().unwrap(), false).unwrap();
        let mut entries: Vec<&str> = read.entries("transformers").collect();
        entries.sort_unstable();
        assert_eq!(entries, ["a", "b", "d"]);
    }

    #[test]
    fn an_object_in_one_line_is_inline_and_a_path_is_not() {
        assert_eq!(place(Path::new("/"), r#"{"kind": "A"}"#, true), Place::Inline);
        assert_eq!(place(Path::new("/"), "kind: A", true), Place::Inline);
        assert_eq!(place(Path::new("/"), "nowhere/a b.yaml", true), Place::Missing);
        assert_eq!(
            place(Path::new("/"), "https://example.test/a?ref=v1", true),
            Place::Remote
        );
    }
}
