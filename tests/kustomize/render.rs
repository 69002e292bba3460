//! `mlplat render` by every client without a flag: the bytes that kustomize prints with all of its flags.

use crate::cases::{Changed, case};
use crate::clients::{Answer, kubectls, kustomize_exec, mlplat, outermost};
use std::fs;
use std::path::Path;

fn render(client: &Path, folder: &Path) -> Answer {
    mlplat(
        &["render", "--client", client.to_str().expect("a path in UTF-8")],
        &[folder],
    )
}

#[track_caller]
fn is_what_kustomize_prints(folder: &Path) {
    let expected = kustomize_exec(folder).rendered();
    for client in outermost() {
        assert_eq!(
            render(&client, folder).rendered(),
            expected,
            "{} under {}",
            folder.display(),
            client.display()
        );
    }
}

#[test]
fn every_case_renders_as_kustomize_renders_it_with_its_flags() {
    for name in [
        "inject-endpoints",
        "set-environment",
        "generate-network-policies",
        "validate-practices",
        "validate-parity",
        "chain",
    ] {
        is_what_kustomize_prints(&case(&format!("{name}/exec")));
    }
}

#[test]
fn functions_without_an_annotation_are_found_beside_mlplat() {
    let expected = kustomize_exec(&case("chain/exec")).rendered();
    for client in outermost() {
        let client = client.to_str().expect("a path in UTF-8");
        let rendered = mlplat(
            &["render", "--unrestricted", "--client", client],
            &[&case("chain/plugin")],
        );
        assert_eq!(rendered.rendered(), expected, "{client}");
    }
}

#[test]
fn every_kubectl_renders_all_functions_together() {
    let expected = kustomize_exec(&case("chain/exec")).rendered();
    for kubectl in kubectls() {
        assert_eq!(
            render(&kubectl, &case("chain/exec")).rendered(),
            expected,
            "{}",
            kubectl.display()
        );
    }
}

/// A folder with these files.
pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder in it");
        fs::write(path, text).expect("a file in it");
    }
    folder
}

pub(crate) const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n    - name: app\n      image: app:1\n      \
                   envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: creds}}]\n";
pub(crate) const REPLACE: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: SetEnvironment\nmetadata:\n  name: set\n  annotations:\n    \
                       config.kubernetes.io/function: |\n      exec: {path: set-environment}\nspec:\n  images:\n    \
                       - {from: app, to: mirror.example.test/app}\n";
pub(crate) const CONTRACT: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: EnvironmentEndpoints\nmetadata:\n  name: local\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\nspec:\n  endpoints:\n    redis:\n      \
                        host: {address: 127.0.0.1, port: 6379}\n      database: 0\n      tls: false\n      \
                        credentials: {secretName: creds, passwordKey: password}\n";
pub(crate) const INJECT: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: InjectEndpoints\nmetadata:\n  name: inject\n  annotations:\n    \
                      config.kubernetes.io/function: |\n      exec: {path: inject-endpoints}\nspec:\n  \
                      endpointsFrom: {name: local}\n  view: host\n";

#[test]
fn hashes_and_prefixes_reach_what_functions_refer_to() {
    let generated = "resources: [pod.yaml, contract.yaml]\nnamePrefix: dev-\nnamespace: demo\nconfigMapGenerator:\n  \
                     - {name: settings, literals: [A=1]}\nsecretGenerator:\n  - {name: creds, literals: [password=x]}\n  \
                     - {name: fixed, literals: [a=b], options: {disableNameSuffixHash: true}}\ntransformers: [inject.yaml]\n";
    let folder = tree(&[
        ("pod.yaml", POD),
        ("contract.yaml", CONTRACT),
        ("inject.yaml", INJECT),
        ("kustomization.yaml", generated),
    ]);
    let rendered = kustomize_exec(folder.path()).rendered();
    assert!(
        rendered.contains("name: dev-creds-") && !rendered.contains("name: creds"),
        "{rendered}"
    );
    is_what_kustomize_prints(folder.path());
}

