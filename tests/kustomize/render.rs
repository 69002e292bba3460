//! `mlplat render` by every client without a flag: the bytes that kustomize prints with all of its flags.

use crate::cases::{Changed, case};
use crate::clients::{Answer, kubectls, kustomize_exec, kustomizes, mlplat, outermost};
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
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder in it");
        fs::write(path, text).expect("a file in it");
    }
    folder
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  containers:\n    - name: app\n      image: app:1\n      \
                   envFrom: [{configMapRef: {name: settings}}, {secretRef: {name: creds}}]\n";
const REPLACE: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: SetEnvironment\nmetadata:\n  name: set\n  annotations:\n    \
                       config.kubernetes.io/function: |\n      exec: {path: set-environment}\nspec:\n  images:\n    \
                       - {from: app, to: mirror.example.test/app}\n";
const CONTRACT: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: EnvironmentEndpoints\nmetadata:\n  name: local\n  annotations:\n    \
                        config.kubernetes.io/local-config: \"true\"\nspec:\n  endpoints:\n    redis:\n      \
                        host: {address: 127.0.0.1, port: 6379}\n      database: 0\n      tls: false\n      \
                        credentials: {secretName: creds, passwordKey: password}\n";
const INJECT: &str = "apiVersion: mlplat.dev/v1alpha1\nkind: InjectEndpoints\nmetadata:\n  name: inject\n  annotations:\n    \
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
        text.replace("path: set-environment", "path: ./nowhere")
    });
    let wrong = Changed::file("set-environment/exec/set-environment.yaml", |text| {
        text.replace("{http: 30080}", "{https: 30080}")
    });
    for client in outermost() {
        render(&client, &missing.case("set-environment/exec"))
            .is_refused("there is no program ./nowhere. To fix: install it");
        render(&client, &wrong.case("set-environment/exec")).is_refused("no port is named or numbered `https`");
    }
}

#[test]
fn what_a_build_in_steps_would_lose_is_refused() {
    let folder = tree(&[
        ("pod.yaml", POD),
        ("set.yaml", REPLACE),
        (
            "kustomization.yaml",
            "resources: [pod.yaml]\ntransformers: [set.yaml]\nbuildMetadata: [originAnnotations]\n",
        ),
    ]);
    render(&kustomizes()[0], folder.path())
        .is_refused("`buildMetadata` with origins cannot be kept by a build in steps. To fix: ");
}
