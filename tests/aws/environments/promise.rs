//! The promise: from local to prod without touching the application.
//!
//! The prod of this test is that of the examples, with S3 of an emulator. The local PostgreSQL and Valkey stand for the database
//! and the cache that prod is given, and the test for the External Secrets Operator and for the pod's role.

use super::{Tree, command};
use harness::emulators::Kind;
use harness::program::{binary, kustomize};
use harness::project::run;
use harness::{mlplat, process, wait};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;
use std::{env, fs};

#[test]
fn one_application_runs_unchanged_against_local_and_prod() {
    let tree = Tree::new(Kind::MiniStack);
    let bases = contents(&tree.kubernetes("base"));
    // Nothing here is in a cluster: both overlays are rendered as the host sees the endpoints.
    for overlay in ["local", "prod"] {
        for (file, from, to) in [
            ("inject-endpoints.yaml", "view: cluster", "view: host"),
            ("generate-network-policies.yaml", "spec:\n", "spec:\n  view: host\n"),
        ] {
            let path = tree.kubernetes(&format!("overlays/{overlay}/{file}"));
            let text = fs::read_to_string(&path).expect("a configuration");
            assert!(text.contains(from), "{}", path.display());
            fs::write(&path, text.replacen(from, to, 1)).expect("the copy can be written");
        }
    }

    tree.in_environment("environments/local", &["init", "-no-color", "-input=false"])
        .success();
    tree.apply("environments/local");
    let local = render(&tree, "local");
    let endpoints = endpoints(&tree);
    answers(&tree, &["local.yaml"], &[]);

    // Given to prod: where the database and the cache are. Its own: the state in a file here, S3 of the emulator.
    let given = given(&endpoints);
    tree.overrides("environments/prod", &given);
    tree.in_environment("environments/prod", &["init", "-no-color", "-input=false"])
        .success();
    tree.apply("environments/prod");
    let prod = render(&tree, "prod");
    tree.project.write("operator.yaml", &what_the_operator_makes(&tree));
    answers(
        &tree,
        &["prod.yaml", "operator.yaml"],
        &["AWS_ACCESS_KEY_ID=role", "AWS_SECRET_ACCESS_KEY=role"],
    );

    assert_eq!(contents(&tree.kubernetes("base")), bases, "a base was changed");
    assert!(
        prod.contains("kind: ExternalSecret") && !prod.contains("AWS_ACCESS_KEY_ID"),
        "credentials in prod are references"
    );
    assert!(local.contains("AWS_ACCESS_KEY_ID"));
    let mut verify = command(&tree, &mlplat());
    verify
        .args(["verify", "--client"])
        .arg(kustomize())
        .arg("--parity")
        .arg(tree.kubernetes("parity.yaml"))
        .args(["local", "prod"].map(|overlay| tree.kubernetes(&format!("overlays/{overlay}"))));
    run(&mut verify).success();
    tree.destroy_prod();
    tree.destroy("environments/local");
}

impl Tree {
    /// The buckets hold what the application stored: a destroy refuses, and is forced by a configuration that says so.
    #[track_caller]
    fn destroy_prod(&self) {
        let refused = self.in_environment("environments/prod", &["destroy", "-auto-approve", "-no-color"]);
        refused.fails_with(&["force_destroy"]);
        let module = self.project.path("terraform/environments/prod/main.tf");
        let text = fs::read_to_string(&module).expect("a configuration");
        let forced = text.replace(
            "names  = [\"models\", \"reports\"]",
            "names  = [\"models\", \"reports\"]\n    force_destroy = true",
        );
        assert_ne!(text, forced);
        fs::write(&module, forced).expect("the copy can be written");
        self.apply("environments/prod");
        self.destroy("environments/prod");
        assert!(
            !self
                .emulator
                .s3("GET", "/", "")
                .text()
                .contains("example-artefacts-prod")
        );
    }
}

/// What kustomize and the functions make of an overlay; also in a file of its name.
fn render(tree: &Tree, overlay: &str) -> String {
    let programs = binary("inject-endpoints").parent().expect("a folder").to_path_buf();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(programs).chain(env::split_paths(&path))).expect("no colons");
    let output = command(tree, &kustomize())
        .args(["build", "--enable-alpha-plugins", "--enable-exec"])
        .arg(tree.kubernetes(&format!("overlays/{overlay}")))
        .env("PATH", path)
        .output()
        .expect("kustomize runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    tree.project.write(&format!("{overlay}.yaml"), &text);
    text
}

