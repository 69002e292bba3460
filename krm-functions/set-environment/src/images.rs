//! Registries: a prefix of image names gives way to another; tags and digests stay.

use std::collections::BTreeSet;

use krm_fn::{Error, Finding, Value, image};

use crate::config::Image;
use crate::work::Work;

/// One entry, its names in components.
#[derive(Debug)]
struct Rule {
    from: Vec<String>,
    to: String,
    to_parts: Vec<String>,
    used: bool,
}

/// Rewrites every image that an entry covers. An image below an entry's `to` is there already.
pub(crate) fn apply(images: &[Image], work: &mut Work<'_>) -> Result<(), Error> {
    if images.is_empty() {
        return Ok(());
    }
    let mut rules = rules(images)?;
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for object in work.stream.objects() {
        for field in work.kinds.places(object).images {
            let (holder, key) = (field.holder, field.key);
            let Some(image) = holder.text_at(&[key]).filter(|image| !image.is_empty()) else {
                continue;
            };
            seen.insert(image.clone().into_owned());
            if let Some(rewritten) = rewrite(&mut rules, &image) {
                let outcome = work.set(holder, key, &Value::Text(rewritten));
                work.note(object, &field.field(), outcome);
            }
        }
    }
    for (at, _) in rules.iter().enumerate().filter(|(_, rule)| !rule.used) {
        let message = unused(at, images, &rules, &seen);
        if let Some(severity) = work.on_no_match.severity() {
            work.findings
                .push(Finding::new(severity, message + work.on_no_match.hint()));
        }
    }
    Ok(())
}

/// Why an entry has changed no image.
fn unused(at: usize, images: &[Image], rules: &[Rule], seen: &BTreeSet<String>) -> String {
    let from = &images[at].from;
    let name = |image: &&String| components_of(split(image).0);
    let covered = seen.iter().find(|image| name(image).starts_with(&rules[at].from));
    if let Some(image) = covered {
        let longer = rules.iter().zip(images).filter(|(rule, _)| {
            rule.from.len() > rules[at].from.len() && components_of(split(image).0).starts_with(&rule.from)
        });
        let longest = longer
            .max_by_key(|(rule, _)| rule.from.len())
            .map(|(_, image)| image.from.as_str());
        return format!(
            "spec.images[{at}] changes no image in the stream: what begins with `{from}`, such as {image}, lies below the \
             longer prefix `{}`, which goes first. To fix: remove the entry",
            longest.unwrap_or_default()
        );
    }
    // `shop` is Docker Hub's `library/shop`; `shop/backend` is `docker.io/shop/backend`.
    let team = format!("docker.io/{from}");
    let of_team = components(&team);
    if seen.iter().any(|image| name(&image).starts_with(&of_team)) {
        return format!(
            "spec.images[{at}] matches no image in the stream: `{from}` stands for `docker.io/library/{from}`. To fix: write \
             `{team}`"
        );
    }
    const SHOWN: usize = 10;
    // What another entry takes, or has moved in an earlier run, is not what this one was written for.
    let is_free = |image: &&String| {
        let parts = name(image);
        let takes = |rule: &Rule| parts.starts_with(&rule.from) || parts.starts_with(&rule.to_parts);
        !rules.iter().any(takes)
    };
    let mut free = seen.iter().filter(is_free).map(String::as_str);
    let mut there: Vec<&str> = free.by_ref().take(SHOWN).collect();
    there.extend(free.next().map(|_| "…"));
    let there = if there.is_empty() {
        "the stream has no other image".to_owned()
    } else {
        format!("the stream has {}", there.join(", "))
    };
    format!(
        "spec.images[{at}] matches no image in the stream: none begins with `{from}`; {there}. To fix: correct `from`, or \
         remove the entry; a prefix ends where a component ends, and `nginx` stands for `docker.io/library/nginx`"
    )
}

fn rules(images: &[Image]) -> Result<Vec<Rule>, Error> {
    let mut rules: Vec<Rule> = Vec::with_capacity(images.len());
    for (at, image) in images.iter().enumerate() {
        for (field, text) in [("from", &image.from), ("to", &image.to)] {
            let known = |b: u8| b.is_ascii_alphanumeric() || b"-_./:[]".contains(&b);
            let whole = !text.is_empty() && text.split('/').all(|part| !part.is_empty());
            let tagged = text.split('/').skip(1).any(|part| part.contains(':'));
            if !whole || tagged || !text.bytes().all(known) {
                return Err(Error::refused(
                    format!("spec.images[{at}].{field}: {text:?} is no prefix of an image name"),
                    "write a registry and a path without tag, digest, scheme or slash at either end: \
                     `registry.example:5000/team`",
                ));
            }
        }
        let from = components(&image.from);
        if let Some(other) = rules.iter().position(|rule| rule.from == from) {
            return Err(Error::refused(
                format!("spec.images[{at}].from says the same as spec.images[{other}].from"),
                "leave one of them",
            ));
        }
        rules.push(Rule {
            from,
            to: image.to.clone(),
            to_parts: components(&image.to),
            used: false,
        });
    }
    for (at, rule) in rules.iter().enumerate() {
        let next = rules
            .iter()
            .enumerate()
            .position(|(other, next)| other != at && rule.to_parts.starts_with(&next.from));
        if let Some(next) = next {
            return Err(Error::refused(
                format!(
                    "spec.images[{at}].to lies below spec.images[{next}].from: a second run would rewrite the image again"
                ),
                "name the final place in every `to`",
            ));
        }
    }
    Ok(rules)
}

