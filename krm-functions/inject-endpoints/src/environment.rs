//! One container's `env`: what is there, what is to come, and in which order, so that `$(NAME)` finds its variable
//! (Kubernetes expands only what stands earlier in the list).

use krm_fn::workload::Container;
use krm_fn::{EditError, Edits, Node, NodeKind, Value};

use crate::config::{OnConflict, Order};
use crate::env_from::{self, Sources};
use crate::variables::{Variables, Wanted, references};

/// What is injected, and how.
#[derive(Debug)]
pub(crate) struct Injection {
    pub(crate) wanted: Vec<Wanted>,
    pub(crate) removed: Vec<String>,
    pub(crate) sources: Sources,
    pub(crate) on_conflict: OnConflict,
    pub(crate) order: Order,
    /// All entries, for a container that has none: a list.
    entries: Value,
    /// Variables of ours and what they refer to without its being ours.
    loose: Vec<(String, String)>,
}

/// What became of a container.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// The wanted variables that stayed as they were, with another value.
    pub(crate) kept: Vec<String>,
    /// Variables, and what they refer to without there being such a variable.
    pub(crate) dangling: Vec<(String, String)>,
}

/// Why a container cannot get its variables.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvironmentError {
    #[error(transparent)]
    Edit(#[from] EditError),
    #[error(
        "{0} is set already, with another value. To fix: remove it, or set `spec.onConflict` to `Replace` or `Keep`"
    )]
    Conflict(String),
    #[error(
        "{variable} refers to $({refers_to}), which stands after it, and Kubernetes expands only what stands before. \
         To fix: move {refers_to} up, or leave the order to `spec.onConflict: Replace` and `spec.order: Auto`"
    )]
    Order { variable: String, refers_to: String },
    #[error(
        "there is no mapping to put {0} into. To fix: add it to the container, or correct `env` of `spec.workloads`"
    )]
    NoHolder(String),
    #[error(
        "this kind has no `envFrom` here, so that all of {0} cannot be given. To fix: list the keys as `variables` with \
         `secretKeyRef` or `configMapKeyRef`, in a configuration of its own whose selectors take this workload"
    )]
    NoEnvFrom(String),
}

/// An entry that is there.
struct Entry<'a> {
    node: Node<'a>,
    /// Empty for one that goes.
    name: String,
    /// Which wanted variable it is or will be; `None` for a stranger, for one that is kept, and for one that goes.
    wanted: Option<usize>,
    /// Whether it says already what it should.
    done: bool,
    refers_to: Vec<String>,
    goes: bool,
}

impl Injection {
    pub(crate) fn new(variables: Variables, sources: Sources, on_conflict: OnConflict, order: Order) -> Self {
        let Variables { wanted, removed } = variables;
        let is_ours = |name: &String| wanted.iter().any(|one| one.name == *name);
        let refers = |one: &Wanted| {
            let loose = one
                .refers_to
                .iter()
                .filter(|name| !is_ours(name) && !is_of_service(name));
            loose.map(|name| (one.name.clone(), name.clone())).collect::<Vec<_>>()
        };
        Self {
            entries: Value::Seq(wanted.iter().map(|one| one.entry.clone()).collect()),
            loose: wanted.iter().flat_map(refers).collect(),
            wanted,
            removed,
            sources,
            on_conflict,
            order,
        }
    }

