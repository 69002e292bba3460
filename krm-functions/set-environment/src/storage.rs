//! Storage classes: of PersistentVolumeClaims and of the claims that workloads make.

use krm_fn::{Error, Node, Object, Value, workload};

use crate::config::Storage;
use crate::meant::Meant;
use crate::work::Work;

/// Gives every claim the storage class that the last entry says which takes its object.
pub(crate) fn apply(entries: &[Storage], work: &mut Work<'_>) -> Result<(), Error> {
    let mut meant = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        meant.push(Meant::of_objects(format!("spec.storage[{at}]"), &entry.selectors)?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    for object in work.stream.objects() {
        let claims = claims(object);
        if claims.is_empty() {
            continue;
        }
        let mut last = None;
        for (at, meant) in meant.iter_mut().enumerate() {
            if meant.takes(object) {
                last = Some(at);
            }
        }
        let Some(at) = last else { continue };
        meant[at].decides = true;
        let class = Value::from(entries[at].storage_class_name.as_str());
        for (claim, path) in claims {
            let outcome = work.set_below(claim, "spec", &[("storageClassName".to_owned(), class.clone())]);
            work.note(object, &format!("{path}.storageClassName"), outcome);
        }
    }
    let problems = meant
        .iter()
        .filter_map(|meant| meant.problem("object that claims storage"));
    problems.for_each(|problem| work.findings.push(problem));
    Ok(())
}

/// The mappings whose `spec` is a claim's, and the path of that.
fn claims(object: Object<'_>) -> Vec<(Node<'_>, String)> {
    if object.kind() == "PersistentVolumeClaim" && object.api_version() == "v1" {
        return vec![(object.root(), "spec".to_owned())];
    }
    let items = |path: &[&str]| object.root().at(path).into_iter().flat_map(Node::items).enumerate();
    let stateful_set = workload::is_workload(object) && object.kind() == "StatefulSet";
    let templates = stateful_set.then_some(["spec", "volumeClaimTemplates"]);
    let mut claims: Vec<(Node<'_>, String)> = templates
        .into_iter()
        .flat_map(|path| items(&path))
        .map(|(at, claim)| (claim, format!("spec.volumeClaimTemplates[{at}].spec")))
        .collect();
    for pod in workload::pods(object) {
        let volumes = pod.spec.at(&["volumes"]).into_iter().flat_map(Node::items);
        for (at, volume) in volumes.enumerate() {
            if let Some(claim) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
                let path = format!("{}.volumes[{at}].ephemeral.volumeClaimTemplate.spec", pod.path);
                claims.push((claim, path));
            }
        }
    }
    claims
}