/// The image under its new name; `None` where nothing is to change. Notes which entries were met.
fn rewrite(rules: &mut [Rule], image: &str) -> Option<String> {
    let (name, suffix) = split(image);
    // What another tool fills in later, such as Flux, may be a registry already.
    if image::is_template(name) {
        return None;
    }
    let parts = components_of(name);
    // One that is there already: what lies below a `to` is left alone, or a second run would nest it deeper.
    let mut there = rules
        .iter_mut()
        .filter(|rule| parts.starts_with(&rule.to_parts))
        .peekable();
    if there.peek().is_some() {
        there.for_each(|rule| rule.used = true);
        return None;
    }
    let rule = rules
        .iter_mut()
        .filter(|rule| parts.starts_with(&rule.from))
        .max_by_key(|rule| rule.from.len())?;
    rule.used = true;
    let rest = parts[rule.from.len()..].iter();
    Some(rest.fold(rule.to.clone(), |name, part| name + "/" + part) + suffix)
}

/// The name, and the tag and digest as they are written.
fn split(image: &str) -> (&str, &str) {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let last = name.rfind('/').map_or(0, |slash| slash + 1);
    let end = name[last..].find(':').map_or(name.len(), |colon| last + colon);
    image.split_at(end)
}

/// The components of a whole name: what Docker Hub calls `nginx` lies in its `library`.
fn components_of(name: &str) -> Vec<String> {
    let mut parts = components(name);
    if parts[0] == "docker.io" && parts.len() == 2 {
        parts.insert(1, "library".to_owned());
    }
    parts
}

/// A name's components as container engines read it: what names no registry is Docker Hub's.
fn components(name: &str) -> Vec<String> {
    let mut parts: Vec<&str> = name.split('/').collect();
    let registry = parts[0].contains(['.', ':']) || parts[0] == "localhost";
    match (registry, parts.len()) {
        (true, _) if parts[0] == "index.docker.io" => parts[0] = "docker.io",
        (true, _) => {}
        (false, 1) => drop(parts.splice(0..0, ["docker.io", "library"])),
        (false, _) => parts.insert(0, "docker.io"),
    }
    parts.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(entries: &[(&str, &str)], image: &str) -> String {
        let images: Vec<Image> = entries
            .iter()
            .map(|(from, to)| Image {
                from: (*from).to_owned(),
                to: (*to).to_owned(),
            })
            .collect();
        let mut rules = rules(&images).unwrap();
        rewrite(&mut rules, image).unwrap_or_else(|| "unchanged".to_owned())
    }

    #[test]
    fn tags_and_digests_stay() {
        let hub = [("docker.io", "mirror.example:5000/hub")];
        let digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (image, expected) in [
            ("nginx".to_owned(), "mirror.example:5000/hub/library/nginx".to_owned()),
            ("nginx:1.29".into(), "mirror.example:5000/hub/library/nginx:1.29".into()),
            (
                format!("a/b:1@{digest}"),
                format!("mirror.example:5000/hub/a/b:1@{digest}"),
            ),
            (
                format!("docker.io/a/b@{digest}"),
                format!("mirror.example:5000/hub/a/b@{digest}"),
            ),
            (
                "index.docker.io/nginx".into(),
                "mirror.example:5000/hub/library/nginx".into(),
            ),
            ("ghcr.io/a/b:1".into(), "unchanged".into()),
            ("localhost:5000/a".into(), "unchanged".into()),
            ("${registry}/app:${tag}".into(), "unchanged".into()),
            ("$(params.image)".into(), "unchanged".into()),
            ("{{inputs.parameters.image}}".into(), "unchanged".into()),
            (
                "nginx:${tag}".into(),
                "mirror.example:5000/hub/library/nginx:${tag}".into(),
            ),
        ] {
            assert_eq!(rewritten(&hub, &image), expected);
        }
    }

    #[test]
    fn a_prefix_ends_where_a_component_ends_and_the_longest_wins() {
        let entries = [
            ("ghcr.io/team", "a.example"),
            ("ghcr.io/team/web", "b.example/w"),
            ("backend", "c.example/backend"),
        ];
        assert_eq!(rewritten(&entries, "ghcr.io/team/api:1"), "a.example/api:1");
        assert_eq!(rewritten(&entries, "ghcr.io/team/web:1"), "b.example/w:1");
        assert_eq!(rewritten(&entries, "ghcr.io/teams/web:1"), "unchanged");
        assert_eq!(rewritten(&entries, "backend:dev"), "c.example/backend:dev");
    }

    #[test]
    fn what_is_there_already_stays() {
        let entries = [("ghcr.io", "ghcr.io/mirror")];
        assert_eq!(rewritten(&entries, "ghcr.io/a:1"), "ghcr.io/mirror/a:1");
        assert_eq!(rewritten(&entries, "ghcr.io/mirror/a:1"), "unchanged");
    }
}
