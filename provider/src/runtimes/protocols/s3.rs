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

/// Queries of listings, as signatures want them: sorted.
const VERSIONS: &str = "max-keys=1000&versions=";
const UPLOADS: &str = "max-uploads=1000&uploads=";

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
            // An apply that was killed may still be making it.
            let made = answer.0 == StatusCode::CONFLICT && self.lacks(std::slice::from_ref(&bucket)).await?.is_empty();
            if !made {
                expect(&[StatusCode::OK], &format!("creating bucket \"{bucket}\""), answer)?;
            }
        }
        for bucket in unwanted {
            self.delete(bucket, force_destroy).await?;
        }
        Ok(())
    }

    /// Deletes a bucket. One that holds anything is emptied first with `force`, else it stays and is an error. SeaweedFS
    /// itself refuses only where there are current objects, and deletes their versions and unfinished uploads.
    async fn delete(&self, bucket: &str, force: bool) -> Result<(), NoAnswer> {
        if force {
            self.empty(bucket).await?;
        } else if let Some(contents) = self.contents(bucket).await? {
            return Err(still_holds(bucket, &contents));
        }
        let (status, text) = self.send(Method::DELETE, &format!("/{bucket}")).await?;
        if status == StatusCode::CONFLICT {
            return Err(still_holds(bucket, "objects"));
        }
        let deleted = [StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::NOT_FOUND];
        expect(&deleted, &format!("deleting bucket \"{bucket}\""), (status, text)).map(drop)
    }

    /// What the bucket holds, in words; `None` when it is empty or does not exist.
    async fn contents(&self, bucket: &str) -> Result<Option<String>, NoAnswer> {
        let Some(listed) = self.list(bucket, VERSIONS).await? else {
            return Ok(None);
        };
        let mut found = Vec::new();
        let mut versions = between(&listed, "<Version>", "</Version>").peekable();
        if versions.peek().is_some() {
            let is_current = |version: &str| version.contains("<IsLatest>true</IsLatest>");
            found.push(if versions.any(is_current) {
                "objects"
            } else {
                "versions of objects"
            });
        }
        if listed.contains("<DeleteMarker>") {
            found.push("delete markers");
        }
        let uploads = self.list(bucket, UPLOADS).await?.unwrap_or_default();
        if uploads.contains("<Upload>") {
            found.push("unfinished uploads");
        }
        Ok((!found.is_empty()).then(|| found.join(", ")))
    }

    /// The answer to a listing; `None` when the bucket does not exist.
    async fn list(&self, bucket: &str, query: &str) -> Result<Option<String>, NoAnswer> {
        let (status, text) = self.send(Method::GET, &format!("/{bucket}?{query}")).await?;
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let what = format!("listing bucket \"{bucket}\"");
        expect(&[StatusCode::OK], &what, (status, text)).map(Some)
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
                other => return Err(NoAnswer::new(format!("looking for bucket \"{bucket}\": HTTP {other}"))),
            }
        }
        Ok(lacking)
    }

    /// Deletes every version of every object, and every unfinished upload.
    async fn empty(&self, bucket: &str) -> Result<(), NoAnswer> {
        for (query, read, parameter) in [
            (VERSIONS, versions as fn(&str) -> Vec<(String, String)>, "versionId"),
            (UPLOADS, uploads, "uploadId"),
        ] {
            let mut before = Vec::new();
            loop {
                let Some(listed) = self.list(bucket, query).await? else {
                    return Ok(());
                };
                let entries = read(&listed);
                if entries.is_empty() {
                    break;
                }
                if entries == before {
                    return Err(NoAnswer::new(format!("bucket \"{bucket}\" does not get empty")));
                }
                for (key, id) in &entries {
                    let key_path = utf8_percent_encode(key, KEY);
                    let path = format!("/{bucket}/{key_path}?{parameter}={id}");
                    let answer = self.send(Method::DELETE, &path).await?;
                    let deleted = [StatusCode::NO_CONTENT, StatusCode::OK, StatusCode::NOT_FOUND];
                    expect(&deleted, &format!("deleting \"{key}\" of \"{bucket}\""), answer)?;
                }
                before = entries;
            }
        }
        Ok(())
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
    let text = format!("{what}: HTTP {status} {code} {message}");
    Err(match status {
        StatusCode::FORBIDDEN => NoAnswer::refused(text.trim_end()),
        _ => NoAnswer::new(text.trim_end()),
    })
}

fn still_holds(bucket: &str, contents: &str) -> NoAnswer {
    NoAnswer::new(format!(
        "bucket \"{bucket}\" still holds {contents}. To fix: delete them, set `object_store.force_destroy = true`, or put the \
         bucket back into `object_store.buckets`"
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

/// Key and id of each entry of a ListMultipartUploads answer.
fn uploads(listed: &str) -> Vec<(String, String)> {
    between(listed, "<Upload>", "</Upload>")
        .filter_map(|entry| {
            let key = between(entry, "<Key>", "</Key>").next()?;
            let id = between(entry, "<UploadId>", "</UploadId>").next()?;
            Some((
                unescaped(key),
                utf8_percent_encode(&unescaped(id), NON_ALPHANUMERIC).to_string(),
            ))
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
    fn uploads_are_read_with_their_ids_as_a_query_takes_them() {
        let listed = "<ListMultipartUploadsResult><KeyMarker/><Upload><Initiated>t</Initiated><Key>a b</Key>\
                      <UploadId>x_1+y</UploadId></Upload></ListMultipartUploadsResult>";
        assert_eq!(uploads(listed), [("a b".to_owned(), "x%5F1%2By".to_owned())]);
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
