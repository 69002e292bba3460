//! From a container to its variables, as the kubelet does it (`makeEnvironmentVariables` in `kubelet_pods.go`):
//! `envFrom` first, then `env` in order, each later one winning, `$(NAME)` seeing what came before.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::expansion::{Piece, pieces};
use super::manifest::{EnvVar, KeyRef, ValueFrom};
use super::stream::{Container, Stream, Workload};
use super::variable::{HIDDEN, Override, Source, Variable};

/// Why the kubelet would not start the container either (its reason would be `CreateContainerConfigError`), or what
/// only a cluster knows.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A ConfigMap or Secret is not in the stream.
    #[error(
        "CreateContainerConfigError: {kind} \"{name}\" not found in namespace \"{namespace}\" (needed by {needed_by}). \
         To fix: {fix}", fix = kind.fix()
    )]
    NotFound {
        /// What it is.
        kind: ReferredKind,
        /// Its name.
        name: String,
        /// Where it was looked for.
        namespace: String,
        /// `envFrom`, or the variable.
        needed_by: String,
    },
    /// The object is there, the key is not.
    #[error(
        "CreateContainerConfigError: couldn't find key {key} in {kind} {namespace}/{name} (needed by {needed_by}); \
         it has {there}. To fix: correct the key, or add it where the {kind} is made"
    )]
    NoKey {
        /// What it is.
        kind: ReferredKind,
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: String,
        /// The key that is missing.
        key: String,
        /// The variable.
        needed_by: String,
        /// The keys it has.
        there: String,
    },
    /// `value` beside `valueFrom`: the API server refuses such an object.
    #[error(
        "variable {0} has both `value` and `valueFrom`, which the API server refuses. To fix: a patch left one of them \
         behind; remove it, or let inject-endpoints set the variable (`onConflict: Replace` drops the other)"
    )]
    TwoValues(String),
    /// Known only once a pod runs on a node.
    #[error("variable {name} comes from {field}, which only a cluster knows. To fix: give it by `--env {name}=VALUE`")]
    OnlyInCluster {
        /// The variable.
        name: String,
        /// The field that it asks for.
        field: String,
    },
    /// No process can be given such a variable.
    #[error("variable {0:?} cannot be given to a process: {1}. To fix: correct it where it is made")]
    NotAVariable(String, &'static str),
}

/// What a variable may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferredKind {
    /// `configMapKeyRef`, `configMapRef`.
    ConfigMap,
    /// `secretKeyRef`, `secretRef`.
    Secret,
}

impl ReferredKind {
    fn fix(self) -> &'static str {
        match self {
            Self::ConfigMap => {
                "render with the functions switched on (kustomize build --enable-alpha-plugins --enable-exec; without \
                 the flags kustomize and kubectl may skip a function and say nothing), or add the file that holds it \
                 by another -f"
            }
            Self::Secret => {
                "render with the Secret manifest that terraform apply writes, or add the file that holds it by another -f"
            }
        }
    }
}

impl fmt::Display for ReferredKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        })
    }
}

/// Works out all variables of a container, by name.
///
/// An override stands where the manifest has the variable, or before all others, so that `$(NAME)` sees it. Variables of
/// Services (`…_SERVICE_HOST`) are not there: outside a cluster no such address answers.
pub fn resolve(
    stream: &Stream,
    workload: &Workload,
    container: &Container,
    overrides: &[Override],
) -> Result<BTreeMap<String, Variable>, ResolveError> {
    let resolver = Resolver { stream, workload };
    let mut variables = BTreeMap::new();
    for from in container.spec.env_from.iter().flatten() {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        for (kind, reference) in [
            (ReferredKind::ConfigMap, &from.config_map_ref),
            (ReferredKind::Secret, &from.secret_ref),
        ] {
            let Some(reference) = reference else { continue };
            let optional = reference.optional.unwrap_or_default();
            let Some(data) = resolver.data(kind, &reference.name, optional, "envFrom")? else {
                continue;
            };
            for (key, value) in data {
                variables.insert(format!("{prefix}{key}"), referred(kind, &reference.name, key, value));
            }
        }
    }
    let declared = container.spec.env.as_deref().unwrap_or_default();
    let given = |name: &str| overrides.iter().rfind(|given| given.name == name);
    for Override { name, .. } in overrides {
        if !declared.iter().any(|variable| variable.name == *name) {
            variables.extend(given(name).map(|given| (name.clone(), given.into())));
        }
    }
    for declared in declared {
        let variable = match given(&declared.name) {
            Some(given) => Some(given.into()),
            None => resolver.variable(declared, &variables)?,
        };
        variables.extend(variable.map(|variable| (declared.name.clone(), variable)));
    }
    for (name, variable) in &variables {
        check(name, &variable.value)?;
    }
    Ok(variables)
}

struct Resolver<'a> {
    stream: &'a Stream,
    workload: &'a Workload,
}

