//! What a value looks like.

use crate::expansion::{Part, parts};

/// How tokens of well-known services begin, and how long they are at least.
#[rustfmt::skip]
const TOKENS: [(&str, usize); 36] = [
    ("ghp_", 20), ("gho_", 20), ("ghu_", 20), ("ghs_", 20), ("ghr_", 20), ("github_pat_", 30), ("glpat-", 20),
    ("gldt-", 20), ("xoxb-", 20), ("xoxp-", 20), ("xoxa-", 20), ("xoxr-", 20), ("xapp-", 20), ("sk_live_", 20),
    ("sk_test_", 20), ("rk_live_", 20), ("sk-", 32), ("AKIA", 20), ("ASIA", 20), ("AIza", 35), ("ya29.", 20), ("hf_", 30),
    ("dop_v1_", 40), ("npm_", 30), ("pypi-", 40), ("SG.", 40), ("hvs.", 20), ("shpat_", 30), ("AGE-SECRET-KEY-", 40),
    ("dapi", 32), ("EAAC", 40), ("figd_", 30), ("lin_api_", 30), ("nfp_", 30), ("rnd_", 24), ("whsec_", 24),
];

/// Beginnings of tokens that are ones however short they are, where a token is expected.
const PREFIXES: [&str; 7] = ["ghp_", "gho_", "ghs_", "github_pat_", "glpat-", "xoxb-", "hvs."];

/// Names of fields of connection strings and queries that hold a credential, without `_` and `-`.
#[rustfmt::skip]
const FIELDS: [&str; 14] = [
    "password", "passwd", "pwd", "accountkey", "sharedaccesskey", "sharedaccesssignature", "clientsecret", "apikey",
    "accesstoken", "authtoken", "sig", "xamzsignature", "secretkey", "secretaccesskey",
];

/// Places of webhooks whose whole URL is the credential.
const WEBHOOKS: [&str; 4] = [
    "hooks.slack.com/services/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    ".webhook.office.com/webhookb2/",
];

/// What refers to a credential that is kept elsewhere.
#[rustfmt::skip]
const REFERENCES: [&str; 14] = [
    "arn:", "vault:", "sm://", "op://", "ref+", "aws-sm:", "gcp-sm:", "secretsmanager:", "azurekeyvault:", "keyvault:",
    "file:", "env:", "ssm:", "secret://",
];

/// Values that are words for something else.
#[rustfmt::skip]
const WORDS: [&str; 34] = [
    "true", "false", "yes", "no", "on", "off", "0", "1", "none", "null", "nil", "enabled", "disabled", "required",
    "optional", "always", "never", "auto", "basic", "bearer", "oauth", "oauth2", "oidc", "saml", "ldap", "kerberos", "jwt",
    "iam", "scram-sha-256", "md5", "plain", "anonymous", "cookie", "header",
];

/// Whether a text has a URL with a password that is no reference, or an http URL with a token for a user.
pub(super) fn has_userinfo(text: &str) -> bool {
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
            Some((_, password)) => has_literal(password) && !is_template(password),
            // A user without a password: a name, unless it looks like what a machine has made.
            None => matches!(scheme, "http" | "https") && has_literal(userinfo) && is_like_a_token(userinfo),
        }
    })
}

/// Whether a text is a connection string, a query or a command line with a password among its fields.
pub(super) fn has_password_field(text: &str) -> bool {
    if WEBHOOKS.iter().any(|place| text.contains(place)) {
        return true;
    }
    let fields = text.split(|c: char| c.is_whitespace() || "?&;,".contains(c));
    let pairs = fields.filter_map(|field| field.split_once('='));
    let mut pairs = pairs.peekable();
    // `password=x` alone is a value like any other.
    let alone = !text.contains(|c: char| c.is_whitespace() || "?&;,".contains(c)) && !text.starts_with("-D");
    pairs.any(|(key, value)| {
        let key = key.rsplit(['.', ':', '/']).next().unwrap_or_default();
        let key: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
        let key = key.to_ascii_lowercase();
        let is_one = FIELDS.contains(&key.as_str()) || key.ends_with("password");
        !alone && is_one && could_be_secret(value.trim_matches(['"', '\'']))
    })
}

/// Whether a value is a private key or a token of a known form.
pub(super) fn is_token(value: &str) -> bool {
    let value = value.trim();
    if value.contains("-----BEGIN ") && value.contains("PRIVATE KEY") {
        return true;
    }
    let word = value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let known = |(prefix, least): &(&str, usize)| {
        value.starts_with(prefix)
            && value.len() >= *least
            && value[prefix.len()..].contains(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase())
    };
    word && (TOKENS.iter().any(known) || is_jwt(value))
}

