//! The only reader of the process environment: the variables that libraries and platforms agree on.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use tracing::Level;

/// Where the store finds its services. Holds passwords, hence no `Debug`.
pub(crate) struct Config {
    /// `LISTEN_ADDRESS` and `PORT`. Without them every address in a pod (where `KUBERNETES_SERVICE_HOST` is always
    /// set) and loopback elsewhere, port 8080.
    pub(crate) listen: SocketAddr,
    /// `trace` to `error`; `info` when `LOG_LEVEL` is not set.
    pub(crate) log_level: Level,
    /// `DATABASE_URL`, a libpq URL.
    pub(crate) database_url: String,
    /// A file of certificates (PEM) to trust under `sslmode=verify-full`: `PGSSLROOTCERT`. `None` is the system's.
    pub(crate) database_roots: Option<String>,
    /// `REDIS_URL`; `rediss://` is TLS.
    pub(crate) redis_url: String,
    pub(crate) s3: S3,
}

/// The bucket. Credentials come by the AWS SDK's own chain: variables, web identity, the pod's or the machine's role.
pub(crate) struct S3 {
    pub(crate) bucket: String,
    pub(crate) region: String,
    /// `None` is AWS's own endpoint of the region.
    pub(crate) endpoint: Option<String>,
    /// The bucket stands in the path (most local stores), not in the host name (AWS).
    pub(crate) path_style: bool,
    /// The variable that decided the endpoint.
    pub(crate) variable: &'static str,
}

/// Everything that is wrong with the environment, at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError(Vec<String>);

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the environment does not say where to find everything:")?;
        for problem in &self.0 {
            writeln!(f, "  {problem}")?;
        }
        f.write_str(
            "To fix: set them, or start it with those of a rendered workload: \
             mlplat run -f rendered.yaml deployment/backend -- artefact-store",
        )
    }
}

impl Config {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// A variable that is set to nothing counts as not set.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut needed = |name: &str, example: &str| {
            let value = set(name).unwrap_or_else(|| {
                problems.push(format!("{name} is not set (such as {example})"));
                String::new()
            });
            if value.contains("$(") {
                problems.push(format!("{name} holds a $(NAME) that nothing has expanded"));
            }
            value
        };
        let database_url = needed(
            "DATABASE_URL",
            "postgresql://user:password@host:5432/database?sslmode=require",
        );
        let redis_url = needed("REDIS_URL", "redis://:password@host:6379/0");
        let bucket = needed("S3_BUCKET", "models");
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let region = region.unwrap_or_else(|| needed("AWS_REGION", "us-east-1"));
        let endpoint = ["AWS_ENDPOINT_URL_S3", "S3_ENDPOINT"]
            .into_iter()
            .find_map(|name| Some((name, set(name)?)));
        let listen = listen(&set, &mut problems);
        let log_level = log_level(&set, &mut problems);
        let path_style = parsed(
            "S3_FORCE_PATH_STYLE",
            "true or false",
            set("S3_FORCE_PATH_STYLE"),
            &mut problems,
            false,
            |text| text.parse().ok(),
        );
        if !problems.is_empty() {
            return Err(ConfigError(problems));
        }
        let (variable, endpoint) = endpoint.map_or(("AWS_REGION", None), |(name, url)| (name, Some(url)));
        Ok(Self {
            listen,
            log_level,
            database_url,
            database_roots: set("PGSSLROOTCERT"),
            redis_url,
            s3: S3 {
                bucket,
                region,
                endpoint,
                path_style,
                variable,
            },
        })
    }
}

/// What the frontend serves, and whom it asks.
pub(crate) struct FrontendConfig {
    /// As [`Config::listen`].
    pub(crate) listen: SocketAddr,
    /// As [`Config::log_level`].
    pub(crate) log_level: Level,
    /// `CONTENT_DIR`: the folder of `index.html`.
    pub(crate) content: PathBuf,
    /// `BACKEND_URL`: where the store answers.
    pub(crate) backend: String,
}

impl FrontendConfig {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
    pub(crate) fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let mut needed = |name: &str, example: &str| {
            set(name).unwrap_or_else(|| {
                problems.push(format!("{name} is not set (such as {example})"));
                String::new()
            })
        };
        let content = needed("CONTENT_DIR", "/content").into();
        let backend = needed("BACKEND_URL", "http://backend");
        let listen = listen(&set, &mut problems);
        let log_level = log_level(&set, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError(problems));
        }
        Ok(Self {
            listen,
            log_level,
            content,
            backend,
        })
    }
}

