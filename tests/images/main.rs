//! `images`: container images from programs that are built already, without Docker, registry or network.
//!
//! `images --out FOLDER [--with FILE]... NAME=PROGRAM...` writes `FOLDER/NAME.tar` for each. The same programs give the
//! same bytes. An image holds the program, the libraries that it is linked to (none when it is static), two users, and
//! the files of `--with` in their places.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program")]
#![allow(clippy::disallowed_methods, reason = "it runs ldd")]

mod archive;
mod program;
mod tar;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use archive::Image;
use program::Program;
use tar::Tar;

const USAGE: &str = "usage: images --out FOLDER [--with FILE]... NAME=PROGRAM...";

/// `docker run --user nobody`, as kustomize starts functions, looks the name up here.
const PASSWD: &str = "root:x:0:0:root:/:/sbin/nologin\n\
                      nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n\
                      nobody:x:65534:65534:nobody:/:/sbin/nologin\n";
const GROUP: &str = "root:x:0:\nnonroot:x:65532:\nnobody:x:65534:\n";
/// Names are looked up in /etc/hosts and by DNS; glibc has both built in.
const NSSWITCH: &str = "passwd: files\ngroup: files\nhosts: files dns\n";

fn main() -> ExitCode {
    match Arguments::from(env::args().skip(1)).and_then(|arguments| arguments.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("images: {message}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Arguments {
    out: PathBuf,
    with: Vec<PathBuf>,
    images: Vec<(String, PathBuf)>,
}

impl Arguments {
    fn from(mut given: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self::default();
        while let Some(argument) = given.next() {
            let mut value = || given.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--out" => arguments.out = value()?.into(),
                "--with" => arguments.with.push(value()?.into()),
                image => {
                    let (name, program) = image.split_once('=').ok_or(format!("what is {image}?\n{USAGE}"))?;
                    arguments.images.push((name.to_owned(), program.into()));
                }
            }
        }
        if arguments.out.as_os_str().is_empty() || arguments.images.is_empty() {
            return Err(USAGE.to_owned());
        }
        Ok(arguments)
    }

    fn run(&self) -> Result<(), String> {
        let shared = self.with.iter().map(|path| file(path)).collect::<Result<Vec<_>, _>>()?;
        fs::create_dir_all(&self.out).map_err(|error| format!("{} cannot be made: {error}", self.out.display()))?;
        for (name, path) in &self.images {
            let program = Program::read(path)?;
            let mut base = Tar::default();
            base.file("etc/passwd", 0o644, PASSWD.as_bytes());
            base.file("etc/group", 0o644, GROUP.as_bytes());
            base.file("etc/nsswitch.conf", 0o644, NSSWITCH.as_bytes());
            for (path, content) in &shared {
                base.file(path, 0o644, content);
            }
            for path in &program.libraries {
                let (name, content) = file(path)?;
                base.file(&name, 0o755, &content);
            }
            let mut own = Tar::default();
            let entrypoint = format!("usr/local/bin/{}", program.name);
            own.file(&entrypoint, 0o755, &program.content);
            let image = Image {
                name,
                architecture: program.architecture,
                entrypoint: format!("/{entrypoint}"),
                layers: vec![base.finish()?, own.finish()?],
            };
            let written = image.write(&self.out)?;
            println!("{}  {}", written.display(), image.reference());
        }
        Ok(())
    }
}

/// A file's path within an image and its content, with links followed.
fn file(path: &Path) -> Result<(String, Vec<u8>), String> {
    let content = fs::read(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let name = path
        .strip_prefix("/")
        .ok()
        .and_then(Path::to_str)
        .ok_or_else(|| format!("{} is not an absolute path", path.display()))?;
    Ok((name.to_owned(), content))
}
