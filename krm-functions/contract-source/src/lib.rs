//! Where the endpoints come from: a function's configuration itself, or an `EnvironmentEndpoints` object of the stream.
//! The functions that read the contract share the fields `spec.endpoints`, `spec.endpointsFrom` and `spec.protocols`.

use endpoint_contract::{Endpoints, EnvironmentEndpoints, KIND, Protocol};
use krm_fn::{Error, Object};
use serde::Deserialize;

/// Names the contract.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EndpointsFrom {
    /// `metadata.name` of the object.
    pub name: String,
}

/// The endpoints, checked, and where they come from.
#[derive(Debug)]
pub struct Contract {
    /// The endpoints.
    pub endpoints: Endpoints,
    /// The environment's name; `None` for endpoints that stand in the configuration.
    pub environment: Option<String>,
}

impl Contract {
    /// Finds the contract that `spec.endpoints` or `spec.endpointsFrom` means, or the only one of the objects.
    ///
    /// # Errors
    /// When both fields are set, when there is no such contract or more than one, and for one with a wrong field.
    pub fn find<'a>(
        objects: impl Iterator<Item = Object<'a>>,
        inline: Option<&Endpoints>,
        from: Option<&EndpointsFrom>,
    ) -> Result<Self, Error> {
        match (inline, from) {
            (Some(_), Some(_)) => Err(Error::refused(
                "spec.endpoints and spec.endpointsFrom are both set, and only one of them can be meant",
                "remove one of them",
            )),
            (Some(endpoints), None) => {
                endpoints
                    .validate()
                    .map_err(|error| Error::Failed(format!("spec.endpoints: {error}")))?;
                Ok(Self {
                    endpoints: endpoints.clone(),
                    environment: None,
                })
            }
            (None, from) => Self::read(choose(objects, from.map(|from| from.name.as_str()))?),
        }
    }

    /// The protocols that `spec.protocols` asks for, or without it all that the environment offers; in the order of
    /// [`Protocol::ALL`].
    ///
    /// # Errors
    /// For a protocol that the environment does not offer.
    pub fn protocols(&self, asked: Option<&[Protocol]>) -> Result<Vec<Protocol>, Error> {
        let offered = self.endpoints.protocols();
        let Some(asked) = asked else { return Ok(offered) };
        if let Some(missing) = asked.iter().find(|one| !offered.contains(one)) {
            return Err(Error::refused(
                format!("spec.protocols asks for {missing}, which the environment does not offer"),
                format!("remove it from the list, or add {missing} to the environment"),
            ));
        }
        Ok(offered.into_iter().filter(|one| asked.contains(one)).collect())
    }

    fn read(object: Object<'_>) -> Result<Self, Error> {
        let document: EnvironmentEndpoints = object.parse()?;
        document.validate().map_err(|error| match object.file() {
            Some(file) => Error::Failed(format!("{object} ({file}): {error}")),
            None => Error::Failed(format!("{object}: {error}")),
        })?;
        Ok(Self {
            endpoints: document.spec.endpoints,
            environment: Some(original_name(object)),
        })
    }
}

/// The object of that name, or the only one.
fn choose<'a>(objects: impl Iterator<Item = Object<'a>>, name: Option<&str>) -> Result<Object<'a>, Error> {
    let all: Vec<Object<'a>> = objects
        .filter(|object| object.kind() == KIND && object.group() == "mlplat.dev")
        .collect();
    let found: Vec<Object<'a>> = match name {
        Some(name) => all
            .iter()
            .copied()
            .filter(|object| object.name() == name || original_name(*object) == name)
            .collect(),
        None => all.clone(),
    };
    let names = || {
        all.iter()
            .map(|object| object.name().into_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (found.as_slice(), name) {
        ([one], _) => Ok(*one),
        ([], _) if all.is_empty() => Err(Error::refused(
            format!("there is no {KIND} in the stream, so nothing says where the endpoints are"),
            "list the file that Terraform wrote (`endpoints.yaml`) under `resources:` of the kustomization, give it by \
             `--with FILE` in a pipe, or write `spec.endpoints`",
        )),
        ([], Some(name)) => Err(Error::refused(
            format!("there is no {KIND} named {name:?} in the stream; there is {}", names()),
            "set `spec.endpointsFrom.name` to one of these",
        )),
        _ => Err(Error::refused(
            format!("more than one {KIND} fits: {}", names()),
            "name one in `spec.endpointsFrom.name`, and list each only once",
        )),
    }
}

/// The name before kustomize's prefixes and suffixes.
fn original_name(object: Object<'_>) -> String {
    let previous = object.annotation("internal.config.kubernetes.io/previousNames");
    match previous
        .as_deref()
        .and_then(|names| names.split(',').next())
        .filter(|name| !name.is_empty())
    {
        Some(first) => first.to_owned(),
        None => object.name().into_owned(),
    }
}
