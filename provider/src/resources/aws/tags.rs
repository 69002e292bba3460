//! Tags: the user's, those of every resource, those that others set, and the one that says whose a resource is.

use std::collections::BTreeMap;

use tfplug::{Computed, Model, Plan};

use crate::clients::aws::Aws;

/// The tag that says whose a resource is. Like every tag of mlplat, it is not shown in `tags` and `tags_all`.
pub const OWNER: &str = "mlplat.dev/owner";

/// The tag that says so of a resource whose create is not done yet; then [`OWNER`] takes its place.
pub const CREATING: &str = "mlplat.dev/creating";

/// Stands in the value of [`CREATING`] between the id of the create and the owner.
const SEPARATOR: char = ':';
/// How long that id is.
const ID: usize = 16;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// AWS' own tags, which nobody else may set.
fn is_system(key: &str) -> bool {
    key.starts_with("aws:")
}

/// `tags_all`: the tags of every resource and the resource's own, which win.
#[must_use]
pub fn all(aws: &Aws, own: Option<&Tags>) -> Tags {
    let mut all = aws.default_tags();
    all.extend(own.cloned().unwrap_or_default());
    all.retain(|key, _| !aws.ignores_tag(key));
    all
}

/// What to write over the tags that were found: `tags_all`, the owner, and what is AWS' or others'.
#[must_use]
pub fn wanted(aws: &Aws, own: Option<&Tags>, found: &Tags) -> Tags {
    let mut wanted = all(aws, own);
    let kept = found
        .iter()
        .filter(|(key, _)| is_system(key) || (aws.ignores_tag(key) && *key != CREATING))
        .map(|(key, value)| (key.clone(), value.clone()));
    wanted.extend(kept);
    wanted.insert(OWNER.to_owned(), aws.owner().to_owned());
    wanted
}

/// The same while the resource is being made by the create of this id, which its note has and no other create.
#[must_use]
pub fn creating(mut wanted: Tags, id: &str) -> Tags {
    if let Some(owner) = wanted.remove(OWNER) {
        wanted.insert(CREATING.to_owned(), format!("{id}{SEPARATOR}{owner}"));
    }
    wanted
}

/// Which create makes the resource, and whose it is. An older version wrote the owner alone.
#[must_use]
pub fn creator(found: &Tags) -> Option<(&str, &str)> {
    let value = found.get(CREATING)?;
    let is_id = |text: &&str| text.len() == ID && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = value.split_once(SEPARATOR).filter(|(id, _)| is_id(id));
    Some(parts.unwrap_or(("", value)))
}

/// `tags` and `tags_all` of what was found. A tag that every resource has shows in `tags` only if it stood there before, or
/// if its value is another: so no plan shows a difference that nobody made.
#[must_use]
pub fn shown(aws: &Aws, prior: Option<&Tags>, found: &Tags) -> (Option<Tags>, Tags) {
    let mut all = found.clone();
    all.retain(|key, _| !is_system(key) && key != OWNER && key != CREATING && !aws.ignores_tag(key));
    let defaults = aws.default_tags();
    let mut own = all.clone();
    own.retain(|key, value| prior.is_some_and(|prior| prior.contains_key(key)) || defaults.get(key) != Some(value));
    let own = (prior.is_some() || !own.is_empty()).then_some(own);
    (own, all)
}

/// Plans `tags_all`.
pub fn plan<M: Model>(aws: &Aws, plan: &mut Plan<M>) {
    let own = plan.get::<Tags>("tags");
    if own.is_unknown() || !aws.is_known() {
        plan.set_unknown("tags_all");
    } else {
        plan.set("tags_all", Computed::Known(all(aws, own.known())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::aws::{AwsSettings, DefaultTags, IgnoreTags};
    use crate::config::Config;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn aws() -> Aws {
        let variables = [("HOME".into(), "/h".into())].into_iter().collect();
        let config = Config::from_variables(variables, "/bin/mlplat".into(), "/tmp".into()).unwrap();
        let settings = AwsSettings {
            default_tags: Some(DefaultTags {
                tags: tags(&[("team", "ml"), ("stage", "prod")]),
            }),
            ignore_tags: Some(IgnoreTags {
                keys: None,
                key_prefixes: Some(["kubernetes.io/".to_owned()].into()),
            }),
            ..AwsSettings::default()
        };
        Aws::new(Computed::Known(settings), config)
    }

    #[test]
    fn the_resources_own_tags_win() {
        let own = tags(&[("stage", "dev"), ("a", "b")]);
        assert_eq!(
            all(&aws(), Some(&own)),
            tags(&[("a", "b"), ("stage", "dev"), ("team", "ml")])
        );
    }

    #[test]
    fn what_others_and_aws_set_stays_and_is_not_shown() {
        let found = tags(&[
            ("aws:cloudformation:stack-id", "1"),
            ("kubernetes.io/x", "y"),
            ("stale", "z"),
            (CREATING, "other"),
        ]);
        let wanted = wanted(&aws(), None, &found);
        assert_eq!(
            wanted.keys().map(String::as_str).collect::<Vec<_>>(),
            ["aws:cloudformation:stack-id", "kubernetes.io/x", OWNER, "stage", "team"]
        );
        assert_eq!(wanted[OWNER], "mlplat");
        let id = "0123456789abcdef";
        let creating = creating(wanted.clone(), id);
        assert_eq!((creator(&creating), creating.get(OWNER)), (Some((id, "mlplat")), None));
        assert_eq!(
            shown(&aws(), None, &found),
            (Some(tags(&[("stale", "z")])), tags(&[("stale", "z")]))
        );
    }

    #[test]
    fn the_tag_of_an_older_version_names_the_owner_alone() {
        for owner in ["mlplat", "team:a", "0123:b"] {
            assert_eq!(creator(&tags(&[(CREATING, owner)])), Some(("", owner)));
        }
        assert_eq!(creator(&tags(&[(OWNER, "mlplat")])), None);
    }

    #[test]
    fn a_tag_of_every_resource_makes_no_difference() {
        let found = tags(&[("team", "ml"), ("stage", "prod")]);
        assert_eq!(shown(&aws(), None, &found), (None, found.clone()));
        let same = tags(&[("team", "ml")]);
        assert_eq!(shown(&aws(), Some(&same), &found), (Some(same.clone()), found.clone()));
        assert_eq!(shown(&aws(), Some(&Tags::new()), &found), (Some(Tags::new()), found));
        let edited = tags(&[("team", "ops"), ("stage", "prod")]);
        assert_eq!(shown(&aws(), None, &edited).0, Some(tags(&[("team", "ops")])));
    }
}