#[test]
fn functions_run_on_every_level_in_kustomizes_order() {
    let folder = tree(&[
        ("base/pod.yaml", POD),
        ("base/set.yaml", REPLACE),
        (
            "base/kustomization.yaml",
            "resources: [pod.yaml]\nconfigMapGenerator:\n  - {name: settings, literals: [A=1]}\ntransformers: [set.yaml]\n",
        ),
        ("part/inject/inject.yaml", INJECT),
        ("part/inject/kustomization.yaml", "resources: [inject.yaml]\n"),
        (
            "part/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n  \
             - {name: settings, behavior: merge, literals: [B=2]}\ntransformers: [inject]\n",
        ),
        ("top/contract.yaml", CONTRACT),
        (
            "top/kustomization.yaml",
            "resources: [../base, contract.yaml]\ncomponents: [../part]\nnamespace: demo\nsecretGenerator:\n  \
             - {name: creds, literals: [password=x]}\nlabels:\n  - {pairs: {team: ml}, includeTemplates: true}\npatches:\n  \
             - target: {kind: Pod}\n    patch: '[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"patched\": \"yes\"}}]'\n\
             sortOptions: {order: legacy}\n",
        ),
    ]);
    let rendered = kustomize_exec(&folder.path().join("top")).rendered();
    for words in [
        "mirror.example.test/app:1",
        "REDIS_URL",
        "B: \"2\"",
        "team: ml",
        "patched: \"yes\"",
    ] {
        assert!(rendered.contains(words), "{words} is not in:\n{rendered}");
    }
    is_what_kustomize_prints(&folder.path().join("top"));
}

#[test]
fn what_a_kustomization_holds_besides_functions_is_built_by_the_client() {
    is_what_kustomize_prints(&case("application"));
}

#[test]
fn a_function_that_is_missing_or_fails_fails_the_build() {
    let missing = Changed::file("set-environment/exec/set-environment.yaml", |text| {
        text.replace("path: set-environment", "path: is-nowhere")
    });
    let wrong = Changed::file("set-environment/exec/set-environment.yaml", |text| {
        text.replace("{http: 30080}", "{https: 30080}")
    });
    for client in outermost() {
        render(&client, &missing.case("set-environment/exec"))
            .is_refused("there is no program is-nowhere in PATH. To fix: install it");
        render(&client, &wrong.case("set-environment/exec")).is_refused("no port is named or numbered `https`");
    }
}

#[test]
fn what_each_level_configures_counts_where_kustomize_lets_it_count() {
    let config = "nameReference:\n- kind: ConfigMap\n  fieldSpecs: [{kind: Widget, path: spec/settings}]\n";
    let widget = "apiVersion: example.test/v1\nkind: Widget\nmetadata: {name: w}\nspec: {settings: settings}\n";
    let base = "resources: [pod.yaml, widget.yaml]\nconfigurations: [config/names.yaml]\nconfigMapGenerator:\n\
                - {name: settings, literals: [A=1]}\n- {name: creds, literals: [B=1]}\n";
    for top in [
        "generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator:\n- {name: settings, behavior: merge, literals: [B=2]}\n",
        "configMapGenerator:\n- {name: settings, behavior: replace, literals: [B=2], options: {disableNameSuffixHash: true}}\n",
        "namePrefix: a-\nnameSuffix: -b\n",
        "buildMetadata: [originAnnotations, transformerAnnotations]\nnamePrefix: a-\n",
        "replacements: [{source: {kind: Widget, fieldPath: spec.settings}, targets: [{select: {kind: Pod}, fieldPaths: [metadata.annotations.w], options: {create: true}}]}]\n",
    ] {
        let middle = format!("resources: [../base]\ntransformers: [set.yaml]\n{top}");
        let folder = tree(&[
            ("base/pod.yaml", POD),
            ("base/widget.yaml", widget),
            ("base/config/names.yaml", config),
            ("base/kustomization.yaml", base),
            ("middle/set.yaml", REPLACE),
            ("middle/kustomization.yaml", &middle),
            (
                "top/set.yaml",
                &REPLACE
                    .replace("from: app", "from: mirror.example.test/app")
                    .replace("mirror.example.test/app}", "again/app}"),
            ),
            (
                "top/kustomization.yaml",
                "resources: [../middle]\nnamePrefix: top-\ntransformers: [set.yaml]\n",
            ),
        ]);
        assert!(
            kustomize_exec(&folder.path().join("top"))
                .rendered()
                .contains("again/app:1")
        );
        is_what_kustomize_prints(&folder.path().join("middle"));
        is_what_kustomize_prints(&folder.path().join("top"));
    }
}

