//! A proxy between a provider and an emulator: it writes down every call, and makes go wrong what goes wrong on the way to AWS.
//! It takes the calls as the server itself does, and as an HTTP proxy does; whatever host those name, they end at the server.

use crate::http::{self, Message};
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// One call, as the provider made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What follows `?`; empty when nothing does.
    pub query: String,
    /// The id of the access key that signed it; empty when nothing did.
    pub key: String,
    /// The host that the caller asked for, where it took this for an HTTP proxy. What passes through a connection
    /// (`CONNECT`) is not seen.
    pub asked_for: Option<String>,
    /// The account that the bucket was expected to belong to; empty when the call does not say.
    pub expected_owner: String,
    /// What the service answered; `None` when the call never reached it.
    pub status: Option<u16>,
}

impl Call {
    /// Whether it can change something.
    pub fn writes(&self) -> bool {
        matches!(self.method.as_str(), "PUT" | "POST" | "DELETE" | "PATCH")
    }

    /// Whether the query has this part: `versioning`, `list-type=2`.
    pub fn asks(&self, part: &str) -> bool {
        self.query
            .split('&')
            .any(|found| found == part || found.strip_suffix('=') == Some(part))
    }
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status and error code; the service never sees it.
    Answer(u16, &'static str),
    /// The service does it, and the reply is lost on the way back.
    LostReply,
    /// It is neither passed on nor answered, and the connection stays open.
    Hang,
}

impl Fault {
    /// The service has too much to do.
    pub const THROTTLED: Self = Self::Answer(503, "SlowDown");
    /// The service has a fault.
    pub const BROKEN: Self = Self::Answer(500, "InternalError");
    /// The caller may not do that.
    pub const FORBIDDEN: Self = Self::Answer(403, "AccessDenied");
    /// The caller's session has ended.
    pub const EXPIRED: Self = Self::Answer(400, "ExpiredToken");
}

type Which = Box<dyn Fn(&Call) -> bool + Send>;
type Hook = Box<dyn FnOnce() + Send>;

struct Rule {
    which: Which,
    fault: Fault,
    left: usize,
}

#[derive(Default)]
struct Shared {
    calls: Vec<Call>,
    rules: Vec<Rule>,
    /// The number of the call, counted from the first one, after which it is run.
    hook: Option<(usize, Hook)>,
    hung: Vec<TcpStream>,
    closed: bool,
}

/// A running proxy; dropping it closes it.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

impl FaultProxy {
    /// A proxy of its own, on a free port of 127.0.0.1, in front of a server.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn before(server: SocketAddr) -> Self {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = socket.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Mutex::new(Shared::default()));
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in socket.incoming().flatten() {
                if lock(&of_thread).closed {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                // A caller that is killed breaks its connection: nobody is left to be told.
                thread::spawn(move || serve(&stream, server, &shared));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets the next `times` calls of this kind go wrong.
    pub fn fault(&self, fault: Fault, times: usize, which: impl Fn(&Call) -> bool + Send + 'static) {
        let rule = Rule {
            which: Box::new(which),
            fault,
            left: times,
        };
        lock(&self.shared).rules.push(rule);
    }

    /// Runs `hook` once, when the `number`th call from now on was done by the service and before its reply is passed back.
    pub fn after_call(&self, number: usize, hook: impl FnOnce() + Send + 'static) {
        let mut shared = lock(&self.shared);
        shared.hook = Some((shared.calls.len() + number, Box::new(hook)));
    }

    /// Nothing goes wrong any more; calls that hang are cut off. Whether a hook was still waiting for its call.
    pub fn heal(&self) -> bool {
        let mut shared = lock(&self.shared);
        shared.rules.clear();
        shared.hung.clear();
        shared.hook.take().is_some()
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared).calls.clone()
    }

    /// Every call so far, and forgets them.
    pub fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut lock(&self.shared).calls)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.closed = true;
        shared.hung.clear();
        drop(shared);
        // Wakes the thread that waits for callers.
        let _ = TcpStream::connect(self.address);
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(stream: &TcpStream, server: SocketAddr, shared: &Mutex<Shared>) -> Option<()> {
    stream.set_read_timeout(Some(http::SILENCE)).ok()?;
    let mut request = Message::request(stream).ok()??;
    let asked_for = request.take_host();
    let (path, query) = request.word(1).split_once('?').unwrap_or((request.word(1), ""));
    let mut call = Call {
        method: request.word(0).to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        key: signer(&request).unwrap_or_default(),
        asked_for,
        expected_owner: request
            .header("x-amz-expected-bucket-owner")
            .unwrap_or_default()
            .to_owned(),
        status: None,
    };
    let fault = fault_of(&call, shared);
    match fault {
        Some(Fault::Answer(status, code)) => {
            lock(shared).calls.push(call.clone());
            return refusal(&call, status, code).write(stream).ok();
        }
        Some(Fault::Hang) => {
            let mut shared = lock(shared);
            shared.calls.push(call);
            shared.hung.push(stream.try_clone().ok()?);
            return Some(());
        }
        Some(Fault::LostReply) | None => {}
    }
    if call.method == "CONNECT" {
        lock(shared).calls.push(call);
        return connect(stream, server).ok();
    }
    let reply = http::exchange(server, &request).ok();
    call.status = reply.as_ref().map(Message::status);
    let hook = {
        let mut shared = lock(shared);
        shared.calls.push(call);
        let due = shared
            .hook
            .as_ref()
            .is_some_and(|(number, _)| *number == shared.calls.len());
        shared.hook.take_if(|_| due)
    };
    if let Some((_, hook)) = hook {
        hook();
    }
    if fault == Some(Fault::LostReply) {
        return stream.shutdown(Shutdown::Both).ok();
    }
    reply?.write(stream).ok()
}

/// Passes bytes both ways until either side ends.
fn connect(stream: &TcpStream, server: SocketAddr) -> io::Result<()> {
    let server = TcpStream::connect(server)?;
    server.set_read_timeout(Some(http::SILENCE))?;
    (&*stream).write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    let pass = |mut from: &TcpStream, mut to: &TcpStream| {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    };
    thread::scope(|both| {
        both.spawn(|| pass(stream, &server));
        pass(&server, stream);
    });
    Ok(())
}

/// Whose key signed it: `Authorization: AWS4-HMAC-SHA256 Credential=ID/DATE/…`.
fn signer(request: &Message) -> Option<String> {
    let header = request.header("authorization")?;
    let (id, _) = header.split_once("Credential=")?.1.split_once('/')?;
    Some(id.to_owned())
}

/// The fault of the first rule that means this call and is not used up.
fn fault_of(call: &Call, shared: &Mutex<Shared>) -> Option<Fault> {
    let mut shared = lock(shared);
    let rule = shared
        .rules
        .iter_mut()
        .find(|rule| rule.left > 0 && (rule.which)(call))?;
    rule.left -= 1;
    Some(rule.fault)
}

/// An error as S3 words it, or as the services of the Query protocol do, which take every call as `POST /`.
fn refusal(call: &Call, status: u16, code: &str) -> Message {
    let error = format!("<Error><Code>{code}</Code><Message>The fault proxy said so.</Message></Error>");
    let body = match (call.method.as_str(), call.path.as_str()) {
        ("HEAD", _) => String::new(),
        ("POST", "/") => format!("<ErrorResponse>{error}<RequestId>proxy</RequestId></ErrorResponse>"),
        _ => error,
    };
    Message {
        first: format!("HTTP/1.1 {status} Fault"),
        headers: vec![("Content-Type".to_owned(), "application/xml".to_owned())],
        body: body.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emulators::{AUTHORIZATION, Emulator, Kind};
    use crate::wait;
    use std::sync::mpsc;
    use std::time::Duration;

    fn get(proxy: &FaultProxy, target: &str) -> std::io::Result<Message> {
        let request = Message {
            first: format!("GET {target} HTTP/1.1"),
            headers: vec![
                ("Host".to_owned(), proxy.address.to_string()),
                ("Authorization".to_owned(), AUTHORIZATION.to_owned()),
            ],
            body: Vec::new(),
        };
        http::exchange(proxy.address, &request)
    }

    #[test]
    fn calls_pass_are_written_down_and_go_wrong_as_often_as_said() {
        for kind in [Kind::Moto, Kind::MiniStack] {
            let emulator = Emulator::shared(kind);
            emulator.make_bucket("proxied");
            let proxy = FaultProxy::before(emulator.address());
            proxy.fault(Fault::THROTTLED, 2, |call| call.asks("location"));
            let status = |target| get(&proxy, target).expect("an answer").status();
            let answers = [
                "/proxied?location",
                "/proxied?tagging",
                "/proxied?location",
                "/proxied?location",
            ]
            .map(status);
            assert_eq!(answers, [503, 404, 503, 200], "{kind:?}");
            let seen: Vec<_> = proxy
                .calls()
                .into_iter()
                .map(|call| (call.query, call.status))
                .collect();
            let query = |text: &str, status| (text.to_owned(), status);
            assert_eq!(
                seen,
                [
                    query("location", None),
                    query("tagging", Some(404)),
                    query("location", None),
                    query("location", Some(200))
                ]
            );
        }
    }

    #[test]
    fn a_lost_reply_was_accepted_and_a_hung_call_was_not() {
        let emulator = Emulator::shared(Kind::Moto);
        let proxy = FaultProxy::before(emulator.address());
        proxy.fault(Fault::LostReply, 1, |call| call.method == "PUT");
        let request = Message {
            first: "PUT /lost-reply HTTP/1.1".to_owned(),
            headers: vec![
                ("Host".to_owned(), "127.0.0.1".to_owned()),
                ("Content-Length".to_owned(), "0".to_owned()),
            ],
            body: Vec::new(),
        };
        assert!(http::exchange(proxy.address, &request).is_err(), "no reply");
        assert_eq!(emulator.s3("HEAD", "/lost-reply", "").status(), 200, "but a bucket");

        proxy.fault(Fault::Hang, 1, |_| true);
        let address = proxy.address;
        let (answers, answered) = mpsc::channel();
        thread::spawn(move || {
            let request = Message {
                first: "PUT /hung HTTP/1.1".to_owned(),
                ..request
            };
            let _ = answers.send(http::exchange(address, &request).is_err());
        });
        let has_arrived = || proxy.calls().iter().any(|call| call.path == "/hung").then_some(());
        wait::until("the call to arrive", Duration::from_secs(60), has_arrived);
        assert!(answered.recv_timeout(Duration::from_millis(100)).is_err(), "it hangs");
        assert_eq!(emulator.s3("HEAD", "/hung", "").status(), 404);
        proxy.heal();
        assert_eq!(
            answered.recv_timeout(Duration::from_secs(60)),
            Ok(true),
            "it is cut off"
        );
    }

    #[test]
    fn a_hook_runs_between_the_call_and_its_reply() {
        let proxy = FaultProxy::before(Emulator::shared(Kind::Moto).address());
        let (sender, seen) = mpsc::channel();
        proxy.after_call(2, move || sender.send(()).expect("the test waits"));
        get(&proxy, "/").expect("an answer");
        assert!(seen.try_recv().is_err(), "not after the first");
        get(&proxy, "/").expect("an answer");
        assert!(seen.try_recv().is_ok(), "before the reply of the second");
    }

    #[test]
    fn an_emulator_ends_with_its_owner() {
        let emulator = Emulator::start(Kind::Moto, &[]);
        let port = emulator.address().port();
        drop(emulator);
        assert!(!crate::process::listening(port));
    }
}
