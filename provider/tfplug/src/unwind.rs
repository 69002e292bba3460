//! A panic in a provider's code ends one call, not the process: Terraform would lose the state of everything
//! that was being made.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe, Location, PanicHookInfo},
    pin::Pin,
    task::{Context, Poll},
};

thread_local! {
    /// Where this thread panicked last; the payload alone does not say.
    static LAST: Cell<Option<String>> = const { Cell::new(None) };
    /// A panic on this thread would be caught now.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// What a panic said, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panic(pub(crate) String);

/// Reports panics as log lines and remembers their places. One that nothing catches is told on stderr as usual too.
pub(crate) fn install_hook() {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(String::new, Location::to_string);
        tracing::error!(place, "panic: {}", message(info.payload()));
        if !CATCHING.get() {
            usual(info);
        }
        LAST.set(Some(place));
    }));
}

/// Runs a future to its end or to its first panic.
pub(crate) async fn catch<T>(future: impl Future<Output = T>) -> Result<T, Panic> {
    Catch(Box::pin(future)).await
}

/// Runs a function to its end or to its panic.
fn catch_sync<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    CATCHING.set(outer);
    result.map_err(|payload| describe(payload.as_ref()))
}

struct Catch<F>(Pin<Box<F>>);

impl<F: Future> Future for Catch<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Unwind safe: a future that has panicked is never polled again, and its captures are dropped with it.
        match catch_sync(|| self.0.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

fn describe(payload: &(dyn Any + Send)) -> Panic {
    let message = message(payload);
    Panic(match LAST.take() {
        Some(place) if !place.is_empty() => format!("{message} (at {place})"),
        _ => message.to_owned(),
    })
}

fn message(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_its_message() {
        let caught = catch(async {
            tokio::task::yield_now().await;
            assert_eq!(1, 1);
            panic!("bucket {} vanished", 7)
        })
        .await;
        let caught: Result<(), Panic> = caught;
        assert_eq!(caught, Err(Panic("bucket 7 vanished".into())));
        assert_eq!(catch(async { 3 }).await, Ok(3));
        assert_eq!(
            catch_sync(|| panic::panic_any(1)).map(|(): ()| ()),
            Err(Panic("a panic without a message".into()))
        );
    }
}
