//! The variables that the endpoint contract gives: their values are what environments differ in.

use std::sync::LazyLock;

use endpoint_contract::{
    Endpoints, HostPort, Origin, Postgres, PostgresCredentials, Profile, Protocol, Redis, RedisCredentials, S3,
    S3Credentials, SslMode, Variable, VariableValue, View,
};

/// A variable that contracts give.
#[derive(Debug)]
struct Known {
    name: &'static str,
    /// Whether every contract with its protocol gives it.
    always: bool,
    /// Whether every contract with its protocol gives it as a literal, so that the ConfigMap has it.
    always_literal: bool,
}

/// Names that the function inject-endpoints puts into the ConfigMap besides.
const ENVIRONMENT: &str = "MLPLAT_ENVIRONMENT";

static KNOWN: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let (full, least) = (variables(true), variables(false));
    let in_both = |name: &str, wanted: fn(&Variable) -> bool| {
        [&full, &least]
            .iter()
            .all(|list| list.iter().any(|one| one.name == name && wanted(one)))
    };
    let literal = |one: &Variable| matches!(one.value, VariableValue::Literal(_));
    let known = |name| Known {
        name,
        always: in_both(name, |_| true),
        always_literal: in_both(name, literal),
    };
    full.iter().map(|one| known(one.name)).collect()
});

/// Whether the value of a container's variable comes from the contract.
pub(crate) fn names(variable: &str) -> bool {
    KNOWN.iter().any(|known| known.name == variable)
}

/// Whether one environment may have a variable that another has not: credentials, which a pod's own role replaces, and
/// buckets.
pub(crate) fn may_lack(variable: &str) -> bool {
    KNOWN.iter().any(|known| known.name == variable && !known.always)
}

/// Whether a key of the ConfigMap comes from the contract.
pub(crate) fn names_key(key: &str) -> bool {
    key == ENVIRONMENT || names(key)
}

/// Whether one environment's ConfigMap may have a key that another's has not.
pub(crate) fn may_lack_key(key: &str) -> bool {
    KNOWN.iter().any(|known| known.name == key && !known.always_literal)
}

/// The variables of a contract with every protocol, with all that is optional or with none of it.
fn variables(full: bool) -> Vec<Variable> {
    let host = || HostPort {
        address: "localhost".to_owned(),
        port: 1,
    };
    let endpoints = Endpoints {
        postgres: Some(Postgres {
            host: host(),
            cluster: None,
            database: "a".to_owned(),
            ssl_mode: SslMode::Disable,
            credentials: PostgresCredentials::in_secret("a"),
        }),
        redis: Some(Redis {
            host: host(),
            cluster: None,
            database: 0,
            tls: false,
            credentials: full.then(|| RedisCredentials {
                username_key: Some("a".to_owned()),
                ..RedisCredentials::in_secret("a")
            }),
        }),
        s3: Some(S3 {
            host: Origin {
                url: "http://localhost".to_owned(),
            },
            cluster: None,
            region: "us-east-1".to_owned(),
            force_path_style: true,
            buckets: if full { vec!["a".to_owned()] } else { Vec::new() },
            credentials: full.then(|| S3Credentials::in_secret("a")),
        }),
    };
    endpoints
        .variables_of(&Protocol::ALL, &Profile::ALL, View::Host)
        .expect("every endpoint has a host view")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_optional_in_the_contract_may_be_lacking() {
        let names = |wanted: fn(&Known) -> bool| -> Vec<&str> {
            KNOWN.iter().filter(|one| wanted(one)).map(|one| one.name).collect()
        };
        assert_eq!(
            names(|one| !one.always).join(" "),
            "REDIS_USERNAME REDIS_PASSWORD REDISCLI_AUTH SPRING_DATA_REDIS_USERNAME SPRING_DATA_REDIS_PASSWORD S3_BUCKET \
             S3_BUCKETS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
        );
        assert_eq!(
            names(|one| one.always_literal).join(" "),
            "PGHOST PGPORT PGDATABASE PGSSLMODE SPRING_DATASOURCE_URL REDIS_HOST REDIS_PORT SPRING_DATA_REDIS_HOST \
             SPRING_DATA_REDIS_PORT SPRING_DATA_REDIS_DATABASE SPRING_DATA_REDIS_SSL_ENABLED S3_ENDPOINT S3_REGION \
             S3_FORCE_PATH_STYLE AWS_ENDPOINT_URL_S3 AWS_REGION AWS_DEFAULT_REGION MLFLOW_S3_ENDPOINT_URL \
             FSSPEC_S3_ENDPOINT_URL AWS_ENDPOINT AWS_ALLOW_HTTP AWS_VIRTUAL_HOSTED_STYLE_REQUEST RCLONE_S3_PROVIDER \
             RCLONE_S3_ENV_AUTH RCLONE_S3_ENDPOINT RCLONE_S3_REGION RCLONE_S3_FORCE_PATH_STYLE AWS_S3_ENDPOINT \
             AWS_HTTPS AWS_VIRTUAL_HOSTING"
        );
        assert!(names_key(ENVIRONMENT) && !may_lack_key(ENVIRONMENT) && !super::names("LOG_LEVEL"));
    }
}