impl<'a> Resolver<'a> {
    /// `None`: the variable is not set, because what it refers to is optional and absent.
    fn variable(
        &self,
        declared: &EnvVar,
        before: &BTreeMap<String, Variable>,
    ) -> Result<Option<Variable>, ResolveError> {
        let name = &declared.name;
        match (declared.value.as_deref().unwrap_or_default(), &declared.value_from) {
            ("", Some(ValueFrom::ConfigMap(key))) => self.key(ReferredKind::ConfigMap, key, name),
            ("", Some(ValueFrom::Secret(key))) => self.key(ReferredKind::Secret, key, name),
            ("", Some(ValueFrom::Field(field))) => self.field(&field.field_path, name).map(Some),
            ("", Some(ValueFrom::Resource(_))) => Err(only_in_cluster(name, "resourceFieldRef")),
            ("", Some(ValueFrom::File(_))) => Err(only_in_cluster(name, "fileKeyRef")),
            (_, Some(_)) => Err(ResolveError::TwoValues(name.clone())),
            (value, None) => Ok(Some(expand(value, before))),
        }
    }

    fn data(
        &self,
        kind: ReferredKind,
        name: &str,
        optional: bool,
        needed_by: &str,
    ) -> Result<Option<&'a BTreeMap<String, String>>, ResolveError> {
        let namespace = self.workload.namespace();
        let data = match kind {
            ReferredKind::ConfigMap => self.stream.config_map(namespace, name),
            ReferredKind::Secret => self.stream.secret(namespace, name),
        };
        if data.is_none() && !optional {
            return Err(ResolveError::NotFound {
                kind,
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                needed_by: needed_by.to_owned(),
            });
        }
        Ok(data)
    }

    fn key(&self, kind: ReferredKind, wanted: &KeyRef, variable: &str) -> Result<Option<Variable>, ResolveError> {
        let optional = wanted.optional.unwrap_or_default();
        let Some(data) = self.data(kind, &wanted.name, optional, variable)? else {
            return Ok(None);
        };
        match data.get(&wanted.key) {
            Some(value) => Ok(Some(referred(kind, &wanted.name, &wanted.key, value))),
            None if optional => Ok(None),
            None => Err(ResolveError::NoKey {
                kind,
                name: wanted.name.clone(),
                namespace: self.workload.namespace().to_owned(),
                key: wanted.key.clone(),
                needed_by: variable.to_owned(),
                there: if data.is_empty() {
                    "none".to_owned()
                } else {
                    data.keys().cloned().collect::<Vec<_>>().join(", ")
                },
            }),
        }
    }

    /// The fields of a pod that its template already decides.
    fn field(&self, path: &str, variable: &str) -> Result<Variable, ResolveError> {
        let template = &self.workload.template;
        let subscript = |field: &str| path.strip_prefix(field)?.strip_prefix("['")?.strip_suffix("']");
        let entry = |map: &Option<BTreeMap<String, String>>, key: &str| {
            map.as_ref().and_then(|map| map.get(key)).cloned().unwrap_or_default()
        };
        let value = if path == "metadata.namespace" {
            self.workload.namespace().to_owned()
        } else if path == "spec.serviceAccountName" {
            template.service_account.clone().unwrap_or_else(|| "default".to_owned())
        } else if let Some(key) = subscript("metadata.labels") {
            entry(&template.metadata.labels, key)
        } else if let Some(key) = subscript("metadata.annotations") {
            entry(&template.metadata.annotations, key)
        } else {
            return Err(only_in_cluster(variable, &format!("fieldRef {path}")));
        };
        Ok(Variable {
            shown: value.clone(),
            value,
            source: Source::Field(path.to_owned()),
        })
    }
}

fn referred(kind: ReferredKind, name: &str, key: &str, value: &str) -> Variable {
    let (name, key, value) = (name.to_owned(), key.to_owned(), value.to_owned());
    match kind {
        ReferredKind::ConfigMap => Variable {
            shown: value.clone(),
            value,
            source: Source::ConfigMap(name, key),
        },
        ReferredKind::Secret => Variable {
            shown: HIDDEN.to_owned(),
            value,
            source: Source::Secret(name, key),
        },
    }
}

fn only_in_cluster(name: &str, field: &str) -> ResolveError {
    ResolveError::OnlyInCluster {
        name: name.to_owned(),
        field: field.to_owned(),
    }
}

fn expand(value: &str, before: &BTreeMap<String, Variable>) -> Variable {
    let (mut text, mut shown) = (String::new(), String::new());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for piece in pieces(value) {
        let (piece, piece_shown) = match piece {
            Piece::Text(text) => (Cow::Borrowed(text), None),
            Piece::Reference(name) => match before.get(name) {
                Some(known) => {
                    with.push(name.to_owned());
                    (Cow::Borrowed(known.value.as_str()), Some(known.shown.as_str()))
                }
                None => {
                    without.push(name.to_owned());
                    (Cow::Owned(format!("$({name})")), None)
                }
            },
        };
        shown.push_str(piece_shown.unwrap_or(&piece));
        text.push_str(&piece);
    }
    Variable {
        value: text,
        shown,
        source: Source::Value { with, without },
    }
}

fn check(name: &str, value: &str) -> Result<(), ResolveError> {
    let fail = |reason| Err(ResolveError::NotAVariable(name.to_owned(), reason));
    match name {
        "" => fail("it has no name"),
        _ if name.contains('=') => fail("its name holds `=`"),
        _ if name.contains('\0') || value.contains('\0') => fail("it holds a NUL"),
        _ => Ok(()),
    }
}
