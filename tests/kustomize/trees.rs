//! Kustomizations put together at random, functions at several levels: `mlplat render` prints what kustomize prints, or
//! fails where kustomize fails.
//!
//! `TREES=1000` tries more of them, `SEED=7` begins elsewhere.

use crate::clients::{Answer, kubectls, kustomizes, path, run};
use krm_fn::testing::Random;
use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

/// How many trees are tried.
const TREES: u64 = 24;

/// What validate-practices would say of every tree.
const RULES: [&str; 10] = [
    "resource-requests",
    "resource-limits",
    "liveness-probe",
    "readiness-probe",
    "run-as-non-root",
    "privilege-escalation",
    "pinned-image",
    "network-policy",
    "service-account-token",
    "plain-secret",
];

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len())]
}

fn is(random: &mut Random, one_in: usize) -> bool {
    random.below(one_in) == 0
}

struct Tree<'a> {
    root: &'a Path,
    random: Random,
}

impl Tree<'_> {
    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the tree")).expect("a folder of the test");
        fs::write(path, text).expect("a file of the test");
    }

    /// A Deployment that refers to generated names.
    fn deployment(&mut self, folder: &str, name: &str) -> String {
        let text = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  selector:\n    matchLabels: {{app: {name}}}\n  \
             template:\n    metadata:\n      labels: {{app: {name}}}\n    spec:\n      containers:\n      - name: app\n        \
             image: app:1\n        env:\n        - {{name: QUOTED, value: \"{quoted}\"}}\n        envFrom:\n        \
             - configMapRef: {{name: settings}}\n        - secretRef: {{name: creds}}\n",
            quoted = pick(&mut self.random, &["0777", "yes", "1_000", "2024-01-01", "~", "plain"]),
        );
        self.write(&format!("{folder}/{name}.yaml"), &text);
        format!("{name}.yaml")
    }

    /// A function; where it is listed, and the entry.
    fn function(&mut self, folder: &str, at: usize) -> (&'static str, String) {
        let annotation = |path: &str, indent: &str| {
            format!(
                "{indent}annotations:\n{indent}  config.kubernetes.io/function: |\n{indent}    exec: {{path: {path}}}\n"
            )
        };
        let name = format!("f{at}");
        let set = format!(
            "apiVersion: mlplat.dev/v1alpha1\nkind: SetEnvironment\nmetadata:\n  name: {name}\n{}spec:\n  logLevels:\n  \
             - {{value: {}}}\n",
            annotation("set-environment", "  "),
            pick(&mut self.random, &["debug", "info", "warn"]),
        );
        let validate = format!(
            "apiVersion: mlplat.dev/v1alpha1\nkind: ValidatePractices\nmetadata:\n  name: {name}\n{}spec:\n  output: None\n  \
             rules: {{{}}}\n",
            annotation("validate-practices", "  "),
            RULES.map(|rule| format!("{rule}: \"off\"")).join(", "),
        );
        let make = format!(
            "apiVersion: example.test/v1\nkind: Make\nmetadata:\n  name: {name}\n{}data: {{at: \"{at}\"}}\n",
            annotation("make-objects", "  "),
        );
        let (field, text) = match self.random.below(5) {
            0 => ("validators", validate),
            1 => ("generators", make),
            _ => ("transformers", set),
        };
        let entry = match self.random.below(4) {
            0 => {
                let lines: Vec<String> = text.lines().map(|line| format!("    {line}\n")).collect();
                format!("|\n{}", lines.concat())
            }
            1 => {
                self.write(&format!("{folder}/{name}/{name}.yaml"), &text);
                self.write(
                    &format!("{folder}/{name}/kustomization.yaml"),
                    &format!("resources: [{name}.yaml]\n"),
                );
                format!("{name}\n")
            }
            2 => {
                // Put together from a patch.
                self.write(&format!("{folder}/{name}/{name}.yaml"), &text);
                let patch = "patches:\n- patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"a\": \"b\"}}]'\n  \
                             target: {name: f.*}\n";
                self.write(
                    &format!("{folder}/{name}/kustomization.yaml"),
                    &format!("resources: [{name}.yaml]\n{patch}"),
                );
                format!("{name}\n")
            }
            _ => {
                self.write(&format!("{folder}/{name}.yaml"), &text);
                format!("{name}.yaml\n")
            }
        };
        (field, entry)
    }

    /// `configMapGenerator` and `secretGenerator`; `below` says whether such objects are there already.
    fn generators(&mut self, folder: &str, below: bool, to: &mut String) {
        for (field, name) in [("configMapGenerator", "settings"), ("secretGenerator", "creds")] {
            if !below || is(&mut self.random, 2) {
                let behavior = if below {
                    pick(&mut self.random, &["merge", "replace"])
                } else {
                    "create"
                };
                let options = pick(
                    &mut self.random,
                    &[
                        "",
                        "",
                        "  options: {disableNameSuffixHash: true}\n",
                        "  options: {labels: {generated: \"yes\"}}\n",
                    ],
                );
                self.write(&format!("{folder}/{name}.txt"), &format!("{folder}\n"));
                let _ = write!(
                    to,
                    "{field}:\n- name: {name}\n  behavior: {behavior}\n  files: [{name}.txt, other={name}.txt]\n  literals: [at={folder}]\n{options}"
                );
            }
        }
        if is(&mut self.random, 4) {
            to.push_str("generatorOptions: {disableNameSuffixHash: true}\n");
        }
    }

    fn transformations(&mut self, folder: &str, to: &mut String) {
        let all = [
            "namePrefix: p-\n",
            "nameSuffix: -s\n",
            "namespace: demo\n",
            "labels:\n- {pairs: {team: ml}, includeTemplates: true}\n",
            "commonAnnotations: {note: \"on\"}\n",
            "images:\n- {name: app, newTag: \"2\"}\n",
            "replicas:\n- {name: app, count: 3}\n",
            "patches:\n- path: patch.yaml\n  target: {kind: Deployment}\n",
            "configurations: [config.yaml]\n",
            "buildMetadata: [originAnnotations]\n",
            "buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]\n",
            "sortOptions: {order: fifo}\n",
        ];
        self.write(
            &format!("{folder}/patch.yaml"),
            "- op: add\n  path: /spec/template/spec/hostNetwork\n  value: false\n",
        );
        self.write(
            &format!("{folder}/config.yaml"),
            "nameReference:\n- kind: ConfigMap\n  fieldSpecs: [{kind: Widget, path: spec/settings}]\n",
        );
        let mut metadata = false;
        for text in all {
            let is_metadata = text.starts_with("buildMetadata");
            if is(&mut self.random, 4) && !(is_metadata && metadata) {
                metadata |= is_metadata;
                to.push_str(text);
            }
        }
    }

    /// The functions of one kustomization.
    fn functions(&mut self, folder: &str, at: &mut usize, to: &mut String) {
        let mut lists = [
            ("generators", String::new()),
            ("transformers", String::new()),
            ("validators", String::new()),
        ];
        for _ in 0..self.random.below(3) {
            *at += 1;
            let (field, entry) = self.function(folder, *at);
            let list = lists
                .iter_mut()
                .find(|(name, _)| *name == field)
                .expect("it is one of them");
            let _ = write!(list.1, "- {entry}");
        }
        for (field, entries) in lists.iter().filter(|(_, entries)| !entries.is_empty()) {
            let _ = write!(to, "{field}:\n{entries}");
        }
    }

    /// A base, one to three levels above it, and components.
    fn grow(&mut self) -> String {
        let mut at = 0;
        let mut below: Option<String> = None;
        let levels = 1 + self.random.below(3);
        for level in 0..=levels {
            let folder = pick(&mut self.random, &["base", "over/lay", "deep/er/still"]).to_owned() + &level.to_string();
            let mut text = "resources:\n".to_owned();
            match &below {
                Some(below) => {
                    let up = "../".repeat(folder.split('/').count());
                    let _ = writeln!(text, "- {up}{below}");
                }
                None => {
                    let file = self.deployment(&folder, "app");
                    self.write(
                        &format!("{folder}/widget.yaml"),
                        "apiVersion: example.test/v1\nkind: Widget\nmetadata:\n  name: w\n  annotations:\n    \
                         config.kubernetes.io/local-config: \"true\"\nspec: {settings: settings}\n",
                    );
                    let _ = writeln!(text, "- {file}\n- widget.yaml");
                }
            }
            if is(&mut self.random, 3) {
                let file = self.deployment(&folder, &format!("more{level}"));
                let _ = writeln!(text, "- {file}");
            }
            self.generators(&folder, below.is_some(), &mut text);
            if below.is_some() && is(&mut self.random, 3) {
                let component = format!("{folder}/part");
                let mut part = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n".to_owned();
                if is(&mut self.random, 2) {
                    part.push_str("configMapGenerator:\n- {name: settings, behavior: merge, literals: [part=x]}\n");
                }
                self.functions(&component, &mut at, &mut part);
                self.write(&format!("{component}/kustomization.yaml"), &part);
                text.push_str("components: [part]\n");
            }
            self.transformations(&folder, &mut text);
            self.functions(&folder, &mut at, &mut text);
            let name = pick(
                &mut self.random,
                &["kustomization.yaml", "kustomization.yml", "Kustomization"],
            );
            self.write(&format!("{folder}/{name}"), &text);
            below = Some(folder);
        }
        below.expect("there is a base at least")
    }
}

