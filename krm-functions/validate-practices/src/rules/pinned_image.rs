//! Every image names what it is: a digest, or a tag other than `latest`.

use krm_fn::Node;

use super::Report;
use crate::cluster::Cluster;

const FIX: &str = "name the version as a tag, or better a digest (`name@sha256:…`); in a kustomization by `images:`";

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for (subject, container) in &cluster.loose {
        // A step may take its image from the template.
        if let Some(problem) = container.node.text_at(&["image"]).as_deref().and_then(problem) {
            report.container_of(*subject, container, "image", problem, FIX);
        }
    }
    for workload in &cluster.workloads {
        for container in &workload.containers {
            let image = container.node.text_at(&["image"]).unwrap_or_default();
            if let Some(problem) = problem(&image) {
                report.container(workload, container, "image", problem, FIX);
            }
        }
        let volumes = workload.spec.at(&["volumes"]).into_iter().flat_map(Node::items);
        for (at, volume) in volumes.enumerate() {
            let image = volume.text_at(&["image", "reference"]);
            if let Some(problem) = image.as_deref().and_then(problem) {
                report.pod(workload, &format!("volumes[{at}].image.reference"), problem, FIX);
            }
        }
    }
}

/// Why an image may be another one tomorrow.
fn problem(image: &str) -> Option<String> {
    if image.is_empty() {
        return Some("there is no image".to_owned());
    }
    let (name, digest) = image.split_once('@').unwrap_or((image, ""));
    if digest.contains(':') {
        return None;
    }
    // A colon before the last slash is that of a registry's port.
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    match last.split_once(':') {
        None | Some((_, "")) => Some(format!("image {image} has no tag, which means `latest`")),
        Some((_, "latest")) => Some(format!("image {image} is whatever was pushed last")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::problem;

    #[test]
    fn a_version_or_a_digest_pins() {
        for image in ["a:1", "r.io:5000/a/b:v1", "a@sha256:00", "r.io:5000/a:latest@sha256:00"] {
            assert_eq!(problem(image), None, "{image}");
        }
        for image in ["", "a", "a:", "a:latest", "r.io:5000/a", "r.io:5000/a/b:latest", "a@"] {
            assert!(problem(image).is_some(), "{image}");
        }
    }
}
