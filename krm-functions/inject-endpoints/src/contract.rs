//! Where the endpoints come from: the configuration itself, or an `EnvironmentEndpoints` object of the stream.

use endpoint_contract::{Endpoints, EnvironmentEndpoints, KIND};
use krm_fn::{Context, Error, Object};

use crate::config::Config;

/// The endpoints, and the environment's name where it has one.
#[derive(Debug)]
pub(crate) struct Contract {
    pub(crate) endpoints: Endpoints,
    pub(crate) environment: Option<String>,
}

impl Contract {
    /// Finds the contract that the configuration means, and checks it.
    pub(crate) fn find(context: &Context<'_, Config>) -> Result<Self, Error> {
        let config = &context.config;
        match (&config.endpoints, &config.endpoints_from) {
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
            (None, from) => Self::read(choose(context, from.as_ref().map(|from| from.name.as_str()))?),
        }
    }

    fn read(object: Object<'_>) -> Result<Self, Error> {
        let document: EnvironmentEndpoints = object.parse()?;
        document
            .validate()
            .map_err(|error| Error::Failed(format!("{object}: {error}")))?;
        Ok(Self {
            endpoints: document.spec.endpoints,
            environment: Some(original_name(object)),
        })
    }
}

/// The object of that name, or the only one.
fn choose<'a>(context: &Context<'a, Config>, name: Option<&str>) -> Result<Object<'a>, Error> {
    let all: Vec<Object<'a>> = context
        .all_objects()
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
