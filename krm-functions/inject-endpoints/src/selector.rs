//! Which workloads and containers are meant.

use krm_fn::{Error, Object};

use crate::config;
use crate::pattern::matches;
use crate::requirement::{self, Requirement};

/// A selector whose parts are understood.
#[derive(Debug)]
pub(crate) struct Selector<'c> {
    config: &'c config::Selector,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl<'c> Selector<'c> {
    /// Reads the selectors of a configuration.
    pub(crate) fn all(selectors: &'c [config::Selector]) -> Result<Vec<Self>, Error> {
        selectors
            .iter()
            .enumerate()
            .map(|(at, config)| Self::read(at, config))
            .collect()
    }

    fn read(at: usize, config: &'c config::Selector) -> Result<Self, Error> {
        let requirements = |field: &str, text: &Option<String>| {
            requirement::parse(text.as_deref().unwrap_or_default()).map_err(|part| {
                Error::refused(
                    format!("spec.selectors[{at}].{field}: {part:?} is no requirement"),
                    "write it as for `kubectl --selector`: `app=web,tier in (front, back),!batch`",
                )
            })
        };
        Ok(Self {
            config,
            labels: requirements("labelSelector", &config.label_selector)?,
            annotations: requirements("annotationSelector", &config.annotation_selector)?,
        })
    }

    /// Whether the workload is meant.
    pub(crate) fn takes(&self, workload: Object<'_>) -> bool {
        let one_of = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
        };
        let Self {
            config,
            labels,
            annotations,
        } = self;
        (config.kinds.is_empty() || config.kinds.iter().any(|kind| *kind == workload.kind()))
            && one_of(&config.names, &workload.name())
            && one_of(&config.namespaces, workload.namespace().as_deref().unwrap_or("default"))
            && labels
                .iter()
                .all(|requirement| requirement.met_by(|key| workload.label(key)))
            && annotations
                .iter()
                .all(|requirement| requirement.met_by(|key| workload.annotation(key)))
    }

    /// Whether the container is meant, in a workload that is.
    pub(crate) fn takes_container(&self, name: &str) -> bool {
        let mut wanted = self.config.containers.iter().all(|pattern| pattern.starts_with('!'));
        for pattern in &self.config.containers {
            match pattern.strip_prefix('!') {
                Some(pattern) if matches(pattern, name) => return false,
                Some(_) => {}
                None => wanted |= matches(pattern, name),
            }
        }
        wanted
    }
}
