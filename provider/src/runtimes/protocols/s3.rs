//! The few S3 requests that a store needs to be ready: signed with SigV4, path style, over plain HTTP.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;

use super::{NoAnswer, Reach};

/// What S3 leaves as it is in a key.
const KEY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

pub(super) struct Client<'a> {
    reach: &'a Reach,
    region: &'a str,
}

impl<'a> Client<'a> {
    pub(super) fn new(reach: &'a Reach, region: &'a str) -> Self {
        Self { reach, region }
    }

    /// Whether it lists buckets for these credentials.
    pub(super) async fn answers(&self) -> Result<(), NoAnswer> {
        expect(&[StatusCode::OK], "ListBuckets", self.send(Method::GET, "/").await?).map(drop)
    }

    /// Makes `wanted` and deletes `unwanted`.
    pub(super) async fn furnish(
        &self,
        wanted: &[String],
        unwanted: &BTreeSet<String>,
        force_destroy: bool,
    ) -> Result<(), NoAnswer> {
        for bucket in self.lacks(wanted).await? {
            let answer = self.send(Method::PUT, &format!("/{bucket}")).await?;
            expect(&[StatusCode::OK], &format!("creating bucket \"{bucket}\""), answer)?;
        }
        for bucket in unwanted {
            if force_destroy {
                self.empty(bucket).await?;
            }
            let (status, text) = self.send(Method::DELETE, &format!("/{bucket}")).await?;
            if status == StatusCode::CONFLICT {
                return Err(NoAnswer(format!(
                    "bucket \"{bucket}\" still holds objects. To fix: delete them, set `object_store.force_destroy = true`, \
                     or put the bucket back into `object_store.buckets`"
                )));
            }
            let gone = [StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::NOT_FOUND];
            expect(&gone, &format!("deleting bucket \"{bucket}\""), (status, text))?;
        }
        Ok(())
    }

    /// Those of `buckets` that do not exist.
    pub(super) async fn lacks(&self, buckets: &[String]) -> Result<BTreeSet<String>, NoAnswer> {
        let mut lacking = BTreeSet::new();
        for bucket in buckets {
            let (status, _) = self.send(Method::HEAD, &format!("/{bucket}")).await?;
            match status {
                StatusCode::OK => {}
                StatusCode::NOT_FOUND => {
                    lacking.insert(bucket.clone());
                }
                other => return Err(NoAnswer(format!("looking for bucket \"{bucket}\": HTTP {other}"))),
            }
        }
        Ok(lacking)
    }

    /// Deletes every version of every object.
    async fn empty(&self, bucket: &str) -> Result<(), NoAnswer> {
        let mut before = Vec::new();
        loop {
            let (status, text) = self
                .send(Method::GET, &format!("/{bucket}?max-keys=1000&versions="))
                .await?;
            if status == StatusCode::NOT_FOUND {
                return Ok(());
            }
            let listed = expect(
                &[StatusCode::OK],
                &format!("listing bucket \"{bucket}\""),
                (status, text),
            )?;
            let versions = versions(&listed);
            if versions.is_empty() {
                return Ok(());
            }
            if versions == before {
                return Err(NoAnswer(format!("bucket \"{bucket}\" does not get empty")));
            }
            for (key, version) in &versions {
                let path = format!("/{bucket}/{}?versionId={version}", utf8_percent_encode(key, KEY));
                let answer = self.send(Method::DELETE, &path).await?;
                let gone = [StatusCode::NO_CONTENT, StatusCode::OK];
                expect(&gone, &format!("deleting \"{key}\" of \"{bucket}\""), answer)?;
            }
            before = versions;
        }
    }

    async fn send(&self, method: Method, path_and_query: &str) -> Result<(StatusCode, String), NoAnswer> {
        let authority = self.reach.place().to_string();
        let mut request = Request::builder()
            .method(&method)
            .uri(path_and_query)
            .header("host", &authority)
            .body(Full::<Bytes>::default())
            .map_err(NoAnswer::new)?;
        let login = &self.reach.login;
        let identity = Credentials::new(&login.user, login.secret.expose(), None, None, "mlplat").into();
        let mut settings = SigningSettings::default();
        // The three ways in which S3 signs unlike every other service.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(NoAnswer::new)?
            .into();
        let url = format!("http://{authority}{path_and_query}");
        let signable = SignableRequest::new(method.as_str(), &url, std::iter::empty(), SignableBody::Bytes(&[]))
            .map_err(NoAnswer::new)?;
        let (instructions, _) = sign(signable, &params).map_err(NoAnswer::new)?.into_parts();
        instructions.apply_to_request_http1x(&mut request);

        let stream = TcpStream::connect(self.reach.place()).await.map_err(NoAnswer::new)?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(NoAnswer::new)?;
        // Ends with the sender; an error of it reaches the request.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(NoAnswer::new)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(NoAnswer::new)?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

fn expect(good: &[StatusCode], what: &str, (status, text): (StatusCode, String)) -> Result<String, NoAnswer> {
    if good.contains(&status) {
        return Ok(text);
    }
    let code = between(&text, "<Code>", "</Code>").next().unwrap_or_default();
    let message = between(&text, "<Message>", "</Message>").next().unwrap_or_default();
    Err(NoAnswer(
        format!("{what}: HTTP {status} {code} {message}").trim_end().to_owned(),
    ))
}

/// Key and version of each entry of a ListObjectVersions answer.
fn versions(listed: &str) -> Vec<(String, String)> {
    let entries =
        between(listed, "<Version>", "</Version>").chain(between(listed, "<DeleteMarker>", "</DeleteMarker>"));
    entries
        .filter_map(|entry| {
            let key = between(entry, "<Key>", "</Key>").next()?;
            let version = between(entry, "<VersionId>", "</VersionId>").next().unwrap_or("null");
            Some((unescaped(key), version.to_owned()))
        })
        .collect()
}

/// XML text without its references.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').unwrap_or((part, ""));
        let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
        let letter = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => match name.strip_prefix("#x") {
                Some(digits) => number(digits, 16),
                None => name.strip_prefix('#').and_then(|digits| number(digits, 10)),
            },
        };
        plain.extend(letter);
        plain.push_str(rest);
    }
    plain
}

fn between<'t>(text: &'t str, start: &'static str, end: &'static str) -> impl Iterator<Item = &'t str> {
    text.split(start).skip(1).filter_map(move |rest| rest.split(end).next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_delete_markers_are_read_with_their_keys_unescaped() {
        let listed = "<ListVersionsResult><Version><Key>a &amp; &lt;b&gt;/c+d&#34;&#x27;</Key><VersionId>v1</VersionId>\
                      </Version><DeleteMarker><Key>d</Key><VersionId>v2</VersionId></DeleteMarker></ListVersionsResult>";
        let expected = [
            ("a & <b>/c+d\"'".to_owned(), "v1".to_owned()),
            ("d".to_owned(), "v2".to_owned()),
        ];
        assert_eq!(versions(listed), expected);
    }

    #[test]
    fn an_error_says_what_the_store_said() {
        let answer = (
            StatusCode::FORBIDDEN,
            "<Error><Code>AccessDenied</Code><Message>no</Message></Error>".to_owned(),
        );
        let error = expect(&[StatusCode::OK], "ListBuckets", answer).unwrap_err();
        assert_eq!(error.to_string(), "ListBuckets: HTTP 403 Forbidden AccessDenied no");
    }
}
