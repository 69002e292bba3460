//! Whether only this user and root can change what lies in a folder, as ssh's `StrictModes` asks it: files of a stack say
//! which programs run and which processes are signalled, and the programs of the cache are run.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// Group and others may write.
const WRITABLE: u32 = 0o022;
/// In a folder with this bit only its owner renames or deletes a file.
const STICKY: u32 = 0o1000;
/// As the kernel: more links than that are a circle.
const LINKS: usize = 40;

/// A folder in which another user can replace files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not safe: {problem}. Another user could replace what mlplat keeps and runs in {}. To fix: run `{fix}`, or use another folder", .path.display(), .below.display())]
pub struct Untrusted {
    /// The folder that was asked about.
    below: PathBuf,
    /// The folder at fault: itself, or one above it.
    path: PathBuf,
    problem: String,
    fix: String,
}

/// What the folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// This user writes it: it must be the user's own.
    Own,
    /// This user reads and runs what is in it: it may be root's.
    Shared,
}

/// Checks the folder and every one that leads to it, links included. What does not exist yet is no problem.
///
/// # Errors
/// [`Untrusted`] with the first folder that others can change.
pub fn check(path: &Path, purpose: Use) -> Result<(), Untrusted> {
    let me = rustix::process::geteuid().as_raw();
    // Who owns the root folder could replace everything; in a container without root it is not the number 0.
    let root = fs::metadata("/").map_or(0, |root| root.uid());
    let rules = Rules { me, root };
    let mut left: Vec<PathBuf> = steps(path);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    loop {
        let found = match fs::symlink_metadata(&at) {
            Ok(found) => found,
            // It is made later, by this user; or whoever uses it is told why it cannot be used.
            Err(_) => return Ok(()),
        };
        let is_link = found.is_symlink();
        let last = left.is_empty() && !is_link;
        let seen = Seen {
            uid: found.uid(),
            gid: found.gid(),
            // A link's own mode means nothing.
            mode: if is_link { 0 } else { found.mode() },
        };
        if let Some((problem, fix)) = rules.problem(&seen, last.then_some(purpose)) {
            return Err(Untrusted {
                below: path.to_owned(),
                fix: format!("{fix} {}", at.display()),
                path: at,
                problem,
            });
        }
        if is_link {
            links += 1;
            let Ok(target) = fs::read_link(&at) else { return Ok(()) };
            if links > LINKS {
                return Ok(());
            }
            let base = at.parent().unwrap_or(Path::new("/")).join(target);
            left.extend(steps(&base));
            at = PathBuf::from("/");
            continue;
        }
        match left.pop() {
            Some(step) if step == Path::new("..") => {
                at.pop();
            }
            Some(step) => at.push(step),
            None => return Ok(()),
        }
    }
}

