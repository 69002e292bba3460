//! One function, run as kustomize runs it: objects in, objects out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use krm_fn::Stream;

use super::client::is_program;
use super::skips::{plugin, program};
use super::tree::Tree;
use super::uses::document;
use super::{KustomizeError, Use, Way};
use crate::config::Config;

/// The group of our own functions, whose binaries are named after their kinds.
const OURS: &str = "mlplat.dev/v1alpha1";

/// What one function is given besides its objects.
pub(super) struct Runner<'a> {
    pub(super) tree: &'a Tree,
    pub(super) config: &'a Config,
}

impl Runner<'_> {
    /// The documents that the function answers.
    pub(super) fn run(&self, one: &Use, documents: &str) -> Result<String, KustomizeError> {
        let refuse = |what: String, fix: &str| KustomizeError::Function {
            place: one.to_string(),
            what,
            fix: fix.to_owned(),
        };
        match &one.way {
            Way::Builtin => Ok(documents.to_owned()),
            Way::Exec(path) => {
                let program = program(path, &one.folder, self.config)
                    .or_else(|| self.beside(path))
                    .ok_or_else(|| {
                        refuse(
                            format!("there is no program {path}"),
                            "install it, or put its folder into PATH",
                        )
                    })?;
                self.list(one, &mut Command::new(program), documents)
            }
            Way::Container { image, more: false } => {
                // The very arguments of kustomize.
                let mut docker = Command::new("docker");
                docker
                    .args([
                        "run",
                        "--rm",
                        "-i",
                        "-a",
                        "STDIN",
                        "-a",
                        "STDOUT",
                        "-a",
                        "STDERR",
                        "--network",
                        "none",
                    ])
                    .args(["--user", "nobody", "--security-opt=no-new-privileges", image]);
                self.list(one, &mut docker, documents)
            }
            Way::Container { .. } => Err(refuse(
                "its container asks for more than an image (network, mounts or variables), which only kustomize gives"
                    .to_owned(),
                "build with `kustomize build --enable-alpha-plugins`",
            )),
            Way::Plugin => self.plugin(one, documents),
            Way::Other => Err(refuse(
                "its annotation names neither `exec` nor `container`".to_owned(),
                "name one of the two, or remove the annotation for a plugin",
            )),
        }
    }

    /// As a KRM function: a ResourceList.
    fn list(&self, one: &Use, command: &mut Command, documents: &str) -> Result<String, KustomizeError> {
        let mut input = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n".to_owned();
        let objects = parsed(one, documents)?;
        input.push_str(if objects.objects().len() == 0 {
            "items: []\n"
        } else {
            "items:\n"
        });
        for object in objects.objects() {
            input.push_str(&nested("- ", &document(object)));
        }
        input.push_str("functionConfig:\n");
        input.push_str(&nested("  ", &one.config));
        let answer = self.start(one, command, input)?;
        let answer = parsed(one, &answer)?;
        Ok(joined(&answer))
    }

    /// As a legacy plugin: documents, and the configuration as a file. Ours need no plugin folder.
    fn plugin(&self, one: &Use, documents: &str) -> Result<String, KustomizeError> {
        let ours = || {
            (one.api_version == OURS)
                .then(|| kebab(&one.kind))
                .and_then(|name| program(&name, &one.folder, self.config).or_else(|| self.beside(&name)))
        };
        let program = match plugin(one, self.config) {
            Ok(program) => program,
            Err(tried) => ours().ok_or_else(|| KustomizeError::Function {
                place: one.to_string(),
                what: format!("there is no plugin {}", tried.display()),
                fix: "link the function's binary there, or put the folder of mlplat's functions into PATH".to_owned(),
            })?,
        };
        let file = one.folder.join(".mlplat-function.yaml");
        self.tree.write_file(&file, one.config.as_bytes())?;
        let mut command = Command::new(program);
        command
            .arg(self.tree.place(&file))
            .env("KUSTOMIZE_PLUGIN_CONFIG_STRING", &one.config)
            .env("KUSTOMIZE_PLUGIN_CONFIG_ROOT", &one.folder);
        self.start(one, &mut command, documents.to_owned())
    }

    fn start(&self, one: &Use, command: &mut Command, input: String) -> Result<String, KustomizeError> {
        let failed = |message: String| KustomizeError::Failed {
            place: one.to_string(),
            message,
        };
        let mut child = command
            .current_dir(&one.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("{} does not start: {error}", command.get_program().display())))?;
        let stdin = child.stdin.take();
        // A function that does not read all of its input closes the pipe; that is its own affair.
        let writer = thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        let _ = writer.join();
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let said = if said.trim().is_empty() {
                format!("it ended with {} and said nothing", output.status)
            } else {
                said.trim_end().to_owned()
            };
            return Err(failed(said));
        }
        // Warnings; nothing can be done about a closed stderr.
        let _ = std::io::stderr().write_all(said.as_bytes());
        String::from_utf8(output.stdout).map_err(|error| failed(error.to_string()))
    }

    /// A release puts mlplat and its functions into one folder.
    fn beside(&self, name: &str) -> Option<PathBuf> {
        let folder = self.config.program.parent()?;
        (!name.contains('/'))
            .then(|| folder.join(Path::new(name)))
            .filter(|path| is_program(path))
    }
}

pub(super) fn parsed(one: &Use, text: &str) -> Result<Stream, KustomizeError> {
    Stream::parse(text.to_owned()).map_err(|error| KustomizeError::Failed {
        place: one.to_string(),
        message: format!("what it works on, or answered, is not well-formed: {error}"),
    })
}

/// Documents one after the other.
pub(super) fn joined(stream: &Stream) -> String {
    stream.objects().map(document).collect::<Vec<_>>().join("---\n")
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

/// `InjectEndpoints` is the binary `inject-endpoints`.
fn kebab(kind: &str) -> String {
    let mut name = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_out_of_a_list_as_it_went_in() {
        let document = "kind: A\ndata:\n  text: |\n    a\n\n    b\n  list:\n  - 1\n";
        let list = format!(
            "kind: ResourceList\napiVersion: config.kubernetes.io/v1\nitems:\n{}",
            nested("- ", document)
        );
        let stream = Stream::parse(list).unwrap();
        assert_eq!(joined(&stream), document);
    }

    #[test]
    fn a_kind_names_its_binary() {
        assert_eq!(kebab("GenerateNetworkPolicies"), "generate-network-policies");
    }
}