/// Whether a value is a JSON Web Token.
fn is_jwt(value: &str) -> bool {
    value.starts_with("eyJ") && value.len() >= 40 && value.matches('.').count() == 2
}

/// Whether a value could be a secret at all: it is neither a switch or another word of configurations, nor a path or URL,
/// nor made of references only, nor a piece of text in brackets.
pub(super) fn could_be_secret(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let word = WORDS.contains(&lower.as_str());
    let absolute = value.starts_with('/') && value[1..].contains('/') && !value.ends_with('=');
    let path = absolute || ["./", "../", "~/", "C:\\"].iter().any(|start| value.starts_with(start));
    let elsewhere = REFERENCES.iter().any(|start| lower.starts_with(start))
        || (value.starts_with("projects/") && value.contains("/secrets/"))
        || (value.contains("://") && !value.contains(char::is_whitespace));
    !(word || path || is_template(value) || elsewhere) && has_literal(value)
}

/// Whether a value is a placeholder, or a piece of text in brackets: `${NAME}`, `{{ .Name }}`, `<eos>`, `[PAD]`.
fn is_template(value: &str) -> bool {
    [("${", "}"), ("<", ">"), ("[", "]"), ("{", "}")]
        .iter()
        .any(|(open, close)| value.starts_with(open) && value.ends_with(close))
}

/// Whether a value is what an object is called: words of small letters with hyphens, or a path of such.
pub(super) fn is_name(value: &str) -> bool {
    let part = |part: &str| {
        let plain = part
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
        plain && part.starts_with(|c: char| c.is_ascii_lowercase())
    };
    value.split('/').all(part) && !looks_generated(value)
}

/// Whether a value looks as if a machine had made it, or a careful person: long, and letters mixed with digits.
pub(super) fn looks_generated(value: &str) -> bool {
    let value = value.trim();
    if is_token(value) || is_like_a_token(value) {
        return true;
    }
    // `base64:…`, `Bearer …`
    let pieces = value.split([' ', ':', '-', '_', '.', ',']);
    pieces.into_iter().any(|piece| piece.len() >= 12 && is_mixed(piece))
}

/// Whether a text is a token, where a token or a user's name is expected.
fn is_like_a_token(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.starts_with(prefix))
        || (text.len() >= 16 && is_mixed(text) && !text.contains(' '))
}

/// Letters and digits mixed: no word, no number, and not words with a number at the end.
fn is_mixed(text: &str) -> bool {
    let (mut changes, mut digits, mut letters, mut before) = (0, 0, 0, None);
    for character in text.chars().filter(char::is_ascii_alphanumeric) {
        let digit = character.is_ascii_digit();
        digits += usize::from(digit);
        letters += usize::from(!digit);
        changes += usize::from(before.is_some_and(|before| before != digit));
        before = Some(digit);
    }
    digits >= 2 && letters >= 2 && changes >= 3
}

/// Whether anything is left when the references, `$(NAME)`, are taken away.
fn has_literal(text: &str) -> bool {
    parts(text).any(|part| matches!(part, Part::Text(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
            "https://git@github.com/acme/x",
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
    fn passwords_among_fields_are_found() {
        for text in [
            "jdbc:postgresql://db/app?user=app&password=hunter2",
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=Zm9vYmFyYmF6Cg==;EndpointSuffix=core.windows.net",
            "host=db user=app password=hunter2",
            "-Xmx1g -Djavax.net.ssl.keyStorePassword=changeit",
            "Server=db;Database=x;User Id=sa;Password=hunter2;",
            "https://acct.blob.core.windows.net/c?sv=2022&sig=abc%3D",
        ] {
            assert!(has_password_field(text), "{text}");
        }
        for text in [
            "jdbc:postgresql://db/app?user=$(U)&password=$(P)",
            "password=",
            "host=db sslmode=require passfile=/run/pgpass",
            "--password-file=/run/x --user=a",
            "a=b",
            "https://h/reset?step=password",
        ] {
            assert!(!has_password_field(text), "{text}");
        }
    }

    #[test]
    fn switches_paths_and_references_are_no_secrets() {
        for value in [
            "true",
            "1",
            "",
            "$(OTHER)",
            "$(A)$(B)",
            "/run/secrets/token",
            "arn:aws:secretsmanager:eu-central-1:1:secret:x",
            "</s>",
            "${PASSWORD}",
            "https://issuer.example.com/token",
        ] {
            assert!(!could_be_secret(value), "{value}");
        }
        for value in ["hunter2", "12345", "a$(B)", "/Zm9vYmFy", "$(A", "$$(A)"] {
            assert!(could_be_secret(value), "{value}");
        }
    }
}
