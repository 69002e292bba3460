//! Quantities of Kubernetes: `500m`, `1.5`, `512Mi`, `1e3`.

/// What a quantity amounts to, near enough to compare two; `None` for what Kubernetes refuses.
pub(crate) fn amount(text: &str) -> Option<f64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    if !number.ends_with(|c: char| c.is_ascii_digit() || c == '.') || !number.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024_f64,
        "Mi" => 1024_f64.powi(2),
        "Gi" => 1024_f64.powi(3),
        "Ti" => 1024_f64.powi(4),
        "Pi" => 1024_f64.powi(5),
        "Ei" => 1024_f64.powi(6),
        exponent => 10_f64.powi(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::amount;

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, expected) in [
            ("500m", 0.5),
            ("1.5", 1.5),
            ("2.", 2.0),
            (".5", 0.5),
            ("1Ki", 1024.0),
            ("3k", 3e3),
            ("1e3", 1e3),
            ("2E", 2e18),
            ("1E2", 100.0),
            ("0", 0.0),
        ] {
            assert_eq!(amount(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for text in ["", "128MB", "1gi", "K", "1 Gi", "m", "1.2.3", "one", "1e", "--1", "1K"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }
}
