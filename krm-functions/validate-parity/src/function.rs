//! The KRM function: the stream here, a file there, an error for each forbidden difference.

use std::path::Path;

use krm_fn::{Context, Error, Finding, Function, ReadError, Severity, Stream};

use crate::compare::Comparison;
use crate::config::Config;
use crate::difference::{Change, Difference, Side};

/// Fails for every difference between two rendered environments that nothing allows.
#[derive(Clone, Copy, Debug)]
pub struct ValidateParity;

impl Function for ValidateParity {
    const NAME: &'static str = "validate-parity";
    const KIND: &'static str = "ValidateParity";
    const ABOUT: &'static str = "Fails when two rendered environments differ in more than an environment may:\nthe \
                                 stream, and the one of --with FILE or spec.against.";
    type Config = Config;

    fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
        context.output = context.config.output;
        let allow = context.config.allow()?;
        let stream = context.stream;
        let read;
        let (name, other) = match (context.config.against.as_deref(), context.beside) {
            (None, [other]) => ("the other environment", other),
            (Some(path), []) => {
                read = against(path)?;
                (path, &read)
            }
            (None, []) => {
                return Err(Error::refused(
                    "there is nothing to compare with",
                    "render the other environment into a file (`kustomize build overlays/prod > prod.yaml`) and name it in \
                     `spec.against`, or by `--with FILE` in a pipe",
                ));
            }
            _ => {
                return Err(Error::refused(
                    "there is more than one environment to compare with",
                    "give one `--with FILE` or `spec.against`, and run the function once for each environment",
                ));
            }
        };
        if other.objects().all(|object| object.is_local_config()) {
            return Err(Error::refused(
                format!("{name} holds no object, so there is nothing to compare with"),
                "render the other environment again, and look whether that failed",
            ));
        }
        let Comparison { differences, used } = Comparison::of(stream, other, &allow);
        for difference in &differences {
            context.findings.push(finding(difference, name));
        }
        for (at, one) in allow.exceptions().iter().enumerate().filter(|(at, _)| !used[*at]) {
            let message = format!(
                "spec.allow[{at}] ({}) allows nothing: there is no such difference. To fix: remove it, or correct its kind, \
                 name and field",
                one.reason
            );
            context.findings.push(Finding::new(Severity::Warning, message));
        }
        Ok(())
    }
}

/// Reads the other environment.
fn against(path: &str) -> Result<Stream, Error> {
    let text = krm_fn::read_file(Path::new(path)).map_err(|error| match error {
        ReadError::Io(error) => Error::refused(
            format!("spec.against: {path} cannot be read: {error}"),
            "render the other environment into a file: `kustomize build overlays/prod > prod.yaml`; the path counts from \
             the folder in which the function runs",
        ),
        ReadError::TooLarge | ReadError::NotUtf8(_) => {
            Error::Failed(format!("spec.against: {path} cannot be read: {error}"))
        }
    })?;
    Stream::parse(text).map_err(|error| Error::Failed(format!("spec.against: {path} cannot be read: {error}")))
}

/// The difference as an error, with its place on both sides; `other` is what the other environment is called.
fn finding(difference: &Difference<'_>, other: &str) -> Finding {
    let mut finding = Finding::new(Severity::Error, message(difference, other)).of(difference.object());
    if !difference.field.is_empty() {
        finding = finding.field(&difference.field);
    }
    match difference.left {
        Some(side) => finding.at(side.position()),
        None => finding,
    }
}

/// The difference in words.
fn message(difference: &Difference<'_>, other: &str) -> String {
    const ALLOW: &str = "allow it in `spec.allow` with a reason";
    const WHOLE: &str = "list it in a base that both have, or allow `field: \"*\"` of it in `spec.allow` with a reason";
    let there = match difference.right {
        Some(side) => format!("{other} ({})", side.position()),
        None => other.to_owned(),
    };
    // ` PORT`, or nothing for what is too large to show.
    let value = |side: Option<Side<'_>>| {
        let value = side.and_then(|side| side.value());
        value.map_or_else(String::new, |value| format!(" {value}"))
    };
    let (one, two) = (value(difference.left), value(difference.right));
    let (what, fix) = match &difference.change {
        Change::OnlyLeft if difference.right.is_none() => (format!("is missing in {there}"), WHOLE.to_owned()),
        Change::OnlyRight if difference.left.is_none() => {
            (format!("is missing here, but is in {there}"), WHOLE.to_owned())
        }
        Change::OnlyLeft => (
            format!("is{one} here and missing in {there}"),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::OnlyRight => (
            format!("is missing here and is{two} in {there}"),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::Value if one.is_empty() || two.is_empty() => (
            format!("is not the same in {there}"),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::Value => (
            format!("is{one} here and{two} in {there}"),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::Namespace(expected) => (
            format!("is{one} here and{two} in {there}, where {expected} is expected"),
            format!("correct the namespace, or map it in `spec.namespaces`, or {ALLOW}"),
        ),
        Change::Order => (
            format!("has another order in {there}"),
            format!("bring the items into the same order, or {ALLOW}"),
        ),
        Change::Expansion(name) => (
            format!("$({name}) is expanded on one side only: here or in {there} {name} does not stand before it"),
            format!("move {name} up in the list"),
        ),
        Change::TooLarge => (
            format!("is nested too deeply, or by aliases too large, to be compared with {there}"),
            "write it out flat".to_owned(),
        ),
    };
    format!("{what}. To fix: {fix}")
}
