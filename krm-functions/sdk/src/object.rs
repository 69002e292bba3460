//! One Kubernetes object of a stream.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::config::{self, ConfigError};
use crate::node::Node;
use crate::position::Position;

/// A handle on an object: who it is, and the node to walk down from. Copying it costs nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    root: Node<'a>,
}

impl<'a> Object<'a> {
    pub(crate) fn new(root: Node<'a>) -> Self {
        Self { root }
    }

    /// The object's mapping.
    #[must_use]
    pub fn root(self) -> Node<'a> {
        self.root
    }

    /// `apiVersion`; empty where there is none.
    #[must_use]
    pub fn api_version(self) -> Cow<'a, str> {
        self.text(&["apiVersion"])
    }

    /// The group of `apiVersion`; empty for the core group.
    #[must_use]
    pub fn group(self) -> Cow<'a, str> {
        match self.api_version() {
            Cow::Borrowed(text) => Cow::Borrowed(text.split_once('/').map_or("", |(group, _)| group)),
            Cow::Owned(text) => Cow::Owned(text.split_once('/').map_or("", |(group, _)| group).to_owned()),
        }
    }

    /// `kind`.
    #[must_use]
    pub fn kind(self) -> Cow<'a, str> {
        self.text(&["kind"])
    }

    /// `metadata.name`; empty where there is none, as with `generateName`.
    #[must_use]
    pub fn name(self) -> Cow<'a, str> {
        self.text(&["metadata", "name"])
    }

    /// `metadata.namespace`; `None` where it is left to the client.
    #[must_use]
    pub fn namespace(self) -> Option<Cow<'a, str>> {
        self.root
            .text_at(&["metadata", "namespace"])
            .filter(|text| !text.is_empty())
    }

    /// The value of a label.
    #[must_use]
    pub fn label(self, name: &str) -> Option<Cow<'a, str>> {
        self.root.text_at(&["metadata", "labels", name])
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(self, name: &str) -> Option<Cow<'a, str>> {
        self.root.text_at(&["metadata", "annotations", name])
    }

    /// Whether the object is for tools only and never applied to a cluster.
    #[must_use]
    pub fn is_local_config(self) -> bool {
        self.annotation("config.kubernetes.io/local-config")
            .is_some_and(|value| value == "true")
    }

    /// The file that the object stands in: the one that was read or, in a stream, the one that the client names.
    #[must_use]
    pub fn file(self) -> Option<String> {
        let names = ["internal.config.kubernetes.io/path", "config.kubernetes.io/path"];
        let noted = || names.iter().find_map(|name| self.annotation(name)).map(Cow::into_owned);
        self.root.index().file.clone().or_else(noted)
    }

    /// Where the object begins.
    #[must_use]
    pub fn position(self) -> Position {
        self.root.position()
    }

    /// The whole object as a type. An error names the object and the field's path, and the line of a file that was read.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, ConfigError> {
        config::from_object(self)
    }

    fn text(self, path: &[&str]) -> Cow<'a, str> {
        self.root.text_at(path).unwrap_or_default()
    }
}

/// `Deployment backend`, or `Deployment demo/backend` with a namespace.
impl std::fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.namespace() {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind(), self.name()),
            None => write!(f, "{} {}", self.kind(), self.name()),
        }
    }
}