/// The steps from the root folder, the first one last.
fn steps(path: &Path) -> Vec<PathBuf> {
    let steps = path.components().filter_map(|step| match step {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    let mut steps: Vec<_> = steps.collect();
    steps.reverse();
    steps
}

struct Rules {
    me: u32,
    root: u32,
}

struct Seen {
    uid: u32,
    gid: u32,
    mode: u32,
}

impl Rules {
    /// What is wrong with it, and the command that mends it. `last`: it is the folder itself.
    fn problem(&self, seen: &Seen, last: Option<Use>) -> Option<(String, String)> {
        let trusted = [0, self.root, self.me].contains(&seen.uid);
        let own = last == Some(Use::Own);
        if !trusted || (own && seen.uid != self.me) {
            return Some((
                format!("it belongs to the user {} and not to this one ({})", seen.uid, self.me),
                format!("chown {}", self.me),
            ));
        }
        let mut writable = seen.mode & WRITABLE;
        if self.is_private(seen.gid) {
            writable &= !0o020;
        }
        // Others cannot rename what is this user's in a sticky folder; in the folder itself they could make files.
        let sticky = seen.mode & STICKY != 0 && last.is_none();
        if writable == 0 || sticky {
            return None;
        }
        let who = match writable {
            0o020 => format!("the group {} may write to it", seen.gid),
            _ => "every user may write to it".to_owned(),
        };
        Some((who, "chmod go-w".to_owned()))
    }

    /// A group of this user alone, as most Linux distributions make one for each user; with it they let groups write.
    fn is_private(&self, gid: u32) -> bool {
        gid == self.me && members(gid).is_empty()
    }
}

/// The further members of a group that `/etc/group` names.
fn members(gid: u32) -> String {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let number = gid.to_string();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let found = groups.lines().map(fields).find(|fields| fields.get(2) == Some(&number));
    found.and_then(|fields| fields.get(3).cloned()).unwrap_or_default()
}

impl Untrusted {
    /// The folder at fault.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn folder(path: &Path, mode: u32) {
        fs::create_dir_all(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_that_others_may_write_is_refused_wherever_it_stands_on_the_way() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        let stack = dir.join("stacks/demo");
        folder(&stack, 0o700);
        assert_eq!(check(&stack, Use::Own), Ok(()));
        assert_eq!(check(&stack.join("not/made/yet"), Use::Own), Ok(()));
        for mode in [0o777, 0o702, 0o1777] {
            folder(&stack, mode);
            let refused = check(&stack, Use::Own).unwrap_err();
            assert_eq!(refused.path(), stack);
            assert!(
                refused
                    .to_string()
                    .contains(&format!("`chmod go-w {}`", stack.display()))
            );
        }
        folder(&stack, 0o755);
        assert_eq!(check(&stack, Use::Own), Ok(()));
        let above = dir.join("stacks");
        folder(&above, 0o777);
        assert_eq!(check(&stack, Use::Own).unwrap_err().path(), above);
        // Whoever made it may rename it there, and nobody else.
        folder(&above, 0o1777);
        assert_eq!(check(&stack, Use::Own), Ok(()));
    }

    #[test]
    fn a_link_is_followed_through_every_folder_on_its_way() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        folder(&dir.join("open"), 0o777);
        folder(&dir.join("closed/demo"), 0o700);
        symlink(dir.join("closed"), dir.join("good")).unwrap();
        symlink("../closed", dir.join("open/link")).unwrap();
        symlink("open/link", dir.join("long")).unwrap();
        symlink("circle", dir.join("circle")).unwrap();
        assert_eq!(check(&dir.join("good/demo"), Use::Own), Ok(()));
        assert_eq!(
            check(&dir.join("open/../closed/demo"), Use::Own).unwrap_err().path(),
            dir.join("open")
        );
        assert_eq!(
            check(&dir.join("long/demo"), Use::Own).unwrap_err().path(),
            dir.join("open")
        );
        assert_eq!(
            check(&dir.join("circle/demo"), Use::Own),
            Ok(()),
            "whoever opens it is told"
        );
    }

    #[test]
    fn owners_are_this_user_and_on_the_way_root() {
        let rules = Rules { me: 4711, root: 0 };
        let seen = |uid, gid, mode| Seen { uid, gid, mode };
        let way = |uid, mode| rules.problem(&seen(uid, 100, mode), None).is_none();
        assert!(way(0, 0o755) && way(4711, 0o700) && way(0, 0o1777));
        assert!(!way(4712, 0o755) && !way(0, 0o777) && !way(4711, 0o775) && !way(4712, 0o1777));
        let own = |uid, gid, mode| rules.problem(&seen(uid, gid, mode), Some(Use::Own)).is_none();
        assert!(own(4711, 100, 0o755) && !own(0, 0, 0o700) && !own(4711, 100, 0o775) && !own(4711, 100, 0o1777));
        // The user's own group.
        assert!(own(4711, 4711, 0o775) && !own(4711, 4711, 0o777));
        let shared = |uid, mode| rules.problem(&seen(uid, 0, mode), Some(Use::Shared)).is_none();
        assert!(shared(0, 0o755) && shared(4711, 0o755) && !shared(4712, 0o755) && !shared(0, 0o777));
    }
}