#[test]
fn files_are_found_however_a_kustomization_names_them() {
    let folder = tree(&[
        ("base/pod.yaml", POD),
        ("base/kustomization.yml", "resources: [pod.yaml]\n"),
        ("shared/functions/set.yaml", REPLACE),
        ("shared/functions/Kustomization", "resources: [set.yaml]\n"),
        (
            "shared/patched/kustomization.yaml",
            "resources: [../functions]\npatches:\n- patch: '[{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"a\": \"b\"}}]'\n  target: {kind: SetEnvironment}\n",
        ),
        ("top/text/a.txt", "a"),
        ("top/more.env", "X=1\n"),
        (
            "top/patch.yaml",
            "- op: add\n  path: /metadata/labels\n  value: {p: q}\n",
        ),
        ("top/real.yaml", &POD.replace("name: app\n", "name: linked\n")),
    ]);
    let path = folder.path();
    std::os::unix::fs::symlink("real.yaml", path.join("top/link.yaml")).expect("a link of the test");
    std::os::unix::fs::symlink("../base", path.join("top/base")).expect("a link of the test");
    for functions in ["../shared/functions", "../shared/patched"] {
        let top = format!(
            "resources: [base, link.yaml]\nconfigMapGenerator:\n- {{name: settings, files: [text/a.txt, \"b=./text/a.txt\", \
             \"{}\"], envs: [more.env]}}\npatches:\n- {{path: patch.yaml, target: {{kind: Pod}}}}\ntransformers: [{functions}]\n",
            path.join("top/patch.yaml").display()
        );
        fs::write(path.join("top/kustomization.yaml"), top).expect("a file of the test");
        let rendered = kustomize_exec(&path.join("top")).rendered();
        assert_eq!(rendered.matches("mirror.example.test/app:1").count(), 2, "{rendered}");
        is_what_kustomize_prints(&path.join("top"));
    }
}

/// By every client, and by `verify` of one and of two such folders.
#[track_caller]
fn is_refused_everywhere(folder: &Path, words: &str) {
    for client in outermost() {
        render(&client, folder).is_refused(words);
        for folders in [&[folder] as &[&Path], &[folder, folder]] {
            let client = client.to_str().expect("a path in UTF-8");
            let said = mlplat(&["verify", "--client", client], folders);
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(!said.ok && all.contains(words), "{words:?} is not in:\n{all}");
        }
    }
}

#[test]
fn kustomizations_that_name_each_other_are_refused() {
    for (a, b) in [("../b", "../a"), (".", "."), ("../b", "..")] {
        for field in ["resources", "components", "transformers"] {
            let folder = tree(&[
                ("kustomization.yaml", "resources: [a]\n"),
                ("a/pod.yaml", POD),
                (
                    "a/kustomization.yaml",
                    &format!("resources: [pod.yaml]\n{field}: [{a}]\n")
                        .replace("resources: [pod.yaml]\nresources: [", "resources: [pod.yaml, "),
                ),
                ("b/kustomization.yaml", &format!("resources: [\"{b}\"]\n")),
            ]);
            is_refused_everywhere(&folder.path().join("a"), "cycle detected");
        }
    }
}

