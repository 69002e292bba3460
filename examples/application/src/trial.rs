//! `artefact-store try`: a client that uses a running store once, checks every answer, and shows what was reached.
#![allow(clippy::print_stdout, reason = "a person reads it")]

use std::time::{Duration, Instant, SystemTime};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;

use crate::Failure;
use crate::artefact::Artefact;
use crate::endpoints::{Endpoint, Outcome};

const READY: Duration = Duration::from_secs(60);
/// More than the store takes to say that it has none.
const REQUEST: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
struct List {
    artefacts: Vec<Artefact>,
}

#[derive(Deserialize)]
struct Endpoints {
    endpoints: Vec<Endpoint>,
}

/// Fails on the first answer that is not what it should be.
pub(crate) async fn run(url: &str) -> Result<(), Failure> {
    let store = Trial {
        client: Client::builder().no_proxy().timeout(REQUEST).build()?,
        url: url.trim_end_matches('/').to_owned(),
    };
    store.wait_until_ready().await?;
    // A version of its own, so that it can be tried again on the same data.
    let version = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_millis()
        .to_string();
    let blobs = [
        ("churn-model", "weights of a churn model"),
        ("fraud-model", "weights of a fraud model"),
    ];
    let mut added = Vec::new();
    for (name, content) in blobs {
        let post = store
            .request(Method::POST, "/artefacts")
            .query(&[("name", name), ("version", version.as_str())]);
        let note = format!("{name} {version}");
        let answer = store
            .send(post.body(content), &note, |it| it.status() == StatusCode::CREATED)
            .await?;
        added.push((answer.json::<Artefact>().await?, content));
    }
    for cached in ["miss", "hit"] {
        let get = store.request(Method::GET, "/artefacts");
        let answer = store
            .send(get, &format!("from the cache: {cached}"), |it| x_cache(it) == cached)
            .await?;
        let list: List = answer.json().await?;
        if let Some((lost, _)) = added.iter().find(|(artefact, _)| !list.artefacts.contains(artefact)) {
            return Err(format!("the list lacks artefact {}", lost.id).into());
        }
    }
    for (artefact, content) in &added {
        let get = store.request(Method::GET, &format!("/artefacts/{}/blob", artefact.id));
        let blob = store
            .send(get, "the same bytes", |it| it.status() == StatusCode::OK)
            .await?
            .bytes()
            .await?;
        if blob != *content {
            return Err(format!("the blob of artefact {} is not what was stored", artefact.id).into());
        }
    }
    let begun = Instant::now();
    loop {
        let get = store.request(Method::GET, "/endpoints").build()?;
        let Endpoints { endpoints } = store.client.execute(get).await?.json().await?;
        // All of them were just used: one that does not answer in time is busy.
        let failed = |it: &Endpoint| matches!(it.outcome, Outcome::Failed { .. });
        if !endpoints.iter().any(failed) || begun.elapsed() > READY {
            print!("\n{}", table(&endpoints));
            return Ok(());
        }
    }
}

struct Trial {
    client: Client,
    url: String,
}

impl Trial {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends, checks and prints one request.
    async fn send(
        &self,
        request: RequestBuilder,
        note: &str,
        expected: impl Fn(&Response) -> bool,
    ) -> Result<Response, Failure> {
        let mut request = request.build()?;
        let what = format!("{} {}", request.method(), request.url().path());
        let begun = Instant::now();
        let (answer, start) = loop {
            let (again, start) = (request.try_clone(), Instant::now());
            let answer = self.client.execute(request).await?;
            match again {
                // The cache did not answer in time: the machine is busy.
                Some(again) if x_cache(&answer) == "bypass" && begun.elapsed() < READY => request = again,
                _ => break (answer, start),
            }
        };
        let (status, took) = (answer.status(), start.elapsed().as_secs_f64() * 1000.0);
        if !expected(&answer) {
            let cache = x_cache(&answer).to_owned();
            return Err(format!("{what}: {status} {cache}: {}", answer.text().await.unwrap_or_default()).into());
        }
        println!("{:<24}{:>4}{took:>8.1} ms  {note}", what, status.as_u16());
        Ok(answer)
    }

    /// Says what the store said last when it does not get ready in time.
    async fn wait_until_ready(&self) -> Result<(), Failure> {
        let start = Instant::now();
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            let said = match self.request(Method::GET, "/readyz").send().await {
                Ok(answer) if answer.status() == StatusCode::OK => {
                    let text = answer.text().await?;
                    return if text.contains("artefact-store") {
                        println!("ready after {} ms", start.elapsed().as_millis());
                        Ok(())
                    } else {
                        Err(format!(
                            "something else listens on {}. To fix: stop it, or choose another PORT",
                            self.url
                        )
                        .into())
                    };
                }
                Ok(answer) => format!("{} {}", answer.status(), answer.text().await.unwrap_or_default()),
                Err(error) => error.to_string(),
            };
            if start.elapsed() > READY {
                return Err(format!("{} was not ready within {READY:?}; last: {said}", self.url).into());
            }
        }
    }
}

fn x_cache(answer: &Response) -> &str {
    answer
        .headers()
        .get("x-cache")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

fn table(endpoints: &[Endpoint]) -> String {
    let mut rows = vec![["endpoint", "reached at", "by variable", "latency", "server"].map(str::to_owned)];
    rows.extend(endpoints.iter().map(|it| {
        let (latency, server) = match &it.outcome {
            Outcome::Reached { latency_ms, server } => (format!("{latency_ms:.2} ms"), server.clone()),
            Outcome::Failed { error } => ("failed".to_owned(), error.clone()),
        };
        [
            it.endpoint.clone(),
            it.address.clone(),
            it.variable.clone(),
            latency,
            server,
        ]
    }));
    // An error may be of any length, and a width in a format at most 65,535.
    let widths: [usize; 5] = std::array::from_fn(|column| {
        let lengths = rows.iter().map(|row| row[column].chars().count());
        lengths.filter(|length| *length <= 100).max().unwrap_or_default()
    });
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_where_by_what_and_how_fast() {
        let endpoint = |name: &str, address: &str, variable: &str, outcome| Endpoint {
            endpoint: name.into(),
            address: address.into(),
            variable: variable.into(),
            outcome,
        };
        let endpoints = [
            endpoint(
                "postgres",
                "127.0.0.1:15432",
                "DATABASE_URL",
                Outcome::Reached {
                    latency_ms: 0.4,
                    server: "PostgreSQL 15.18".into(),
                },
            ),
            endpoint(
                "s3",
                "http://127.0.0.1:18333",
                "AWS_ENDPOINT_URL_S3",
                Outcome::Failed {
                    error: "no answer within 2s".into(),
                },
            ),
        ];
        assert_eq!(
            table(&endpoints),
            "endpoint  reached at              by variable          latency  server\n\
             postgres  127.0.0.1:15432         DATABASE_URL         0.40 ms  PostgreSQL 15.18\n\
             s3        http://127.0.0.1:18333  AWS_ENDPOINT_URL_S3  failed   no answer within 2s\n"
        );
    }
}
