//! mlplat, started by a client as a legacy plugin: documents come in and go out, the configuration is a file. It runs the
//! function that the configuration names as kustomize itself would, with a ResourceList.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use krm_fn::{Edits, Object, Stream, Value};

use super::mirror::RENAMED;
use super::uses::{ANNOTATIONS, document, specification};
use super::{KustomizeError, Use, Way, consent, environment};
use crate::config::Config;

/// Names the private folder of the render that has started the client.
pub(super) const VARIABLE: &str = "MLPLAT_RENDER";
/// Set when functions may be any program.
pub(super) const CONSENT: &str = "MLPLAT_RENDER_EXEC";
/// Where the client finds its plugins, all of them mlplat, and where the user's own are.
pub(super) const HOME: &str = "home";
pub(super) const INSTALLED: &str = "installed";
/// What has run, a line each, and what it has said.
const RAN: &str = "ran";
const SAID: &str = "said";

/// The functions that a client has run as plugins.
pub(super) struct Ran {
    lines: String,
    /// Their warnings.
    pub(super) said: String,
}

impl Ran {
    pub(super) fn read(private: &Path) -> Result<Self, KustomizeError> {
        let read = |name: &str| match fs::read_to_string(private.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(KustomizeError::file(private.join(name))),
        };
        Ok(Self {
            lines: read(RAN)?,
            said: read(SAID)?,
        })
    }

    pub(super) fn has(&self, one: &Use) -> bool {
        let line = line(&one.folder, &one.api_version, &one.kind, &one.name);
        self.lines.lines().any(|ran| ran == line)
    }
}

fn line(folder: &Path, api_version: &str, kind: &str, name: &str) -> String {
    format!("{:?} {api_version:?} {kind:?} {name:?}", folder.display().to_string())
}

/// Runs a function when a client of `mlplat render` has started this program; `None` when anybody else has.
pub fn as_plugin(config: &Config, arguments: &[OsString]) -> Option<ExitCode> {
    let private = PathBuf::from(config.variable(VARIABLE)?);
    let [program, file, ..] = arguments else {
        return None;
    };
    let below = Path::new(program).strip_prefix(private.join(HOME)).ok()?.to_owned();
    let plugin = Plugin {
        private,
        below,
        file: file.into(),
        config,
    };
    Some(match plugin.run() {
        Ok(answer) => match io::stdout().write_all(&answer) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(message) => {
            // The client shows it.
            let _ = writeln!(io::stderr(), "{message}");
            ExitCode::FAILURE
        }
    })
}

struct Plugin<'a> {
    private: PathBuf,
    /// The plugin, below the folder of all.
    below: PathBuf,
    /// The configuration.
    file: PathBuf,
    config: &'a Config,
}

