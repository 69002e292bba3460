//! When the process should end: nobody is there any more to serve. Terraform's own way, `GRPCController/Shutdown`,
//! is not the only one: it may be killed.

use std::{os::unix::process::parent_id, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::error::ServeError;

/// How often the parent process is looked for. The portable way; it costs one system call.
const PARENT_CHECK: Duration = Duration::from_millis(500);
/// How long a lost connection may take to come back.
const RECONNECT: Duration = Duration::from_secs(2);

/// The process that started this one, as seen at the start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent(u32);

impl Parent {
    pub(crate) fn now() -> Self {
        Self(parent_id())
    }

    /// Waits until the process has another parent: the first one has ended.
    async fn gone(self) {
        let mut checks = interval(PARENT_CHECK);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while parent_id() == self.0 {
            checks.tick().await;
        }
    }
}

/// Waits until the plugin host has ended, or has gone away and not come back. `connections` counts the open ones;
/// `None` before the first, so that one which came and went unseen was there.
pub(crate) async fn host_gone(parent: Parent, connections: watch::Receiver<Option<usize>>) {
    tokio::select! {
        () = parent.gone() => {}
        () = disconnected(connections) => {}
    }
}

async fn disconnected(mut connections: watch::Receiver<Option<usize>>) {
    loop {
        // An error: nothing accepts connections any more.
        if connections.wait_for(|open| *open == Some(0)).await.is_err() {
            return;
        }
        if timeout(RECONNECT, connections.wait_for(|open| *open > Some(0)))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// The signals that a terminal and a supervisor send. All are caught, never ignored: to ignore one would be
/// inherited by every child process.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Catches them from now on.
    pub(crate) fn catch() -> Result<Self, ServeError> {
        let catch = |kind| signal(kind).map_err(ServeError::io("catch signals"));
        Ok(Self {
            interrupt: catch(SignalKind::interrupt())?,
            terminate: catch(SignalKind::terminate())?,
            hang_up: catch(SignalKind::hangup())?,
        })
    }

    /// Waits until one asks this process to end. Under a plugin host Ctrl-C does not: the terminal sends it to the
    /// whole process group, and the host then says by StopProvider what it wants.
    pub(crate) async fn asked_to_end(mut self, interrupt_ends: bool) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => return,
                _ = self.interrupt.recv() => {
                    if interrupt_ends {
                        return;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_back_is_no_end() {
        let (count, open) = watch::channel(None);
        let gone = tokio::spawn(disconnected(open));
        for connections in [1, 0, 1] {
            count.send_replace(Some(connections));
            tokio::time::advance(RECONNECT / 2).await;
        }
        tokio::time::advance(RECONNECT * 2).await;
        assert!(!gone.is_finished());
        count.send_replace(Some(0));
        gone.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_came_and_went_before_anything_looked_is_an_end() {
        let (count, open) = watch::channel(None);
        count.send_replace(Some(1));
        count.send_replace(Some(0));
        timeout(RECONNECT * 2, disconnected(open)).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn before_the_first_connection_nothing_ends() {
        let (_count, open) = watch::channel(None);
        assert!(timeout(RECONNECT * 2, disconnected(open)).await.is_err());
    }
}
