//! Counters in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Method;

/// Upper bounds in seconds; a last one without bound is added.
const BUCKETS: [f64; 8] = [0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0];

/// What was answered, since the start.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<Series, Observed>>,
}

/// The route is its pattern, never the path that was asked for: strangers must not make series.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    method: String,
    route: String,
    status: u16,
}

#[derive(Default)]
struct Observed {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    pub(crate) fn observe(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let known = [Method::GET, Method::HEAD, Method::POST].contains(method);
        let method = if known { method.as_str() } else { "other" };
        let series = Series {
            method: method.to_owned(),
            route: route.to_owned(),
            status,
        };
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let observed = requests.entry(series).or_default();
        let seconds = took.as_secs_f64();
        for (bucket, bound) in observed.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
        observed.count += 1;
        observed.seconds += seconds;
    }

    /// Content type `text/plain; version=0.0.4`.
    pub(crate) fn render(&self) -> String {
        const NAME: &str = "http_request_duration_seconds";
        let mut text = format!("# HELP {NAME} How long requests took to answer.\n# TYPE {NAME} histogram\n");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (Series { method, route, status }, observed) in requests.iter() {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            let bounds = BUCKETS.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (bound, count) in bounds.zip(observed.buckets.iter().chain([&observed.count])) {
                let _ = writeln!(text, "{NAME}_bucket{{{labels},le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(text, "{NAME}_sum{{{labels}}} {}", observed.seconds);
            let _ = writeln!(text, "{NAME}_count{{{labels}}} {}", observed.count);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        metrics.observe(&Method::GET, "/artefacts", 200, Duration::from_millis(4));
        metrics.observe(&Method::GET, "/artefacts", 200, Duration::from_millis(75));
        assert_eq!(
            metrics.render(),
            r#"# HELP http_request_duration_seconds How long requests took to answer.
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.002"} 0
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.005"} 1
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.01"} 1
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.05"} 1
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.1"} 2
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="0.5"} 2
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="2"} 2
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="10"} 2
http_request_duration_seconds_bucket{method="GET",route="/artefacts",status="200",le="+Inf"} 2
http_request_duration_seconds_sum{method="GET",route="/artefacts",status="200"} 0.079
http_request_duration_seconds_count{method="GET",route="/artefacts",status="200"} 2
"#
        );
    }
}
