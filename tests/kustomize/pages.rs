//! The first example of every function's page, done as it is written: its files, its command, over the examples' bases.

use crate::cases::{case, copy};
use crate::clients::{Answer, path, run};
use harness::program::{kustomize, repository};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use tempfile::TempDir;

/// A page of docs/guides, and a folder in which its first example has been followed.
struct Followed {
    folder: TempDir,
    /// What the page shows below the command, up to the next heading.
    shown: String,
    answer: Answer,
}

impl Followed {
    /// `given` are files that the page says come from elsewhere.
    fn page(name: &str, given: &[(&str, String)]) -> Self {
        let page = fs::read_to_string(repository().join(format!("docs/guides/{name}.md"))).expect("the page");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder of the test");
            fs::write(file, text).expect("a file of the test");
        };
        let base = folder.path().join("base");
        fs::create_dir(&base).expect("the folder is new");
        copy(&repository().join("examples/infrastructure/kubernetes/base"), &base);
        given.iter().for_each(|(name, text)| write(name, text));
        let mut rest = page.as_str();
        let command = loop {
            let (_, block) = rest.split_once("\n```").expect("a command");
            let (language, block) = block.split_once('\n').expect("a block");
            let (text, behind) = block.split_once("\n```").expect("the end of the block");
            rest = behind;
            match text.strip_prefix("# ").and_then(|text| text.split_once('\n')) {
                Some((name, text)) if language == "yaml" => write(name, text),
                _ if language == "sh" => break text,
                _ => {}
            }
        };
        symlink(kustomize(), folder.path().join("kustomize")).expect("the folder is new");
        let mut shell = Command::new("sh");
        shell
            .args(["-ec", &format!("PATH=$PWD:$PATH\n{command}")])
            .current_dir(folder.path())
            .env("PATH", path());
        Self {
            answer: run(&mut shell, ""),
            shown: rest.split("\n## ").next().unwrap_or_default().to_owned(),
            folder,
        }
    }

    /// The blocks of a language that the page shows below the command.
    fn blocks<'a>(&'a self, language: &'a str) -> impl Iterator<Item = &'a str> {
        let blocks = self.shown.split("\n```").skip(1).step_by(2);
        blocks.filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
    }

    #[track_caller]
    fn rendered(&self) -> &str {
        assert!(self.answer.ok, "{}", self.answer.stderr);
        &self.answer.stdout
    }

    /// A run that failed, and said on standard error what the page shows.
    #[track_caller]
    fn is_refused_as_shown(&self) {
        let said = self.blocks("text").next().expect("the page shows what is said");
        assert!(!self.answer.ok && said.contains("error: "));
        for line in said.lines() {
            assert!(
                self.answer.stderr.contains(line),
                "{line}\nis not said:\n{}",
                self.answer.stderr
            );
        }
        assert_eq!(
            self.answer.stderr.matches("error: ").count(),
            1,
            "{}",
            self.answer.stderr
        );
    }
}

fn stored(name: &str) -> String {
    fs::read_to_string(case(name)).expect("the case is there")
}

#[test]
fn inject_endpoints() {
    let page = Followed::page(
        "inject-endpoints",
        &[
            ("overlays/local/endpoints.yaml", stored("overlays/endpoints.yaml")),
            ("overlays/local/secret.yaml", stored("overlays/secret.yaml")),
        ],
    );
    let rendered = page.rendered();
    let env = page.blocks("yaml").next().expect("the page shows variables");
    let variables: Vec<&str> = env.split("- ").skip(1).collect();
    assert_eq!(variables.len(), 3);
    for variable in variables {
        let indented = variable.trim_end().replace('\n', "\n        ");
        assert!(rendered.contains(&indented), "{variable}\nis not in:\n{rendered}");
    }
}

#[test]
fn set_environment() {
    let page = Followed::page("set-environment", &[]);
    let image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/hub/library/artefact-store:0.1.0";
    assert!(page.shown.contains(image));
    let rendered = page.rendered();
    for words in [
        "replicas: 2\n",
        &format!("image: {image}\n"),
        "limits:\n            memory: 256Mi\n          requests:\n            cpu: 100m\n            memory: 128Mi\n",
        "nodePort: 30080\n",
        "alb.ingress.kubernetes.io/ssl-redirect: \"443\"\n",
        "alb.ingress.kubernetes.io/certificate-arn: arn:aws:acm:eu-central-1:123456789012:certificate/0b1c2d3e\n",
        "ingressClassName: alb\n",
        "storageClassName: gp3\n",
        "- name: LOG_LEVEL\n          value: warn\n",
    ] {
        assert!(rendered.contains(words), "{words} is not in:\n{rendered}");
    }
}

#[test]
fn generate_network_policies() {
    let inject = stored("inject-endpoints/exec/inject-endpoints.yaml");
    let (head, _) = inject.split_once("spec:\n").expect("a configuration has a spec");
    let contract =
        repository().join("krm-functions/generate-network-policies/cases/the_first_example_of_the_guide/with.yaml");
    let page = Followed::page(
        "generate-network-policies",
        &[
            (
                "overlays/prod/endpoints.yaml",
                fs::read_to_string(contract).expect("the case is there"),
            ),
            (
                "overlays/prod/inject-endpoints.yaml",
                format!("{head}spec:\n  endpointsFrom: {{name: prod}}\n"),
            ),
        ],
    );
    let policy = page
        .blocks("yaml")
        .next()
        .expect("the page shows a policy")
        .replace('"', "");
    let rendered = page.rendered();
    assert!(rendered.contains(&policy), "{policy}\nis not in:\n{rendered}");
}

#[test]
fn validate_practices() {
    Followed::page("validate-practices", &[]).is_refused_as_shown();
}

#[test]
fn validate_parity() {
    let page = Followed::page("validate-parity", &[]);
    page.is_refused_as_shown();
    let written = fs::read_to_string(page.folder.path().join("local.yaml")).expect("the shell has made it");
    assert_eq!(written, "", "half an answer");
}
