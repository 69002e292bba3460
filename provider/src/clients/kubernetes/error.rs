//! What can go wrong with a cluster, with the fix. No text holds a token, or a value of a Secret.

use std::error::Error as _;

use kube::Error;
use kube::client::AuthError;
use kube::config::KubeconfigError;
use kube::core::Status;

use super::{Place, Target};

/// Why a cluster was not read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KubernetesError {
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {} cannot be used: {why}. To fix: correct the path or the file; `kubectl --kubeconfig {} config view` shows what it holds", .target.kubeconfig, .target.kubeconfig)]
    Kubeconfig {
        /// The kubeconfig and the context.
        target: Target,
        /// What is wrong with it.
        why: String,
    },
    /// The context is not in it.
    #[error("the kubeconfig {} has no context {:?}; it has {}. To fix: set `context` to one of them", .target.kubeconfig, .target.context, list(.there))]
    NoContext {
        /// The kubeconfig and the context.
        target: Target,
        /// The contexts that it has.
        there: Vec<String>,
    },
    /// No token or certificate could be had.
    #[error("the login of the context {:?} fails: {why}. To fix: run `kubectl --kubeconfig {} --context {} version`, which logs in the same way, and follow what it says", .target.context, .target.kubeconfig, .target.context)]
    Login {
        /// The kubeconfig and the context.
        target: Target,
        /// What the plugin or the file did.
        why: String,
    },
    /// Nobody answers. That says nothing about what is in the cluster.
    #[error("the API server {server} of the context {:?} does not answer: {why}. Nothing is known about what is in the cluster. To fix: start the cluster, or correct the kubeconfig {}; then apply again", .target.context, .target.kubeconfig)]
    Away {
        /// The API server's URL.
        server: String,
        /// The kubeconfig and the context.
        target: Target,
        /// What happened to the connection.
        why: String,
    },
    /// The server's certificate is not one that the kubeconfig trusts.
    #[error("the API server {server} of the context {:?} is not trusted: {why}. Nothing was sent to it. To fix: correct `certificate-authority-data` (or `server`) of that cluster in the kubeconfig {}, for example by fetching the kubeconfig again; a cluster that was made again has a new authority", .target.context, .target.kubeconfig)]
    Untrusted {
        /// The API server's URL.
        server: String,
        /// The kubeconfig and the context.
        target: Target,
        /// What is wrong with its certificate.
        why: String,
    },
    /// Something answers that is no API server.
    #[error("{server} of the context {:?} does not answer as a Kubernetes API server does ({what}: {why}). To fix: correct `server` of that cluster in the kubeconfig {}", .target.context, .target.kubeconfig)]
    Strange {
        /// The URL.
        server: String,
        /// The kubeconfig and the context.
        target: Target,
        /// What was tried.
        what: String,
        /// What it said.
        why: String,
    },
    /// 401.
    #[error("the API server {server} does not accept the login of the context {:?}: the token or certificate has expired, was withdrawn, or belongs to another cluster. To fix: log in anew (`kubectl --kubeconfig {} --context {} auth whoami` shows whether it worked), then apply again", .target.context, .target.kubeconfig, .target.context)]
    Unauthorized {
        /// The API server's URL.
        server: String,
        /// The kubeconfig and the context.
        target: Target,
    },
    /// 403.
    #[error("{what} is forbidden: {why}. To fix: bind the user of the context {:?} to a Role of that namespace that may get, create, patch and delete configmaps and secrets", .target.context)]
    Forbidden {
        /// What was tried.
        what: String,
        /// The kubeconfig and the context.
        target: Target,
        /// What the API server said.
        why: String,
    },
    /// The namespace is not there.
    #[error(
        "{what} fails: there is no namespace {namespace:?}. To fix: create it (`kubectl create namespace {namespace}`, or a resource that this one depends on), or correct `namespace`"
    )]
    NoNamespace {
        /// What was tried.
        what: String,
        /// The namespace.
        namespace: String,
    },
    /// The namespace is being deleted.
    #[error(
        "{what} fails: the namespace is being deleted. To fix: wait until it is gone, create it again, then apply again"
    )]
    Terminating {
        /// What was tried.
        what: String,
    },
    /// The object is not there, says the API server.
    #[error("{what} fails: it is not there")]
    NotThere {
        /// What was tried.
        what: String,
    },
    /// Others set the same fields.
    #[error("{what} fails: {}", .conflicts.iter().map(|one| format!("{} is set by {}", one.field, one.manager)).collect::<Vec<_>>().join(", "))]
    Conflicts {
        /// What was tried.
        what: String,
        /// Who set which field.
        conflicts: Vec<Conflict>,
    },
    /// The API server refused for another reason.
    #[error("{what} fails: the API server says {why:?} (HTTP {code}). To fix: see what it says, then apply again")]
    Refused {
        /// What was tried.
        what: String,
        /// The HTTP status.
        code: u16,
        /// What the API server said.
        why: String,
    },
}

