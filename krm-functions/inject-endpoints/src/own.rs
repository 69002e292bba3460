//! The user's own variables: names of their choice, other sources, and what is to go.

use krm_fn::credential::plain_secret;
use krm_fn::{Error, Value};

use crate::config::{KeyRef, OwnVariable};
use crate::variables::{Reference, Wanted};

/// What the user's variables add, and the names of those to take away. `known` are all variables of the contract.
pub(crate) fn read(own: &[OwnVariable], known: &[Wanted]) -> Result<(Vec<Wanted>, Vec<String>), Error> {
    let (mut wanted, mut removed) = (Vec::new(), Vec::new());
    for (at, one) in own.iter().enumerate() {
        let place = format!("spec.variables[{at}]");
        check_name(&place, &one.name)?;
        if let Some(other) = own[..at].iter().position(|other| other.name == one.name) {
            return Err(Error::refused(
                format!("{place} and spec.variables[{other}] are both named {}", one.name),
                "leave one of them",
            ));
        }
        match variable(&place, one, known)? {
            Some(variable) => wanted.push(variable),
            None => removed.push(one.name.clone()),
        }
    }
    Ok((wanted, removed))
}

/// The variable; `None` for one to take away.
fn variable(place: &str, one: &OwnVariable, known: &[Wanted]) -> Result<Option<Wanted>, Error> {
    let name = one.name.as_str();
    let origin = || format!("config:{}", place.trim_start_matches("spec."));
    if one.allow_plain_text && one.value.is_none() {
        return Err(Error::refused(
            format!("{place}.allowPlainText is set, but there is no `value` to allow"),
            "remove it",
        ));
    }
    match (
        &one.value,
        &one.from,
        &one.secret_key_ref,
        &one.config_map_key_ref,
        &one.field_ref,
        one.remove,
    ) {
        (Some(text), None, None, None, None, false) => {
            if let Some(reason) = plain_secret(name, text).filter(|_| !one.allow_plain_text) {
                return Err(Error::refused(
                    format!("{place}: {name} {reason}"),
                    "put it into a Secret and refer to it by `secretKeyRef`; a URL can take it as `$(NAME)` from another \
                     variable; set `allowPlainText: true` if it is no secret",
                ));
            }
            Ok(Some(Wanted::literal(name, text, origin())))
        }
        (None, Some(from), None, None, None, false) => match known.iter().find(|one| one.name == *from) {
            Some(of_contract) => Ok(Some(of_contract.renamed(name))),
            None => Err(Error::refused(
                format!("{place}.from: the environment gives no variable {from:?}"),
                format!(
                    "use one of {}",
                    known.iter().map(|one| one.name.as_str()).collect::<Vec<_>>().join(", ")
                ),
            )),
        },
        (None, None, Some(key), None, None, false) => Ok(Some(key_of("Secret", "secretKeyRef", name, key, origin()))),
        (None, None, None, Some(key), None, false) => {
            Ok(Some(key_of("ConfigMap", "configMapKeyRef", name, key, origin())))
        }
        (None, None, None, None, Some(field), false) => {
            let version = field.api_version.iter().map(|text| ("apiVersion", text));
            let fields = version.chain([("fieldPath", &field.field_path)]);
            let fields = fields.map(|(key, text)| (key.to_owned(), Value::from(text.as_str())));
            Ok(Some(Wanted::value_from(name, "fieldRef", fields.collect(), origin())))
        }
        (None, None, None, None, None, true) => Ok(None),
        _ => Err(Error::refused(
            format!("{place} must say one thing about {name}"),
            "set exactly one of `value`, `from`, `secretKeyRef`, `configMapKeyRef`, `fieldRef` and `remove: true`",
        )),
    }
}

fn key_of(kind: &'static str, source: &'static str, name: &str, key: &KeyRef, origin: String) -> Wanted {
    let mut fields: Vec<(String, Value)> = [("name", &key.name), ("key", &key.key)]
        .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())))
        .to_vec();
    fields.extend(
        key.optional
            .map(|optional| ("optional".to_owned(), Value::Bool(optional))),
    );
    Wanted {
        reference: Some(Reference {
            kind,
            name: key.name.clone(),
            key: Some(key.key.clone()),
            optional: key.optional == Some(true),
        }),
        ..Wanted::value_from(name, source, fields, origin)
    }
}

/// Names that every version of Kubernetes takes.
fn check_name(place: &str, name: &str) -> Result<(), Error> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let digit = name.starts_with(|first: char| first.is_ascii_digit());
    if name.is_empty() || digit || !name.bytes().all(known) {
        return Err(Error::refused(
            format!("{place}.name: {name:?} is no name of a variable"),
            "write letters, digits, `_`, `-` and `.`, and no digit first: `DB_HOST`",
        ));
    }
    Ok(())
}
