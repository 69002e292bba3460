//! What operating systems do differently with processes. `linux` has the sound ways (a pidfd cannot hit a stranger);
//! `portable` does the same with `ps` and `lsof`, and is honest about what it cannot see.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "its tests run here too"))]
mod portable;

#[cfg(target_os = "linux")]
pub(super) use self::linux::{
    Grip, adopt_orphans, boot_id, first_open_port, give_up_privileges, is_closing, lingers_in, listener, own_program,
    pid_namespace, running_in, start_of, working_folder,
};
#[cfg(not(target_os = "linux"))]
pub(super) use self::portable::{
    Grip, adopt_orphans, boot_id, first_open_port, give_up_privileges, is_closing, lingers_in, listener, own_program,
    pid_namespace, running_in, start_of, working_folder,
};

/// When a process started, in words that differ for every process of one boot that had its pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// Compared, never read.
    pub(super) mark: String,
    /// It has ended; its parent has not asked for its exit status yet.
    pub(super) zombie: bool,
}

/// Who listens on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) pid: u32,
    pub(super) program: String,
}