/// A field that somebody else set to another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Who.
    pub manager: String,
    /// The manager applies it again and again, rather than having changed it once.
    pub declares: bool,
    /// Which field: `.data.endpoints.yaml`.
    pub field: String,
}

impl KubernetesError {
    pub(super) fn kubeconfig(target: &Target, error: &KubeconfigError) -> Self {
        let why = match error {
            KubeconfigError::ReadConfig(error, _) => error.to_string(),
            // The parser quotes lines, and a line may hold a token.
            KubeconfigError::Parse(_) => "it is no YAML of a kubeconfig".to_owned(),
            other => other.to_string(),
        };
        Self::Kubeconfig {
            target: target.clone(),
            why,
        }
    }

    pub(super) fn of(place: &Place, what: &str, error: Error) -> Self {
        let target = || place.target.clone();
        let login = |error: &AuthError| Self::Login {
            target: target(),
            why: login_problem(error),
        };
        match &error {
            Error::Api(status) => return Self::of_status(place, what, status),
            Error::Auth(error) => return login(error),
            Error::Service(inner) => {
                if let Some(error) = inner.downcast_ref::<AuthError>() {
                    return login(error);
                }
            }
            Error::SerdeError(_) | Error::FromUtf8(_) => {
                return Self::Strange {
                    server: place.server.clone(),
                    target: target(),
                    what: what.to_owned(),
                    why: "its answer cannot be read".to_owned(),
                };
            }
            _ => {}
        }
        let (server, target, why) = (place.server.clone(), target(), innermost(&error));
        if why.contains("invalid peer certificate") {
            return Self::Untrusted { server, target, why };
        }
        Self::Away { server, target, why }
    }

    fn of_status(place: &Place, what: &str, status: &Status) -> Self {
        let what = what.to_owned();
        let target = place.target.clone();
        let causes = || status.details.iter().flat_map(|details| &details.causes);
        match (status.code, status.reason.as_str()) {
            (401, _) => Self::Unauthorized {
                server: place.server.clone(),
                target,
            },
            (403, _) if causes().any(|cause| cause.reason == "NamespaceTerminating") => Self::Terminating { what },
            (403, "Forbidden") => Self::Forbidden {
                what,
                target,
                why: status.message.clone(),
            },
            // Whoever else answers 404 says nothing about the object.
            (404, "NotFound") if status.details.is_some() => Self::NotThere { what },
            (409, "Conflict") if causes().any(|cause| cause.reason == "FieldManagerConflict") => Self::Conflicts {
                what,
                conflicts: causes().map(|cause| conflict(&cause.message, &cause.field)).collect(),
            },
            (code, "Failed to parse error data" | "") => Self::Strange {
                server: place.server.clone(),
                target,
                what,
                why: format!("HTTP {code}"),
            },
            (code, _) => Self::Refused {
                what,
                code,
                why: status.message.clone(),
            },
        }
    }
}

