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

/// How long the last look may take when the deadline passed while this process stood still.
const LAST_LOOK: Duration = Duration::from_secs(1);
/// A cut that comes this much after the deadline did not come because of the deadline.
const STOOD_STILL: Duration = Duration::from_millis(250);

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
        /// What the looks found instead: the last reason that one gave, and whether the last look gave no answer. Empty only
        /// where the looks give no reasons.
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
                write!(out, "timed out after {:.1} s waiting for {what}", within.as_secs_f32())?;
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
/// A look that hangs is cut at the deadline too; the reason that an earlier look gave is kept. Where the deadline passed while
/// this process itself stood still (SIGSTOP, a starved machine), one more look tells how things are now.
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
    let timed_out = |last: String| WaitError::TimedOut {
        what: what.to_owned(),
        within,
        last,
    };
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let is_last = left.is_zero();
        let allowed = if is_last { LAST_LOOK } else { left };
        let found = tokio::select! {
            biased;
            () = cancelled.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
            found = tokio::time::timeout(allowed, look()) => found,
        };
        match found {
            Ok(Ok(Look::Done(value))) => return Ok(value),
            Ok(Ok(Look::NotYet(reason))) => last = reason,
            Ok(Err(error)) => return Err(WaitError::Failed(error)),
            Err(_) => {
                if is_last || deadline.elapsed() < STOOD_STILL {
                    return Err(timed_out(if last.is_empty() {
                        "no answer".to_owned()
                    } else {
                        format!("{last}; then no answer")
                    }));
                }
                continue;
            }
        }
        let now = Instant::now();
        if is_last || (now <= deadline && now + rest >= deadline) {
            return Err(timed_out(last));
        }
        // Past the deadline only where this process stood still during the look.
        if now < deadline {
            tokio::select! {
                biased;
                () = cancelled.cancelled() => return Err(WaitError::Cancelled { what: what.to_owned() }),
                () = pause(rest) => {}
            }
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
            "timed out after 0.0 s waiting for the moon: only clouds"
        );
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_cut_at_the_deadline() {
        let token = CancellationToken::new();
        let error = until("an answer", Duration::from_millis(30), &token, || {
            std::future::pending::<Result<Look<()>, String>>()
        });
        let error = error.await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "timed out after 0.0 s waiting for an answer: no answer"
        );
    }

    #[tokio::test]
    async fn a_look_that_hangs_does_not_hide_the_reason_of_an_earlier_one() {
        let token = CancellationToken::new();
        let mut looks = 0;
        let error = until("an answer", Duration::from_millis(30), &token, || {
            looks += 1;
            let hangs = looks > 1;
            async move {
                if hangs {
                    std::future::pending::<()>().await;
                }
                Ok::<Look<()>, String>(Look::NotYet("it is loading".to_owned()))
            }
        });
        let WaitError::TimedOut { last, .. } = error.await.unwrap_err() else {
            panic!("it ends by its deadline");
        };
        assert_eq!(last, "it is loading; then no answer");
    }

    /// As after SIGSTOP and SIGCONT: the deadline passed, and what was waited for came meanwhile.
    #[tokio::test]
    async fn who_stood_still_past_the_deadline_looks_once_more() {
        let stand_still = |time: Duration| {
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(time);
        };
        let token = CancellationToken::new();
        for hangs in [false, true] {
            let mut looks = 0;
            let found = until("bread", Duration::from_millis(30), &token, || {
                looks += 1;
                let look = looks;
                async move {
                    if look > 1 {
                        return Ok::<_, String>(Look::Done(look));
                    }
                    stand_still(STOOD_STILL * 2);
                    if hangs {
                        std::future::pending::<()>().await;
                    }
                    Ok(Look::NotYet("in the oven".to_owned()))
                }
            });
            assert_eq!(found.await, Ok(2), "{hangs}");
        }
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
