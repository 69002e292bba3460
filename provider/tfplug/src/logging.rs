//! Log lines as the plugin host reads them (hclog): one flat JSON object per line on stderr, shorter than 64 KiB.
//! Any other shape becomes unlevelled text there, and an error is lost at `TF_LOG=INFO`.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
};

/// The host cuts a line at 64 KiB. These limits are in bytes of JSON, where a control character takes six.
const MESSAGE_LIMIT: usize = 16 * 1024;
const FIELD_LIMIT: usize = 2 * 1024;
const FIELDS_LIMIT: usize = 16 * 1024;

/// The transport's own crates tell about frames and polls: only their warnings are kept.
const QUIET: [&str; 6] = ["h2", "hyper", "hyper_util", "rustls", "tokio_util", "tonic"];

/// Sends this process's events to the plugin host from now on. An author's own subscriber, set before, stays.
pub(crate) fn install(level: LevelFilter) {
    let layer = HostLayer { level };
    let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer));
}

struct HostLayer {
    level: LevelFilter,
}

/// A span's fields, kept until an event inside it is written.
struct SpanFields(Map<String, Value>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HostLayer {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let root = metadata.target().split("::").next().unwrap_or_default();
        let limit = if QUIET.contains(&root) {
            self.level.min(LevelFilter::WARN)
        } else {
            self.level
        };
        *metadata.level() <= limit
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.map));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(span) = context.span(id)
            && let Some(SpanFields(map)) = span.extensions_mut().get_mut()
        {
            map.extend(fields.map);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let line = event_line(event, &context, SystemTime::now());
        // One write per line, so that lines of several threads never mix. A host that went away reads nothing.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
}

fn event_line<S>(event: &Event<'_>, context: &Context<'_, S>, now: SystemTime) -> String
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let mut own = Fields::default();
    event.record(&mut own);
    let mut fields = Map::new();
    for span in context
        .event_scope(event)
        .into_iter()
        .flat_map(|scope| scope.from_root())
    {
        if let Some(SpanFields(map)) = span.extensions().get() {
            fields.extend(map.clone());
        }
    }
    fields.extend(own.map);
    line(event.metadata(), own.message, fields, now)
}

fn line(metadata: &Metadata<'_>, message: String, fields: Map<String, Value>, now: SystemTime) -> String {
    let mut line = Map::new();
    line.insert("@level".into(), level_name(*metadata.level()).into());
    line.insert("@message".into(), shorten(message, MESSAGE_LIMIT).into());
    line.insert("@module".into(), metadata.target().replace("::", ".").into());
    line.insert("@timestamp".into(), timestamp(now).into());
    let mut room = FIELDS_LIMIT;
    for (key, value) in fields {
        let size = key.len() + value.as_str().map_or(24, |text| text.chars().map(escaped_length).sum());
        if size > room {
            line.insert("fields_left_out".into(), true.into());
            break;
        }
        room -= size;
        line.insert(key, value);
    }
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    text
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

fn shorten(mut text: String, limit: usize) -> String {
    let mut length = 0;
    let end = text.char_indices().find_map(|(at, character)| {
        length += escaped_length(character);
        (length > limit).then_some(at)
    });
    if let Some(end) = end {
        text.truncate(end);
        text.push_str(" …");
    }
    text
}

/// Bytes that a character takes in a JSON string.
fn escaped_length(character: char) -> usize {
    match character {
        '"' | '\\' => 2,
        '\0'..'\u{20}' => 6,
        other => other.len_utf8(),
    }
}

/// `2024-02-29T12:00:00.000001Z`: exactly six digits of a second.
fn timestamp(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:06}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_micros()
    )
}

/// Year, month and day of a day count since 1970-01-01. Counts in years that begin in March, so that a leap day
/// is a year's last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Collects an event's or a span's fields; values that JSON lacks become text.
#[derive(Default)]
struct Fields {
    message: String,
    map: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        // A key of ours may not take the place of one of the host's.
        self.map
            .insert(field.name().trim_start_matches('@').to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.message, "{value:?}");
        } else {
            self.put(field, shorten(format!("{value:?}"), FIELD_LIMIT));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message.push_str(value);
        } else {
            self.put(field, shorten(value.to_owned(), FIELD_LIMIT));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps the lines that `HostLayer` would write.
    struct Kept(HostLayer, Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Kept {
        fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
            self.0.enabled(metadata, context)
        }

        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            self.0.on_new_span(attributes, id, context);
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            self.1.lock().unwrap().push(event_line(event, &context, UNIX_EPOCH));
        }
    }

    fn logged(level: LevelFilter, run: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let layer = Kept(HostLayer { level }, lines.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
        std::mem::take(&mut lines.lock().unwrap())
    }

    #[test]
    fn a_line_is_flat_and_carries_its_spans_fields() {
        let lines = logged(LevelFilter::INFO, || {
            let _span = tracing::error_span!("rpc", tf_rpc = "PlanResourceChange", tf_req_id = "1").entered();
            tracing::warn!(count = 3, "port {} is taken", 80);
            tracing::debug!("too detailed");
        });
        assert_eq!(
            lines,
            [
                "{\"@level\":\"warn\",\"@message\":\"port 80 is taken\",\"@module\":\"tfplug.logging.tests\",\
              \"@timestamp\":\"1970-01-01T00:00:00.000000Z\",\"count\":3,\"tf_req_id\":\"1\",\
              \"tf_rpc\":\"PlanResourceChange\"}\n"
            ]
        );
    }

    #[test]
    fn no_line_reaches_the_hosts_limit() {
        let long = "ü\"\u{1}".repeat(100_000);
        let lines = logged(LevelFilter::INFO, || {
            tracing::info!(
                a = long,
                b = long,
                c = long,
                d = long,
                e = long,
                f = long,
                g = long,
                h = long,
                i = long,
                "{long}"
            );
        });
        assert!(lines[0].len() < 64 * 1024, "{}", lines[0].len());
        let line: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["fields_left_out"], true);
    }

    #[test]
    fn the_transports_chatter_is_left_out() {
        let lines = logged(LevelFilter::TRACE, || {
            tracing::trace!(target: "h2::codec", "frame");
            tracing::warn!(target: "h2::codec", "broken frame");
            tracing::trace!(target: "h2o", "another crate");
        });
        assert_eq!(lines.len(), 2, "{lines:?}");
    }

    #[test]
    fn dates_are_right_around_leap_days() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59.000000Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00.000000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000000Z");
        assert_eq!(at(1_709_208_000), "2024-02-29T12:00:00.000000Z");
    }
}
