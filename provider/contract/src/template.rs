//! Connection URLs as templates of the External Secrets Operator, over the other keys of the same Secret: what Terraform
//! writes, and what a comparison of environments holds it against.

use std::collections::BTreeMap;

use crate::{Endpoints, SecretKey, VariableValue, View};

/// A template's text for the value of another key, with everything encoded that means something else in a URL.
#[must_use]
pub fn in_url(key: &str) -> String {
    // `urlquery` writes a space as `+`, which is a plus outside of queries.
    format!(r#"{{{{ index . "{key}" | urlquery | replace "+" "%20" }}}}"#)
}

impl Endpoints {
    /// For every key that holds a whole connection URL the template that makes it, with the address that pods see or, where
    /// they see none, the host's.
    #[must_use]
    pub fn url_templates(&self) -> BTreeMap<SecretKey, String> {
        let mut found = BTreeMap::new();
        if let Some(endpoint) = &self.postgres {
            let mut composed = endpoint.clone();
            let keys = &endpoint.credentials;
            if let Some(key) = composed.credentials.url_key.take() {
                let endpoints = Self {
                    postgres: Some(composed),
                    ..Self::default()
                };
                let parts = [("PGUSER", &keys.username_key), ("PGPASSWORD", &keys.password_key)];
                let name = keys.secret_name.clone();
                found.insert(SecretKey { name, key }, endpoints.composed("DATABASE_URL", &parts));
            }
        }
        if let Some((endpoint, keys)) = self
            .redis
            .as_ref()
            .and_then(|redis| Some((redis, redis.credentials.as_ref()?)))
        {
            let mut composed = endpoint.clone();
            if let Some(key) = composed.credentials.as_mut().and_then(|keys| keys.url_key.take()) {
                let endpoints = Self {
                    redis: Some(composed),
                    ..Self::default()
                };
                let user = keys.username_key.as_ref().map(|key| ("REDIS_USERNAME", key));
                let parts: Vec<_> = user
                    .into_iter()
                    .chain([("REDIS_PASSWORD", &keys.password_key)])
                    .collect();
                let name = keys.secret_name.clone();
                found.insert(SecretKey { name, key }, endpoints.composed("REDIS_URL", &parts));
            }
        }
        found
    }

    /// The value of a composed variable, with templates in the place of its references.
    fn composed(&self, variable: &str, parts: &[(&str, &String)]) -> String {
        let seen = self.variables(View::Cluster).or_else(|_| self.variables(View::Host));
        let list = seen.expect("every endpoint has a host view");
        let url = list.into_iter().find(|found| found.name == variable);
        let Some(VariableValue::Composed(url)) = url.map(|found| found.value) else {
            unreachable!("{variable} is composed where no key holds it")
        };
        parts
            .iter()
            .fold(url, |url, (name, key)| url.replace(&format!("$({name})"), &in_url(key)))
    }
}