impl Plugin<'_> {
    fn run(&self) -> Result<Vec<u8>, String> {
        let text = fs::read_to_string(&self.file).map_err(|error| format!("{}: {error}", self.file.display()))?;
        let mut documents = String::new();
        io::stdin()
            .read_to_string(&mut documents)
            .map_err(|error| format!("the documents cannot be read: {error}"))?;
        let root = self.config.variable("KUSTOMIZE_PLUGIN_CONFIG_ROOT").map(PathBuf::from);
        let root = root.ok_or("the client does not name the kustomization's folder")?;
        let folder = match root.strip_prefix(self.private.join("tree")) {
            Ok(below) => Path::new("/").join(below),
            Err(_) => root,
        };
        let stream = Stream::parse(text.clone()).map_err(|error| error.to_string())?;
        let function = stream.objects().next().ok_or("the configuration is empty")?;
        match function
            .annotation(RENAMED)
            .map(|annotation| specification(&annotation))
        {
            Some(Way::Exec(exec)) => {
                if let (None, Some(why)) = (self.config.variable(CONSENT), consent::foreign(&exec, self.config)) {
                    return Err(format!(
                        "{function}: {why}. To fix: if you trust the program, add `--enable-exec`"
                    ));
                }
                let program = consent::find(&exec, &folder, self.config)
                    .ok_or_else(|| format!("{function}: there is no program {}", exec.path))?;
                let mut command = Command::new(program);
                command.args(&exec.args);
                self.variables(&mut command);
                let envs = exec.envs.iter().filter_map(|variable| variable.split_once('='));
                command.envs(envs);
                let input = resource_list(&text, &documents).map_err(|error| format!("{function}: {error}"))?;
                let answer = self.start(command, &folder, &function, input)?;
                let line = line(&folder, &function.api_version(), &function.kind(), &function.name());
                self.note(RAN, format!("{line}\n").as_bytes())?;
                Ok(answer)
            }
            Some(_) => Err(format!("{function}: its annotation names no program")),
            None => {
                // A plugin of the user, which expects what this one was given.
                let mut command = Command::new(self.private.join(INSTALLED).join(&self.below));
                command.arg(&self.file);
                self.variables(&mut command);
                command
                    .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", &folder)
                    .env("KUSTOMIZE_PLUGIN_CONFIG_STRING", &text);
                self.start(command, &folder, &function, documents)
            }
        }
    }

    fn variables(&self, command: &mut Command) {
        command.env_clear().envs(environment::of_function(self.config));
        for name in ["HOME", "CONFIG_ROOT", "CONFIG_STRING"] {
            command.env_remove(format!("KUSTOMIZE_PLUGIN_{name}"));
        }
    }

    /// What the function answers; its warnings are kept for the user.
    fn start(
        &self,
        mut command: Command,
        folder: &Path,
        function: &Object<'_>,
        input: String,
    ) -> Result<Vec<u8>, String> {
        let failed = |message: &str| format!("{function} failed: {message}");
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(&format!("{} does not start: {error}", command.get_program().display())))?;
        let stdin = child.stdin.take();
        // A function that does not read all of its input closes the pipe; that is no error.
        let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().map_err(|error| failed(&error.to_string()))?;
        let _ = writer.join();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(match said.trim_end() {
                "" => failed(&format!("it ended with {} and said nothing", output.status)),
                said => failed(said),
            });
        }
        self.note(SAID, &output.stderr)?;
        Ok(output.stdout)
    }

    fn note(&self, name: &str, text: &[u8]) -> Result<(), String> {
        let path = self.private.join(name);
        let mut options = OpenOptions::new();
        let written = options
            .append(true)
            .create(true)
            .open(&path)
            .and_then(|mut file| file.write_all(text));
        written.map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// What kustomize sends: without documents the only item is the configuration, which is for tools only.
fn resource_list(config: &str, documents: &str) -> Result<String, String> {
    let config = local(&config.replace(RENAMED, ANNOTATIONS[0])).map_err(|error| error.to_string())?;
    let items = if documents.is_empty() { &config } else { documents };
    let items = Stream::parse(items.to_owned()).map_err(|error| error.to_string())?;
    let mut list = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n".to_owned();
    list.push_str(if items.objects().len() == 0 {
        "items: []\n"
    } else {
        "items:\n"
    });
    for object in items.objects() {
        list.push_str(&nested("- ", &document(object)));
    }
    list.push_str("functionConfig:\n");
    list.push_str(&nested("  ", &config));
    Ok(list)
}

fn local(config: &str) -> Result<String, Box<dyn std::error::Error>> {
    let stream = Stream::parse(config.to_owned())?;
    let mut edits = Edits::default();
    let annotations = stream
        .objects()
        .next()
        .and_then(|object| object.root().at(&["metadata", "annotations"]));
    if let Some(annotations) = annotations {
        edits.set(annotations, "config.kubernetes.io/local-config", &Value::from("true"))?;
    }
    Ok(stream.edited(edits)?)
}

/// A document within a list or mapping: the first line after these characters, the others below it.
fn nested(before: &str, document: &str) -> String {
    let mut text = String::with_capacity(document.len() + 64);
    for (at, line) in document.split_inclusive('\n').enumerate() {
        if at == 0 {
            text.push_str(before);
        } else if !line.trim().is_empty() {
            text.push_str("  ");
        }
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_gets_what_kustomize_sends() {
        let config =
            format!("kind: F\nmetadata:\n  annotations:\n    {RENAMED}: |\n      exec: {{path: f}}\n  name: f\n");
        let sent = config.replace(RENAMED, ANNOTATIONS[0]);
        let sent = sent.replace(
            "  name: f",
            "    config.kubernetes.io/local-config: \"true\"\n  name: f",
        );
        let document = "kind: A\ndata:\n  text: |\n    a\n\n    b\n  list:\n  - 1\n";
        let list = resource_list(&config, &format!("{document}---\n{document}")).unwrap();
        let read = Stream::parse(list).unwrap();
        let items: Vec<String> = read.objects().map(super::document).collect();
        assert_eq!(items, [document, document]);
        assert_eq!(super::document(read.function_config().unwrap()), sent);
        let generator = Stream::parse(resource_list(&config, "").unwrap()).unwrap();
        let items: Vec<String> = generator.objects().map(super::document).collect();
        assert_eq!(items, [sent]);
    }
}
