//! Quoted scalars on one line, for the readers that decline all others.

/// The end of the single-quoted scalar at `start`.
pub(super) fn single(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'\r' => return None,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// The end of the double-quoted scalar at `start`, if its escapes are plain to see.
pub(super) fn double(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'\r' => return None,
            b'"' => return Some(at + 1),
            b'\\' => match *bytes.get(at + 1)? {
                b'0' | b'a' | b'b' | b't' | b'n' | b'v' | b'f' | b'r' | b'e' | b'"' | b'/' | b'\\' | b'N' | b'_'
                | b' ' => {
                    at += 2;
                }
                b'u' => {
                    let digits = bytes.get(at + 2..at + 6)?;
                    // Halves of surrogate pairs are the full parser's to pair up.
                    let half = matches!(digits, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                    (digits.iter().all(u8::is_ascii_hexdigit) && !half).then_some(())?;
                    at += 6;
                }
                _ => return None,
            },
            _ => at += 1,
        }
    }
}
