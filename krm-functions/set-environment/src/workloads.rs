//! Replicas and resources of workloads, by preset or one by one.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use krm_fn::workload::{Container, ContainerType, ResourceFields};
use krm_fn::{EditError, Error, Finding, Node, Object, Severity, Value};

use crate::config::{Config, Resources, Size, Workload};
use crate::meant::Meant;
use crate::quantity::amount;
use crate::spark;
use crate::work::Work;

/// Kinds with `spec.replicas`.
const SCALED: [&str; 5] = [
    "Deployment",
    "ReplicaSet",
    "ReplicationController",
    "Rollout",
    "StatefulSet",
];

/// A workload by namespace, kind and name.
type Target<'a> = (Option<Cow<'a, str>>, Cow<'a, str>, Cow<'a, str>);
/// HorizontalPodAutoscalers and KEDA's ScaledObjects by what they scale.
type Scalers<'a> = HashMap<Target<'a>, Object<'a>>;

/// Amounts of resources, by name.
type Amounts = BTreeMap<String, String>;

/// One entry, its preset looked up.
struct Entry<'c> {
    meant: Meant<'c>,
    replicas: Option<u32>,
    /// Whether it is there for the replicas: a preset may bring them to what has none.
    must_scale: bool,
    /// Whether it has set the replicas of anything.
    scaled: bool,
    resources: Option<&'c Resources>,
}

/// Sizes every workload. Of replicas, and of a container's resources, the last entry decides that says them.
pub(crate) fn apply(config: &Config, work: &mut Work<'_>) -> Result<(), Error> {
    for (name, size) in &config.presets {
        check_resources(&format!("spec.presets.{name}"), size.resources.as_ref())?;
    }
    let mut entries = Vec::with_capacity(config.workloads.len());
    for (at, entry) in config.workloads.iter().enumerate() {
        entries.push(read(format!("spec.workloads[{at}]"), entry, &config.presets)?);
    }
    let used = |name: &str| {
        config
            .workloads
            .iter()
            .any(|entry| entry.preset.as_deref() == Some(name))
    };
    if let Some(name) = config.presets.keys().find(|name| !used(name)) {
        return Err(Error::refused(
            format!("spec.presets.{name} is taken by no entry of spec.workloads"),
            "name it as `preset` of an entry, or remove it",
        ));
    }
    if entries.is_empty() {
        return Ok(());
    }
    let stream = work.stream;
    let is_scaler = |object: &Object<'_>| {
        matches!(
            (object.kind().as_ref(), object.group().as_ref()),
            ("HorizontalPodAutoscaler", "autoscaling") | ("ScaledObject", "keda.sh")
        )
    };
    let scalers: Scalers<'_> = stream
        .objects()
        .filter(is_scaler)
        .map(|scaler| (target(scaler), scaler))
        .collect();
    for object in stream.objects() {
        if work.kinds.is_workload(object) {
            size(object, &mut entries, &scalers, work);
        }
    }
    for entry in &entries {
        if entry.must_scale && !entry.scaled && entry.meant.takes_any() {
            let message = format!(
                "{} sets replicas, but takes no workload that has any. To fix: remove `replicas`, or select one of {}",
                entry.meant.place,
                SCALED.join(", ")
            );
            work.findings.push(Finding::new(Severity::Error, message));
        } else {
            let kinds = work.kinds;
            work.tell_unused([&entry.meant], "container of any workload", |object| {
                kinds.is_workload(*object)
            });
        }
    }
    Ok(())
}

fn read<'c>(place: String, entry: &'c Workload, presets: &'c BTreeMap<String, Size>) -> Result<Entry<'c>, Error> {
    let preset = match &entry.preset {
        None => None,
        Some(name) => Some(presets.get(name).ok_or_else(|| {
            let known = presets
                .keys()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let fix = if known.is_empty() {
                format!("describe it under spec.presets.{name}")
            } else {
                format!("use one of {known}, or describe it under spec.presets.{name}")
            };
            Error::refused(format!("{place}.preset: there is no preset {name:?}"), fix)
        })?),
    };
    check_resources(&place, entry.resources.as_ref())?;
    let replicas = entry.replicas.or(preset.and_then(|preset| preset.replicas));
    let resources = entry
        .resources
        .as_ref()
        .or(preset.and_then(|preset| preset.resources.as_ref()));
    if replicas.is_none() && resources.is_none() {
        return Err(Error::refused(
            format!("{place} says nothing about its workloads"),
            "set `preset`, `replicas` or `resources`, or remove the entry",
        ));
    }
    Ok(Entry {
        meant: Meant::of_containers(place, &entry.selectors)?,
        replicas,
        must_scale: entry.replicas.is_some() || resources.is_none(),
        scaled: false,
        resources,
    })
}

