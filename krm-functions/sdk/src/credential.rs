//! What looks like a credential: names of variables, and values that a secret could be or is a part of.

/// Words that name a credential wherever they stand in a name.
#[rustfmt::skip]
const CREDENTIALS: [&str; 13] = [
    "ACCESSKEY", "APIKEY", "CREDENTIAL", "CREDENTIALS", "PASSPHRASE", "PASSWD", "PASSWORD", "PASSWORDS",
    "PRIVATEKEY", "SECRET", "SECRETKEY", "SECRETS", "TOKEN",
];

/// Words that make a credential of a `KEY` after them.
#[rustfmt::skip]
const KEYS: [&str; 10] = [
    "ACCESS", "ACCOUNT", "API", "AUTH", "ENCRYPTION", "LICENSE", "MASTER", "PRIVATE", "SHARED", "SIGNING",
];

/// Last words of what is about a credential and is none.
#[rustfmt::skip]
const ABOUT: [&str; 48] = [
    "ALGORITHM", "ALLOWED", "AUDIENCE", "AUDIENCES", "BYTES", "COUNT", "DAYS", "DIR", "DIRECTORY", "DISABLED",
    "ENABLED", "ENDPOINT", "EXPIRATION", "EXPIRES", "EXPIRY", "FILE", "FOLDER", "FORMAT", "HEADER", "HOST", "HOURS",
    "INTERVAL", "ISSUER", "LENGTH", "LIFETIME", "LIMIT", "LOCATION", "MAX", "MIN", "MINUTES", "MODE", "MS", "NAME",
    "NAMESPACE", "PATH", "POLICY", "PORT", "PREFIX", "PROVIDER", "REF", "REQUIRED", "SECONDS", "SIZE", "TIMEOUT",
    "TTL", "TYPE", "URI", "URL",
];

/// Why a variable holds a secret, in words that follow its name.
#[must_use]
pub fn plain_secret(name: &str, value: &str) -> Option<&'static str> {
    if has_userinfo(value) {
        Some("holds a URL with a plain password or token")
    } else if names_credential(name) && could_be_secret(value) {
        Some("looks like a credential and holds plain text")
    } else {
        None
    }
}

/// Whether a name is that of a credential. `SECRET_KEY_BASE` is, `PASSWORD_FILE` is not.
fn names_credential(name: &str) -> bool {
    let words = words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if words.last().is_none_or(|last| ABOUT.contains(last)) {
        return false;
    }
    let ends = |word: &str| {
        ["PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY"]
            .iter()
            .any(|end| word.ends_with(end))
    };
    words.iter().any(|word| CREDENTIALS.contains(word) || ends(word))
        || words.windows(2).any(|pair| pair[1] == "KEY" && KEYS.contains(&pair[0]))
        || matches!(words.as_slice(), [_, .., "PASS" | "PWD" | "AUTH"])
}

/// The words of `DB_PASSWORD`, `dbPassword` or `db.password1` in capitals, without numbers.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for character in name.chars() {
        if (lower && character.is_uppercase()) || !character.is_alphabetic() {
            words.push(String::new());
        }
        lower = character.is_lowercase();
        if let (true, Some(word)) = (character.is_alphabetic(), words.last_mut()) {
            word.extend(character.to_uppercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a value could be a secret at all: it is neither a switch, nor a file's path, nor made of references only.
fn could_be_secret(value: &str) -> bool {
    let value = value.trim();
    let switch = ["true", "false", "yes", "no", "on", "off", "0", "1"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    let path = value.starts_with('/') && value[1..].contains('/') && !value.ends_with('=');
    !switch && !path && has_literal(value)
}

/// Whether anything is left when the references, `$(NAME)`, are taken away.
fn has_literal(text: &str) -> bool {
    let mut rest = text;
    while let Some(inside) = rest.strip_prefix("$(") {
        match inside.split_once(')') {
            Some((_, after)) => rest = after,
            None => return true,
        }
    }
    !rest.is_empty()
}

/// Whether a text has a URL with a password that is no reference, or an http URL with a token for a user.
fn has_userinfo(text: &str) -> bool {
    text.match_indices("://").any(|(at, separator)| {
        let scheme_start = text[..at].rfind(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let scheme = &text[scheme_start.map_or(0, |before| {
            before + text[before..].chars().next().map_or(1, char::len_utf8)
        })..at];
        let rest = &text[at + separator.len()..];
        let authority = &rest[..rest
            .find(|c: char| c.is_whitespace() || "/?#\"'".contains(c))
            .unwrap_or(rest.len())];
        let Some((userinfo, _)) = authority.rsplit_once('@') else {
            return false;
        };
        match userinfo.split_once(':') {
            Some((_, password)) => has_literal(password),
            None => matches!(scheme, "http" | "https") && has_literal(userinfo),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_are_known_by_their_words() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "PGPASSWORD",
            "dbPassword",
            "redis.password1",
            "MYSQL_PWD",
            "REDISCLI_AUTH",
            "GITHUB_TOKEN",
            "SECRET_KEY_BASE",
            "API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "apiKey",
            "CLIENT_SECRET",
            "SSH_PRIVATE_KEY",
            "SMTP_PASS",
            "AUTHTOKEN",
        ] {
            assert!(names_credential(name), "{name}");
        }
        for name in [
            "",
            "PWD",
            "PORT",
            "MAX_TOKENS",
            "TOKENIZERS_PARALLELISM",
            "PASSWORD_FILE",
            "TOKEN_URL",
            "SECRET_NAME",
            "TOKEN_TTL_SECONDS",
            "KEY",
            "SORT_KEY",
            "COMPASS",
            "PASSWORD_MIN_LENGTH",
            "BYPASS_CACHE",
            "PASS_THROUGH",
            "MONKEY",
        ] {
            assert!(!names_credential(name), "{name}");
        }
    }

    #[test]
    fn passwords_in_urls_are_found_and_references_are_none() {
        for text in [
            "postgresql://app:hunter2@db/x",
            "amqp://a:$(P)@h,amqp://a:plain@h",
            "redis://:p@h:6379",
            "https://ghp_x@github.com",
            "x=\"é http://u:p@h\"",
            "postgresql://a:b@c@host/x",
            "redis://:a$(B)@h",
        ] {
            assert!(has_userinfo(text), "{text}");
        }
        for text in [
            "postgresql://$(PGUSER):$(PGPASSWORD)@db/x",
            "ssh://git@host/x",
            "http://host/a:b@c",
            "https://$(T)@host",
            "redis://:@h",
            "a@b:c",
            "http://host:80/?mail=a:b@c",
            "://",
            "",
        ] {
            assert!(!has_userinfo(text), "{text}");
        }
    }

    #[test]
    fn switches_paths_and_references_are_no_secrets() {
        for value in ["true", "1", "", "$(OTHER)", "$(A)$(B)", "/run/secrets/token"] {
            assert!(!could_be_secret(value), "{value}");
        }
        for value in ["hunter2", "12345", "a$(B)", "/Zm9vYmFy", "$(A", "$$(A)"] {
            assert!(could_be_secret(value), "{value}");
        }
    }
}
