//! Which programs `mlplat render` and `mlplat verify` run without being asked for, and what these get to see.

use crate::clients::{Answer, kubectls, kustomizes, path, run};
use crate::render::{POD, REPLACE, tree};
use harness::program::script;
use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A function that says that it has run, and echoes.
const EVIL: &str = "echo ran >>\"$(dirname \"$0\")/ran\"\nexec cat";

/// One client of each kind.
fn clients() -> [PathBuf; 2] {
    [
        kustomizes()[0].clone(),
        kubectls().pop().expect("there is one at least"),
    ]
}

/// A tree of these files with a program beside its kustomization.
fn hostile(files: &[(&str, &str)]) -> TempDir {
    let folder = tree(&[&[("pod.yaml", POD)], files].concat());
    script(&folder.path().join("evil.sh"), EVIL);
    folder
}

fn mlplat(arguments: &[&str], client: &Path, folders: &[&Path]) -> Answer {
    let mut command = Command::new(harness::mlplat());
    command
        .args(arguments)
        .arg("--client")
        .arg(client)
        .args(folders)
        .env("PATH", path())
        .env("AWS_SECRET_ACCESS_KEY", "CANARY")
        .env("HOME", "/nonexistent");
    run(&mut command, "")
}

fn evil(path: &str) -> String {
    REPLACE.replace("path: set-environment", path)
}

/// Neither render nor verify runs the program, and both say this.
#[track_caller]
fn is_not_run(folder: &TempDir, words: &str) {
    for client in clients() {
        let what = client.display();
        let rendered = mlplat(&["render"], &client, &[folder.path()]);
        assert!(!folder.path().join("ran").exists(), "{what} ran it");
        rendered.is_refused(words);
        let compared = mlplat(&["verify"], &client, &[folder.path(), folder.path()]);
        assert!(!folder.path().join("ran").exists(), "{what} ran it");
        assert!(!compared.ok, "{what}: {}{}", compared.stdout, compared.stderr);
    }
}

#[test]
fn a_program_of_the_tree_needs_consent_wherever_it_is_listed() {
    let by_path = evil("path: ./evil.sh");
    let words = "./evil.sh is a path, and without consent only installed functions run. To fix: ";
    let listed = "resources: [pod.yaml]\ntransformers: [evil.yaml]\n";
    is_not_run(
        &hostile(&[("evil.yaml", &by_path), ("kustomization.yaml", listed)]),
        words,
    );
    for field in ["generators", "validators", "Transformers", "TRAN\u{17F}FORMERS"] {
        let kustomization = listed.replace("transformers", field);
        is_not_run(
            &hostile(&[("evil.yaml", &by_path), ("kustomization.yaml", &kustomization)]),
            words,
        );
    }
    // Behind a good one in the same file, and within a list.
    let second = format!("{REPLACE}---\n{by_path}");
    is_not_run(
        &hostile(&[("evil.yaml", &second), ("kustomization.yaml", listed)]),
        words,
    );
    let items: String = by_path.lines().map(|line| format!("  {line}\n")).collect();
    let list = format!("apiVersion: v1\nkind: List\nitems:\n- {}", &items[2..]);
    is_not_run(&hostile(&[("evil.yaml", &list), ("kustomization.yaml", listed)]), words);
    // Written into the kustomization, over lines and in one.
    let lines: String = by_path.lines().map(|line| format!("    {line}\n")).collect();
    let inline = format!("resources: [pod.yaml]\ntransformers:\n- |\n{lines}");
    is_not_run(&hostile(&[("kustomization.yaml", &inline)]), words);
    let one_line = "resources: [pod.yaml]\ntransformers:\n- '{apiVersion: a/v1, kind: A, metadata: {name: a, annotations: \
                    {config.kubernetes.io/function: \"exec: {path: ./evil.sh}\"}}}'\n";
    is_not_run(&hostile(&[("kustomization.yaml", one_line)]), words);
    // In a base, a component, and a folder of functions.
    let base = "resources: [../pod.yaml]\n";
    let by_path_above = evil("path: ../evil.sh");
    for (field, kind) in [("resources", "Kustomization"), ("components", "Component")] {
        let version = if kind == "Component" { "v1alpha1" } else { "v1beta1" };
        let below = format!("apiVersion: kustomize.config.k8s.io/{version}\nkind: {kind}\ntransformers: [evil.yaml]\n");
        let folder = hostile(&[
            ("below/evil.yaml", &by_path_above),
            ("below/kustomization.yaml", &below),
            (
                "kustomization.yaml",
                &format!("{base}{field}: [below]\n")
                    .replace(
                        "resources: [../pod.yaml]\nresources: [below]",
                        "resources: [pod.yaml, below]",
                    )
                    .replace("../pod", "pod"),
            ),
        ]);
        is_not_run(&folder, "../evil.sh is a path");
    }
    let folder = hostile(&[
        ("functions/evil.yaml", &by_path),
        ("functions/kustomization.yaml", "resources: [evil.yaml]\n"),
        ("kustomization.yaml", &listed.replace("evil.yaml", "functions")),
    ]);
    is_not_run(&folder, words);
}

