//! What validate-parity needs to tell what mlplat's functions have made for an environment from what an overlay has: the
//! objects as they are without these functions, the policies as generate-network-policies has answered them, and the contract.
//!
//! The kustomization is rendered a second time with stand-ins for our functions, which come first in PATH and answer what
//! they are given. Nothing of the tree changes. A function that is found elsewhere (a path, a plugin's folder, a container)
//! runs in both renderings, so that what it does is compared.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use krm_fn::Stream;
use tempfile::TempDir;
use validate_parity::{Stage, mark};

use super::client::is_program;
use super::{Builder, KustomizeError, Rendered, render};
use crate::config::Config;

/// What keeps an object out of a rendering.
const LOCAL: &str = "config.kubernetes.io/local-config";

/// The documents that [`render`](super::render) gives and after them, for tools only, the contract, every object as it is
/// before the functions that set what belongs to the environment, and the policies as their function has made them. Where
/// the objects cannot be built without these functions, the documents alone.
///
/// # Errors
/// As [`render`](super::render).
pub fn render_for_parity(folder: &Path, builder: &Builder<'_>) -> Result<Rendered, KustomizeError> {
    let above = builder.session.folder()?;
    let private = tempfile::Builder::new()
        .prefix("parity-")
        .tempdir_in(above)
        .map_err(KustomizeError::file(above))?;
    let stand_ins = StandIns::new(&private, builder.config);
    let with = |config: &Config| render(folder, &Builder { config, ..*builder });
    let mut rendered = with(&stand_ins.for_policies()?)?;
    // Its warnings have been told by the first rendering.
    let before = with(&stand_ins.for_before()?);
    let Some(before) = before.ok().and_then(|before| stand_ins.released(&before.documents)) else {
        return Ok(rendered);
    };
    for (stream, stage) in [(Some(before), Stage::Before), (stand_ins.policies(), Stage::Made)] {
        let marked = stream.and_then(|stream| mark(&stream, stage).ok());
        if let Some(marked) = marked.filter(|text| !text.trim().is_empty()) {
            rendered.documents.push_str("---\n");
            rendered.documents.push_str(&marked);
        }
    }
    Ok(rendered)
}

/// Programs that stand in for our functions.
struct StandIns<'a> {
    folder: &'a Path,
    config: &'a Config,
    /// Takes the place of [`LOCAL`] while an object must stay in the rendering; no text of the tree can know it.
    held: String,
}

impl<'a> StandIns<'a> {
    fn new(private: &'a TempDir, config: &'a Config) -> Self {
        let folder = private.path();
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let random: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        Self {
            folder,
            config,
            held: format!("provenance.mlplat.dev/{random}"),
        }
    }

    /// generate-network-policies as it is; what it answers stays in a file besides.
    fn for_policies(&self) -> Result<Config, KustomizeError> {
        let mut scripts = Vec::new();
        if let Some(real) = self.find("generate-network-policies") {
            let answers = quoted(&self.folder.join("answer"));
            scripts.push((
                "generate-network-policies",
                format!(
                    "{} \"$@\" > {answers}.$$; code=$?; cat {answers}.$$; exit $code",
                    quoted(&real)
                ),
            ));
        }
        self.write("policies", &scripts)
    }

    /// What sets the environment answers its input, and what checks it succeeds; the contract is kept.
    fn for_before(&self) -> Result<Config, KustomizeError> {
        let keep = format!("sed 's|{LOCAL}|{}|g'", self.held);
        let input = quoted(&self.folder.join("input"));
        let checked = format!(
            "cat > {input}.$$\nif grep -q '^ *output: *\"\\{{0,1\\}}None' {input}.$$ \"$@\"; then\n  [ $# -gt 0 ] || printf \
             'apiVersion: config.kubernetes.io/v1\\nkind: ResourceList\\nitems: []\\n'\nelse\n  cat {input}.$$\nfi"
        );
        let mut scripts = vec![
            ("set-environment", format!("exec {keep}")),
            ("generate-network-policies", format!("exec {keep}")),
            ("validate-practices", checked.clone()),
            ("validate-parity", checked),
        ];
        if let Some(real) = self.find("inject-endpoints") {
            let script = format!("{} \"$@\" > {input}.$$ || exit $?\n{keep} {input}.$$", quoted(&real));
            scripts.push(("inject-endpoints", script));
        }
        self.write("before", &scripts)
    }

    /// A configuration with these programs before all others.
    fn write(&self, name: &str, scripts: &[(&str, String)]) -> Result<Config, KustomizeError> {
        let folder = self.folder.join(name);
        fs::create_dir(&folder).map_err(KustomizeError::file(&folder))?;
        for (name, script) in scripts {
            let path = folder.join(name);
            let written = fs::write(&path, format!("#!/bin/sh\n{script}\n"))
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o700)));
            written.map_err(KustomizeError::file(&path))?;
        }
        let mut config = self.config.clone();
        config.path.insert(0, folder);
        Ok(config)
    }

    /// The function itself: in PATH, or beside mlplat.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let beside = self.config.program.parent();
        let folders = self.config.path.iter().map(PathBuf::as_path).chain(beside);
        folders.map(|folder| folder.join(name)).find(|path| is_program(path))
    }

    /// What was rendered with stand-ins, with the annotation as it was.
    fn released(&self, text: &str) -> Option<Stream> {
        Stream::parse(text.replace(&self.held, LOCAL)).ok()
    }

    /// The policies that the function has answered.
    fn policies(&self) -> Option<Stream> {
        let mut all = String::new();
        for entry in fs::read_dir(self.folder).ok()?.filter_map(Result::ok) {
            if !entry.file_name().to_string_lossy().starts_with("answer.") {
                continue;
            }
            let stream = Stream::parse(fs::read_to_string(entry.path()).ok()?).ok()?;
            let made = stream.objects().filter(|object| {
                let by = object.annotation("mlplat.dev/made-by");
                object.kind() == "NetworkPolicy" && by.is_some_and(|by| by == "generate-network-policies")
            });
            for object in made {
                all.push_str("---\n");
                all.push_str(&super::uses::document(object));
            }
        }
        Stream::parse(all).ok()
    }
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}
