//! `mlplat verify`: before anything is applied, whether every function will run, and whether environments differ only
//! where they may.

use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use krm_fn::{Named, Request, Way};
use validate_parity::ValidateParity;

use crate::cli::Outcome;
use crate::config::Config;
use crate::kustomize::{self, Builder, Client, Flags, Session, Skip, Tree, Use};

/// The client that has no flags to forget.
const MLPLAT: &str = "mlplat";

/// Check that every function of these kustomizations would run, and that environments differ only where they may
///
/// By default this looks at `mlplat render`, which runs all functions that are installed. kubectl skips functions that are
/// run by `exec` and says nothing; so does kustomize without a flag: `--client kubectl` names each of them and what to do.
/// With two kustomizations or more, the first is compared with each of the others, and every difference that an environment
/// may not have is listed with both places. Exit code 1 when anything is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders of kustomizations
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// What will build: `mlplat` (the default, for `mlplat render`), or kustomize or kubectl, by name or path
    #[arg(long, value_name = "CLIENT")]
    client: Option<PathBuf>,
    /// The flags of kustomize or kubectl, such as `--flags=--enable-alpha-plugins`. The default is every flag that runs
    /// functions
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    flags: Option<String>,
    /// Let kustomizations name files outside of their folders (the client's `--load-restrictor LoadRestrictionsNone`)
    #[arg(long)]
    unrestricted: bool,
    /// Let kustomizations run any program, as `mlplat render --enable-exec` does
    #[arg(long)]
    enable_exec: bool,
    /// What may differ: a configuration of kind ValidateParity
    #[arg(long, value_name = "FILE")]
    parity: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}. To fix: name a file with a configuration of kind ValidateParity", .file.display())]
struct ReadError {
    file: PathBuf,
    error: std::io::Error,
}

/// Prints what is wrong.
pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let named = arguments.client.as_deref().filter(|name| *name != Path::new(MLPLAT));
    let mut client = Client::find(named, config)?;
    client.unrestricted = arguments.unrestricted;
    let session = Session::start(config)?;
    let verifier = Verifier {
        builder: Builder {
            client: &client,
            exec: arguments.enable_exec,
            session: &session,
            config,
        },
        // Flags are those of a client.
        flags: (named.is_some() || arguments.flags.is_some()).then(|| flags(arguments.flags.as_deref())),
    };
    let mut wrong = 0;
    for folder in &arguments.folders {
        wrong += verifier.functions(folder, out)?;
    }
    if let [first, others @ ..] = arguments.folders.as_slice()
        && !others.is_empty()
    {
        let here = verifier.render(first)?;
        for other in others {
            let there = verifier.render(other)?;
            wrong += differences((first, &here), (other, there), arguments.parity.as_deref(), out)?;
        }
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

type Failure = Box<dyn Error + Send + Sync>;

struct Verifier<'a> {
    builder: Builder<'a>,
    /// The flags of the client; `None` for `mlplat render`.
    flags: Option<Flags>,
}

impl Verifier<'_> {
    /// Who would run the functions, in words.
    fn who(&self) -> &'static str {
        match self.flags {
            Some(_) => self.builder.client.kind.name(),
            None => "mlplat render",
        }
    }

    /// Why a function would not run.
    fn skip(&self, one: &Use) -> Option<Skip> {
        let Builder {
            client, exec, config, ..
        } = self.builder;
        kustomize::misplaced(one).or_else(|| match self.flags {
            Some(flags) => kustomize::skips(one, client, flags, config),
            None => kustomize::refusal(one, exec, config),
        })
    }

    /// The functions that would not run; how many.
    fn functions(&self, folder: &Path, out: &mut dyn Write) -> Result<usize, Failure> {
        let tree = Tree::read(folder, self.builder.client.unrestricted)?;
        let uses = kustomize::uses(&tree, &self.builder)?;
        let mut wrong = 0;
        let is_certain = match self.flags {
            None if !self.builder.exec && !uses.is_empty() => tree.refuse_doubts(),
            _ => Ok(()),
        };
        for error in [tree.refuse_functions_as_resources(), is_certain]
            .into_iter()
            .filter_map(Result::err)
        {
            wrong += 1;
            writeln!(out, "{error}")?;
        }
        for one in &uses {
            if let Some(skip) = self.skip(one) {
                wrong += 1;
                let what = if skip.silent {
                    "is skipped without a word"
                } else {
                    "fails the build"
                };
                writeln!(
                    out,
                    "{one}: {what} under {}: {}. To fix: {}",
                    self.who(),
                    skip.why,
                    skip.fix
                )?;
            }
        }
        for note in tree.notes() {
            writeln!(out, "{note}")?;
        }
        if wrong == 0 {
            let folder = folder.display();
            let who = self.who();
            match uses.len() {
                0 => writeln!(out, "{folder}: no functions are listed")?,
                1 => writeln!(out, "{folder}: 1 function, and {who} runs it")?,
                many => writeln!(out, "{folder}: {many} functions, and {who} runs them all")?,
            }
        }
        Ok(wrong)
    }

    fn render(&self, folder: &Path) -> Result<String, Failure> {
        let rendered = kustomize::render_for_parity(folder, &self.builder)?;
        // Nothing can be done about a closed stderr.
        let _ = io::stderr().write_all(rendered.warnings.as_bytes());
        Ok(rendered.documents)
    }
}

fn flags(given: Option<&str>) -> Flags {
    match given {
        None => Flags {
            alpha_plugins: true,
            exec: true,
        },
        Some(given) => {
            let has = |flag: &str| {
                given
                    .split([' ', ','])
                    .any(|one| one == flag || one == format!("{flag}=true"))
            };
            Flags {
                alpha_plugins: has("--enable-alpha-plugins"),
                exec: has("--enable-exec"),
            }
        }
    }
}

/// The differences that are not allowed; how many comparisons failed.
fn differences(
    (here, documents): (&Path, &str),
    (there, other): (&Path, String),
    parity: Option<&Path>,
    out: &mut dyn Write,
) -> Result<usize, Failure> {
    let text = match parity {
        Some(file) => std::fs::read_to_string(file).map_err(|error| ReadError {
            file: file.to_owned(),
            error,
        })?,
        None => "apiVersion: mlplat.dev/v1alpha1\nkind: ValidateParity\nmetadata:\n  name: verify\n".to_owned(),
    };
    let answer = krm_fn::respond(
        &ValidateParity,
        Request {
            way: Way::Pipe,
            input: documents.to_owned(),
            config: Some(Named {
                name: parity.map_or_else(|| "the default".to_owned(), |file| file.display().to_string()),
                text,
            }),
            beside: vec![Named {
                name: there.display().to_string(),
                text: other,
            }],
        },
    );
    let (here, there) = (here.display(), there.display());
    if !answer.failed && answer.stderr.is_empty() {
        writeln!(out, "{here} and {there} differ only where environments may")?;
        return Ok(0);
    }
    writeln!(
        out,
        "{here} (here) and {there} (the other environment); lines are those of `mlplat render`:"
    )?;
    write!(out, "{}", answer.stderr)?;
    Ok(usize::from(answer.failed))
}