#[test]
fn a_program_that_patches_bring_in_or_hide_needs_consent() {
    let words = "./evil.sh is a path";
    let patch = |value: &str| {
        format!(
            "resources: [set.yaml]\npatches:\n- target: {{kind: SetEnvironment}}\n  patch: |\n    - op: replace\n      \
             path: /metadata/annotations/config.kubernetes.io~1function\n      value: '{value}'\n"
        )
    };
    let folder = hostile(&[
        ("functions/set.yaml", REPLACE),
        ("functions/kustomization.yaml", &patch("exec: {path: ./evil.sh}")),
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\ntransformers: [functions]\n",
        ),
    ]);
    is_not_run(&folder, words);
    // What is for tools only is not in the output of a build; it runs nevertheless.
    let hidden = evil("path: ./evil.sh").replace(
        "  annotations:\n",
        "  annotations:\n    config.kubernetes.io/local-config: \"true\"\n",
    );
    for kustomization in ["resources: [evil.yaml]\n", "resources: [evil.yaml]\nnamePrefix: a-\n"] {
        let folder = hostile(&[
            ("functions/evil.yaml", &hidden),
            ("functions/kustomization.yaml", kustomization),
            (
                "kustomization.yaml",
                "resources: [pod.yaml]\ntransformers: [functions]\n",
            ),
        ]);
        for client in clients() {
            let rendered = mlplat(&["render"], &client, &[folder.path()]);
            assert!(
                !folder.path().join("ran").exists(),
                "{} ran it: {rendered:?}",
                client.display()
            );
        }
    }
}

#[test]
fn programs_that_can_be_told_to_run_anything_need_consent() {
    let listed = "resources: [pod.yaml]\ntransformers: [evil.yaml]\n";
    for (way, words) in [
        ("path: sh", "belongs to the operating system"),
        ("path: make", "belongs to the operating system"),
        ("path: set-environment, args: [a]", "gets arguments or variables"),
        (
            "path: set-environment, envs: [LD_PRELOAD=a]",
            "gets arguments or variables",
        ),
        ("Path: ./evil.sh", "names neither `exec` nor `container`"),
    ] {
        is_not_run(
            &hostile(&[("evil.yaml", &evil(way)), ("kustomization.yaml", listed)]),
            words,
        );
    }
    // The names of legacy plugins are not paths, and mlplat's group has no other functions.
    let plugin = |version: &str, kind: &str| format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n");
    for (version, kind) in [
        ("../../../../../../../../../..TREE/v1", "Evil"),
        ("mlplat.dev/v1alpha1", "Sh"),
    ] {
        let folder = hostile(&[("kustomization.yaml", listed)]);
        let version = version.replace("TREE", &folder.path().display().to_string());
        fs::write(folder.path().join("evil.yaml"), plugin(&version, kind)).expect("a file of the test");
        fs::create_dir_all(folder.path().join("v1/evil")).expect("a folder of the test");
        script(
            &folder.path().join("v1/evil/Evil"),
            "echo ran >\"$(dirname \"$0\")/../../ran\"; exec cat",
        );
        is_not_run(&folder, "there is no plugin");
    }
}

#[test]
fn what_only_some_readers_see_is_refused() {
    let good = "resources: [pod.yaml]\nvalidators: [good.yaml]\n";
    for (hidden, words) in [
        (
            "# a\u{2028}transformers: [evil.yaml]\n",
            "a line break that is none everywhere",
        ),
        ("transformers: [!!binary ZXZpbC55YW1s]\n", "a tag (`!`)"),
        ("x: &x {transformers: [evil.yaml]}\n<<: *x\n", "a merge (`<<`)"),
        (
            "transformers: [evil.yaml]\ntransformers: []\n",
            "a key that is there twice",
        ),
    ] {
        let validate = REPLACE
            .replace("path: set-environment", "path: validate-practices")
            .replace("SetEnvironment", "ValidatePractices");
        let validate = format!(
            "{}spec: {{output: None}}\n",
            &validate[..validate.find("spec:").expect("it has one")]
        );
        let folder = hostile(&[
            ("good.yaml", &validate),
            ("evil.yaml", &evil("path: ./evil.sh")),
            ("kustomization.yaml", &format!("{good}{hidden}")),
        ]);
        is_not_run(&folder, words);
    }
}

