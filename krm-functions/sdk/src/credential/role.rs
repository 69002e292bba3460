//! What a variable's name says of its value.

/// The role of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A credential.
    Credential,
    /// A credential, or what the object is called that holds one: `TLS_SECRET`.
    NameOfSecret,
    /// A credential if it looks like one.
    Perhaps,
    /// Something else, though it may be about a credential.
    None,
}

/// Heads of names of credentials, also as the end of a word (`PGPASSWORD`).
#[rustfmt::skip]
const HEADS: [&str; 10] = [
    "PASSWORD", "PASSWD", "PASSPHRASE", "PASSWORDS", "SECRET", "TOKEN", "APIKEY", "ACCESSKEY", "SECRETKEY", "PRIVATEKEY",
];

/// Further heads, as a whole word.
const CREDENTIALS: [&str; 4] = ["CREDENTIAL", "CREDENTIALS", "CREDS", "PSK"];

/// What makes a credential of a `KEY` after it.
#[rustfmt::skip]
const KEYS: [&str; 26] = [
    "ACCESS", "ACCOUNT", "ADMIN", "AES", "API", "APPLICATION", "AUTH", "COOKIE", "CRYPT", "DEPLOY", "ENCRYPTION", "FERNET",
    "HMAC", "INGEST", "INGESTION", "INSTRUMENTATION", "JWT", "LICENSE", "MASTER", "PRIVATE", "SECRET", "SESSION", "SHARED",
    "SIGNING", "STORAGE", "SUBSCRIPTION",
];

/// What makes something else of a `KEY` after it.
#[rustfmt::skip]
const OTHER_KEYS: [&str; 23] = [
    "CACHE", "DEDUP", "FOREIGN", "GROUP", "HASH", "HOT", "IDEMPOTENCY", "INDEX", "JSON", "MESSAGE", "OBJECT", "PARTITION",
    "PRIMARY", "PUBLIC", "PUBLISHABLE", "ROUTING", "ROW", "SHARD", "SITE", "SORT", "SSM", "TAG", "TRANSLATION",
];

/// What makes something else of a `TOKEN` after it: pieces of text, and numbers of them.
#[rustfmt::skip]
const OTHER_TOKENS: [&str; 20] = [
    "AUDIO", "BOS", "CLS", "DECODER", "DELIMITER", "END", "EOS", "IMAGE", "MASK", "MAX", "MIN", "NEWLINE", "PAD", "PER",
    "SEP", "SPECIAL", "START", "STOP", "TARGET", "UNK",
];

/// What makes the name of an object of a `SECRET` after it.
#[rustfmt::skip]
const NAMES_OF_SECRETS: [&str; 15] = [
    "CA", "CERT", "CERTIFICATE", "CREDENTIALS", "EXISTING", "IMAGEPULL", "INGRESS", "K", "KUBERNETES", "MANAGER", "PASSWORD",
    "PULL", "REGISTRY", "TLS", "VAULT",
];

/// What may stand after the head without being one.
#[rustfmt::skip]
const AFTER: [&str; 28] = [
    "B", "BASE", "CURRENT", "DEFAULT", "DEV", "ENCODED", "HEX", "LOCAL", "NEW", "NEXT", "OLD", "OVERRIDE", "PLAIN",
    "PLAINTEXT", "PREV", "PREVIOUS", "PRIMARY", "PROD", "PRODUCTION", "RAW", "SANDBOX", "SECONDARY", "STAGING", "STRING",
    "TEST", "TEXT", "V", "VALUE",
];

