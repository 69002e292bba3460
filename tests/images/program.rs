//! A program for Linux: for which processors it is, and which libraries it is linked to.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What of it goes into an image.
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
    /// As images name it: `amd64`, `arm64`.
    pub(crate) architecture: &'static str,
    /// The loader and the libraries, at their places; none for a static program.
    pub(crate) libraries: Vec<PathBuf>,
}

impl Program {
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let content = fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}. To fix: make build"))?;
        let architecture = match elf(&content) {
            Some(62) => "amd64",
            Some(183) => "arm64",
            Some(other) => {
                return Err(format!(
                    "{shown} is for a processor that images are not made for (ELF {other})"
                ));
            }
            None => {
                return Err(format!(
                    "{shown} is no program for Linux. To fix: build it on Linux, or for a Linux target"
                ));
            }
        };
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        let libraries = if asks_for_a_loader(&content) {
            libraries(path)?
        } else {
            Vec::new()
        };
        Ok(Self {
            name,
            content,
            architecture,
            libraries,
        })
    }
}

/// The number of the processor in a 64-bit little-endian ELF header.
fn elf(content: &[u8]) -> Option<u16> {
    content
        .starts_with(b"\x7fELF\x02\x01")
        .then(|| number(content, 18, 2))
        .flatten()
        .and_then(|it| it.try_into().ok())
}

/// Whether a program header names an interpreter (`PT_INTERP`): the program is linked when it is started.
fn asks_for_a_loader(content: &[u8]) -> bool {
    let field = |at, bytes| number(content, at, bytes).and_then(|it| usize::try_from(it).ok());
    let (Some(first), Some(size), Some(count)) = (field(32, 8), field(54, 2), field(56, 2)) else {
        return false;
    };
    (0..count).any(|index| field(first + index * size, 4) == Some(3))
}

fn number(content: &[u8], at: usize, bytes: usize) -> Option<u64> {
    let little_endian = content.get(at..at.checked_add(bytes)?)?;
    Some(
        little_endian
            .iter()
            .rev()
            .fold(0, |number, &byte| number << 8 | u64::from(byte)),
    )
}

/// What `ldd` finds: `libc.so.6 => /lib/…/libc.so.6 (0x…)`, and the loader without an arrow.
fn libraries(program: &Path) -> Result<Vec<PathBuf>, String> {
    let shown = program.display();
    let output = Command::new("ldd").arg(program).output().map_err(|error| {
        format!("ldd, which finds the libraries of {shown}, does not run: {error}. To fix: build it statically")
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || text.contains("not found") {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "the libraries of {shown} are not all here:\n{text}{errors}To fix: build it on this machine, or statically"
        ));
    }
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().find(|word| word.starts_with('/')))
        .map(PathBuf::from)
        .collect())
}