#[test]
fn with_consent_any_program_runs_and_a_missing_one_is_named() {
    let listed = "resources: [pod.yaml]\ntransformers: [evil.yaml]\n";
    for client in clients() {
        let folder = hostile(&[("evil.yaml", &evil("path: ./evil.sh")), ("kustomization.yaml", listed)]);
        let rendered = mlplat(&["render", "--enable-exec"], &client, &[folder.path()]).rendered();
        assert!(
            rendered.contains("kind: Pod") && folder.path().join("ran").is_file(),
            "{rendered}"
        );
        let missing = hostile(&[("evil.yaml", &evil("path: ./nowhere")), ("kustomization.yaml", listed)]);
        mlplat(&["render", "--enable-exec"], &client, &[missing.path()]).is_refused("there is no program ./nowhere");
    }
}

#[test]
fn functions_see_nothing_of_the_users_secrets() {
    let programs = tempfile::tempdir().expect("a temporary folder");
    script(
        &programs.path().join("note-environment"),
        &format!("env >\"{}/env\"; exec cat", programs.path().display()),
    );
    let listed = "resources: [pod.yaml]\ntransformers: [note.yaml]\n";
    let note = REPLACE.replace("path: set-environment", "path: note-environment");
    let plugin = "apiVersion: example.test/v1\nkind: Note\nmetadata: {name: note}\n";
    let home = programs.path().join("home/example.test/v1/note");
    fs::create_dir_all(&home).expect("a folder of the test");
    symlink(programs.path().join("note-environment"), home.join("Note")).expect("a link of the test");
    for client in clients() {
        for text in [&*note, plugin] {
            let folder = tree(&[("pod.yaml", POD), ("note.yaml", text), ("kustomization.yaml", listed)]);
            let rest = path();
            let folders = std::iter::once(programs.path().to_owned()).chain(env::split_paths(&rest));
            let mut command = Command::new(harness::mlplat());
            command
                .args(["render", "--client"])
                .arg(&client)
                .arg(folder.path())
                .env("PATH", env::join_paths(folders).expect("folders without colons"))
                .env("KUSTOMIZE_PLUGIN_HOME", programs.path().join("home"))
                .env("AWS_SECRET_ACCESS_KEY", "CANARY")
                .env("GITHUB_TOKEN", "CANARY")
                .env("HTTPS_PROXY", "http://user:CANARY@proxy.test");
            assert!(run(&mut command, "").rendered().contains("kind: Pod"));
            let seen = fs::read_to_string(programs.path().join("env")).expect("the function has written it");
            fs::remove_file(programs.path().join("env")).expect("it is there");
            assert!(
                seen.contains("PATH=") && !seen.contains("CANARY"),
                "{}: {seen}",
                client.display()
            );
        }
    }
}

/// A repository with a kustomization, as kustomize fetches it.
fn repository(function: &str) -> TempDir {
    let folder = hostile(&[
        ("evil.yaml", function),
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\ntransformers: [evil.yaml]\n",
        ),
        ("plain/pod.yaml", &POD.replace("name: app\n", "name: other\n")),
        ("plain/kustomization.yaml", "resources: [pod.yaml]\n"),
    ]);
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command
            .current_dir(folder.path())
            .args(["-c", "user.name=a", "-c", "user.email=a@b"]);
        let answer = run(command.args(arguments), "");
        assert!(answer.ok, "{}", answer.stderr);
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "a"]);
    folder
}

#[test]
fn functions_that_are_fetched_do_not_run_and_other_functions_do() {
    let fetched = repository(&evil("path: ./evil.sh"));
    let url = |path: &str| format!("file://{}//{path}?ref=HEAD", fetched.path().display());
    for client in clients() {
        for functions in ["", "transformers: [set.yaml]\n"] {
            let folder = tree(&[
                ("pod.yaml", POD),
                ("set.yaml", REPLACE),
                (
                    "kustomization.yaml",
                    &format!("resources: [\"{}\"]\n{functions}", url("")),
                ),
            ]);
            let rendered = mlplat(&["render"], &client, &[folder.path()]);
            rendered.is_refused("functions that are fetched are not run");
        }
        let folder = tree(&[
            ("pod.yaml", POD),
            ("set.yaml", REPLACE),
            (
                "kustomization.yaml",
                &format!(
                    "resources: [pod.yaml, \"{}\"]\ntransformers: [set.yaml]\n",
                    url("plain")
                ),
            ),
        ]);
        let rendered = mlplat(&["render"], &client, &[folder.path()]).rendered();
        assert_eq!(rendered.matches("mirror.example.test/app:1").count(), 2, "{rendered}");
    }
}