    /// Notes the edits that give `container` the variables.
    pub(crate) fn apply(&self, container: &Container<'_>, edits: &mut Edits) -> Result<Applied, EnvironmentError> {
        let key = container.key.as_ref();
        let holder = container
            .holder
            .ok_or_else(|| EnvironmentError::NoHolder(key.to_owned()))?;
        if !container.fields.env_from && !self.sources.is_empty() {
            return Err(EnvironmentError::NoEnvFrom(self.sources.names()));
        }
        self.sources.apply(container.node, edits)?;
        // What a merge (`<<`) brings along counts: a list beside it would hide it.
        let list = holder.get(key).or_else(|| holder.at(&[key]));
        let is_empty =
            |list: &Node<'_>| list.is_null() || (list.kind() == NodeKind::Seq && list.items().next().is_none());
        let Some(list) = list.filter(|list| !is_empty(list)) else {
            if !self.wanted.is_empty() {
                edits.set(holder, key, &self.entries)?;
            }
            return Ok(self.applied(container, &[]));
        };
        if list.kind() != NodeKind::Seq {
            let names = list.resolve().items().filter_map(|node| node.text_at(&["name"]));
            if !self.wanted.is_empty() || names.into_iter().any(|name| self.goes(&name)) {
                // Refused with the reason: an alias, or no list.
                edits.insert(list, 0, [])?;
            }
            return Ok(self.applied(container, &[]));
        }
        let mut entries = self.entries_of(list)?;
        if entries.iter().all(|entry| entry.goes) {
            match self.wanted.is_empty() {
                true => edits.unset(holder, &[key])?,
                false => edits.replace(list, &self.entries)?,
            }
            return Ok(self.applied(container, &entries));
        }
        self.put_in_order(&mut entries);
        for entry in entries.iter().filter(|entry| !entry.done) {
            let wanted = &self.wanted[entry.wanted.expect("strangers are done")];
            let same_name = entry.name == wanted.name && entry.node.entries().count() == 2;
            match (
                entry.node.get("value").filter(|value| value.kind() == NodeKind::Scalar),
                wanted.plain_value(),
            ) {
                (Some(_), Some(value)) if same_name => edits.set(entry.node, "value", value)?,
                _ => edits.replace(entry.node, &wanted.entry)?,
            }
        }
        self.insert_missing(list, &entries, edits)?;
        let gone: Vec<usize> = (0..entries.len()).filter(|&at| entries[at].goes).collect();
        edits.remove(list, &gone)?;
        Ok(self.applied(container, &entries))
    }

    fn goes(&self, name: &str) -> bool {
        self.removed.iter().any(|removed| removed == name)
    }

