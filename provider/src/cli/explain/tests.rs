use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

const CONTRACT: &str = r#"
apiVersion: mlplat.dev/v1alpha1
kind: EnvironmentEndpoints
metadata: {name: dev}
spec:
  endpoints:
    postgres:
      host: {address: 10.20.0.5, port: 5432}
      cluster: {address: 10.20.0.5, port: 5432}
      database: app
      sslMode: require
      credentials: {secretName: mlplat-credentials, usernameKey: postgres.username, passwordKey: postgres.password}
    s3:
      host: {url: "https://s3.example.com:9000"}
      cluster: {url: "http://10.20.0.7:9000"}
      region: eu-central-1
      forcePathStyle: true
      buckets: [models]
      credentials: {secretName: mlplat-credentials, accessKeyIdKey: s3.access_key_id, secretAccessKeyKey: s3.secret_access_key}
"#;

const NOTE: &str = r#"{"function":"inject-endpoints","contract":"dev","view":"cluster","containers":{"spec.template.spec.containers[0]":{"name":"api","variables":{"PGHOST":"contract:postgres.cluster.address","PGPASSWORD":"contract:postgres.credentials.passwordKey"}}}}"#;

/// A Deployment with these variables, with a note of inject-endpoints or none.
fn deployment(note: Option<&str>, env: &[(&str, &str)]) -> String {
    let note = note.map(|note| format!("annotations: {{provenance.mlplat.dev/i: '{note}'}}"));
    let env: Vec<String> = env
        .iter()
        .map(|(name, value)| match value.strip_prefix("secret:") {
            Some(key) => {
                format!("{{name: {name}, valueFrom: {{secretKeyRef: {{name: mlplat-credentials, key: {key}}}}}}}")
            }
            None => format!("{{name: {name}, value: \"{value}\"}}"),
        })
        .collect();
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: api, namespace: ml, {}}}\nspec:\n  template:\n    \
         spec:\n      containers:\n        - {{name: api, env: [{}]}}\n",
        note.unwrap_or_default(),
        env.join(", ")
    )
}

const MADE: &str = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mlplat-endpoints\n  namespace: ml\n  annotations: \
                    {mlplat.dev/made-by: inject-endpoints}\ndata: {PGHOST: 10.20.0.5}\n";

/// What is printed, or the error.
fn explained(manifests: &str, contract: Option<&str>, line: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let mut words = vec!["explain".to_owned(), "-f".to_owned(), file("rendered.yaml", manifests)];
    if let Some(contract) = contract {
        words.extend(["--contract".to_owned(), file("endpoints.yaml", contract)]);
    }
    words.extend(line.iter().map(|word| (*word).to_owned()));
    let config = Config::from_variables(
        [("HOME".into(), "/home/a".into())].into(),
        "/bin/mlplat".into(),
        "/tmp".into(),
    );
    let mut out = Vec::new();
    match run(&Line::parse_from(words).arguments, &config.unwrap(), &mut out) {
        Ok(_) => String::from_utf8(out).unwrap(),
        Err(error) => format!("error: {error}"),
    }
}

#[track_caller]
fn says(table: &str, variable: &str, origin: &str) {
    let found = table.lines().find(|line| line.starts_with(&format!("{variable} ")));
    assert!(
        found.is_some_and(|line| line.ends_with(origin)),
        "{variable}, {origin}:\n{table}"
    );
}

#[test]
fn the_view_in_which_all_variables_fit_is_named_and_that_of_pods_first() {
    let injected = [("PGHOST", "10.20.0.5"), ("S3_ENDPOINT", "http://10.20.0.7:9000")];
    let table = explained(&deployment(None, &injected), Some(CONTRACT), &["deployment/api"]);
    says(
        &table,
        "PGHOST",
        "  contract dev (cluster view), postgres.cluster.address",
    );
    says(&table, "S3_ENDPOINT", "  contract dev (cluster view), s3.cluster.url");

    let injected = [("PGHOST", "10.20.0.5"), ("S3_ENDPOINT", "https://s3.example.com:9000")];
    let table = explained(&deployment(None, &injected), Some(CONTRACT), &["deployment/api"]);
    says(&table, "PGHOST", "  contract dev (host view), postgres.host.address");
    says(&table, "S3_ENDPOINT", "  contract dev (host view), s3.host.url");

    let table = explained(&deployment(None, &injected[..1]), Some(CONTRACT), &["deployment/api"]);
    says(
        &table,
        "PGHOST",
        "  contract dev (cluster view), postgres.cluster.address",
    );
}

#[test]
fn an_endpoint_without_a_view_hides_no_other() {
    let host_only = CONTRACT.replace("      cluster: {url: \"http://10.20.0.7:9000\"}\n", "");
    assert_ne!(host_only, CONTRACT);
    let table = explained(
        &deployment(None, &[("PGHOST", "10.20.0.5")]),
        Some(&host_only),
        &["deployment/api"],
    );
    says(
        &table,
        "PGHOST",
        "  contract dev (cluster view), postgres.cluster.address",
    );
}

