//! Holds the table against the CRDs that the ecosystem publishes: `places.txt` has what they say, in paths.
//!
//! `CRDS=folder UPDATE=1 cargo test -p krm-fn crds` derives it anew from a folder of CRDs, and `CRDS=folder` alone compares.
//! The CRDs come from the projects' own repositories; they are no part of this one.

mod facts;
mod walk;

use std::collections::BTreeSet;

use self::facts::{Fact, Facts, What};
use super::fields::{Fields, ResourceFields};
use super::table::{self, Place, Workload};

const FACTS: &str = include_str!("places.txt");

/// Rows whose CRD publishes nothing to walk, or is published nowhere any more.
const WITHOUT_CRD: [(&str, &str); 5] = [
    ("kubeflow.org", "Experiment"),
    ("machinelearning.seldon.io", "SeldonDeployment"),
    ("sinks.knative.dev", "JobSink"),
    ("tekton.dev", "ClusterTask"),
    ("workload.codeflare.dev", "AppWrapper"),
];

/// Kinds with a place that looks like one of containers and is none.
const NO_WORKLOADS: [(&str, &str, &str); 6] = [
    (
        "apps.kruise.io",
        "AdvancedCronJob",
        "its templates are opaque: found by their shape",
    ),
    (
        "apps.kruise.io",
        "ContainerRecreateRequest",
        "names containers that run",
    ),
    (
        "apps.kruise.io",
        "UnitedDeployment",
        "its templates are opaque: found by their shape",
    ),
    ("argoproj.io", "WorkflowTaskSet", "written by Argo's controller"),
    (
        "pipelines.kubeflow.org",
        "PipelineVersion",
        "compiled: its images are part of a pipeline's hash",
    ),
    (
        "sources.knative.dev",
        "IntegrationSource",
        "its template may have containers that change its own: found by their shape",
    ),
];

/// Places that a known kind has and the table leaves out, by the end of their path.
const PASSED_OVER: [(&str, &str, &str); 15] = [
    (
        "PodDefault",
        "spec",
        "its variables go into whatever pods it selects: they are written by hand",
    ),
    (
        "TaskRun",
        "odTemplate",
        "the variables of all steps: the steps themselves have them",
    ),
    (
        "TaskRun",
        "spec",
        "sizes of the run's steps, which are described elsewhere",
    ),
    (
        "TaskRun",
        "Specs[*]",
        "sizes of steps by name, which are described elsewhere",
    ),
    (
        "TaskRun",
        "Overrides[*]",
        "sizes of steps by name, which are described elsewhere",
    ),
    (
        "PipelineRun",
        "odTemplate",
        "the variables of all steps: the steps themselves have them",
    ),
    (
        "PipelineRun",
        "Specs[*]",
        "sizes of steps by name, which are described elsewhere",
    ),
    (
        "PipelineRun",
        "Overrides[*]",
        "sizes of steps by name, which are described elsewhere",
    ),
    (
        "LLMInferenceService",
        "scheduler.config.inline",
        "what the scheduler reads",
    ),
    (
        "LLMInferenceServiceConfig",
        "scheduler.config.inline",
        "what the scheduler reads",
    ),
    (
        "FlinkDeployment",
        "jobManager",
        "its containers are those of the template",
    ),
    (
        "FlinkDeployment",
        "taskManager",
        "its containers are those of the template",
    ),
    (
        "FlinkBlueGreenDeployment",
        "jobManager",
        "its containers are those of the template",
    ),
    (
        "FlinkBlueGreenDeployment",
        "taskManager",
        "its containers are those of the template",
    ),
    ("Experiment", "trialTemplate", "the trial is an object of its own"),
];

