//! What the supervisor gives up for itself and for all that it starts. Without unsafe code nothing can be changed between fork
//! and exec, so it is done here, in the process that starts them, before it has a second thread.

use std::io;

use rustix::process::{Resource, Rlimit, setrlimit};

use super::platform::give_up_privileges;

/// Core files hold passwords and data: none are written. No program started here gains privileges (set-user-ID files), and
/// those of the superuser have no capability but the few that they need. Returns what could not be done.
pub(super) fn confine() -> Vec<String> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let no_core_files = setrlimit(Resource::Core, none).map_err(io::Error::from);
    [("core files", no_core_files), ("privileges", give_up_privileges())]
        .into_iter()
        .filter_map(|(what, done)| Some(format!("{what}: {}", done.err()?)))
        .collect()
}
