//! The reference of a configuration, made of the types that read it: their fields, defaults and doc comments. It is the
//! text of the types that is read, in the style in which this project writes them, so that a guide cannot lag behind.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A struct or enum that is read from YAML.
#[derive(Debug, Default)]
struct Type {
    /// With its module where it stands elsewhere: `selector::Spec`.
    name: String,
    is_enum: bool,
    /// Whether every field may be left out.
    defaults: bool,
    rename: String,
    entries: Vec<Entry>,
}

/// A field or variant.
#[derive(Debug, Default)]
struct Entry {
    name: String,
    /// As the type writes it; empty for a variant.
    kind: String,
    docs: String,
    /// `default` or `default = "…"` of serde, `#[default]` of a variant.
    default: Option<String>,
}

/// Checks that a guide has the reference of a configuration, as [`check_section`]. Each source has the module by which the
/// configuration names its types, empty for its own, and its path below `folder`.
///
/// # Panics
/// As [`check_section`].
pub fn check_reference(folder: &str, guide: &str, sources: &[(&str, &str)]) {
    let mut types = Vec::new();
    for (module, path) in sources {
        types.extend(types_of(&read(folder, path), module));
    }
    check_section(folder, guide, "reference", &reference(&types));
}

/// Checks that a section of a guide says what is expected, or writes it there with `UPDATE=1`. It stands between the lines
/// `<!-- begin NAME -->` and `<!-- end NAME -->`; the path begins at `folder`.
///
/// # Panics
/// When the guide says something else, or has no such section.
pub fn check_section(folder: &str, guide: &str, name: &str, expected: &str) {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let text = read(folder, guide);
    let (before, rest) = text
        .split_once(&begin)
        .unwrap_or_else(|| panic!("{guide} has no {begin}"));
    let (found, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{guide} has no {end}"));
    if found == expected {
        return;
    }
    assert!(
        super::update(),
        "{guide}: UPDATE=1 writes its section {name} anew:\n{expected}"
    );
    fs::write(
        Path::new(folder).join(guide),
        [before, &begin, expected, &end, after].concat(),
    )
    .unwrap_or_else(|error| panic!("{guide} cannot be written: {error}"));
}

fn read(folder: &str, path: &str) -> String {
    let path = Path::new(folder).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// The types of a source that serde reads.
fn types_of(source: &str, module: &str) -> Vec<Type> {
    let mut types: Vec<Type> = Vec::new();
    let (mut docs, mut attributes) = (String::new(), String::new());
    let mut inside = false;
    for line in source.lines() {
        let text = line.trim();
        if let Some(doc) = text.strip_prefix("///") {
            let _ = write!(docs, "{}{}", if docs.is_empty() { "" } else { " " }, doc.trim());
            continue;
        }
        if text.starts_with("#[") {
            attributes.push_str(text);
            continue;
        }
        let words = text.trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        let head = |word: &str| words.strip_prefix(word)?.strip_suffix(" {").map(str::to_owned);
        if inside && line == "}" {
            inside = false;
        } else if let (false, Some(name)) = (inside, head("struct ").or_else(|| head("enum "))) {
            inside = attributes.contains("Deserialize");
            if inside {
                types.push(Type {
                    name: if module.is_empty() {
                        name
                    } else {
                        format!("{module}::{name}")
                    },
                    is_enum: words.starts_with("enum "),
                    defaults: serde(&attributes, "default").is_some(),
                    rename: serde(&attributes, "rename_all").unwrap_or_default(),
                    entries: Vec::new(),
                });
            }
        } else if let Some(of) = types.last_mut().filter(|_| inside) {
            let (name, kind) = match text.trim_end_matches(',').split_once(": ") {
                Some((name, kind)) => (name, kind),
                None => (text.trim_end_matches(','), ""),
            };
            let name = name
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub ")
                .trim_start_matches("r#");
            if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                let renamed = serde(&attributes, "rename").unwrap_or_else(|| cased(name, &of.rename));
                let default = serde(&attributes, "default").map(|function| default_of(source, &function));
                let of_variant = attributes.contains("#[default]").then(String::new);
                of.entries.push(Entry {
                    name: renamed,
                    kind: kind.to_owned(),
                    docs: std::mem::take(&mut docs),
                    default: default.or(of_variant),
                });
            }
        }
        docs.clear();
        attributes.clear();
    }
    types
}

/// The value of an argument of `#[serde(…)]`; empty for one without a value.
fn serde(attributes: &str, argument: &str) -> Option<String> {
    let lists = attributes
        .split("#[serde(")
        .skip(1)
        .filter_map(|rest| rest.split_once(")]"));
    let arguments: Vec<&str> = lists.flat_map(|(list, _)| list.split(", ")).collect();
    arguments.into_iter().find_map(|one| match one.split_once(" = ") {
        Some((name, value)) if name == argument => Some(value.trim_matches('"').to_owned()),
        None if one == argument => Some(String::new()),
        _ => None,
    })
}

/// The text that a function of the source answers: `fn env() -> String { ".env".to_owned() }`.
fn default_of(source: &str, function: &str) -> String {
    let body = source
        .split_once(&format!("fn {function}() "))
        .map_or("", |(_, rest)| rest);
    match body.split('"').nth(1) {
        Some(text) if !function.is_empty() => text.to_owned(),
        _ => String::new(),
    }
}

fn cased(name: &str, rule: &str) -> String {
    let parts = name.split('_').map(str::to_owned);
    let capital = |part: String| match part.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => part,
    };
    match rule {
        "camelCase" => {
            let parts: Vec<String> = parts
                .enumerate()
                .map(|(at, part)| if at > 0 { capital(part) } else { part })
                .collect();
            parts.concat()
        }
        "kebab-case" => {
            let mut text = String::new();
            for (at, character) in name.chars().enumerate() {
                text.push_str(if at > 0 && character.is_uppercase() { "-" } else { "" });
                text.extend(character.to_lowercase());
            }
            text
        }
        "lowercase" => name.to_lowercase(),
        _ => name.to_owned(),
    }
}