    /// What is to be said of a container with these entries.
    fn applied(&self, container: &Container<'_>, entries: &[Entry<'_>]) -> Applied {
        let mut applied = Applied::default();
        if self.on_conflict == OnConflict::Keep {
            let stranger = |name: &str| entries.iter().any(|entry| entry.wanted.is_none() && entry.name == name);
            let names = self.wanted.iter().map(|wanted| &wanted.name);
            applied.kept = names.filter(|name| stranger(name)).cloned().collect();
        }
        if self.loose.is_empty() && self.removed.is_empty() {
            return applied;
        }
        if self.sources.is_empty() && !env_from::has_sources(container.node) {
            let is_there = |name: &str| entries.iter().any(|entry| entry.name == name);
            let loose = self.loose.iter().filter(|(_, name)| !is_there(name));
            applied.dangling.extend(loose.cloned());
        }
        for entry in entries.iter().filter(|entry| entry.wanted.is_none()) {
            let dangling = entry.refers_to.iter().filter(|name| self.goes(name));
            applied
                .dangling
                .extend(dangling.map(|name| (entry.name.clone(), name.clone())));
        }
        applied
    }

    /// The entries as they are, and what is to become of them.
    fn entries_of<'a>(&self, list: Node<'a>) -> Result<Vec<Entry<'a>>, EnvironmentError> {
        let mut entries = Vec::new();
        for node in list.items() {
            let name = node.text_at(&["name"]).unwrap_or_default().into_owned();
            let goes = self.goes(&name);
            let mut wanted = self.wanted.iter().position(|wanted| wanted.name == name);
            let mut goes = goes;
            let mut done = goes || wanted.is_none_or(|at| self.wanted[at].is(node));
            if !done {
                match self.on_conflict {
                    OnConflict::Replace => {}
                    OnConflict::Keep => (wanted, done) = (None, true),
                    OnConflict::Error => return Err(EnvironmentError::Conflict(name)),
                }
            }
            // One of several of a name is enough: the kubelet takes the last, and the API server refuses them where it
            // merges fields.
            let again = |entry: &Entry<'_>| !entry.goes && entry.wanted.is_some() && entry.wanted == wanted;
            if entries.iter().any(again) {
                (goes, wanted, done) = (true, None, true);
            }
            let refers_to = match wanted {
                _ if goes => Vec::new(),
                Some(at) => self.wanted[at].refers_to.clone(),
                None => node
                    .text_at(&["value"])
                    .map(|text| references(&text))
                    .unwrap_or_default(),
            };
            entries.push(Entry {
                node,
                name: if goes { String::new() } else { name },
                wanted,
                done,
                refers_to,
                goes,
            });
        }
        Ok(entries)
    }

    /// Where one of ours stands before another that it refers to, ours change places among themselves.
    fn put_in_order(&self, entries: &mut [Entry<'_>]) {
        let late = |at: usize| {
            entries[at].wanted.is_some()
                && entries[at].refers_to.iter().any(|name| {
                    let place = entries.iter().position(|entry| entry.name == *name);
                    place.is_some_and(|place| place > at && entries[place].wanted.is_some())
                })
        };
        if !(0..entries.len()).any(late) {
            return;
        }
        let mut ours: Vec<usize> = entries.iter().filter_map(|entry| entry.wanted).collect();
        ours.sort_unstable();
        let mut ours = ours.into_iter();
        for entry in entries.iter_mut().filter(|entry| entry.wanted.is_some()) {
            let next = ours.next().expect("as many as there are entries of ours");
            let wanted = &self.wanted[next];
            entry.done &= entry.wanted == Some(next);
            entry.wanted = Some(next);
            entry.refers_to.clone_from(&wanted.refers_to);
        }
    }

    /// Inserts what is not there, and checks that everything finds what it refers to.
    fn insert_missing(&self, list: Node<'_>, entries: &[Entry<'_>], edits: &mut Edits) -> Result<(), EnvironmentError> {
        let name_of = |entry: &Entry<'_>| match entry.wanted {
            Some(at) => self.wanted[at].name.clone(),
            None => entry.name.clone(),
        };
        let names: Vec<String> = entries.iter().map(name_of).collect();
        let missing: Vec<&Wanted> = self
            .wanted
            .iter()
            .filter(|wanted| !names.contains(&wanted.name))
            .collect();
        let mut places = vec![if self.order == Order::First { 0 } else { entries.len() }; missing.len()];
        if self.order == Order::Auto {
            let mut latest = entries.len();
            for (place, wanted) in places.iter_mut().zip(&missing).rev() {
                let user = entries.iter().position(|entry| entry.refers_to.contains(&wanted.name));
                latest = latest.min(user.unwrap_or(latest));
                *place = latest;
            }
        }
        // After what they refer to, and in their own order.
        let mut earliest = 0;
        for (place, wanted) in places.iter_mut().zip(&missing) {
            let needs = names
                .iter()
                .rposition(|name| wanted.refers_to.contains(name))
                .map_or(0, |at| at + 1);
            earliest = earliest.max(needs).max(*place);
            *place = earliest;
        }
        // Nothing is put directly behind an entry that goes.
        for place in &mut places {
            *place -= entries[..*place].iter().rev().take_while(|entry| entry.goes).count();
        }
        let placed: Vec<(usize, &Value)> = places
            .iter()
            .copied()
            .zip(missing.iter().map(|one| &one.entry))
            .collect();
        for together in placed.chunk_by(|a, b| a.0 == b.0) {
            edits.insert(list, together[0].0, together.iter().map(|(_, entry)| *entry))?;
        }
        // An old entry that refers to a new one, and a new or replaced one that refers to any, must stand after it. Two
        // old ones are the user's own affair.
        let place_of = |name: &str| {
            let new = missing
                .iter()
                .position(|wanted| wanted.name == name)
                .map(|at| (places[at], 0, at));
            new.or_else(|| names.iter().position(|other| other == name).map(|at| (at, 1, 0)))
        };
        let is_new = |name: &str| missing.iter().any(|wanted| wanted.name == name);
        let old = entries
            .iter()
            .zip(&names)
            .map(|(entry, name)| (name.as_str(), &entry.refers_to, entry.wanted.is_some()));
        let new = missing
            .iter()
            .map(|wanted| (wanted.name.as_str(), &wanted.refers_to, true));
        for (variable, refers_to, ours) in old.chain(new) {
            let late = |name: &&String| (ours || is_new(name)) && place_of(name) > place_of(variable);
            if let Some(refers_to) = refers_to.iter().find(late) {
                return Err(EnvironmentError::Order {
                    variable: variable.to_owned(),
                    refers_to: refers_to.clone(),
                });
            }
        }
        Ok(())
    }
}

/// Whether Kubernetes itself may give the variable: the address of a Service.
fn is_of_service(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST") || name.contains("_SERVICE_PORT")
}