#[test]
fn what_was_changed_behind_the_function_is_not_said_to_be_its_own() {
    let fresh = [("PGHOST", "10.20.0.5"), ("PGPASSWORD", "secret:postgres.password")];
    let table = explained(&deployment(Some(NOTE), &fresh), Some(CONTRACT), &["deployment/api"]);
    says(
        &table,
        "PGHOST",
        "  contract dev (cluster view), postgres.cluster.address, by inject-endpoints",
    );
    says(
        &table,
        "PGPASSWORD",
        "  contract dev (cluster view), postgres.credentials.passwordKey, by inject-endpoints",
    );

    let patched = deployment(Some(NOTE), &[("PGHOST", "9.9.9.9"), ("PGPASSWORD", "plain")]);
    let table = explained(&patched, Some(CONTRACT), &["deployment/api"]);
    says(&table, "PGHOST", "  the manifest; the contract dev says something else");
    says(
        &table,
        "PGPASSWORD",
        "  the manifest; the contract dev says something else",
    );

    // Without the contract, by the ConfigMap that the function made and by how the variable is set.
    let table = explained(&format!("{patched}{MADE}"), None, &["deployment/api"]);
    says(
        &table,
        "PGHOST",
        "  the manifest; inject-endpoints had set it from postgres.cluster.address of the contract dev",
    );
    says(
        &table,
        "PGPASSWORD",
        "  the manifest; inject-endpoints had set it from postgres.credentials.passwordKey of the contract dev",
    );
}

#[test]
fn where_nothing_is_known_the_ways_to_know_are_named() {
    let plain = deployment(None, &[("PGHOST", "10.20.0.5")]);
    let table = explained(&plain, None, &["deployment/api"]);
    says(&table, "PGHOST", "  the manifest");
    assert!(
        table.contains("--contract") && table.contains("provenance: true"),
        "{table}"
    );
    assert!(!explained(&plain, Some(CONTRACT), &["deployment/api"]).contains("provenance"));
    assert!(!explained(&deployment(Some(NOTE), &[]), None, &["deployment/api"]).contains("--contract"));
}

#[test]
fn kinds_are_taken_as_kubectl_takes_them() {
    let plain = deployment(None, &[]);
    for wanted in [
        "deploy/api",
        "Deployment/api",
        "deployments/api",
        "deploy.apps/api",
        "deployments.v1.apps/api",
    ] {
        let table = explained(&plain, None, &[wanted]);
        assert!(
            table.starts_with("Deployment ml/api, container api"),
            "{wanted}: {table}"
        );
    }
    let flow = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a}\nspec: {templates: [{name: t, container: {image: i}}]}\n";
    assert!(explained(flow, None, &["wf/a"]).contains("(spec.templates[0].container)\nno variables\n"));
    assert_eq!(
        explained(&plain, None, &["deploy.batch/api"]),
        "error: deploy.batch/api not found among these manifests. To fix: name one of deployment/api"
    );
}

#[test]
fn several_of_one_name_are_told_apart_by_what_tells_them_apart() {
    let one = deployment(None, &[]);
    let two = one.replace("namespace: ml", "namespace: web");
    assert_eq!(
        explained(&format!("{one}---\n{two}"), None, &["deploy/api"]),
        "error: deploy/api exists in several namespaces: ml, web. To fix: choose one by --namespace"
    );
    assert!(
        explained(&format!("{one}---\n{two}"), None, &["deploy/api", "-n", "web"]).starts_with("Deployment web/api")
    );
    assert_eq!(
        explained(&format!("{one}---\n{one}"), None, &["deploy/api"]),
        "error: deploy/api is defined 2 times in namespace ml. To fix: keep one of them in what is read"
    );
    let of_volcano = one
        .replace("apps/v1", "batch.volcano.sh/v1alpha1")
        .replace("Deployment", "Job");
    let of_batch = one.replace("apps/v1", "batch/v1").replace("Deployment", "Job");
    let both = format!("{of_batch}---\n{of_volcano}");
    assert_eq!(
        explained(&both, None, &["job/api"]),
        "error: job/api exists in several API groups. To fix: name one of job.batch.volcano.sh/api, job.batch/api"
    );
    assert!(explained(&both, None, &["job.batch/api"]).starts_with("Job ml/api"));
}

#[test]
fn manifests_without_a_workload_are_named_as_such() {
    assert_eq!(
        explained(
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n",
            None,
            &["deployment/app"]
        ),
        "error: deployment/app not found: these manifests hold no workload. To fix: give rendered manifests that have \
         one (mlplat render OVERLAY | mlplat explain deployment/app)"
    );
}

#[test]
fn names_and_values_of_any_length_are_printed() {
    let long = "x".repeat(70_000);
    let table = explained(
        &deployment(None, &[(&long, "a"), ("B", &long)]),
        None,
        &["deployment/api"],
    );
    assert!(table.contains(&format!("{long}  value")), "a long name");
}