/// Heads of what is about a credential; of others a generated value may tell (`PASSWORD_POSTGRES`).
#[rustfmt::skip]
const ABOUT: [&str; 68] = [
    "ALGORITHM", "ALLOWED", "ARN", "AUDIENCE", "AUDIENCES", "BACKEND", "BACKENDS", "BYTES", "CLASS", "COUNT", "DAYS",
    "DIGEST", "DIR", "DIRECTORY", "DISABLED", "DRIVER", "ENABLED", "ENDPOINT", "ENGINE", "EXPIRATION", "EXPIRES", "EXPIRY",
    "FIELD", "FILE", "FINGERPRINT", "FOLDER", "FORMAT", "HASH", "HASHER", "HASHERS", "HEADER", "HOST", "HOURS", "ID", "IDS",
    "INTERVAL", "ISSUER", "KEYSTORE", "LENGTH", "LIFETIME", "LIMIT", "LOCATION", "MANAGER", "MAX", "MIN", "MINUTES", "MODE",
    "MODEL", "MS", "NAME", "NAMES", "NAMESPACE", "PATH", "POLICY", "PORT", "PREFIX", "PROVIDER", "REF", "REGEX", "REQUIRED",
    "SECONDS", "SIZE", "STORE", "TIMEOUT", "TTL", "TYPE", "URI", "URL",
];

/// The role that a name gives its value: by its head, the last word that means something. `SECRET_KEY_BASE` is a key,
/// `PASSWORD_FILE` a file.
pub(super) fn of(name: &str) -> Role {
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    // `TOKEN_FOR_GITHUB`, `PATH_TO_TOKEN`.
    if let Some(at) = words
        .iter()
        .position(|word| matches!(*word, "FOR" | "OF" | "TO"))
        .filter(|at| *at > 0)
    {
        words.truncate(at);
    }
    let all = words.clone();
    while let [.., _, last] = words.as_slice()
        && AFTER.contains(last)
    {
        words.pop();
    }
    if let [.., "ACCESS", "KEY", "ID"] = words.as_slice() {
        words.pop();
    }
    let role = match words.as_slice() {
        [] => Role::None,
        [.., of, "TOKEN"] if OTHER_TOKENS.contains(of) => Role::None,
        [.., of, "SECRET"] if NAMES_OF_SECRETS.contains(of) => Role::NameOfSecret,
        [.., last] if CREDENTIALS.contains(last) || HEADS.iter().any(|head| last.ends_with(head)) => Role::Credential,
        [.., "API" | "AUTH" | "ACCESS" | "REFRESH" | "BEARER", "TOKENS"] => Role::Credential,
        [.., of, "KEY" | "KEYS"] if KEYS.contains(of) => Role::Credential,
        [.., of, "KEY"] if !OTHER_KEYS.contains(of) => Role::Perhaps,
        [_, .., "PASS" | "PWD"] => Role::Credential,
        [
            _,
            ..,
            "AUTH" | "PAT" | "SALT" | "SECRETS" | "SIGNATURE" | "PEPPER" | "PIN" | "JWT",
        ]
        | ["PAT"] => Role::Perhaps,
        _ => Role::None,
    };
    if role != Role::None {
        return role;
    }
    let names_one = |word: &&str| ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "APIKEY"].contains(word);
    let about = all.last().is_none_or(|last| ABOUT.contains(last));
    if !about && all.first().is_some_and(names_one) {
        return Role::Perhaps;
    }
    Role::None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_credentials_are_known_by_their_heads() {
        for name in [
            "PASSWORD",
            "DB_PASSWORD",
            "PGPASSWORD",
            "dbPassword",
            "redis.password1",
            "MYSQL_PWD",
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
            "AIRFLOW__CORE__FERNET_KEY",
            "TOKEN_FOR_GITHUB",
        ] {
            assert_eq!(of(name), Role::Credential, "{name}");
        }
        for name in ["REDISCLI_AUTH", "GITHUB_PAT", "SENDGRID_KEY", "PASSWORD_POSTGRES"] {
            assert_eq!(of(name), Role::Perhaps, "{name}");
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
            "EOS_TOKEN",
            "PASSWORD_HASHERS",
            "SECRETS_BACKEND",
            "DB_PASSWORD_SECRET_ARN",
            "PATH_TO_TOKEN",
        ] {
            assert_eq!(of(name), Role::None, "{name}");
        }
    }
}
