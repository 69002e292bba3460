//! The KRM function: the stream here, a file there, an error for each forbidden difference.

use std::path::Path;

use krm_fn::{Context, Error, Finding, Function, ReadError, Severity, Stream, Way};

use crate::compare::Comparison;
use crate::config::Config;
use crate::difference::{Change, Difference};

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
        let mut allow = context.config.allow()?;
        // Elsewhere the overlay's author has the stream in his hands.
        allow.stages = context.way == Way::Pipe;
        let stream = context.stream;
        let read;
        let (name, other) = match (context.config.against.as_deref(), context.beside) {
            (None, [other]) => (other.file().unwrap_or("the other environment"), other),
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

/// The largest file that `spec.against` may name.
const LARGEST: u64 = 256 << 20;

/// Reads the other environment. The configuration may come from whoever writes a repository that a server renders: it can
/// name files of that repository and no other.
fn against(path: &str) -> Result<Stream, Error> {
    let cannot = |error: std::io::Error| {
        Error::refused(
            format!("spec.against: {path} cannot be read: {error}"),
            "render the other environment into a file: `kustomize build overlays/prod > prod.yaml`; the path counts from \
             the folder in which the function runs",
        )
    };
    let here = Path::new(".").canonicalize().map_err(cannot)?;
    // The whole repository, where there is one: overlays of an environment lie beside each other.
    let root = here.ancestors().find(|dir| dir.join(".git").exists()).unwrap_or(&here);
    let file = Path::new(path).canonicalize().map_err(cannot)?;
    let what = file.metadata().map_err(cannot)?;
    let problem = if !file.starts_with(root) {
        Some("lies outside of the repository, or of the folder in which the function runs where there is none")
    } else if !what.is_file() {
        Some("is no regular file")
    } else if what.len() > LARGEST {
        Some("is larger than 256 MiB")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(Error::refused(
            format!("spec.against: {path} {problem}"),
            "render the other environment into a file beside the kustomization, or give it by `--with FILE` in a pipe",
        ));
    }
    let text = krm_fn::read_file(&file).map_err(|error| match error {
        ReadError::Io(error) => cannot(error),
        ReadError::TooLarge | ReadError::NotUtf8(_) => {
            Error::Failed(format!("spec.against: {path} cannot be read: {error}"))
        }
    })?;
    Stream::parse(text)
        .map(|stream| stream.in_file(path))
        .map_err(|error| Error::Failed(format!("spec.against: {path} cannot be read: {error}")))
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
    let (one, two) = difference.values();
    let is = |value: &Option<String>| {
        value
            .as_ref()
            .map_or("is set".to_owned(), |value| format!("is {value}"))
    };
    let (what, fix) = match &difference.change {
        Change::OnlyLeft if difference.right.is_none() => (format!("is missing in {there}"), WHOLE.to_owned()),
        Change::OnlyRight if difference.left.is_none() => {
            (format!("is missing here, but is in {there}"), WHOLE.to_owned())
        }
        Change::OnlyLeft => (
            format!("{} here and missing in {there}", is(&one)),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::OnlyRight => (
            format!("is missing here and {} in {there}", is(&two)),
            format!("set it in a base that both have, or {ALLOW}"),
        ),
        Change::Value => {
            let what = match (one, two) {
                (Some(one), Some(two)) => format!("is {one} here and {two} in {there}"),
                _ if difference.secret => {
                    format!("is not the same in {there}; it looks like a credential, so it is not shown")
                }
                _ => format!("is not the same in {there}"),
            };
            (what, format!("set it in a base that both have, or {ALLOW}"))
        }
        Change::Namespace(expected) => (
            format!(
                "is {} here and {} in {there}, where {expected} is expected",
                one.unwrap_or_default(),
                two.unwrap_or_default()
            ),
            format!("correct the namespace, or map it in `spec.namespaces`, or {ALLOW}"),
        ),
        Change::Order => (
            format!("has another order in {there}"),
            format!("bring the items into the same order, or {ALLOW}"),
        ),
        Change::Expansion { name, left } => {
            let there = format!("in {there}");
            let (broken, well) = if *left {
                ("here", there.as_str())
            } else {
                (there.as_str(), "here")
            };
            (
                format!("$({name}) is not expanded {broken}, where {name} does not stand before it; {well} it is well"),
                format!("move {name} up in the list"),
            )
        }
        Change::TooLarge => (
            format!("is nested too deeply, or by aliases too large, to be compared with {there}"),
            "write it out flat".to_owned(),
        ),
    };
    format!("{what}. To fix: {fix}")
}