fn check_resources(place: &str, resources: Option<&Resources>) -> Result<(), Error> {
    let Some(resources) = resources else { return Ok(()) };
    for (field, amounts) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (name, text) in amounts.iter().flatten() {
            if let Some(problem) = unknown_resource(name) {
                return Err(Error::refused(
                    format!("{place}.resources.{field}: {problem}"),
                    "write `cpu`, `memory` or `ephemeral-storage`, or the whole name of another one: `nvidia.com/gpu`",
                ));
            }
            if amount(text).is_none_or(|amount| amount < 0.0) {
                return Err(Error::refused(
                    format!("{place}.resources.{field}.{name}: {text:?} is no quantity"),
                    "write it as Kubernetes does: `500m`, `2`, `512Mi`, `1G`",
                ));
            }
        }
    }
    Ok(())
}

/// Why nothing has a resource of this name: what has no group is Kubernetes' own.
fn unknown_resource(name: &str) -> Option<String> {
    const KNOWN: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
    let is_known = KNOWN.contains(&name) || name.starts_with("hugepages-") || name.contains('/');
    (!is_known).then(|| format!("no resource is called `{name}`: {}", krm_fn::suggestion(name, KNOWN)))
}

fn size(object: Object<'_>, entries: &mut [Entry<'_>], scalers: &Scalers<'_>, work: &mut Work<'_>) {
    let scales = SCALED.contains(&object.kind().as_ref());
    let all = work.kinds.places(object).containers;
    let mut replicas = None;
    let mut resources: BTreeMap<String, usize> = BTreeMap::new();
    for (at, entry) in entries.iter_mut().enumerate() {
        let taken = entry.meant.containers(object, &all);
        if taken.is_empty() {
            continue;
        }
        if let Some(wanted) = entry.replicas.filter(|_| scales) {
            entry.scaled = true;
            replicas = Some((at, wanted));
        }
        if entry.resources.is_none() {
            continue;
        }
        let taken: Vec<&Container<'_>> = all.iter().filter(|one| taken.contains(&one.path)).collect();
        let sized = taken.iter().filter(|one| one.fields.resources.is_some());
        let sized: Vec<(String, usize)> = sized.map(|one| (one.path.clone(), at)).collect();
        if sized.is_empty() && replicas.is_none() {
            // An entry for all is not about this one in particular.
            let severity = if entry.meant.is_all() {
                Severity::Warning
            } else {
                Severity::Error
            };
            let message = format!(
                "{} takes it, but this kind has no `resources` here. To fix: leave it out of the selectors, and set the \
                 resources where its containers are described",
                entry.meant.place
            );
            let finding = Finding::new(severity, message).of(object).field(taken[0].path.as_str());
            work.findings.push(finding.at(taken[0].node.position()));
            entry.meant.decides = true;
        }
        if !entry.meant.is_of_containers() {
            warn_of_several(object, &entry.meant, &taken, work);
        }
        resources.extend(sized);
    }
    for at in resources.values().copied().chain(replicas.map(|(at, _)| at)) {
        entries[at].meant.decides = true;
    }
    if let (Some((at, replicas)), Some(spec)) = (replicas, object.root().at(&["spec"])) {
        let outcome = work.set(spec, "replicas", &Value::Int(replicas.into()));
        work.note(object, "spec.replicas", outcome);
        if let Some(scaler) = scalers.get(&(object.namespace(), object.kind(), object.name())) {
            let least = if scaler.kind() == "ScaledObject" {
                "minReplicaCount"
            } else {
                "minReplicas"
            };
            let message = format!(
                "{scaler} scales it, and every apply sets it back to {replicas}. To fix: leave it out of {}, and set \
                 the scaler's `{least}`",
                entries[at].meant.place
            );
            work.findings.warning(object, message);
        }
    }
    for container in &all {
        let wanted = resources.get(&container.path).and_then(|&at| entries[at].resources);
        let (Some(wanted), Some(fields)) = (wanted, container.fields.resources) else {
            continue;
        };
        let ResourceFields::Requirements(key) = fields else {
            spark::give(object, container, wanted, work);
            continue;
        };
        let field = format!("{}.{key}", container.path);
        if let Some(problem) = over_limit(container.node, key, wanted) {
            work.refuse(object, &field, problem);
            continue;
        }
        let outcome = give(container.node, key, wanted, work);
        work.note(object, &field, outcome);
    }
}

