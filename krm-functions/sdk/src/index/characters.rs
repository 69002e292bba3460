//! Characters that no reader of Kubernetes' takes: refused before anything else looks at the text.

use crate::position::SyntaxError;

/// Refuses control characters; says whether every line ends in `\n` or `\r\n` and no byte order mark is inside.
pub(super) fn check(text: &str) -> Result<bool, SyntaxError> {
    let bytes = text.as_bytes();
    let mut simple = true;
    let mut at = 0;
    for chunk in bytes.chunks(64) {
        // One branch per chunk: nearly all of them hold nothing but printable ASCII and line feeds.
        let odd = chunk
            .iter()
            .fold(false, |odd, &b| odd | ((b < 0x20) & (b != b'\n')) | (b >= 0x7F));
        if odd {
            for (i, &b) in chunk.iter().enumerate() {
                simple &= allowed(bytes, at + i, b).map_err(|what| {
                    let message = format!("{what} is not allowed in YAML or JSON. To fix: remove it, or write it as an escape in double quotes");
                    SyntaxError::at(text, at + i, message)
                })?;
            }
        }
        at += chunk.len();
    }
    Ok(simple)
}

/// Whether the character that begins at `at` keeps the text simple; an error says what it is.
fn allowed(bytes: &[u8], at: usize, byte: u8) -> Result<bool, String> {
    let following = |i: usize| bytes.get(at + i).copied();
    match byte {
        b'\t' | b'\n' => Ok(true),
        b'\r' => Ok(following(1) == Some(b'\n')),
        0..=0x1F | 0x7F => Err(format!("the control character U+{byte:04X}")),
        // U+0080 to U+009F, of which only U+0085 (next line) is allowed.
        0xC2 => match following(1) {
            Some(0x85) => Ok(false),
            Some(second @ 0x80..=0x9F) => Err(format!("the control character U+{second:04X}")),
            _ => Ok(true),
        },
        0xEF => match (following(1), following(2)) {
            (Some(0xBB), Some(0xBF)) => Ok(false),
            (Some(0xBF), Some(last @ (0xBE | 0xBF))) => Err(format!("the character U+FF{:02X}", last + 0x40)),
            _ => Ok(true),
        },
        _ => Ok(true),
    }
}
