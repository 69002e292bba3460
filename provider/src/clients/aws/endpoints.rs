//! Where services are called: at AWS, or at the address that the provider block, the environment or the profile names. What
//! is not in the configuration is told in every plan, and may not lead past the accounts that the configuration allows.

use std::fmt;
use std::net::IpAddr;

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use hyper::Uri;
use tfplug::Diagnostic;

use super::{AwsError, AwsSettings};

/// A service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    S3,
    Sts,
}

impl Service {
    pub(super) const ALL: [Self; 2] = [Self::S3, Self::Sts];

    /// As variables and arguments name it.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::S3 => ("S3", "s3"),
            Self::Sts => ("STS", "sts"),
        }
    }
}

/// An address that is not AWS' own, and who names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) url: String,
    pub(super) service: Service,
    pub(super) source: Source,
}

/// Who names an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `endpoints` in the provider block.
    Block,
    /// A variable of the environment.
    Variable(String),
    /// The profile in the shared files.
    Profile,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block => f.write_str("`aws.endpoints`"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::Profile => f.write_str("`endpoint_url` of the profile in the shared configuration files"),
        }
    }
}

/// Where a service is; `None` = where AWS has it. `sdk` knows the profile.
pub(super) fn find(
    settings: &AwsSettings,
    service: Service,
    variable: &dyn Fn(&str) -> Option<String>,
    sdk: Option<&SdkConfig>,
) -> Option<Endpoint> {
    let (upper, lower) = service.names();
    let given = settings.endpoints.as_ref().and_then(|endpoints| match service {
        Service::S3 => endpoints.s3.clone(),
        Service::Sts => endpoints.sts.clone(),
    });
    let of_block = given.map(|url| (url, Source::Block));
    let ignored =
        variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let of_variable = || {
        let names = [format!("AWS_ENDPOINT_URL_{upper}"), "AWS_ENDPOINT_URL".to_owned()];
        names.into_iter().filter(|_| !ignored).find_map(|name| {
            let url = variable(&name)?;
            Some((url, Source::Variable(name)))
        })
    };
    let of_profile = || {
        let key = ServiceConfigKey::builder()
            .service_id(lower)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url");
        let key = key.build().expect("every part is given");
        let own = sdk?.service_config().and_then(|config| config.load_config(key));
        let url = own.or_else(|| sdk?.endpoint_url().map(str::to_owned))?;
        Some((url, Source::Profile))
    };
    let (url, source) = of_block.or_else(of_variable).or_else(of_profile)?;
    Some(Endpoint { url, service, source })
}

impl Endpoint {
    /// What is not taken: an address that no argument names, where accounts are listed or that is not safe from listeners.
    pub(super) fn admit(&self, settings: &AwsSettings) -> Result<(), AwsError> {
        if self.source == Source::Block {
            return Ok(());
        }
        let why = if settings.allowed_account_ids.is_some() || settings.forbidden_account_ids.is_some() {
            "accounts are allowed or forbidden in the provider block, and no address from outside may lead past that"
        } else if self.is_exposed() {
            "it is called without TLS, and is not on this machine"
        } else {
            return Ok(());
        };
        let (name, argument) = self.service.names();
        Err(AwsError::Endpoint {
            service: name,
            argument,
            url: shown(&self.url),
            named_by: self.source.to_string(),
            why,
        })
    }

    /// What the user should know of it before anything is changed there.
    pub(super) fn warning(&self) -> Option<Diagnostic> {
        let (name, argument) = self.service.names();
        let url = shown(&self.url);
        if self.source != Source::Block {
            return Some(Diagnostic::warning(format!("{name} is not called at AWS but at {url}")).detail(format!(
                "The address comes from {}. To fix: unset that if AWS is meant; otherwise set `aws.endpoints.{argument}` in \
                 the provider block, and this warning ends.",
                self.source
            )));
        }
        self.is_exposed().then(|| {
            Diagnostic::warning(format!("{name} is called without TLS at {url}")).detail(format!(
                "Whoever listens on the way can read and change what is sent there. To fix: use https:// in \
                 `aws.endpoints.{argument}`."
            ))
        })
    }

