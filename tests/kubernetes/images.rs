//! The images of the example application, made of what was built together with this test.

use harness::cluster::Cluster;
use harness::program::{binary, repository};
use harness::project::run;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The names by which the bases call them; nothing is pulled.
pub(crate) fn import(cluster: &Cluster) {
    let output = Command::new(repository().join(".ci/tools"))
        .arg("prometheus")
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let prometheus = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    for (name, program) in [("artefact-store", binary("artefact-store")), ("prometheus", prometheus)] {
        import_one(cluster, name, &program);
    }
    let version = env!("CARGO_PKG_VERSION");
    cluster
        .name_image(
            &format!("docker.io/library/prometheus:{version}"),
            &prometheus_of_the_base(),
        )
        .expect("it was imported");
}

/// Makes an image of a program known to the node.
pub(crate) fn import_one(cluster: &Cluster, name: &str, program: &Path) {
    let folder = cluster.site().folder().join("images");
    let mut images = Command::new(binary("images"));
    images
        .arg("--out")
        .arg(&folder)
        .arg(format!("{name}={}", program.display()));
    let authorities = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if authorities.is_file() {
        images.arg("--with").arg(authorities);
    }
    run(&mut images).success();
    let archive = folder.join(name).with_extension("tar");
    cluster.import(&[archive]).expect("an OCI archive");
}

/// The full name of the image that the base of the monitoring names.
fn prometheus_of_the_base() -> String {
    let file = repository().join("examples/infrastructure/kubernetes/base/monitoring/deployment.yaml");
    let text = std::fs::read_to_string(file).expect("a manifest");
    let image = text.lines().find_map(|line| line.trim().strip_prefix("image: "));
    format!("docker.io/{}", image.expect("a Deployment has an image"))
}
