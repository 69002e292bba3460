//! Every image names what it is: a digest, or a tag other than `latest`.

use krm_fn::image;

use super::Report;
use crate::cluster::Cluster;

const FIX: &str = "name the version as a tag, or better a digest (`name@sha256:…`); in a kustomization by `images:`";

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for place in cluster.places.iter().filter(|place| place.container.fields.image) {
        let image = place.container.node.text_at(&["image"]).unwrap_or_default();
        // A step may take its image from the template, and a driver that of its application.
        if let Some(problem) = problem(&image).filter(|_| place.in_pod || !image.is_empty()) {
            report.container_of(place.subject, &place.container, "image", problem, FIX);
        }
    }
    for (subject, image) in &cluster.images {
        let name = image.holder.text_at(&[image.key]);
        if let Some(problem) = name.as_deref().and_then(problem) {
            report.object(*subject, image.field(), problem, FIX);
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
    // What another tool puts in, such as Flux or a parameter of a workflow, is not known here.
    if [last, digest].into_iter().any(image::is_template) {
        return None;
    }
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
        for image in [
            "${registry}/app:${tag}",
            "$(params.image)",
            "{{inputs.parameters.image}}",
            "app@${digest}",
            "${registry}/app:1",
        ] {
            assert_eq!(problem(image), None, "{image}");
        }
        for image in ["${registry}/app", "$(registry)/app:latest"] {
            assert!(problem(image).is_some(), "{image}");
        }
        for image in ["a:1", "r.io:5000/a/b:v1", "a@sha256:00", "r.io:5000/a:latest@sha256:00"] {
            assert_eq!(problem(image), None, "{image}");
        }
        for image in ["", "a", "a:", "a:latest", "r.io:5000/a", "r.io:5000/a/b:latest", "a@"] {
            assert!(problem(image).is_some(), "{image}");
        }
    }
}
