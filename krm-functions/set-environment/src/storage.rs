//! Storage classes: of PersistentVolumeClaims and of the claims that workloads make.

use krm_fn::workload::Kinds;
use krm_fn::{Error, Node, Object, Value};

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
        let claims = claims(object, work.kinds);
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
    let kinds = work.kinds;
    let claims_any = |object: &Object<'_>| !claims(*object, kinds).is_empty();
    work.tell_unused(&meant, "object that claims storage", claims_any);
    Ok(())
}

/// The mappings whose `spec` is a claim's, and the path of that.
fn claims<'a>(object: Object<'a>, kinds: &Kinds) -> Vec<(Node<'a>, String)> {
    if object.kind() == "PersistentVolumeClaim" && object.api_version() == "v1" {
        return vec![(object.root(), "spec".to_owned())];
    }
    let items = |path: &[&str]| object.root().at(path).into_iter().flat_map(Node::items).enumerate();
    let mut claims = Vec::new();
    for path in templates(object) {
        for (at, claim) in items(path) {
            claims.push((claim, format!("{}[{at}].spec", path.join("."))));
        }
    }
    for around in kinds.places(object).around {
        let volumes = around.node.at(&["volumes"]).into_iter().flat_map(Node::items);
        for (at, volume) in volumes.enumerate() {
            if let Some(claim) = volume.at(&["ephemeral", "volumeClaimTemplate"]) {
                let path = format!("{}.volumes[{at}].ephemeral.volumeClaimTemplate.spec", around.path);
                claims.push((claim, path));
            }
        }
    }
    claims
}

/// Where a kind of workload has templates of claims.
fn templates(object: Object<'_>) -> &'static [&'static [&'static str]] {
    match (object.group().as_ref(), object.kind().as_ref()) {
        ("apps" | "apps.kruise.io", "StatefulSet")
        | ("argoproj.io", "Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate") => {
            &[&["spec", "volumeClaimTemplates"]]
        }
        ("argoproj.io", "CronWorkflow") => &[&["spec", "workflowSpec", "volumeClaimTemplates"]],
        ("leaderworkerset.x-k8s.io", "LeaderWorkerSet") => &[&["spec", "leaderWorkerTemplate", "volumeClaimTemplates"]],
        _ => &[],
    }
}