/// `conflict with "kubectl-edit" using v1`: the version is told for those who changed a field, not for those who apply it.
fn conflict(message: &str, field: &str) -> Conflict {
    let mut parts = message.split('"');
    let manager = parts.nth(1).unwrap_or("somebody").to_owned();
    let rest = parts.next().unwrap_or_default();
    Conflict {
        manager,
        declares: !rest.trim_start().starts_with("using"),
        field: field.to_owned(),
    }
}

/// What a plugin printed may be a token: only how it ended is told, and its own last word on stderr.
fn login_problem(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecStart(error) => format!("its login plugin does not start: {error}"),
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("its login plugin ended with {}: {}", out.status, last.trim())
        }
        AuthError::AuthExecParse(_) => "its login plugin printed no ExecCredential".to_owned(),
        other => other.to_string(),
    }
}

/// The last cause says most: `Connection refused`, `invalid peer certificate: UnknownIssuer`.
fn innermost(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    text
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use kube::core::response::{StatusCause, StatusDetails};

    use super::*;

    fn place() -> Place {
        Place {
            target: Target {
                kubeconfig: "/k".into(),
                context: "c".into(),
            },
            server: "https://127.0.0.1:6443/".into(),
        }
    }

    fn told(status: Status) -> KubernetesError {
        KubernetesError::of(&place(), "reading ConfigMap a/b", Error::Api(Box::new(status)))
    }

    #[test]
    fn only_an_api_server_can_say_that_something_is_gone() {
        let details = StatusDetails {
            name: "b".into(),
            kind: "configmaps".into(),
            ..serde_json::from_str("{}").unwrap()
        };
        let gone = Status {
            details: Some(details),
            ..Status::failure("configmaps \"b\" not found", "NotFound").with_code(404)
        };
        assert!(matches!(told(gone), KubernetesError::NotThere { .. }));
        let web_server = Status::failure("404 page not found\n", "Failed to parse error data").with_code(404);
        assert!(matches!(told(web_server), KubernetesError::Strange { .. }));
    }

    #[test]
    fn who_applies_is_told_from_who_changed_once() {
        let edit = conflict(r#"conflict with "kubectl-edit" using v1"#, ".data.x");
        assert_eq!((edit.manager.as_str(), edit.declares), ("kubectl-edit", false));
        let applied = conflict(r#"conflict with "argocd-controller""#, ".data.x");
        assert_eq!(
            (applied.manager.as_str(), applied.declares),
            ("argocd-controller", true)
        );
        let cause = StatusCause {
            reason: "FieldManagerConflict".into(),
            message: r#"conflict with "helm""#.into(),
            field: ".data.x".into(),
        };
        let details = StatusDetails {
            causes: vec![cause],
            ..serde_json::from_str("{}").unwrap()
        };
        let status = Status {
            details: Some(details),
            ..Status::failure("Apply failed", "Conflict").with_code(409)
        };
        let text = told(status).to_string();
        assert_eq!(text, "reading ConfigMap a/b fails: .data.x is set by helm");
    }

    #[test]
    fn a_certificate_that_is_not_trusted_is_no_cluster_that_is_away() {
        let error = std::io::Error::other("invalid peer certificate: UnknownIssuer");
        let text = KubernetesError::of(&place(), "asking for the version", Error::Service(error.into())).to_string();
        assert!(
            text.contains("is not trusted") && text.contains("certificate-authority-data"),
            "{text}"
        );
        assert!(!text.contains("start the cluster"), "{text}");
    }

    #[test]
    fn an_expired_token_says_how_to_log_in_anew() {
        let text = told(Status::failure("Unauthorized", "Unauthorized").with_code(401)).to_string();
        assert!(
            text.contains("has expired") && text.contains("--context c auth whoami"),
            "{text}"
        );
    }
}
