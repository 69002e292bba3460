//! The only polling loop, and the only place that sleeps: every wait has a deadline, can be cancelled and says what it waited for.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How the pauses between two looks grow: each is twice the one before.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The pause after the first look.
    pub first: Duration,
    /// Pauses do not grow beyond this.
    pub longest: Duration,
}

impl Pace {
    /// For what happens on this machine.
    pub const NEAR: Self = Self {
        first: Duration::from_millis(5),
        longest: Duration::from_millis(200),
    };
    /// For a service that counts the calls and settles in seconds.
    pub const FAR: Self = Self {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(5),
    };
}

/// What one look found.
#[derive(Debug)]
pub enum Look<T> {
    /// The awaited thing is there.
    Done(T),
    /// Not there yet, and why: the last reason is part of the error when time runs out.
    NotYet(String),
}

/// Why a wait ended without what it waited for.
#[derive(Debug, PartialEq, Eq)]
pub enum WaitError<E> {
    /// The deadline passed.
    TimedOut {
        /// What was waited for.
        what: String,
        /// The time allowed.
        within: Duration,
        /// What the last look found instead; empty when no look ended in time.
        last: String,
    },
    /// The caller's token was cancelled (Terraform's stop, Ctrl-C).
    Cancelled {
        /// What was waited for.
        what: String,
    },
    /// A look found that waiting longer cannot help.
    Failed(E),
}

impl<E: fmt::Display> fmt::Display for WaitError<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut { what, within, last } => {
                write!(out, "waited {:.1} s for {what} in vain", within.as_secs_f32())?;
                if last.is_empty() {
                    Ok(())
                } else {
                    write!(out, ": {last}")
                }
            }
            Self::Cancelled { what } => write!(out, "stopped on request while waiting for {what}"),
            Self::Failed(error) => error.fmt(out),
        }
    }
}

impl<E: std::error::Error> std::error::Error for WaitError<E> {}

/// Looks at something on this machine again and again; see [`until_at`].
pub async fn until<T, E, F, L>(
    what: &str,
    within: Duration,
    cancelled: &CancellationToken,
    look: L,
) -> Result<T, WaitError<E>>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Look<T>, E>>,
{
    until_at(Pace::NEAR, what, within, cancelled, look).await
}

/// Looks again and again, with growing pauses, until `look` is done, fails, `within` is over or `cancelled` fires.
///
/// A look that hangs is cut at the deadline too.
pub async fn until_at<T, E, F, L>(
    pace: Pace,
    what: &str,
    within: Duration,
    cancelled: &CancellationToken,
    mut look: L,
) -> Result<T, WaitError<E>>
where
    L: FnMut() -> F,
    F: Future<Output = Result<Look<T>, E>>,
{
    let deadline = Instant::now() + within;
    let mut last = String::new();
    let mut rest = pace.first;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let found = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            found = tokio::time::timeout(left, look()) => found,
        };
        match found {
            Ok(Ok(Look::Done(value))) => return Ok(value),
            Ok(Ok(Look::NotYet(reason))) => last = reason,
            Ok(Err(error)) => return Err(WaitError::Failed(error)),
            Err(_) => {
                return Err(WaitError::TimedOut {
                    what: what.to_owned(),
                    within,
                    last,
                });
            }
        }
        if Instant::now() + rest >= deadline {
            return Err(WaitError::TimedOut {
                what: what.to_owned(),
                within,
                last,
            });
        }
        tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            () = pause(rest) => {}
        }
        rest = (rest * 2).min(pace.longest);
    }
}

/// Lets `duration` pass; for timers (a restart's backoff, a tick), never for waiting on a condition.
#[expect(clippy::disallowed_methods, reason = "the one sleep of the crate")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_there_at_once_costs_no_pause() {
        let token = CancellationToken::new();
        let found = until("a number", Duration::from_secs(5), &token, || async {
            Ok::<_, String>(Look::Done(7))
        });
        let polled = std::pin::pin!(found).poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
        assert_eq!(polled, std::task::Poll::Ready(Ok(7)), "at the first look");
    }

    #[tokio::test]
    async fn a_deadline_says_what_was_waited_for_and_what_was_seen() {
        let token = CancellationToken::new();
        let error = until("the moon", Duration::from_millis(30), &token, || async {
            Ok::<Look<()>, String>(Look::NotYet("only clouds".to_owned()))
        });
        assert_eq!(
            error.await.unwrap_err().to_string(),
            "waited 0.0 s for the moon in vain: only clouds"
        );
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_cut_at_the_deadline() {
        let token = CancellationToken::new();
        let error = until("an answer", Duration::from_millis(30), &token, || {
            std::future::pending::<Result<Look<()>, String>>()
        });
        assert!(matches!(error.await, Err(WaitError::TimedOut { .. })));
    }

    #[tokio::test]
    async fn cancelling_ends_a_wait_at_once() {
        let token = CancellationToken::new();
        token.cancel();
        let error = until("nothing", Duration::from_secs(60), &token, || async {
            Ok::<Look<()>, String>(Look::NotYet(String::new()))
        });
        assert_eq!(
            error.await,
            Err(WaitError::Cancelled {
                what: "nothing".to_owned()
            })
        );
    }

    #[tokio::test]
    async fn a_failed_look_ends_the_wait() {
        let token = CancellationToken::new();
        let error = until("bread", Duration::from_secs(60), &token, || async {
            Err::<Look<()>, _>("burnt".to_owned())
        });
        assert_eq!(error.await, Err(WaitError::Failed("burnt".to_owned())));
    }
}