/// Warns of an entry that gives the containers of one pod the same resources without naming any: a sidecar seldom needs
/// what the application needs.
fn warn_of_several(object: Object<'_>, meant: &Meant<'_>, taken: &[&Container<'_>], work: &mut Work<'_>) {
    let list = |container: &Container<'_>| {
        let list = container.path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
        list.map(|(list, _)| list.to_owned())
            .filter(|list| list.ends_with("containers"))
    };
    let together = |first: &&Container<'_>| {
        let same = |one: &&&Container<'_>| one.kind == ContainerType::Container && list(one) == list(first);
        let names: Vec<String> = taken.iter().filter(same).map(|one| format!("`{}`", one.name)).collect();
        (list(first).is_some() && names.len() > 1).then_some(names)
    };
    let Some(names) = taken.iter().find_map(together) else {
        return;
    };
    let message = format!(
        "{} gives each of {} these resources. To fix: name the container that is meant in `selectors[].containers`, and \
         give the others an entry of their own",
        meant.place,
        names.join(", ")
    );
    work.findings.warning(object, message);
}

/// Gives a container the requests and limits that an entry names.
fn give(container: Node<'_>, key: &str, wanted: &Resources, work: &mut Work<'_>) -> Result<(), EditError> {
    let parts = [("requests", &wanted.requests), ("limits", &wanted.limits)];
    let parts: Vec<(&str, &Amounts)> = parts
        .into_iter()
        .filter_map(|(part, amounts)| Some((part, amounts.as_ref()?)))
        .collect();
    let own = container
        .get(key)
        .or_else(|| container.at(&[key]))
        .filter(|node| !node.is_null());
    let Some(own) = own else {
        let all = parts
            .into_iter()
            .map(|(part, amounts)| (part.to_owned(), as_value(amounts)));
        let all: Vec<(String, Value)> = all.collect();
        return work.set_below(container, key, &all);
    };
    for (part, amounts) in parts {
        let below = own.get(part).or_else(|| own.at(&[part])).filter(|node| !node.is_null());
        let kept = below.is_some_and(|below| {
            let mut names = below.entries().filter_map(|(name, _)| name.text());
            names.any(|name| stays(&name, amounts, wanted.replace))
        });
        match below {
            Some(below) if kept => {
                let gone: Vec<String> = below
                    .entries()
                    .filter_map(|(name, _)| name.text())
                    .filter(|name| !amounts.contains_key(name.as_ref()) && !stays(name, amounts, wanted.replace))
                    .map(Cow::into_owned)
                    .collect();
                work.edits
                    .unset(below, &gone.iter().map(String::as_str).collect::<Vec<_>>())?;
                for (name, text) in amounts {
                    work.set(below, name, &Value::from(text.as_str()))?;
                }
            }
            _ => work.set(own, part, &as_value(amounts))?,
        }
    }
    Ok(())
}

fn as_value(amounts: &Amounts) -> Value {
    Value::map(amounts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// Whether a resource of the container's own, which the entry does not name, is left alone: a preset of cpu and memory says
/// nothing of a GPU.
fn stays(name: &str, amounts: &Amounts, replace: bool) -> bool {
    !replace && !amounts.contains_key(name) && !matches!(name, "cpu" | "memory")
}

/// The workload whose replicas a HorizontalPodAutoscaler has in its hands.
fn target(scaler: Object<'_>) -> Target<'_> {
    let text = |key| {
        scaler
            .root()
            .text_at(&["spec", "scaleTargetRef", key])
            .unwrap_or_default()
    };
    let kind = match text("kind") {
        // KEDA's default.
        kind if kind.is_empty() => "Deployment".into(),
        kind => kind,
    };
    (scaler.namespace(), kind, text("name"))
}

/// A request above its limit, as Kubernetes would refuse it; what the entry does not give is the container's own.
fn over_limit(container: Node<'_>, key: &str, wanted: &Resources) -> Option<String> {
    let result = |part: &str, given: &Option<Amounts>| -> Amounts {
        let own = container.at(&[key, part]).into_iter().flat_map(Node::entries);
        let own =
            own.filter_map(|(name, amount)| Some((name.text()?.into_owned(), amount.resolve().text()?.into_owned())));
        match given {
            None => own.collect(),
            Some(given) => {
                let mut all: Amounts = own.filter(|(name, _)| stays(name, given, wanted.replace)).collect();
                all.extend(given.clone());
                all
            }
        }
    };
    let (requests, limits) = (result("requests", &wanted.requests), result("limits", &wanted.limits));
    requests.iter().find_map(|(name, request)| {
        let limit = limits.get(name)?;
        (amount(request)? > amount(limit)?).then(|| {
            format!(
                "the request of {name}, {request}, would be above its limit, {limit}. To fix: give `requests` and `limits` \
                 together in the preset or entry that sets them"
            )
        })
    })
}
