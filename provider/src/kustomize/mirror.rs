//! A private copy of the kustomizations that lead to functions, for clients that run no function by `exec`. In the copy
//! these functions have another annotation, which makes them legacy plugins, and every plugin is mlplat.
//!
//! The rest of the tree is linked. Files are copied, not linked, where a kustomization may name them: the client's own load
//! restrictor looks at real paths. What it would refuse is linked, and it refuses that.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use krm_fn::{Object, Stream};

use super::client::Build;
use super::environment::Needs;
use super::kustomization::{clean, read, strings, value};
use super::plugin::{self, Ran};
use super::render::Builder;
use super::tree::Node;
use super::uses::{ANNOTATIONS, way};
use super::{Field, KustomizeError, Rendered, Tree, Use, Way, plugins};

/// What the annotation is called in the copy.
pub(super) const RENAMED: &str = "render.mlplat.dev/function";
/// The copy of the root of the file system, in the private folder.
const TREE: &str = "tree";

/// The copy.
pub(super) struct Mirror {
    /// The private folder.
    private: PathBuf,
    /// Where `/` of the user is.
    top: PathBuf,
}

/// What is made in the copy.
#[derive(PartialEq, Eq)]
enum Item {
    File(String),
    Bytes(Vec<u8>),
    Link(PathBuf),
}

impl Mirror {
    /// Makes it.
    pub(super) fn make(builder: &Builder<'_>, tree: &Tree, uses: &[Use]) -> Result<Self, KustomizeError> {
        let private = builder.session.folder()?.join("copy");
        // One render may need several: folders of functions can list functions themselves.
        let at = (0..).map(|at| private.join(at.to_string())).find(|path| !path.exists());
        let private = at.expect("numbers do not end");
        let mirror = Self {
            top: private.join(TREE),
            private,
        };
        let plan = Plan::of(&mirror.top, tree, uses, builder.client.helm)?;
        mirror.write(plan)?;
        plugins::home(
            &mirror.private.join(plugin::HOME),
            uses.iter().filter(|one| matches!(one.way, Way::Exec(_) | Way::Plugin)),
            |_| Some(builder.config.program.clone()),
        )?;
        plugins::home(
            &mirror.private.join(plugin::INSTALLED),
            uses.iter().filter(|one| one.way == Way::Plugin),
            |one| plugins::find(one, builder.config).ok(),
        )?;
        fs::create_dir_all(mirror.private.join("tmp")).map_err(KustomizeError::file(&mirror.private))?;
        Ok(mirror)
    }

    fn write(&self, plan: Plan<'_>) -> Result<(), KustomizeError> {
        for (path, item) in plan.items {
            let to = self.place(&path);
            let make = || {
                fs::create_dir_all(to.parent().unwrap_or(&to))?;
                match &item {
                    Item::File(text) => fs::write(&to, text),
                    Item::Bytes(bytes) => fs::write(&to, bytes),
                    Item::Link(target) => symlink(target, &to),
                }
            };
            make().map_err(KustomizeError::file(&to))?;
        }
        Ok(())
    }

    fn place(&self, path: &Path) -> PathBuf {
        below(&self.top, path)
    }

    /// Builds it, and sees to it that every function has run.
    pub(super) fn build(
        &self,
        builder: &Builder<'_>,
        tree: &Tree,
        uses: &[Use],
        needs: Needs,
    ) -> Result<Rendered, KustomizeError> {
        let mut set = vec![
            ("KUSTOMIZE_PLUGIN_HOME", self.private.join(plugin::HOME)),
            (plugin::VARIABLE, self.private.clone()),
        ];
        if builder.exec {
            set.push((plugin::CONSENT, "1".into()));
        }
        if !needs.network {
            // What a client that is killed leaves goes with the folder; clones of repositories may be too large for it.
            set.push(("TMPDIR", self.private.join("tmp")));
        }
        let build = Build {
            folder: &self.place(&tree.root),
            flags: &["--enable-alpha-plugins"],
            needs,
            set,
        };
        let users_words = |text: &str| {
            text.replace(&*self.top.to_string_lossy(), "")
                .replace(RENAMED, ANNOTATIONS[0])
        };
        let built = builder.client.build(&build, builder.session, builder.config);
        let mut rendered = built.map_err(|not_built| match not_built.of(builder.client, &tree.root) {
            KustomizeError::Client {
                client,
                folder,
                message,
            } => KustomizeError::Client {
                client,
                folder,
                message: users_words(&message),
            },
            other => other,
        })?;
        let ran = Ran::read(&self.private)?;
        if let Some(one) = uses.iter().find(|one| matches!(one.way, Way::Exec(_)) && !ran.has(one)) {
            return Err(only_kustomize(
                one.to_string(),
                "the client does not run it as a plugin",
            ));
        }
        let leaks = [RENAMED, &*self.top.to_string_lossy()];
        if leaks.iter().any(|leak| rendered.documents.contains(leak)) {
            let what = "the output has the annotation or the path of a function's configuration in it";
            return Err(only_kustomize(tree.file(&tree.root), what));
        }
        rendered.warnings = users_words(&rendered.warnings) + &ran.said;
        Ok(rendered)
    }
}