/// A table of `spec`, and one of each mapping below it, in the order in which they come.
fn reference(types: &[Type]) -> String {
    let mut text = String::new();
    let mut todo = vec![("spec".to_owned(), "Config".to_owned())];
    let mut done: Vec<(String, String)> = Vec::new();
    while !todo.is_empty() {
        let (place, name) = todo.remove(0);
        let Some(of) = find(types, &name) else { continue };
        done.push((place.clone(), name));
        let _ = write!(
            text,
            "\n#### `{place}`\n\n| field | what it takes | default | |\n|---|---|---|---|\n"
        );
        for entry in &of.entries {
            let (words, inner, mark) = words(&entry.kind, types);
            let known = inner.as_ref().and_then(|name| find(types, name));
            let mut docs = entry.docs.clone();
            match (known, inner) {
                (Some(variants), _) if variants.is_enum => variants.explain(&mut docs),
                (Some(_), Some(name)) => {
                    let below = format!("{place}.{}{mark}", entry.name);
                    match done.iter().chain(&todo).find(|(_, other)| *other == name) {
                        Some((other, _)) => {
                            let _ = write!(docs, " The fields are those of `{other}`.");
                        }
                        None => todo.push((below, name)),
                    }
                }
                _ => {}
            }
            let default = of.default(entry, known);
            let _ = writeln!(
                text,
                "| `{}` | {words} | {default} | {} |",
                entry.name,
                docs.trim().replace('|', "\\|")
            );
        }
    }
    text
}

/// The type of that name, or the one of a module that calls it so itself.
fn find<'t>(types: &'t [Type], name: &str) -> Option<&'t Type> {
    let inside = |one: &&Type| one.name.rsplit_once("::").is_some_and(|(_, inside)| inside == name);
    types
        .iter()
        .find(|one| one.name == name)
        .or_else(|| types.iter().find(inside))
}

impl Type {
    /// Adds what the variants mean.
    fn explain(&self, docs: &mut String) {
        for variant in self.entries.iter().filter(|variant| !variant.docs.is_empty()) {
            let _ = write!(docs, " `{}`: {}", variant.name, variant.docs);
        }
    }