/// The label that names the client's own version is the one thing in which clients differ.
fn comparable(documents: &str) -> String {
    let lines = documents.split_inclusive('\n');
    lines
        .filter(|line| !line.contains("app.kubernetes.io/managed-by:"))
        .collect()
}

/// Runs it with these programs in PATH too.
fn with_programs(command: &mut Command, programs: &Path) -> Answer {
    let rest = path();
    let folders = std::iter::once(programs.to_owned()).chain(env::split_paths(&rest));
    command.env("PATH", env::join_paths(folders).expect("folders without colons"));
    run(command, "")
}

/// A generator that is installed: an object whose name gets a hash.
fn install_generator(folder: &Path) {
    let object = "apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: made-$at\\n  annotations: {kustomize.config.k8s.io/needs-hash: \\\"true\\\"}\\ndata: {a: b}";
    let script = format!(
        "at=$(sed -n 's/.*at: \"\\([0-9]*\\)\".*/\\1/p' | head -n 1)\nprintf \"apiVersion: config.kubernetes.io/v1\\nkind: ResourceList\\nitems:\\n\"\n\
         printf \"{object}\\n\" | sed '1s/^/- /;1!s/^/  /'"
    );
    harness::program::script(&folder.join("make-objects"), &script);
}

#[test]
fn random_trees_render_as_kustomize_renders_them() {
    let trees = number("TREES").unwrap_or(TREES);
    let first = number("SEED").unwrap_or(1);
    let programs = tempfile::tempdir().expect("a temporary folder");
    install_generator(programs.path());
    let newest = kubectls().pop().expect("there is one at least");
    let clients = [kustomizes()[0].clone(), newest];
    let (mut built, mut refused) = (0, 0);
    for seed in first..first + trees {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut tree = Tree {
            root: folder.path(),
            random: Random::new(seed),
        };
        for _ in 0..8 {
            tree.random.below(2);
        }
        let top = folder.path().join(tree.grow());
        let mut kustomize = Command::new(&clients[0]);
        kustomize
            .args(["build", "--enable-alpha-plugins", "--enable-exec"])
            .arg(&top);
        let expected = with_programs(&mut kustomize, programs.path());
        for client in &clients {
            let mut render = Command::new(harness::mlplat());
            render.arg("render").arg("--client").arg(client).arg(&top);
            let got = with_programs(&mut render, programs.path());
            let what = format!("seed {seed} under {}", client.display());
            if expected.ok {
                assert!(got.ok, "{what}: kustomize builds it, mlplat says:\n{}", got.stderr);
                assert_eq!(comparable(&got.stdout), comparable(&expected.stdout), "{what}");
            } else {
                assert!(!got.ok, "{what}: kustomize refuses it:\n{}", expected.stderr);
            }
        }
        if expected.ok {
            built += 1;
        } else {
            refused += 1;
        }
    }
    println!("{built} trees are built alike, {refused} are refused alike");
    assert!(
        built > refused,
        "most trees should be good: {built} are, {refused} are not"
    );
}
