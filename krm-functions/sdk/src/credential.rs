//! What is a credential in plain text: by the shape of a value, and by the role that a variable's name gives it. One judge
//! for everything that refuses, reports or hides such values.
//!
//! A value is one by itself when it is a private key, a token of a known form, or text with a password in it: a URL or a
//! connection string. Otherwise the name decides, by its head and not by a word in it: `DB_PASSWORD` is a password,
//! `PASSWORD_HASHERS` are hashers. Where the head says little (`KEY`, `AUTH`), the value must look like one that a machine
//! has made. What only refers to a credential (`$(NAME)`, a path, an ARN) is none.

mod role;
mod shape;

use role::Role;

/// Why a variable holds a secret, in words that follow its name; `None` where it holds none. The reason never quotes the
/// value.
#[must_use]
pub fn plain_secret(name: &str, value: &str) -> Option<&'static str> {
    if shape::has_userinfo(value) {
        return Some("holds a URL with a plain password or token");
    }
    if shape::has_password_field(value) {
        return Some("holds text with a plain password or key in it");
    }
    if shape::is_token(value) {
        return Some("holds a token or private key of a known form");
    }
    let is_secret = match role::of(name) {
        Role::Credential => shape::could_be_secret(value),
        Role::NameOfSecret => shape::could_be_secret(value) && !shape::is_name(value),
        Role::Perhaps => shape::could_be_secret(value) && shape::looks_generated(value),
        Role::None => false,
    };
    is_secret.then_some("looks like a credential and holds plain text")
}

#[cfg(test)]
mod tests {
    use super::plain_secret;

    /// Name and value, divided by a space; the lines of each half under a heading.
    const NAMES: &str = include_str!("credential/names.txt");

    fn half(heading: &str) -> Vec<(&'static str, &'static str)> {
        let (_, rest) = NAMES.split_once(&format!("# {heading}\n")).unwrap();
        let lines = rest.lines().take_while(|line| !line.starts_with('#'));
        let pairs = lines.map(|line| line.split_once(' ').unwrap_or_else(|| panic!("{line}")));
        pairs.collect()
    }

    /// Whole lists, so that whoever changes the judge sees what it gets wrong; the guide states the rates.
    #[test]
    fn the_error_rates_on_the_list_of_names_are_those_of_the_guide() {
        let (credentials, harmless) = (half("credentials"), half("harmless"));
        assert!(credentials.len() >= 150 && harmless.len() >= 150);
        let missed: Vec<&str> = credentials
            .iter()
            .filter(|(name, value)| plain_secret(name, value).is_none())
            .map(|(name, _)| *name)
            .collect();
        let wrong: Vec<&str> = harmless
            .iter()
            .filter(|(name, value)| plain_secret(name, value).is_some())
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(missed, MISSED);
        assert_eq!(wrong, WRONG);
        let rates = format!(
            "Of {} credentials {} are missed, and of {} harmless variables {} are refused",
            credentials.len(),
            missed.len(),
            harmless.len(),
            wrong.len()
        );
        let guide = include_str!("../../../docs/guides/validate-practices.md").replace('\n', " ");
        assert!(guide.contains(&rates), "the guide does not say: {rates}");
    }

    const MISSED: [&str; 5] = [
        "APPINSIGHTS_INSTRUMENTATIONKEY",
        "BASIC_AUTH",
        "ROOT_PIN",
        "UNSEAL_KEY",
        "KEYGEN_SEED",
    ];
    const WRONG: [&str; 0] = [];
}
