//! As much of RESP as a PING with a password needs.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{NoAnswer, Reach};

pub(super) async fn answers(reach: &Reach) -> Result<(), NoAnswer> {
    let mut stream = TcpStream::connect(reach.place()).await.map_err(NoAnswer::new)?;
    let mut request = command(&["AUTH", &reach.login.user, reach.login.secret.expose()]);
    request.extend(command(&["PING"]));
    stream.write_all(&request).await.map_err(NoAnswer::new)?;
    let mut said = Vec::new();
    loop {
        // While data is loaded from disk, PING is answered with -LOADING.
        let lines: Vec<_> = said.split(|byte| *byte == b'\n').collect();
        match &lines[..] {
            [b"+OK\r", b"+PONG\r", ..] => return Ok(()),
            [.., wrong, _] if wrong.starts_with(b"-") => {
                return Err(NoAnswer(String::from_utf8_lossy(&wrong[1..]).trim().to_owned()));
            }
            [_, _, _, ..] => return Err(NoAnswer::new("it does not speak Redis' protocol")),
            _ => {}
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

    async fn told(answer: &'static [u8]) -> Result<(), NoAnswer> {
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
            admin_secret: None,
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
        assert_eq!(told(b"+OK\r\n+PONG\r\n").await, Ok(()));
        let loading = told(b"+OK\r\n-LOADING Redis is loading the dataset in memory\r\n").await;
        assert_eq!(loading.unwrap_err().0, "LOADING Redis is loading the dataset in memory");
        assert!(
            told(b"-WRONGPASS invalid username-password pair\r\n-NOAUTH x\r\n")
                .await
                .is_err()
        );
        assert!(told(b"HTTP/1.1 400 Bad Request\r\n\r\n\r\n").await.is_err());
        assert_eq!(told(b"").await.unwrap_err().0, "it closed the connection");
    }
}