#[test]
fn the_table_has_every_place_that_crds_have_and_no_other() {
    let facts = Facts::read(FACTS);
    let mut problems = Vec::new();
    for kind in facts.kinds() {
        let row = table::workloads().find(|row| {
            let version = row.versions.is_empty() || row.versions.iter().any(|one| kind.versions.contains(*one));
            row.kind == kind.kind && row.groups.contains(&kind.group.as_str()) && version
        });
        let name = format!("{} {} ({:?})", kind.group, kind.kind, kind.versions);
        let Some(row) = row else {
            if !NO_WORKLOADS
                .iter()
                .any(|(group, name, _)| *group == kind.group && *name == kind.kind)
            {
                problems.push(format!("{name} is not in the table: {:?}", kind.facts));
            }
            continue;
        };
        let places = places(row);
        for fact in &kind.facts {
            let is_passed_over = PASSED_OVER
                .iter()
                .any(|(kind, end, _)| row.kind == *kind && fact.path.ends_with(end));
            match found(fact, &places) {
                Some(fields) if fact.what == What::Container && fields != fact.fields => problems.push(format!(
                    "{name} {}: the table says {fields:?} and the CRD {:?}",
                    fact.path, fact.fields
                )),
                None if !is_passed_over => problems.push(format!("{name}: the table lacks {fact:?}")),
                _ => {}
            }
        }
        for (path, place) in &places {
            // A place that only some versions have is found in none of the others.
            let of_kind = || {
                facts
                    .kinds()
                    .filter(|one| one.group == kind.group && one.kind == kind.kind)
            };
            let mut all = of_kind().flat_map(|one| &one.facts);
            let known = all.any(|fact| is_at(fact, path, *place));
            let mut all = of_kind().flat_map(|one| &one.facts);
            let opaque = all.any(|fact| fact.what == What::Opaque && below(&fact.path, path));
            let nested = row.parts.iter().any(|part| {
                let mut roots = part
                    .nested
                    .iter()
                    .flat_map(|nested| part.roots.iter().map(move |root| join(root, nested)));
                roots.any(|root| below(&root, path))
            });
            if !known && !opaque && !nested {
                problems.push(format!("{name}: the CRD lacks {path} ({place:?})"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_row_of_the_table_is_one_of_kubernetes_or_has_a_crd() {
    let facts = Facts::read(FACTS);
    let lacking: Vec<&str> = table::workloads()
        .filter(|row| !table::is_core(row))
        .filter(|row| !WITHOUT_CRD.contains(&(row.groups[0], row.kind)))
        .filter(|row| {
            let of = |kind: &&facts::Kind| kind.kind == row.kind && row.groups.contains(&kind.group.as_str());
            facts.kinds().find(of).is_none()
        })
        .map(|row| row.kind)
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn the_facts_are_those_of_the_crds() {
    let Some(folder) = folder() else { return };
    let derived = walk::derive(std::path::Path::new(&folder)).to_string();
    if derived != FACTS && crate::testing::update() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/workload/crds/places.txt");
        std::fs::write(path, &derived).unwrap();
        return;
    }
    assert_eq!(derived, FACTS, "UPDATE=1 writes places.txt");
}

#[allow(clippy::disallowed_methods, reason = "a test driver asks where the CRDs are")]
fn folder() -> Option<std::ffi::OsString> {
    std::env::var_os("CRDS")
}

/// The places of a row, with their whole paths; one level of nested templates.
fn places(row: &'static Workload) -> Vec<(String, Place)> {
    let mut all = Vec::new();
    for part in row.parts {
        let mut roots: BTreeSet<String> = part.roots.iter().map(|root| (*root).to_owned()).collect();
        for root in part.roots {
            roots.extend(part.nested.iter().map(|nested| join(root, nested)));
        }
        for root in roots {
            all.extend(part.places.iter().map(|place| (join(&root, place.path()), *place)));
        }
    }
    all
}

/// The fields that the table has for a fact; `None` where it lacks the place.
fn found(fact: &Fact, places: &[(String, Place)]) -> Option<Fields> {
    places
        .iter()
        .find(|(path, place)| is_at(fact, path, *place))
        .map(|(_, place)| match place {
            Place::Container(.., fields)
            | Place::Sidecar(.., fields)
            | Place::Init(.., fields)
            | Place::Defaults(_, fields)
            | Place::Patch(_, fields) => *fields,
            _ => Fields::FULL,
        })
}

/// Whether a place of the table is what a fact says.
fn is_at(fact: &Fact, path: &str, place: Place) -> bool {
    let is = |at: String| fact.path == at;
    match (fact.what, place) {
        (What::Pod, Place::Template(_) | Place::Patch(..)) => is(join(path, "spec")),
        (What::Pod, Place::Spec(_)) => is(path.to_owned()),
        // A set of containers without anything of a pod.
        (What::Pod, Place::Container(..) | Place::Defaults(..)) => path == join(&fact.path, "containers[*]"),
        (What::Container, Place::Container(..) | Place::Sidecar(..) | Place::Init(..) | Place::Defaults(..)) => {
            is(path.to_owned())
        }
        (What::Image, Place::Image(_)) | (What::Around, Place::Around(..)) => is(path.to_owned()),
        // A container may be both, and a pod's specification always is.
        (What::Around, Place::Spec(_)) | (What::Pod, Place::Around(..)) => is(path.to_owned()),
        (What::Opaque, Place::Template(_) | Place::Object(_)) => is(path.to_owned()),
        (What::Opaque, _) => below(&fact.path, path),
        _ => false,
    }
}

fn join(path: &str, rest: &str) -> String {
    super::below(path, rest)
}

fn below(above: &str, path: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// The fields in words, for `places.txt`.
fn words(fields: Fields) -> Vec<&'static str> {
    let resources = match fields.resources {
        Some(ResourceFields::Requirements(key)) => Some(key),
        Some(ResourceFields::Spark) => Some("coreRequest"),
        None => None,
    };
    let flags = [
        (fields.image, "image"),
        (fields.env, "env"),
        (fields.env_from, "envFrom"),
        (fields.security_context, "securityContext"),
        (fields.probes, "probes"),
    ];
    flags
        .into_iter()
        .filter_map(|(has, word)| has.then_some(word))
        .chain(resources)
        .collect()
}
