//! Image references: which of them are the same image, from whichever registry.

/// Whether two references differ at most in the registry: one of `registries`, or else the host. Repository, tag and
/// digest must be the same.
pub(crate) fn same_but_registry(left: &str, right: &str, registries: &[String]) -> bool {
    repository(left, registries) == repository(right, registries)
}

/// The reference without its registry; what Docker Hub calls `library/nginx` is `nginx`.
fn repository<'r>(reference: &'r str, registries: &[String]) -> &'r str {
    let below = |registry: &String| reference.strip_prefix(registry.as_str())?.strip_prefix('/');
    // Of two that fit, the longer one is meant.
    if let Some(rest) = registries.iter().filter_map(below).min_by_key(|rest| rest.len()) {
        return rest;
    }
    let (host, rest) = match reference.split_once('/') {
        Some((host, rest)) if host.contains(['.', ':']) || host == "localhost" => (host, rest),
        _ => ("docker.io", reference),
    };
    match host {
        "docker.io" | "index.docker.io" => rest.strip_prefix("library/").unwrap_or(rest),
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::same_but_registry;

    #[test]
    fn only_the_registry_may_differ() {
        let registries = ["mirror.example.com".to_owned(), "mirror.example.com/hub".to_owned()];
        for (left, right) in [
            ("app:1", "registry.example.com/app:1"),
            ("localhost:5000/team/app@sha256:aa", "localhost/team/app@sha256:aa"),
            ("nginx:1", "docker.io/library/nginx:1"),
            ("library/nginx:1", "mirror.example.com/nginx:1"),
            ("team/app:1", "mirror.example.com/hub/team/app:1"),
        ] {
            assert!(same_but_registry(left, right, &registries), "{left} {right}");
        }
        for (left, right) in [
            ("app:1", "app:2"),
            ("app:1", "team/app:1"),
            ("app", "app:latest"),
            ("app:1", "mirror.example.com/hubs/app:1"),
            ("a.example.com/app:1@sha256:aa", "a.example.com/app:1@sha256:ab"),
            ("a.example.com/app:1@sha256:aa", "a.example.com/app:1"),
        ] {
            assert!(!same_but_registry(left, right, &registries), "{left} {right}");
        }
    }
}
