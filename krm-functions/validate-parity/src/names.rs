//! Names that differ although they mean the same: generated ends, and namespaces.

use crate::allow::Allow;

/// kustomize's hashes are this long and of these characters: hexadecimal digits with some replaced, so that no word comes
/// about (`encode` in kustomize's `api/hasher`).
const HASH: (usize, &[u8]) = (10, b"2456789bcdfghkmt");

impl Allow {
    /// The name of a ConfigMap or Secret without its generated end.
    pub(crate) fn stem<'n>(&self, name: &'n str) -> &'n str {
        let prefixes = self.generated.iter().map(|pattern| pattern.trim_end_matches('*'));
        if let Some(prefix) = { prefixes }.find(|prefix| name.starts_with(prefix)) {
            return name[..prefix.len()].trim_end_matches('-');
        }
        match name.rsplit_once('-') {
            Some((stem, end))
                if !stem.is_empty() && end.len() == HASH.0 && end.bytes().all(|b| HASH.1.contains(&b)) =>
            {
                stem
            }
            _ => name,
        }
    }

    /// What a namespace of the left side is called on the right one.
    pub(crate) fn namespace<'n>(&'n self, left: &'n str) -> &'n str {
        self.namespaces.get(left).map_or(left, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_generated_end_is_cut_off() {
        let mut allow = Allow::default();
        for (name, stem) in [
            ("frontend-5gm9t2k4hb", "frontend"),
            ("frontend-production", "frontend-production"),
            ("frontend-5gm9t2k4h", "frontend-5gm9t2k4h"),
            ("5gm9t2k4hb", "5gm9t2k4hb"),
            ("tls-v7", "tls-v7"),
        ] {
            assert_eq!(allow.stem(name), stem);
        }
        allow.generated = vec!["tls-*".to_owned()];
        assert_eq!(allow.stem("tls-v7"), "tls");
    }
}
