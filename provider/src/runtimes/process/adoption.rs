//! What a create may change of a stack that its own configuration left behind: nothing that holds data.

use std::path::Path;

use super::record::Record;
use crate::services::{Component, StackSpec};

/// What `wanted` would take away from the stack in `dir`, in words that complete "this create would …"; `None` = nothing.
pub(super) fn change(record: &Record, wanted: &StackSpec, dir: &Path) -> Option<String> {
    let before = &record.spec;
    if record.owner.as_ref().is_some_and(|owner| owner.confirmed) && with_choices(wanted, before) != *before {
        return Some("change its settings".to_owned());
    }
    let holds_data = |component: Component| dir.join(component.as_str()).exists();
    let kept: Vec<_> = wanted.services().iter().map(|service| service.component()).collect();
    let before_them = before.services().into_iter().map(|service| service.component());
    let removed = before_them.filter(|component| !kept.contains(component) && holds_data(*component));
    if let Some(component) = removed.into_iter().next() {
        return Some(format!("delete `{component}` with its data"));
    }
    if let (Some(was), Some(wanted)) = (&before.postgres, &wanted.postgres)
        && holds_data(Component::Postgres)
    {
        if was.database != wanted.database {
            return Some(format!(
                "use the database {:?} in the place of {:?}",
                wanted.database, was.database
            ));
        }
        if was.username != wanted.username {
            return Some(format!(
                "give all that {:?} owns to {:?}",
                was.username, wanted.username
            ));
        }
    }
    if let (Some(engine), Some(part)) = (
        wanted.redis.as_ref().and_then(|redis| redis.engine),
        record.parts.get(&Component::Redis),
    ) && part.engine.engine != engine
        && holds_data(Component::Redis)
    {
        return Some(format!(
            "use {engine} in the place of {}, without its data",
            part.engine.engine
        ));
    }
    let wanted_buckets = wanted.object_store.as_ref().map(|store| &store.buckets);
    let is_unwanted = |bucket: &&String| wanted_buckets.is_some_and(|wanted| !wanted.contains(bucket));
    record
        .buckets
        .iter()
        .find(is_unwanted)
        .map(|bucket| format!("delete the bucket {bucket:?}"))
}

/// What is wanted, with what it leaves open as it was chosen before.
fn with_choices(wanted: &StackSpec, before: &StackSpec) -> StackSpec {
    let mut wanted = wanted.clone();
    if let (Some(wanted), Some(before)) = (&mut wanted.postgres, &before.postgres) {
        choose(&mut wanted.version, &before.version);
        choose(&mut wanted.port, &before.port);
    }
    if let (Some(wanted), Some(before)) = (&mut wanted.redis, &before.redis) {
        choose(&mut wanted.engine, &before.engine);
        choose(&mut wanted.version, &before.version);
        choose(&mut wanted.port, &before.port);
    }
    if let (Some(wanted), Some(before)) = (&mut wanted.object_store, &before.object_store) {
        choose(&mut wanted.version, &before.version);
        choose(&mut wanted.port, &before.port);
    }
    wanted
}

fn choose<T: Clone>(wanted: &mut Option<T>, before: &Option<T>) {
    if wanted.is_none() {
        wanted.clone_from(before);
    }
}

#[cfg(test)]
mod tests {
    use super::super::owner::{Configuration, Owner};
    use super::*;
    use crate::services::{ObjectStore, Postgres, Redis};

    fn spec() -> StackSpec {
        StackSpec {
            name: "demo".into(),
            postgres: Some(Postgres::default()),
            redis: Some(Redis::default()),
            object_store: Some(ObjectStore {
                buckets: vec!["models".into()],
                ..ObjectStore::default()
            }),
            ..StackSpec::default()
        }
    }

    fn record(confirmed: bool) -> Record {
        Record {
            spec: spec(),
            reached: None,
            parts: [].into(),
            buckets: ["models".to_owned()].into(),
            owner: Some(Owner {
                confirmed,
                ..Owner::new("id".into(), Configuration::default())
            }),
            made_parents: Vec::new(),
        }
    }

    #[test]
    fn a_create_takes_nothing_away_that_holds_data() {
        let dir = tempfile::tempdir().unwrap();
        let asks = |edit: fn(&mut StackSpec)| {
            let mut wanted = spec();
            edit(&mut wanted);
            change(&record(false), &wanted, dir.path())
        };
        let without: fn(&mut StackSpec) = |spec| spec.postgres = None;
        // Nothing was made of it yet.
        assert_eq!(asks(without), None);
        for component in Component::ALL {
            std::fs::create_dir(dir.path().join(component.as_str())).unwrap();
        }
        assert_eq!(asks(|_| {}), None);
        assert_eq!(asks(without).unwrap(), "delete `postgres` with its data");
        assert_eq!(asks(|spec| spec.redis = None).unwrap(), "delete `redis` with its data");
        let other_database = |spec: &mut StackSpec| spec.postgres.as_mut().unwrap().database = "b".into();
        assert_eq!(
            asks(other_database).unwrap(),
            r#"use the database "b" in the place of "app""#
        );
        let other_user = |spec: &mut StackSpec| spec.postgres.as_mut().unwrap().username = "b".into();
        assert_eq!(asks(other_user).unwrap(), r#"give all that "app" owns to "b""#);
        let no_bucket = |spec: &mut StackSpec| spec.object_store.as_mut().unwrap().buckets.clear();
        assert_eq!(asks(no_bucket).unwrap(), r#"delete the bucket "models""#);
        let setting = |spec: &mut StackSpec| spec.redis.as_mut().unwrap().maxmemory_mb = Some(64);
        assert_eq!(asks(setting), None);
    }

    #[test]
    fn what_terraform_knew_once_is_adopted_only_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut known = record(true);
        known.spec.postgres.as_mut().unwrap().version = Some("15".into());
        assert_eq!(change(&known, &spec(), dir.path()), None);
        let mut wanted = spec();
        wanted.redis.as_mut().unwrap().maxmemory_mb = Some(64);
        assert_eq!(change(&known, &wanted, dir.path()).unwrap(), "change its settings");
    }
}