    /// What a field that is left out says; that one must be given.
    fn default(&self, entry: &Entry, known: Option<&Self>) -> String {
        if entry.kind.starts_with("Option<") {
            return String::new();
        }
        match &entry.default {
            Some(text) if !text.is_empty() => return format!("`{text}`"),
            None if !self.defaults => return "required".to_owned(),
            _ => {}
        }
        let first = known.and_then(|known| known.entries.iter().find(|variant| variant.default.is_some()));
        match (entry.kind.as_str(), first) {
            ("bool", _) => "`false`".to_owned(),
            (kind, _) if kind.starts_with("Vec<") => "`[]`".to_owned(),
            (kind, _) if kind.starts_with("BTreeMap<") => "`{}`".to_owned(),
            (_, Some(variant)) => format!("`{}`", variant.name),
            _ => String::new(),
        }
    }
}

/// A type in words, the type of what is in it, and what that adds to a path.
fn words(kind: &str, types: &[Type]) -> (String, Option<String>, &'static str) {
    let inside = |outer: &str| kind.strip_prefix(outer)?.strip_suffix('>');
    if let Some(inner) = inside("Option<") {
        return words(inner, types);
    }
    if let Some(inner) = inside("Vec<") {
        let (text, inner, _) = words(inner, types);
        return (format!("list of {text}"), inner, "[]");
    }
    if let Some((_, inner)) = inside("BTreeMap<").and_then(|inside| inside.split_once(", ")) {
        let (text, inner, _) = words(inner, types);
        return (format!("mapping of names to {text}"), inner, ".*");
    }
    let known = match kind {
        "bool" => "`true` or `false`",
        "i64" | "u32" | "u16" => "number",
        "Endpoints" => "the contract's `spec.endpoints`",
        "Profile" => "name of a profile",
        "Date" => "a day, such as `2027-01-31`",
        "RuleName" => "name of a rule",
        _ => "",
    };
    if !known.is_empty() {
        return (known.to_owned(), None, "");
    }
    let text = match find(types, kind) {
        Some(of) if of.is_enum => {
            let names: Vec<String> = of.entries.iter().map(|variant| format!("`{}`", variant.name)).collect();
            names.join(", ")
        }
        Some(_) => "mapping".to_owned(),
        None => "text".to_owned(),
    };
    (text, Some(kind.to_owned()), "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_defaults_and_documentation_are_read_from_the_types() {
        let types = types_of(
            "/// Not read.\nstruct Other {\n    field: bool,\n}\n\n/// What.\n#[derive(Debug, Deserialize)]\n\
             #[serde(rename_all = \"camelCase\", deny_unknown_fields)]\npub(crate) struct Config {\n    /// How\n    /// many.\n    \
             pub(crate) how_many: Option<u32>,\n    #[serde(default = \"env\")]\n    pub(crate) env: String,\n    /// Which.\n    \
             which: Vec<a::Item>,\n}\n\nfn env() -> String {\n    \".env\".to_owned()\n}\n",
            "",
        );
        let items = types_of(
            "#[derive(Deserialize)]\n#[serde(default)]\npub struct Item {\n    r#type: Kind,\n}\n",
            "a",
        );
        let kinds = types_of(
            "#[derive(Deserialize)]\n#[serde(rename_all = \"kebab-case\")]\nenum Kind {\n    /// One.\n    #[default]\n    \
             FirstOne,\n    Second,\n}\n",
            "",
        );
        let all: Vec<Type> = types.into_iter().chain(items).chain(kinds).collect();
        assert_eq!(
            reference(&all),
            "\n#### `spec`\n\n| field | what it takes | default | |\n|---|---|---|---|\n\
             | `howMany` | number |  | How many. |\n| `env` | text | `.env` |  |\n\
             | `which` | list of mapping | required | Which. |\n\
             \n#### `spec.which[]`\n\n| field | what it takes | default | |\n|---|---|---|---|\n\
             | `type` | `first-one`, `second` | `first-one` | `first-one`: One. |\n"
        );
    }
}
