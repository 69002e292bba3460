//! What `images` writes: the same bytes each time, and what engines and the kubelet ask of it.
#![allow(clippy::disallowed_methods, reason = "a test driver runs programs")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::program::binary;
use serde_json::Value;
use sha2::{Digest, Sha256};

const FUNCTION: &str = "validate-practices";

fn write(folder: &Path) -> Vec<u8> {
    write_of(&binary(FUNCTION), folder)
}

fn write_of(program: &Path, folder: &Path) -> Vec<u8> {
    let image = format!("mlplat/{FUNCTION}={}", program.display());
    let output = Command::new(binary("images"))
        .args(["--with", "/etc/hostname", &image, "--out"])
        .arg(folder)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read(folder.join(format!("{FUNCTION}.tar"))).expect("it was written")
}

/// The files of an archive, as the system's own tar reads them.
fn unpacked(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("archive.tar");
    fs::write(&file, archive).expect("a file in it");
    let to = folder.path().join("to");
    fs::create_dir(&to).expect("a folder in it");
    let status = Command::new("tar")
        .arg("-xf")
        .arg(&file)
        .arg("-C")
        .arg(&to)
        .status()
        .expect("tar runs");
    assert!(status.success());
    let mut files = BTreeMap::new();
    let mut folders = vec![to.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it was unpacked") {
            let path = entry.expect("it was unpacked").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&to).expect("it lies there").display().to_string();
                files.insert(name, fs::read(&path).expect("it was unpacked"));
            }
        }
    }
    files
}

/// The JSON in a blob, whose name is its digest.
fn blob<'a>(files: &'a BTreeMap<String, Vec<u8>>, path: &str) -> &'a [u8] {
    let content = &files[path];
    let digest: String = Sha256::digest(content)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(path, format!("blobs/sha256/{digest}"));
    content
}

fn parse(content: &[u8]) -> Value {
    serde_json::from_slice(content).expect("it is JSON")
}

#[test]
fn the_same_program_gives_the_same_bytes() {
    let (one, two) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    let first = write(one.path());
    // Another place, another age, and clocks that count seconds have moved on.
    std::thread::sleep(Duration::from_millis(1100));
    let copy = two.path().join(FUNCTION);
    fs::copy(binary(FUNCTION), &copy).expect("a file in it");
    assert!(
        first == write_of(&copy, two.path()),
        "two archives of the same program differ"
    );
}

#[test]
fn one_archive_is_an_oci_layout_and_a_docker_archive_of_the_same_blobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpacked(&write(folder.path()));
    let path = |digest: &Value| digest.as_str().expect("a digest").replace("sha256:", "blobs/sha256/");
    let index = parse(&files["index.json"]);
    let top = &index["manifests"][0];
    assert_eq!(
        top["annotations"]["io.containerd.image.name"],
        format!("docker.io/mlplat/{FUNCTION}:0.1.0")
    );
    let manifest = parse(blob(&files, &path(&top["digest"])));
    let config_path = path(&manifest["config"]["digest"]);
    let layers: Vec<String> = manifest["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|layer| path(&layer["digest"]))
        .collect();

    let docker = parse(&files["manifest.json"]);
    assert_eq!(docker[0]["RepoTags"][0], format!("mlplat/{FUNCTION}:0.1.0"));
    assert_eq!(docker[0]["Config"], config_path);
    assert_eq!(docker[0]["Layers"], Value::from(layers.clone()));

    let config = parse(blob(&files, &config_path));
    assert_eq!(config["config"]["User"], "65532:65532", "a number that is not root");
    let mut root = BTreeMap::new();
    for (at, layer) in layers.iter().enumerate() {
        let content = blob(&files, layer);
        assert_eq!(
            config["rootfs"]["diff_ids"][at],
            layer.replace("blobs/sha256/", "sha256:")
        );
        assert_eq!(manifest["layers"][at]["size"], content.len());
        root.extend(unpacked(content));
    }
    let entrypoint = config["config"]["Entrypoint"][0].as_str().expect("a program");
    assert!(root[entrypoint.trim_start_matches('/')] == fs::read(binary(FUNCTION)).expect("it was built"));
    for users in ["etc/passwd", "etc/group"] {
        assert!(
            String::from_utf8_lossy(&root[users]).contains("\nnobody:x:65534:"),
            "kustomize runs functions as nobody"
        );
    }
    assert!(root["etc/hostname"] == fs::read("/etc/hostname").expect("this machine has a name"));
}

#[test]
fn a_program_runs_from_nothing_but_its_image() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpacked(&write(folder.path()));
    let docker = parse(&files["manifest.json"]);
    let root = folder.path().join("root");
    fs::create_dir(&root).expect("a folder in it");
    for layer in docker[0]["Layers"].as_array().expect("layers") {
        let file = folder.path().join("layer.tar");
        fs::write(&file, &files[layer.as_str().expect("a path")]).expect("a file in it");
        let status = Command::new("tar")
            .arg("-xf")
            .arg(&file)
            .arg("-C")
            .arg(&root)
            .status()
            .expect("tar runs");
        assert!(status.success());
    }
    // A namespace in which the caller is root may change its root folder, whoever the caller is.
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--root"])
        .arg(&root)
        .args([&format!("/usr/local/bin/{FUNCTION}"), "--version"])
        .output()
        .expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        text,
        format!("{FUNCTION} 0.1.0\n"),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn what_is_no_program_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(binary("images"))
        .args(["x=/etc/passwd", "--out"])
        .arg(folder.path())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "images: /etc/passwd is no program for Linux. To fix: build it on Linux, or for a Linux target\n"
    );
}
