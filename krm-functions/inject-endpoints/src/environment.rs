//! One container's `env`: what is there, what is to come, and in which order, so that `$(NAME)` finds its variable
//! (Kubernetes expands only what stands earlier in the list).

use krm_fn::{EditError, Edits, Node, NodeKind, Value};

use crate::config::{OnConflict, Order};
use crate::variables::{Wanted, references};

/// What is injected, and how.
#[derive(Debug)]
pub(crate) struct Injection {
    pub(crate) wanted: Vec<Wanted>,
    /// All entries, for a container that has none: a list.
    pub(crate) entries: Value,
    pub(crate) on_conflict: OnConflict,
    pub(crate) order: Order,
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
}

/// An entry that is there.
struct Entry<'a> {
    node: Node<'a>,
    name: String,
    /// Which wanted variable it is or will be; `None` for a stranger, and for one that is kept.
    wanted: Option<usize>,
    /// Whether it says already what it should.
    done: bool,
    refers_to: Vec<String>,
}

impl Injection {
    /// Notes the edits that give `container` the variables.
    pub(crate) fn apply(&self, container: Node<'_>, edits: &mut Edits) -> Result<(), EnvironmentError> {
        // What a merge (`<<`) brings along counts: a list beside it would hide it.
        let Some(list) = container.get("env").or_else(|| container.at(&["env"])) else {
            return Ok(edits.set(container, "env", &self.entries)?);
        };
        if list.is_null() || (list.kind() == NodeKind::Seq && list.items().next().is_none()) {
            return Ok(edits.set(container, "env", &self.entries)?);
        }
        if list.kind() != NodeKind::Seq {
            // Refused with the reason: an alias, or no list.
            return Ok(edits.insert(list, 0, [])?);
        }
        let mut entries = self.entries_of(list)?;
        self.put_in_order(&mut entries);
        for entry in entries.iter().filter(|entry| !entry.done) {
            let wanted = &self.wanted[entry.wanted.expect("strangers are done")];
            let same_name = entry.name == wanted.name && entry.node.entries().count() == 2;
            match (
                entry.node.get("value").filter(|value| value.kind() == NodeKind::Scalar),
                wanted.plain_value(),
            ) {
                (Some(_), Some(value)) if same_name => edits.set(entry.node, "value", &value)?,
                _ => edits.replace(entry.node, &wanted.entry)?,
            }
        }
        self.insert_missing(list, &entries, edits)?;
        Ok(())
    }

    /// The entries as they are, and what is to become of them.
    fn entries_of<'a>(&self, list: Node<'a>) -> Result<Vec<Entry<'a>>, EnvironmentError> {
        let mut entries = Vec::new();
        for node in list.items() {
            let name = node.text_at(&["name"]).unwrap_or_default().into_owned();
            let mut wanted = self.wanted.iter().position(|wanted| wanted.name == name);
            let mut done = wanted.is_none_or(|at| self.wanted[at].is(node));
            if !done {
                match self.on_conflict {
                    OnConflict::Replace => {}
                    OnConflict::Keep => (wanted, done) = (None, true),
                    OnConflict::Error => return Err(EnvironmentError::Conflict(name)),
                }
            }
            let refers_to = match wanted {
                Some(at) => self.wanted[at].refers_to.clone(),
                None => node
                    .text_at(&["value"])
                    .map(|text| references(&text))
                    .unwrap_or_default(),
            };
            entries.push(Entry {
                node,
                name,
                wanted,
                done,
                refers_to,
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
            Some(at) => self.wanted[at].name.to_owned(),
            None => entry.name.clone(),
        };
        let names: Vec<String> = entries.iter().map(name_of).collect();
        let missing: Vec<&Wanted> = self
            .wanted
            .iter()
            .filter(|wanted| !names.iter().any(|name| name == wanted.name))
            .collect();
        let mut places = vec![if self.order == Order::First { 0 } else { entries.len() }; missing.len()];
        if self.order == Order::Auto {
            let mut latest = entries.len();
            for (place, wanted) in places.iter_mut().zip(&missing).rev() {
                let user = entries
                    .iter()
                    .position(|entry| entry.refers_to.iter().any(|name| name == wanted.name));
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
        let new = missing.iter().map(|wanted| (wanted.name, &wanted.refers_to, true));
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
