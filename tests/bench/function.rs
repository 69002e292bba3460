//! inject-endpoints over `cat`, which is what any function pays at least: starting, reading, writing. Beside it stands a
//! function on kyaml, the library of kustomize's own functions, that does the same.

use crate::{measure, row};
use harness::program::{binary, pinned};
use std::fmt::Write;
use std::fs;
use std::process::Command;

/// Of 100 objects, this many are of each kind.
const MIX: [(&str, usize); 5] = [
    ("Deployment", 30),
    ("Service", 25),
    ("ConfigMap", 25),
    ("StatefulSet", 10),
    ("CronJob", 10),
];

/// 1, 100 and 5,000 objects (about 4 MB), beside a function on kyaml that does the same; then up to a million.
pub(crate) fn inject_endpoints() {
    let function = binary("inject-endpoints");
    let kyaml = pinned("kyaml-inject");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = folder.path().join("input.yaml");
    let write = |objects: usize| {
        fs::write(&input, resource_list(objects)).expect("the input is written");
        fs::metadata(&input).expect("it was written").len() as f64 / 1e6
    };
    let cat = |command: &mut Command| {
        command.arg("cat");
    };
    let ours = |command: &mut Command| {
        command.arg(&function);
    };
    let on_kyaml = |command: &mut Command| {
        command.arg(&kyaml);
    };
    let mut cpu_per_object = 0.0;
    for objects in [1, 100, 5000] {
        let size = write(objects);
        let runs = if objects > 1000 { 15 } else { 51 };
        let [floor, taken] = measure::medians(runs, Some(&input), [&cat, &ours]);
        let what = format!("inject-endpoints, {objects} objects ({size:.1} MB)");
        let goal = |text: &'static str| if objects == 5000 { text } else { "" };
        let start = if objects == 1 { "1 ms over cat" } else { "" };
        row(&format!("{what}: CPU"), taken.cpu_ms, floor.cpu_ms, "ms", goal("60 ms"));
        row(&format!("{what}: wall"), taken.wall_ms, floor.wall_ms, "ms", start);
        row(
            &format!("{what}: peak memory"),
            taken.peak_mib,
            floor.peak_mib,
            "Mi",
            goal("40 MB"),
        );
        cpu_per_object = taken.cpu_ms / objects as f64;
    }
    // The one of kyaml measured, ours as its floor: the ratio says how many times as much it takes.
    let [taken, beside] = measure::medians(5, Some(&input), [&ours, &on_kyaml]);
    let what = "a function on kyaml, 5000 objects";
    row(&format!("{what}: CPU"), beside.cpu_ms, taken.cpu_ms, "ms", "40 times");
    row(
        &format!("{what}: peak memory"),
        beside.peak_mib,
        taken.peak_mib,
        "Mi",
        "15 times",
    );
    for objects in [100_000, 1_000_000] {
        let size = write(objects);
        let [taken] = measure::medians(1, Some(&input), [&ours]);
        let per_thousand = |per_object: f64| per_object * 1e3;
        let what = format!("inject-endpoints, {objects} objects ({size:.0} MB): CPU of 1,000");
        let measured = per_thousand(taken.cpu_ms / objects as f64);
        row(&what, measured, per_thousand(cpu_per_object), "ms", "linear: 1");
    }
}

/// 1,000 objects beside 1,000 others, each image from another registry.
pub(crate) fn validate_parity() {
    const OBJECTS: usize = 1000;
    let function = binary("validate-parity");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (input, other) = (folder.path().join("input.yaml"), folder.path().join("other.yaml"));
    let items = items(OBJECTS);
    let there = items.replace("registry.example.test", "mirror.example.test");
    fs::write(&other, format!("apiVersion: v1\nkind: List\n{there}")).expect("the other side is written");
    let config = format!(
        "functionConfig:\n  apiVersion: mlplat.dev/v1alpha1\n  kind: ValidateParity\n  spec: {{against: {:?}}}\n",
        other.display()
    );
    fs::write(&input, format!("{LIST}{items}{config}")).expect("the input is written");
    let cat = |command: &mut Command| {
        command.arg("cat");
    };
    let ours = |command: &mut Command| {
        command.arg(&function);
    };
    let [floor, taken] = measure::medians(15, Some(&input), [&cat, &ours]);
    let what = format!("validate-parity, {OBJECTS} objects on each side: wall");
    row(&what, taken.wall_ms, floor.wall_ms, "ms", "1,000 ms");
}