#[test]
fn texts_that_happen_to_be_paths_are_not_read() {
    let folder = tree(&[("pod.yaml", POD), ("set.yaml", REPLACE)]);
    let text = "resources: [pod.yaml]\ntransformers: [set.yaml]\nnamePrefix: /proc/kmsg\ncommonAnnotations: {a: /proc/kmsg, b: /dev/zero, c: pipe}\n";
    fs::write(folder.path().join("kustomization.yaml"), text).expect("a file of the test");
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path().join("pipe"))
        .status();
    assert!(made.expect("mkfifo runs").success());
    is_what_kustomize_prints(folder.path());
    let said = mlplat(&["verify"], &[folder.path()]);
    assert!(said.ok, "{}{}", said.stdout, said.stderr);
    // A device or pipe among the resources does not hang either.
    for entry in ["pipe", "/dev/zero"] {
        let text = format!("resources: [pod.yaml, {entry}]\ntransformers: [set.yaml]\n");
        fs::write(folder.path().join("kustomization.yaml"), text).expect("a file of the test");
        is_refused_everywhere(folder.path(), &format!("{entry} is neither a file nor a folder"));
    }
}

#[test]
fn a_function_in_the_wrong_list_is_refused() {
    let inject = "resources: [pod.yaml, contract.yaml, inject.yaml]\n";
    let files = [("pod.yaml", POD), ("contract.yaml", CONTRACT), ("inject.yaml", INJECT)];
    let folder = tree(&[&files as &[_], &[("kustomization.yaml", inject)]].concat());
    is_refused_everywhere(
        folder.path(),
        "resources: inject.yaml has InjectEndpoints inject, the configuration of a function; as a resource it would be applied \
         to the cluster, and the function would not run. To fix: list the file under `transformers`",
    );
    let generators = "resources: [pod.yaml, contract.yaml]\ngenerators: [inject.yaml]\n";
    let folder = tree(&[&files as &[_], &[("kustomization.yaml", generators)]].concat());
    is_refused_everywhere(folder.path(), "it makes no objects, it works on those of the build");
    let validate = "apiVersion: mlplat.dev/v1alpha1\nkind: ValidatePractices\nmetadata:\n  name: v\n  annotations:\n    \
                    config.kubernetes.io/function: |\n      exec: {path: validate-practices}\nspec: {output: None}\n";
    let folder = tree(&[
        ("pod.yaml", POD),
        ("validate.yaml", validate),
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\ntransformers: [validate.yaml]\n",
        ),
    ]);
    is_refused_everywhere(folder.path(), "would delete all of them");
}

#[test]
fn a_file_that_terraform_has_not_written_yet_is_named() {
    let folder = tree(&[
        ("pod.yaml", POD),
        ("inject.yaml", INJECT),
        (
            "kustomization.yaml",
            "resources: [pod.yaml, endpoints.yaml]\ntransformers: [inject.yaml]\n",
        ),
    ]);
    for client in outermost() {
        let answer = render(&client, folder.path());
        answer.is_refused("kustomization.yaml: resources: endpoints.yaml does not exist. To fix: correct the path, or run `terraform apply`");
        assert!(!answer.stderr.contains(".go:"), "{}", answer.stderr);
    }
}

#[test]
fn what_kubectl_cannot_keep_is_refused_and_kustomize_builds_it() {
    let folder = tree(&[
        ("pod.yaml", POD),
        ("set.yaml", REPLACE),
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\ntransformers: [set.yaml]\nsecretGenerator:\n- {name: s, files: [set=set.yaml]}\n",
        ),
    ]);
    let expected = kustomize_exec(folder.path()).rendered();
    let clients = outermost();
    assert_eq!(render(&clients[0], folder.path()).rendered(), expected);
    render(&clients[3], folder.path())
        .is_refused("set.yaml: a file is both a function's configuration and something else");
}
