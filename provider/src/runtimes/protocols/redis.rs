//! As much of RESP as a PING with a password needs.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{NoAnswer, Reach};
use crate::services::MONITOR;

/// Whether both the stack's own user and the application's get an answer. A server that an earlier version of mlplat started
/// knows the application's alone.
pub(super) async fn answers(reach: &Reach) -> Result<(), NoAnswer> {
    let login = &reach.login;
    let application = (login.user.as_str(), login.secret.expose());
    let monitor = login.admin_secret.as_ref().map(|secret| (MONITOR, secret.expose()));
    let mut stream = TcpStream::connect(reach.place()).await.map_err(NoAnswer::new)?;
    let (mut request, mut wanted) = (Vec::new(), 0);
    for (user, secret) in monitor.into_iter().chain([application]) {
        request.extend(command(&["AUTH", user, secret]));
        request.extend(command(&["PING"]));
        wanted += 2;
    }
    stream.write_all(&request).await.map_err(NoAnswer::new)?;
    let mut said = Vec::new();
    loop {
        let mut lines: Vec<_> = said.split(|byte| *byte == b'\n').collect();
        // What follows the last line break is not whole yet.
        lines.pop();
        for (line, right) in lines.iter().zip([b"+OK\r".as_slice(), b"+PONG\r"].iter().cycle()) {
            if line.starts_with(b"-") {
                let text = String::from_utf8_lossy(&line[1..]).trim().to_owned();
                let refused = ["WRONGPASS", "NOAUTH", "NOPERM"]
                    .iter()
                    .any(|code| text.starts_with(code));
                // While data is loaded from disk, PING is answered with -LOADING.
                return Err(if refused {
                    NoAnswer::refused(text)
                } else {
                    NoAnswer::new(text)
                });
            }
            if line != right {
                return Err(NoAnswer::new("it does not speak Redis' protocol"));
            }
        }
        if lines.len() >= wanted {
            return Ok(());
        }
        if stream.read_buf(&mut said).await.map_err(NoAnswer::new)? == 0 {
            return Err(NoAnswer::new("it closed the connection"));
        }
    }
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use tfplug::Secret;
    use tokio::net::TcpListener;

    use super::*;
    use crate::services::{Dialogue, LOCALHOST, Login};

    async fn told(admin_secret: Option<&str>, answer: &'static [u8]) -> Result<(), NoAnswer> {
        let listener = TcpListener::bind((LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 512];
            let _ = stream.read(&mut asked).await.unwrap();
            stream.write_all(answer).await.unwrap();
        });
        let login = Login {
            user: "default".into(),
            secret: Secret::new("canary"),
            admin_secret: admin_secret.map(Secret::new),
            certificate: None,
        };
        answers(&Reach {
            address: LOCALHOST,
            port,
            login,
            dialogue: Dialogue::Redis,
        })
        .await
    }

    #[tokio::test]
    async fn only_pong_is_an_answer() {
        assert_eq!(told(None, b"+OK\r\n+PONG\r\n").await, Ok(()));
        let loading = told(None, b"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n").await;
        let loading = loading.unwrap_err();
        assert_eq!(loading.text, "LOADING Redis is loading the dataset in memory");
        assert!(!loading.login_refused());
        let refused = told(None, b"-WRONGPASS invalid username-password pair\r\n-NOAUTH x\r\n").await;
        assert!(refused.unwrap_err().login_refused());
        assert!(told(None, b"HTTP/1.1 400 Bad Request\r\n\r\n\r\n").await.is_err());
        assert_eq!(told(None, b"").await.unwrap_err().text, "it closed the connection");
    }

    #[tokio::test]
    async fn the_application_and_the_monitor_are_both_asked_for() {
        let both = b"+OK\r\n+PONG\r\n+OK\r\n+PONG\r\n";
        assert_eq!(told(Some("other"), both).await, Ok(()));
        let locked_out = told(Some("other"), b"+OK\r\n+PONG\r\n-WRONGPASS x\r\n-NOAUTH x\r\n").await;
        assert!(locked_out.unwrap_err().login_refused());
    }
}