/// The local contract.
fn endpoints(tree: &Tree) -> Value {
    let shown = tree
        .in_environment("environments/local", &["output", "-json", "endpoints"])
        .success();
    serde_json::from_str(&shown.text).unwrap_or_else(|error| panic!("{error}: {}", shown.text))
}

/// The database and the cache of prod, and a state that needs no bucket.
fn given(endpoints: &Value) -> String {
    let of = |protocol: &str| {
        let host = &endpoints[protocol]["host"];
        format!("address = {}, port = {}", host["address"], host["port"])
    };
    format!(
        r#"
terraform {{
  backend "local" {{}}
}}

module "environment" {{
  database = {{ {}, name = "artefacts", ssl_mode = "disable", secret = "artefact-store/prod/postgres" }}
  cache    = {{ {}, tls = false, secret = "artefact-store/prod/redis" }}
}}
"#,
        of("postgres"),
        of("redis")
    )
}

/// The Secret that the External Secrets Operator makes of the manifest that Terraform wrote: the store's secrets are those of
/// the local stack.
fn what_the_operator_makes(tree: &Tree) -> String {
    let read = |path: &str| fs::read_to_string(tree.kubernetes(path)).expect("written by Terraform");
    let (held, asked) = (
        read("overlays/local/contract/secret.yaml"),
        read("overlays/prod/contract/external-secret.yaml"),
    );
    let mut secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mlplat-credentials\n  namespace: artefact-store\nstringData:\n".to_owned();
    let mut made = asked.clone();
    for key in ["postgres.username", "postgres.password", "redis.password"] {
        assert!(asked.contains(&format!("secretKey: {key}\n")), "{asked}");
        let line = held
            .lines()
            .find(|line| line.trim_start().starts_with(key))
            .expect("the key is there");
        let value = line.split_once(": ").expect("a value").1.trim_matches('"');
        secret += &format!("  {key}: \"{value}\"\n");
        let template = format!(r#"{{{{ index . \"{key}\" | urlquery | replace \"+\" \"%20\" }}}}"#);
        assert!(made.contains(&template), "{template} is not in {made}");
        made = made.replace(&template, value);
    }
    for key in ["postgres.url", "redis.url"] {
        let line = made
            .lines()
            .find(|line| line.trim_start().starts_with(key))
            .expect("a template");
        secret += &format!("  {}\n", line.trim());
    }
    secret
}

/// The rendered backend answers as it should with exactly the variables of its manifest, and those of `env`.
#[track_caller]
fn answers(tree: &Tree, manifests: &[&str], env: &[&str]) {
    let port = process::spare_port();
    let log = fs::File::create(tree.project.path("backend.log")).expect("a log");
    let mut backend = command(tree, &mlplat());
    backend.arg("run").args(manifests.iter().flat_map(|file| ["-f", file]));
    let port_variable = format!("PORT={port}");
    for variable in env.iter().copied().chain([port_variable.as_str()]) {
        backend.args(["--env", variable]);
    }
    backend
        .arg("deployment/backend")
        .arg("--")
        .arg(binary("artefact-store"));
    let mut backend = Ended(
        backend
            .stdout(log.try_clone().expect("a handle"))
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .expect("mlplat runs"),
    );
    let text = || fs::read_to_string(tree.project.path("backend.log")).unwrap_or_default();
    wait::until("the application to listen", Duration::from_secs(120), || {
        let ended = backend.0.try_wait().expect("a child can be waited for");
        assert!(ended.is_none(), "{manifests:?}: the application ended:\n{}", text());
        process::listening(port).then_some(())
    });
    let tried = run(command(tree, &binary("artefact-store")).args(["try", &format!("http://127.0.0.1:{port}")]));
    assert_eq!(tried.code, Some(0), "{manifests:?}:\n{}\n{}", tried.text, text());
}

/// A program that is ended with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.insert(path.display().to_string(), fs::read(&path).expect("a file"));
        }
    }
    found
}