const LIST: &str = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n";

fn resource_list(objects: usize) -> String {
    format!("{LIST}{}{CONFIGURATION}", items(objects))
}

fn items(objects: usize) -> String {
    let kinds: Vec<&str> = MIX
        .iter()
        .flat_map(|&(kind, count)| std::iter::repeat_n(kind, count))
        .collect();
    let mut text = String::from("items:\n");
    for index in 0..objects {
        let kind = kinds[index * 37 % kinds.len()];
        item(&mut text, kind, index).expect("writing to a String cannot fail");
    }
    text
}

fn item(text: &mut String, kind: &str, index: usize) -> std::fmt::Result {
    let group = match kind {
        "Deployment" | "StatefulSet" => "apps/v1",
        "CronJob" => "batch/v1",
        _ => "v1",
    };
    write!(
        text,
        "- apiVersion: {group}\n  kind: {kind}\n  metadata:\n    name: object-{index}\n    labels:\n"
    )?;
    write!(
        text,
        "      app: object-{index}\n      team: \"0{index}\"\n    annotations:\n"
    )?;
    write!(
        text,
        "      config.kubernetes.io/index: '{index}'\n      internal.config.kubernetes.io/index: '{index}'\n"
    )?;
    match kind {
        "Service" => {
            text.push_str(
                "  spec:\n    ports:\n    - name: http\n      port: 80\n      protocol: TCP\n      targetPort: 8080\n",
            );
            write!(text, "    selector:\n      app: object-{index}\n")
        }
        "ConfigMap" => {
            text.push_str("  data:\n    settings.toml: |\n");
            (0..20).try_for_each(|line| writeln!(text, "      key_{line} = \"value {line} of object {index}\""))
        }
        _ => {
            let cron = kind == "CronJob";
            text.push_str("  spec:\n");
            text.push_str(if cron {
                "    schedule: \"0 3 * * *\"\n    jobTemplate:\n      spec:\n        template:\n"
            } else {
                "    template:\n"
            });
            let indent = " ".repeat(if cron { 10 } else { 6 });
            for line in POD.lines() {
                writeln!(text, "{indent}{line}")?;
            }
            Ok(())
        }
    }
}

const POD: &str = r#"metadata:
  labels:
    app: backend
spec:
  containers:
  - name: application
    image: registry.example.test/team/application:1.2.3
    args: ["serve", "--workers", "4"]
    env:
    - name: LOG_LEVEL
      value: "info"
    - name: RELEASE_DATE
      value: "2024-01-01"
    ports:
    - containerPort: 8080
      name: http
    readinessProbe:
      httpGet:
        path: /readyz
        port: http
    resources:
      limits:
        cpu: "1"
        memory: 256Mi
      requests:
        cpu: 100m
        memory: 128Mi
    volumeMounts:
    - mountPath: /tmp
      name: tmp
  volumes:
  - emptyDir: {}
    name: tmp
"#;

const CONFIGURATION: &str = r"functionConfig:
  apiVersion: mlplat.dev/v1alpha1
  kind: InjectEndpoints
  metadata:
    name: inject-endpoints
  spec:
    view: host
    endpoints:
      postgres:
        host: {address: 127.0.0.1, port: 5432}
        database: artefacts
        sslMode: disable
        credentials: {secretName: mlplat-credentials, usernameKey: postgres.username, passwordKey: postgres.password}
      redis:
        host: {address: 127.0.0.1, port: 6379}
        database: 0
        tls: false
        credentials: {secretName: mlplat-credentials, passwordKey: redis.password}
      s3:
        host: {url: 'http://127.0.0.1:8333'}
        region: us-east-1
        forcePathStyle: true
        buckets: [models]
        credentials: {secretName: mlplat-credentials, accessKeyIdKey: s3.accessKeyId, secretAccessKeyKey: s3.secretAccessKey}
";