fn listen(set: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> SocketAddr {
    let port = parsed("PORT", "a port from 1 to 65535", set("PORT"), problems, 8080, |text| {
        text.parse().ok().filter(|port| *port > 0)
    });
    let in_pod = set("KUBERNETES_SERVICE_HOST").is_some();
    let address = parsed(
        "LISTEN_ADDRESS",
        "an IP address",
        set("LISTEN_ADDRESS"),
        problems,
        IpAddr::V4(if in_pod {
            Ipv4Addr::UNSPECIFIED
        } else {
            Ipv4Addr::LOCALHOST
        }),
        |text| text.parse().ok(),
    );
    SocketAddr::new(address, port)
}

fn log_level(set: &impl Fn(&str) -> Option<String>, problems: &mut Vec<String>) -> Level {
    parsed(
        "LOG_LEVEL",
        "one of trace, debug, info, warn, error",
        set("LOG_LEVEL"),
        problems,
        Level::INFO,
        |text| text.parse().ok(),
    )
}

fn parsed<T>(
    name: &str,
    expected: &str,
    value: Option<String>,
    problems: &mut Vec<String>,
    default: T,
    parse: impl Fn(&str) -> Option<T>,
) -> T {
    let Some(value) = value else { return default };
    parse(&value).unwrap_or_else(|| {
        problems.push(format!("{name} is {value:?}, not {expected}"));
        default
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_variables(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    const COMPLETE: [(&str, &str); 4] = [
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1:15432/a"),
        ("REDIS_URL", "redis://127.0.0.1"),
        ("S3_BUCKET", "models"),
        ("AWS_REGION", "eu-central-1"),
    ];

    #[test]
    fn everything_that_is_missing_or_wrong_is_said_at_once() {
        let variables = [
            ("PORT", "70000"),
            ("S3_FORCE_PATH_STYLE", "yes"),
            ("S3_BUCKET", ""),
            ("REDIS_URL", "redis://:$(P)@h"),
        ];
        assert_eq!(
            config(&variables).err().unwrap().to_string(),
            "the environment does not say where to find everything:\n  \
             DATABASE_URL is not set (such as postgresql://user:password@host:5432/database?sslmode=require)\n  \
             REDIS_URL holds a $(NAME) that nothing has expanded\n  \
             S3_BUCKET is not set (such as models)\n  \
             AWS_REGION is not set (such as us-east-1)\n  \
             PORT is \"70000\", not a port from 1 to 65535\n  \
             S3_FORCE_PATH_STYLE is \"yes\", not true or false\n\
             To fix: set them, or start it with those of a rendered workload: \
             mlplat run -f rendered.yaml deployment/backend -- artefact-store"
        );
    }

    #[test]
    fn without_an_endpoint_it_is_aws_by_virtual_host() {
        let config = config(&COMPLETE).ok().unwrap();
        assert_eq!(config.s3.endpoint, None);
        assert_eq!(config.s3.variable, "AWS_REGION");
        assert!(!config.s3.path_style);
    }

    #[test]
    fn it_listens_on_loopback_unless_it_runs_in_a_pod() {
        let listen = |more: &[_]| config(&[&COMPLETE[..], more].concat()).ok().unwrap().listen.to_string();
        assert_eq!(listen(&[]), "127.0.0.1:8080");
        assert_eq!(listen(&[("KUBERNETES_SERVICE_HOST", "10.96.0.1")]), "0.0.0.0:8080");
        assert_eq!(listen(&[("LISTEN_ADDRESS", "::"), ("PORT", "80")]), "[::]:80");
    }

    #[test]
    fn the_name_that_the_sdks_read_wins_over_the_convention() {
        let both = [
            ("S3_ENDPOINT", "http://a"),
            ("AWS_ENDPOINT_URL_S3", "http://b"),
            ("S3_FORCE_PATH_STYLE", "true"),
        ];
        let config = config(&[&COMPLETE[..], &both].concat()).ok().unwrap();
        assert_eq!(config.s3.endpoint.as_deref(), Some("http://b"));
        assert_eq!(config.s3.variable, "AWS_ENDPOINT_URL_S3");
        assert!(config.s3.path_style);
    }
}