fn only_kustomize(place: String, what: &str) -> KustomizeError {
    KustomizeError::Function {
        place,
        what: what.to_owned(),
        fix: "build with kustomize (`--client kustomize`); with URLs or functions that kustomizations put together also add \
              `--enable-exec`"
            .to_owned(),
    }
}

fn below(top: &Path, path: &Path) -> PathBuf {
    top.join(path.strip_prefix("/").unwrap_or(path))
}

/// The files that texts of a kustomization may name, some as `key=path`.
fn candidates<'a>(texts: &[&'a str], folder: &Path) -> impl Iterator<Item = (&'a str, PathBuf)> {
    texts
        .iter()
        .flat_map(|text| std::iter::once(*text).chain(text.split_once('=').map(|(_, path)| path)))
        .filter(|name| !name.is_empty() && name.len() <= 4096 && !name.contains('\n'))
        .map(move |name| (name, clean(&folder.join(name))))
        .filter(|(_, path)| path.is_file())
}

/// What is made, by the user's paths.
struct Plan<'a> {
    top: &'a Path,
    tree: &'a Tree,
    uses: &'a [Use],
    /// The kustomizations that are copied, and those of them whose files configure functions.
    copied: BTreeSet<PathBuf>,
    functions: BTreeSet<PathBuf>,
    items: BTreeMap<PathBuf, Item>,
}

impl<'a> Plan<'a> {
    fn of(top: &'a Path, tree: &'a Tree, uses: &'a [Use], helm: bool) -> Result<Self, KustomizeError> {
        let (copied, functions) = copied(tree, uses);
        let mut plan = Self {
            top,
            tree,
            uses,
            copied,
            functions,
            items: BTreeMap::new(),
        };
        for folder in plan.copied.clone() {
            plan.kustomization(&folder, &tree.kustomizations[&folder])?;
            if helm {
                let home = tree.kustomizations[&folder]
                    .kustomization
                    .text_at(&["helmglobals", "chartHome"]);
                plan.folder(&folder.join(home.unwrap_or("charts")), &folder)?;
            }
        }
        plan.check()?;
        Ok(plan)
    }

    fn kustomization(&mut self, folder: &Path, node: &Node) -> Result<(), KustomizeError> {
        for (entry, child) in &node.children {
            let path = clean(&folder.join(entry));
            if !self.copied.contains(child) {
                self.add(path, Item::Link(child.clone()))?;
            } else if path != *child {
                self.add(path, Item::Link(below(self.top, child)))?;
            }
        }
        let configs: Vec<&Use> = self.uses.iter().filter(|one| one.folder == folder).collect();
        let values: Vec<_> = configs.iter().filter_map(|one| value(&one.config).ok()).collect();
        let lists = Field::ALL.map(Field::name);
        let beside = node.kustomization.strings_beside(&lists);
        if let Some(file) = candidates(&beside, folder)
            .map(|(_, path)| path)
            .find(|path| !self.functions.contains(folder) && self.configures(path, folder))
        {
            let what = "a file is both a function's configuration and something else";
            return Err(only_kustomize(file.display().to_string(), what));
        }
        let mut named = node.kustomization.strings_beside(&[]);
        for value in &values {
            strings(value, &mut named);
        }
        // Mounts of containers stand in a text of their own.
        let inner: Vec<_> = named
            .iter()
            .filter(|text| text.contains('\n') || text.contains(": "))
            .filter_map(|text| value(text).ok())
            .collect();
        for value in &inner {
            strings(value, &mut named);
        }
        let mut text = node.kustomization.text.clone();
        if configs
            .iter()
            .any(|one| one.entry == "inline" && matches!(one.way, Way::Exec(_)))
        {
            if configs
                .iter()
                .any(|one| one.entry == "inline" && matches!(one.way, Way::Container { .. }))
            {
                let what = "functions by `exec` and containers are both written into the kustomization";
                return Err(only_kustomize(self.tree.file(folder), what));
            }
            text = renamed_everywhere(&text);
        } else if self.functions.contains(folder) {
            text = renamed_everywhere(&text);
        }
        for (name, path) in candidates(&named, folder) {
            if Path::new(name).is_absolute() {
                if !path.starts_with(folder) {
                    continue;
                }
                text = text.replace(name, &below(self.top, Path::new(name)).to_string_lossy());
            }
            self.file(&path, folder)?;
        }
        self.add(node.kustomization.file.clone(), Item::File(text))
    }

    /// A file that a kustomization may name.
    fn file(&mut self, path: &Path, root: &Path) -> Result<(), KustomizeError> {
        if self.items.contains_key(path) {
            return Ok(());
        }
        let real = path.canonicalize().map_err(KustomizeError::file(path))?;
        let item = if !real.starts_with(root) {
            Item::Link(real)
        } else if self.configures(path, root) {
            // Not every file beside functions' configurations is text.
            match read(path, root, self.tree.unrestricted) {
                Ok(text) => Item::File(renamed(&text)),
                Err(_) => Item::Bytes(fs::read(path).map_err(KustomizeError::file(path))?),
            }
        } else {
            Item::Bytes(fs::read(path).map_err(KustomizeError::file(path))?)
        };
        self.add(path.to_owned(), item)
    }

