//! Names by the rules of Kubernetes: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>.

use crate::problem::Checker;

/// Whether the text is a DNS label (RFC 1123): 1 to 63 of `a-z0-9-`, a letter or digit first and last.
#[must_use]
pub fn is_dns_label(text: &str) -> bool {
    let edge = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
}

/// Whether the text is a DNS subdomain: DNS labels joined by dots, 253 characters at most. Most Kubernetes names are.
#[must_use]
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// Whether the text can be a key of a Secret or ConfigMap: 1 to 253 of `A-Za-z0-9-_.`, not `.` or `..` or `..x`.
#[must_use]
pub fn is_secret_key(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.'))
        && text != "."
        && !text.starts_with("..")
}

/// Notes a problem unless the text is the name of a Kubernetes object.
pub(crate) fn check_object_name(at: &mut Checker, text: &str) {
    if !is_dns_subdomain(text) {
        at.problem(
            format!("{text:?} cannot be the name of a Kubernetes object"),
            "use at most 253 of a-z, 0-9, `-` and `.`, with a letter or digit first and last, such as mlplat-credentials",
        );
    }
}

/// Notes a problem unless the text can be a key of a Secret.
pub(crate) fn check_secret_key(at: &mut Checker, text: &str) {
    if !is_secret_key(text) {
        at.problem(
            format!("{text:?} cannot be a key of a Secret"),
            "use 1 to 253 of A-Z, a-z, 0-9, `-`, `_` and `.`, such as postgres.password",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_kubernetes() {
        let long = "a".repeat(63);
        assert!(is_dns_label("a") && is_dns_label("0-9") && is_dns_label(&long));
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", &format!("{long}a")] {
            assert!(!is_dns_label(bad), "{bad}");
        }
        assert!(
            is_dns_subdomain("a.b-c.d")
                && !is_dns_subdomain("a..b")
                && !is_dns_subdomain(&format!("{long}.").repeat(4))
        );
        assert!(is_secret_key("tls.crt") && is_secret_key(".dockercfg"));
        for bad in ["", ".", "..", "..a", "a b", "a/b", "ä", &"a".repeat(254)] {
            assert!(!is_secret_key(bad), "{bad}");
        }
    }
}
