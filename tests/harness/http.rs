//! HTTP/1.1, one call per connection: as much of it as the fault proxy and the tests themselves need.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that says nothing for so long is not coming back.
pub const SILENCE: Duration = Duration::from_secs(60);
/// No call of these tests is larger.
const LARGEST_BODY: u64 = 64 << 20;

/// A request or a response.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The first line: `GET / HTTP/1.1` or `HTTP/1.1 200 OK`.
    pub first: String,
    /// Names as they were sent, and values.
    pub headers: Vec<(String, String)>,
    /// The body, without its transfer encoding.
    pub body: Vec<u8>,
}

impl Message {
    /// The value of a header, whose name is written in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(&found.1)
    }

    /// The word of the first line with this number.
    pub fn word(&self, number: usize) -> &str {
        self.first.split(' ').nth(number).unwrap_or_default()
    }

    /// The status of a response.
    ///
    /// # Panics
    /// When there is none.
    pub fn status(&self) -> u16 {
        let status = self.word(1).parse();
        status.unwrap_or_else(|_| panic!("{:?} has no status", self.first))
    }

    /// Takes the host out of a target that names one: `CONNECT host:port`, `GET https://host/path`. The path stays.
    pub fn take_host(&mut self) -> Option<String> {
        let target = self.word(1).to_owned();
        let (host, path) = match target.split_once("://") {
            Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            None if self.word(0) == "CONNECT" => (target.as_str(), "/"),
            None => return None,
        };
        self.first = self.first.replacen(&target, path, 1);
        Some(host.to_owned())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Reads a request; `None` when the caller said nothing before it left.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn request(stream: impl Read + Write) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let Some(mut request) = Self::head(&mut reader)? else {
            return Ok(None);
        };
        if request.header("expect").is_some() {
            reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        request.body = request.body_of(&mut reader, false)?;
        Ok(Some(request))
    }

    /// Reads the response to a request of this method.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn response(stream: &TcpStream, method: &str) -> io::Result<Self> {
        stream.set_read_timeout(Some(SILENCE))?;
        let mut reader = BufReader::new(stream);
        let gone = || io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection");
        let mut response = Self::head(&mut reader)?.ok_or_else(gone)?;
        let bodyless = method == "HEAD" || matches!(response.word(1), "204" | "304");
        if !bodyless {
            response.body = response.body_of(&mut reader, true)?;
        }
        Ok(response)
    }

    fn head(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut message = Self {
            first: line.trim_end().to_owned(),
            ..Self::default()
        };
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                return Ok(Some(message));
            };
            message.headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }

    /// `to_the_end`: without a length, the body ends where the connection does.
    fn body_of(&self, reader: &mut impl BufRead, to_the_end: bool) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self
            .header("transfer-encoding")
            .is_some_and(|how| how.contains("chunked"))
        {
            loop {
                let mut line = String::new();
                reader.read_line(&mut line)?;
                let size = line.trim().split(';').next().unwrap_or_default();
                let size = u64::from_str_radix(size, 16).map_err(io::Error::other)?;
                reader.take(size.min(LARGEST_BODY)).read_to_end(&mut body)?;
                reader.read_line(&mut String::new())?;
                if size == 0 {
                    return Ok(body);
                }
            }
        }
        match self.header("content-length") {
            Some(length) => {
                let length: u64 = length.parse().map_err(io::Error::other)?;
                reader.take(length.min(LARGEST_BODY)).read_to_end(&mut body)?;
            }
            None if to_the_end => {
                reader.take(LARGEST_BODY).read_to_end(&mut body)?;
            }
            None => {}
        }
        Ok(body)
    }

    /// Writes it as the only message of its connection. A body is sent with its length; a `HEAD`'s answer keeps the one it has.
    ///
    /// # Errors
    /// When the other side is gone.
    pub fn write(&self, mut stream: impl Write) -> io::Result<()> {
        let mut head = format!("{}\r\n", self.first);
        let dropped = ["connection", "transfer-encoding", "expect"];
        for (name, value) in &self.headers {
            let lower = name.to_ascii_lowercase();
            let own_length = lower == "content-length" && !self.body.is_empty();
            if !dropped.contains(&lower.as_str()) && !own_length {
                let _ = write!(head, "{name}: {value}\r\n");
            }
        }
        if !self.body.is_empty() || (self.header("content-length").is_none() && self.first.starts_with("HTTP/")) {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head += "Connection: close\r\n\r\n";
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        stream.flush()
    }
}

/// Sends one request and reads its answer.
///
/// # Panics
/// When there is none.
pub fn call(to: SocketAddr, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let mut request = Message {
        first: format!("{method} {target} HTTP/1.1"),
        headers: vec![("Host".to_owned(), to.to_string())],
        body: body.as_bytes().to_vec(),
    };
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    request.headers.extend(headers);
    exchange(to, &request).unwrap_or_else(|error| panic!("{method} {target} to {to}: {error}"))
}

/// Passes a request on and reads its answer.
///
/// # Errors
/// When the server does not answer.
pub fn exchange(to: SocketAddr, request: &Message) -> io::Result<Message> {
    let stream = TcpStream::connect(to)?;
    request.write(&stream)?;
    Message::response(&stream, request.word(0))
}
