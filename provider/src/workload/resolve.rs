//! From a container to its variables, as the kubelet does it (`makeEnvironmentVariables` in `kubelet_pods.go`):
//! `envFrom` first, then `env` in order, each later one winning, `$(NAME)` seeing what came before.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use super::expansion::{Piece, pieces};
use super::manifest::{EnvVar, KeyRef, ValueFrom};
use super::secrets::MadeSecret;
use super::stream::{Container, Stream, Workload};
use super::variable::{HIDDEN, Override, Source, Variable};

/// The longest `NAME=VALUE`, with the NUL behind it, that Linux gives to a program (`MAX_ARG_STRLEN`).
const LONGEST: usize = 128 * 1024;
/// More than Linux ever gives to a program, arguments and variables together: three quarters of 8 MiB.
const LARGEST: usize = 6 * 1024 * 1024;

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
    /// No process can be given a variable of that length.
    #[error(
        "variable {name} is too long for a process (argument list too long): Linux gives a program no NAME=VALUE of more \
         than {LONGEST} bytes. To fix: shorten it where it is made, or mount it as a file"
    )]
    TooLong {
        /// The variable; cut, when the name itself is too long.
        name: String,
    },
    /// No process can be given that many variables of that length.
    #[error(
        "the variables up to {name} take more than {LARGEST} bytes together, which no process can be given (argument list \
         too long). To fix: mount the long ones as files"
    )]
    TooMany {
        /// The variable that is one too many.
        name: String,
    },
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
            match resolver.data(kind, &reference.name, optional, "envFrom")? {
                None => {}
                Some(Data::Known(data)) => {
                    for (key, value) in data {
                        variables.insert(format!("{prefix}{key}"), referred(kind, &reference.name, key, value));
                    }
                }
                Some(Data::Made(made)) => {
                    for key in &made.keys {
                        variables.insert(format!("{prefix}{key}"), of_made(made, Some(key)));
                    }
                    if made.open {
                        variables.insert(format!("{prefix}*"), of_made(made, None));
                    }
                }
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
    let mut total = 0;
    for declared in declared {
        let variable: Option<Variable> = match given(&declared.name) {
            Some(given) => Some(given.into()),
            None => resolver.variable(declared, &variables)?,
        };
        total += variable.as_ref().map_or(0, Variable::size);
        if total > LARGEST {
            return Err(ResolveError::TooMany {
                name: declared.name.clone(),
            });
        }
        variables.extend(variable.map(|variable| (declared.name.clone(), variable)));
    }
    for (name, variable) in &variables {
        check(name, variable.value.as_deref().unwrap_or_default())?;
    }
    Ok(variables)
}

/// What a ConfigMap or Secret holds.
enum Data<'a> {
    Known(&'a BTreeMap<String, String>),
    Made(&'a MadeSecret),
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
            (value, None) => expand(name, value, before).map(Some),
        }
    }

    fn data(
        &self,
        kind: ReferredKind,
        name: &str,
        optional: bool,
        needed_by: &str,
    ) -> Result<Option<Data<'a>>, ResolveError> {
        let namespace = self.workload.namespace();
        let data = match kind {
            ReferredKind::ConfigMap => self.stream.config_map(namespace, name).map(Data::Known),
            ReferredKind::Secret => {
                let made = || self.stream.made_secret(namespace, name).map(Data::Made);
                self.stream.secret(namespace, name).map(Data::Known).or_else(made)
            }
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
        let keys: Vec<String> = match self.data(kind, &wanted.name, optional, variable)? {
            None => return Ok(None),
            Some(Data::Known(data)) => match data.get(&wanted.key) {
                Some(value) => return Ok(Some(referred(kind, &wanted.name, &wanted.key, value))),
                None => data.keys().cloned().collect(),
            },
            Some(Data::Made(made)) if made.open || made.keys.contains(&wanted.key) => {
                return Ok(Some(of_made(made, Some(&wanted.key))));
            }
            Some(Data::Made(made)) => made.keys.iter().cloned().collect(),
        };
        if optional {
            return Ok(None);
        }
        Err(ResolveError::NoKey {
            kind,
            name: wanted.name.clone(),
            namespace: self.workload.namespace().to_owned(),
            key: wanted.key.clone(),
            needed_by: variable.to_owned(),
            there: if keys.is_empty() {
                "none".to_owned()
            } else {
                keys.join(", ")
            },
        })
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
            value: Some(value),
            source: Source::Field(path.to_owned()),
        })
    }
}

fn referred(kind: ReferredKind, name: &str, key: &str, value: &str) -> Variable {
    let (name, key, value) = (name.to_owned(), key.to_owned(), value.to_owned());
    match kind {
        ReferredKind::ConfigMap => Variable {
            shown: value.clone(),
            value: Some(value),
            source: Source::ConfigMap(name, key),
        },
        ReferredKind::Secret => Variable {
            shown: HIDDEN.to_owned(),
            value: Some(value),
            source: Source::Secret(name, key),
        },
    }
}

fn of_made(made: &MadeSecret, key: Option<&String>) -> Variable {
    Variable {
        value: None,
        shown: HIDDEN.to_owned(),
        source: Source::Made {
            secret: made.name.clone(),
            key: key.cloned(),
            maker: made.maker.clone(),
        },
    }
}

fn only_in_cluster(name: &str, field: &str) -> ResolveError {
    ResolveError::OnlyInCluster {
        name: name.to_owned(),
        field: field.to_owned(),
    }
}

/// Stops as soon as the text is longer than any process takes: a few variables that repeat each other would otherwise
/// fill the memory.
fn expand(name: &str, value: &str, before: &BTreeMap<String, Variable>) -> Result<Variable, ResolveError> {
    let (mut text, mut shown) = (Some(String::new()), String::new());
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for piece in pieces(value) {
        let (piece, piece_shown) = match piece {
            Piece::Text(text) => (Some(Cow::Borrowed(text)), Cow::Borrowed(text)),
            Piece::Reference(other) => {
                let known = before.get(other);
                if seen.insert(other) {
                    if known.is_some() { &mut with } else { &mut without }.push(other.to_owned());
                }
                match known {
                    Some(known) => (
                        known.value.as_deref().map(Cow::Borrowed),
                        Cow::Borrowed(known.shown.as_str()),
                    ),
                    None => {
                        let kept = format!("$({other})");
                        (Some(Cow::Owned(kept.clone())), Cow::Owned(kept))
                    }
                }
            }
        };
        text = text.zip(piece).map(|(text, piece)| text + &piece);
        if shown.len() <= LONGEST {
            shown.push_str(&piece_shown);
        }
        if text.as_ref().is_some_and(|text| text.len() > LONGEST) {
            return Err(ResolveError::TooLong { name: name.to_owned() });
        }
    }
    if shown.len() > LONGEST {
        // What is shown may be longer than what it stands for.
        HIDDEN.clone_into(&mut shown);
    }
    Ok(Variable {
        value: text,
        shown,
        source: Source::Value { with, without },
    })
}

fn check(name: &str, value: &str) -> Result<(), ResolveError> {
    let shortened = || name.chars().take(80).collect();
    let fail = |reason| Err(ResolveError::NotAVariable(shortened(), reason));
    match name {
        "" => fail("it has no name"),
        _ if name.contains('=') => fail("its name holds `=`"),
        _ if name.contains('\0') || value.contains('\0') => fail("it holds a NUL"),
        _ if name.len() + "=".len() + value.len() + "\0".len() > LONGEST => {
            Err(ResolveError::TooLong { name: shortened() })
        }
        _ => Ok(()),
    }
}
