//! One run: input and configuration in, the whole answer out. No I/O, so that tests see what a client sees.

use std::io::{self, Write};

use crate::config;
use crate::edits::Edits;
use crate::finding::{Finding, Findings, Severity};
use crate::function::{Context, Error, Function, Output};
use crate::object::Object;
use crate::stream::Stream;
use crate::value::Value;

/// How a function is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A ResourceList comes in and goes out: KRM exec and container functions, kustomize and kpt.
    ResourceList,
    /// Documents; the configuration is a file: kustomize's legacy exec plugin.
    Plugin,
    /// Documents on their way to `kubectl apply`; objects for tools only are left out of the answer.
    Pipe,
}

/// A file: the name that messages show, and its text.
#[derive(Clone, Debug)]
pub struct Named {
    /// The name as the user wrote it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What one run is given.
#[derive(Clone, Debug)]
pub struct Request {
    /// How the function is run.
    pub way: Way,
    /// What came on stdin.
    pub input: String,
    /// The configuration; a ResourceList brings its own.
    pub config: Option<Named>,
    /// Objects to read only.
    pub beside: Vec<Named>,
}

/// What a client gets.
#[derive(Debug, Default)]
pub struct Answer {
    output: Option<(Stream, Edits)>,
    /// Lines for people: every error and warning.
    pub stderr: String,
    /// Whether the run failed: exit code 1.
    pub failed: bool,
}

impl Answer {
    /// Writes what goes to stdout: all of it or, when a run without a ResourceList failed, nothing.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match &self.output {
            Some((stream, edits)) => stream.write(edits, to),
            None => Ok(()),
        }
    }

    /// What goes to stdout, as text.
    #[must_use]
    pub fn stdout(&self) -> String {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("splices begin and end between characters")
    }
}

/// Runs a function once.
pub fn respond<F: Function>(function: &F, request: Request) -> Answer {
    let way = request.way;
    let (stream, beside, config) = match prepare::<F>(request) {
        Ok(ready) => ready,
        Err(message) => {
            let stderr = format!("{}: error: {message}\n", F::NAME);
            return Answer {
                stderr,
                failed: true,
                output: None,
            };
        }
    };
    let mut context = Context {
        way,
        config: config.spec,
        config_name: config.name,
        stream: &stream,
        beside: &beside,
        edits: Edits::default(),
        findings: Findings::default(),
        output: Output::default(),
    };
    if let Err(error) = function.run(&mut context) {
        context
            .findings
            .push(Finding::new(Severity::Error, in_words(way, error)));
    }
    let Context {
        mut edits,
        mut findings,
        output,
        ..
    } = context;
    if way != Way::Pipe {
        findings.without_places_in_stream();
    }
    findings.close();
    if let Err(error) = finish(way, &stream, &mut edits, &findings, output) {
        findings.push(Finding::new(Severity::Error, in_words(way, error)));
    }
    let failed = findings.has_errors();
    if failed {
        // The objects go back unchanged, with the results: what a client does with them is its own business.
        edits.clear();
        if let Some(list) = stream.resource_list() {
            let noted = edits
                .set(list, "results", &findings.to_value())
                .and_then(|()| stream.settle(&mut edits));
            if noted.is_err() {
                edits.clear();
            }
        }
    }
    let mut stderr = String::new();
    for finding in findings.iter().filter(|finding| finding.severity() != Severity::Info) {
        stderr.push_str(&format!("{}: {}: {finding}\n", F::NAME, finding.severity()));
    }
    if let Some(summary) = findings.summary() {
        stderr.push_str(&format!("{}: {summary}\n", F::NAME));
    }
    let silent = (failed || output == Output::None) && way != Way::ResourceList;
    Answer {
        output: (!silent).then_some((stream, edits)),
        stderr,
        failed,
    }
}

/// An error in words. Only in a pipe does the user have the text that its place is in: elsewhere a client has written it.
fn in_words(way: Way, error: Error) -> String {
    match error {
        Error::Edit(error) if way != Way::Pipe => error.message,
        error => error.to_string(),
    }
}

/// The stream, what is to be read beside it, and the configuration.
type Ready<C> = (Stream, Vec<Stream>, config::Read<C>);

/// Reads everything that is given; an error is a message.
fn prepare<F: Function>(request: Request) -> Result<Ready<F::Config>, String> {
    let stream = Stream::parse(request.input).map_err(|error| format!("the input cannot be read: {error}"))?;
    let mut beside = Vec::new();
    for Named { name, text } in request.beside {
        let stream = Stream::parse(text).map_err(|error| format!("{name} cannot be read: {error}"))?;
        beside.push(stream.in_file(name));
    }
    let config = match (&request.config, stream.function_config()) {
        (Some(Named { name, text }), _) => config::from_config(text, F::API_VERSION, F::KIND).map_err(|error| {
            // A plugin's file is a copy that the client has made for it: only who it is means anything to the user.
            match Stream::parse(text.clone()) {
                Ok(copy) if request.way == Way::Plugin => rewritten(error, copy.objects().next()),
                _ => format!("{name}: {error}"),
            }
        })?,
        (None, Some(object)) => config::from_config(&config::text_of(object.root()), F::API_VERSION, F::KIND)
            .map_err(|error| rewritten(error, Some(object)))?,
        (None, None) => {
            let what = if stream.is_resource_list() {
                "the ResourceList has no functionConfig"
            } else {
                "the input is no ResourceList and no configuration is given"
            };
            return Err(format!(
                "{what}. To fix: run it from a kustomization's `transformers:`, or as `{} --config FILE` with documents \
                 on stdin; the file is of kind {} and apiVersion {}",
                F::NAME,
                F::KIND,
                F::API_VERSION
            ));
        }
    };
    Ok((stream, beside, config))
}

/// What is wrong with a configuration that came from a client.
fn rewritten(error: config::ConfigError, object: Option<Object<'_>>) -> String {
    match object {
        Some(object) => error.of_rewritten(object).to_string(),
        None => error.to_string(),
    }
}

/// Adds what the way of running asks for, and puts the edits in order.
fn finish(way: Way, stream: &Stream, edits: &mut Edits, findings: &Findings, output: Output) -> Result<(), Error> {
    let objects = stream.objects().len();
    if way != Way::Pipe && objects > 0 && edits.removals() >= objects {
        return Err(Error::refused(
            format!(
                "the function took away all {objects} objects, which clients take for success and then delete them"
            ),
            "leave at least one object, or change the function's selectors",
        ));
    }
    if way == Way::Pipe {
        stream.remove(|object| object.is_local_config(), edits)?;
    }
    if let Some(list) = stream.resource_list() {
        if output == Output::None {
            edits.clear();
            edits.set(list, "items", &Value::Seq(Vec::new()))?;
        }
        if !findings.is_empty() {
            edits.set(list, "results", &findings.to_value())?;
        }
    }
    stream.settle(edits)?;
    Ok(())
}
