//! What a client says, in words for the user.

use std::process::ExitStatus;

/// The message of a client that failed, without the prefix of its log (`E1128 18:59:00.791759 11459 run.go:72] "command
/// failed" err="…"`).
pub(super) fn of(said: &str, status: ExitStatus) -> String {
    let lines: Vec<String> = said.lines().map(line).collect();
    let text = lines.join("\n").trim().to_owned();
    if text.is_empty() {
        format!("it ended with {status} and said nothing")
    } else {
        text
    }
}

fn line(line: &str) -> String {
    let text = without_log_prefix(line).unwrap_or(line);
    let text = match text.split_once(" err=") {
        Some((before, quoted)) if before.starts_with('"') => unquoted(quoted),
        _ => None,
    }
    .unwrap_or_else(|| text.to_owned());
    let text = ["Error: ", "error: "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(&text);
    text.to_owned()
}

/// klog: a letter, the date, the time, a number, a file with its line, `]`.
fn without_log_prefix(line: &str) -> Option<&str> {
    let rest = line.strip_prefix(['E', 'W', 'I', 'F'])?;
    let (date, _) = rest.split_once(' ')?;
    let is_date = date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit());
    let (header, text) = rest.split_once("] ")?;
    (is_date && header.contains(".go:")).then_some(text)
}

/// What Go's `%q` has quoted; JSON reads all of it that is in a message.
fn unquoted(quoted: &str) -> Option<String> {
    serde_json::from_str(quoted.trim_end()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_of_a_log_is_left_out() {
        let said = "E1128 18:59:00.791759   11459 run.go:72] \"command failed\" err=\"accumulating \\\"a\\\": no such\\nfile\"\n";
        assert_eq!(of(said, ExitStatus::default()), "accumulating \"a\": no such\nfile");
        let plain = "Error: accumulating resources\nE-mail run.go:72] stays\n";
        assert_eq!(
            of(plain, ExitStatus::default()),
            "accumulating resources\nE-mail run.go:72] stays"
        );
    }
}