    /// Whether a file holds the configuration of a function that the client does not run.
    fn configures(&self, path: &Path, root: &Path) -> bool {
        let lists =
            |one: &Use| one.folder == root && matches!(one.way, Way::Exec(_)) && clean(&root.join(&one.entry)) == path;
        self.functions.contains(root) || self.uses.iter().any(lists)
    }

    /// All files of a folder.
    fn folder(&mut self, folder: &Path, root: &Path) -> Result<(), KustomizeError> {
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop().filter(|folder| folder.is_dir()) {
            for entry in fs::read_dir(&folder).map_err(KustomizeError::file(&folder))? {
                let entry = entry.map_err(KustomizeError::file(&folder))?;
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(_) if entry.path().is_file() => self.file(&entry.path(), root)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, path: PathBuf, item: Item) -> Result<(), KustomizeError> {
        match self.items.get(&path) {
            Some(there) if *there != item => {
                let what = "a file is both a function's configuration and something else";
                Err(only_kustomize(path.display().to_string(), what))
            }
            Some(_) => Ok(()),
            None => {
                self.items.insert(path, item);
                Ok(())
            }
        }
    }

    /// Nothing may be written through a link, into the user's own tree.
    fn check(&self) -> Result<(), KustomizeError> {
        let links = self.items.iter().filter(|(_, item)| matches!(item, Item::Link(_)));
        for (link, _) in links {
            if self.items.keys().any(|path| path != link && path.starts_with(link)) {
                let what = "it is reached through a symbolic link and without it";
                return Err(only_kustomize(link.display().to_string(), what));
            }
        }
        Ok(())
    }
}

/// The kustomizations that must be copied, and those of them whose files configure functions.
fn copied(tree: &Tree, uses: &[Use]) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let by_exec = || uses.iter().filter(|one| matches!(one.way, Way::Exec(_)));
    let mut functions = BTreeSet::new();
    let mut next: Vec<PathBuf> = by_exec().filter_map(|one| one.from.clone()).collect();
    while let Some(folder) = next.pop() {
        if let Some(node) = tree.kustomizations.get(&folder)
            && functions.insert(folder)
        {
            next.extend(node.children.iter().map(|(_, child)| child.clone()));
        }
    }
    let mut copied: BTreeSet<PathBuf> = by_exec().map(|one| one.folder.clone()).collect();
    copied.extend(functions.iter().cloned());
    loop {
        let leads = |(folder, node): &(&PathBuf, &Node)| {
            let to_one = node.children.iter().any(|(_, child)| copied.contains(child));
            // What is linked can have nothing of the copy below it.
            let above_one = copied
                .range((*folder).clone()..)
                .take_while(|one| one.starts_with(folder))
                .next();
            !copied.contains(*folder) && (to_one || above_one.is_some())
        };
        let more: Vec<PathBuf> = tree
            .kustomizations
            .iter()
            .filter(leads)
            .map(|(folder, _)| folder.clone())
            .collect();
        if more.is_empty() {
            return (copied, functions);
        }
        copied.extend(more);
    }
}

/// Functions by `exec` under the copy's annotation; other objects as they are.
fn renamed(text: &str) -> String {
    let Ok(stream) = Stream::parse(text.to_owned()) else {
        return renamed_everywhere(text);
    };
    let mut made = String::with_capacity(text.len());
    let mut rest = 0;
    for object in stream.objects().filter(|object| is_renamed(*object)) {
        let source = object.root().source();
        let Some(at) = stream.text()[rest..].find(source) else {
            continue;
        };
        made.push_str(&stream.text()[rest..rest + at]);
        made.push_str(&renamed_everywhere(source));
        rest += at + source.len();
    }
    made.push_str(&stream.text()[rest..]);
    made
}

/// A function by `exec`; or a patch that takes the annotation away.
fn is_renamed(object: Object<'_>) -> bool {
    match way(object) {
        Way::Exec(_) => true,
        Way::Plugin => ANNOTATIONS.iter().any(|name| object.root().source().contains(name)),
        _ => false,
    }
}

fn renamed_everywhere(text: &str) -> String {
    ANNOTATIONS.iter().fold(text.to_owned(), |text, name| {
        // In a JSON pointer `/` is written `~1`.
        let pointer = |name: &str| name.replace('/', "~1");
        text.replace(&pointer(name), &pointer(RENAMED)).replace(name, RENAMED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_functions_by_exec_are_renamed() {
        let function = |way: &str| {
            format!("kind: A\nmetadata:\n  annotations:\n    config.kubernetes.io/function: |\n      {way}\n")
        };
        let text = [
            function("exec: {path: a}"),
            function("container: {image: a}"),
            function("exec: {path: b}"),
        ]
        .join("---\n");
        let made = renamed(&text);
        assert_eq!(made.matches(RENAMED).count(), 2);
        assert_eq!(made.replace(RENAMED, ANNOTATIONS[0]), text);
        assert!(made.contains(&function("container: {image: a}")));
    }
}