    fn is_exposed(&self) -> bool {
        !self.url.to_ascii_lowercase().starts_with("https://") && !is_loopback(&self.url)
    }
}

/// Whether a URL leads to this machine alone.
pub(crate) fn is_loopback(url: &str) -> bool {
    let parsed = url.parse::<Uri>().ok();
    let host = parsed
        .as_ref()
        .and_then(Uri::host)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// A URL without the password that may stand in it.
fn shown(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::aws::settings::ServiceEndpoints;

    fn found(settings: &AwsSettings, service: Service, variables: &[(&str, &str)]) -> Option<(String, Source)> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        find(settings, service, &variable, None).map(|endpoint| (endpoint.url, endpoint.source))
    }

    fn from(url: &str, source: Source) -> Endpoint {
        Endpoint {
            url: url.into(),
            service: Service::S3,
            source,
        }
    }

    #[test]
    fn the_block_comes_before_the_services_variable_and_that_before_the_general_one() {
        let mut settings = AwsSettings::default();
        let both = [("AWS_ENDPOINT_URL_S3", "http://a"), ("AWS_ENDPOINT_URL", "http://b")];
        let of = |name: &str| Source::Variable(name.into());
        assert_eq!(
            found(&settings, Service::S3, &both),
            Some(("http://a".into(), of("AWS_ENDPOINT_URL_S3")))
        );
        assert_eq!(
            found(&settings, Service::Sts, &both),
            Some(("http://b".into(), of("AWS_ENDPOINT_URL")))
        );
        let ignored = [both[0], both[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(found(&settings, Service::S3, &ignored), None);
        settings.endpoints = Some(ServiceEndpoints {
            s3: Some("http://c".into()),
            sts: None,
        });
        assert_eq!(
            found(&settings, Service::S3, &both),
            Some(("http://c".into(), Source::Block))
        );
    }

    #[test]
    fn an_address_from_outside_leads_past_no_list_of_accounts_and_not_into_the_open() {
        let variable = || Source::Variable("AWS_ENDPOINT_URL_S3".into());
        let plain = AwsSettings::default();
        let listed = [
            AwsSettings {
                allowed_account_ids: Some(["123456789012".to_owned()].into()),
                ..AwsSettings::default()
            },
            AwsSettings {
                forbidden_account_ids: Some(["123456789012".to_owned()].into()),
                ..AwsSettings::default()
            },
        ];
        let near = from("http://127.0.0.1:5000", variable());
        assert!(near.admit(&plain).is_ok() && near.warning().is_some());
        assert!(from("https://s3.example.com", Source::Profile).admit(&plain).is_ok());
        for settings in &listed {
            let told = near.admit(settings).unwrap_err().to_string();
            assert!(
                told.contains("AWS_ENDPOINT_URL_S3") && told.contains("http://127.0.0.1:5000"),
                "{told}"
            );
            assert!(from("https://s3.example.com", Source::Profile).admit(settings).is_err());
            assert!(from("http://127.0.0.1:5000", Source::Block).admit(settings).is_ok());
        }
        for open in [
            "http://s3.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost@example.com",
        ] {
            assert!(from(open, variable()).admit(&plain).is_err(), "{open}");
            let given = from(open, Source::Block);
            assert!(given.admit(&plain).is_ok() && given.warning().is_some(), "{open}");
        }
        assert!(from("http://localhost:1", Source::Block).warning().is_none());
    }

    #[test]
    fn loopback_is_this_machine_alone() {
        for near in [
            "http://127.0.0.1:5000",
            "http://localhost:1/x",
            "http://[::1]:1",
            "http://s3.localhost",
        ] {
            assert!(is_loopback(near), "{near}");
        }
        for far in [
            "https://s3.eu-central-1.amazonaws.com",
            "http://localhost.example.com",
            "http://127.0.0.1@example.com",
            "http://0.0.0.0",
            "",
        ] {
            assert!(!is_loopback(far), "{far}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_told() {
        assert_eq!(shown("https://me:secret@store:1/a"), "https://…@store:1/a");
        assert_eq!(shown("https://store"), "https://store");
    }
}
