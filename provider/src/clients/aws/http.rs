//! The HTTP client of the SDK: proxies and trusted certificates as the settings and the usual variables say.

use std::path::Path;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::{AwsError, AwsSettings};

/// What no proxy stands before, unless the user says so himself.
const LOOPBACK: &str = "localhost,127.0.0.1,::1";

/// Two connectors, for a proxy stands before one scheme.
#[derive(Debug)]
struct ByScheme {
    http: Connector,
    https: Connector,
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if request.uri().starts_with("http://") {
            self.http.call(request)
        } else {
            self.https.call(request)
        }
    }
}

/// The client; `variable` looks into the environment.
pub(super) fn client(
    settings: &AwsSettings,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<SharedHttpClient, AwsError> {
    let tls = trust(settings, variable)?;
    let [http, https] = proxies(settings, variable)?;
    Ok(http_client_fn(move |timeouts, _| {
        let connector = |proxy: &ProxyConfig| {
            let builder: ConnectorBuilder = Connector::builder()
                .connector_settings(timeouts.clone())
                .proxy_config(proxy.clone());
            builder
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .tls_context(tls.clone())
                .build()
        };
        SharedHttpConnector::new(ByScheme {
            http: connector(&http),
            https: connector(&https),
        })
    }))
}

fn trust(settings: &AwsSettings, variable: &dyn Fn(&str) -> Option<String>) -> Result<TlsContext, AwsError> {
    let bundle = settings.custom_ca_bundle.clone().or_else(|| variable("AWS_CA_BUNDLE"));
    let store = match bundle {
        Some(path) => TrustStore::empty().with_pem_certificate(certificates(&path)?),
        None => TrustStore::default(),
    };
    let context = TlsContext::builder().with_trust_store(store).build();
    Ok(context.expect("a trust store makes a context"))
}

/// The SDK takes for granted that what it is given are certificates.
fn certificates(path: &str) -> Result<Vec<u8>, AwsError> {
    let bad = |problem: String| AwsError::CaBundle {
        path: path.to_owned(),
        problem,
    };
    let pem = std::fs::read(Path::new(path)).map_err(|error| bad(error.to_string()))?;
    let text = String::from_utf8_lossy(&pem);
    let mut found = 0;
    for block in text.split("-----BEGIN CERTIFICATE-----").skip(1) {
        let body = block.split("-----END CERTIFICATE-----").next().unwrap_or_default();
        let body: String = body.split_whitespace().collect();
        let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body);
        // Every certificate is a DER sequence.
        if !der.is_ok_and(|der| der.first() == Some(&0x30)) || !block.contains("-----END CERTIFICATE-----") {
            return Err(bad(format!("certificate {} in it is damaged", found + 1)));
        }
        found += 1;
    }
    if found == 0 {
        return Err(bad("it holds no certificate in PEM".to_owned()));
    }
    Ok(pem)
}

/// The proxies for HTTP and for HTTPS.
fn proxies(settings: &AwsSettings, variable: &dyn Fn(&str) -> Option<String>) -> Result<[ProxyConfig; 2], AwsError> {
    let either = |name: &str| variable(name).or_else(|| variable(&name.to_lowercase()));
    let mut direct = settings
        .no_proxy
        .clone()
        .or_else(|| either("NO_PROXY"))
        .unwrap_or_default();
    let given = settings.http_proxy.is_some() || settings.https_proxy.is_some();
    if !given {
        direct = format!("{direct},{LOOPBACK}");
    }
    let http = settings.http_proxy.clone().or_else(|| either("HTTP_PROXY"));
    let https = settings
        .https_proxy
        .clone()
        .or_else(|| settings.http_proxy.clone())
        .or_else(|| either("HTTPS_PROXY"));
    let proxy = |url: Option<String>| match url {
        Some(url) => ProxyConfig::all(url.as_str())
            .map(|proxy| proxy.no_proxy(direct.trim_matches(',')))
            // The URL may hold a password.
            .map_err(|_| AwsError::Proxy),
        None => Ok(ProxyConfig::disabled()),
    };
    Ok([proxy(http)?, proxy(https)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(name: &str) -> Option<String> {
        (name == "HTTPS_PROXY").then(|| "http://proxy.example:3128".to_owned())
    }

    #[test]
    fn a_proxy_of_the_environment_stands_before_its_own_scheme() {
        let [http, https] = proxies(&AwsSettings::default(), &variables).unwrap();
        assert!(http.is_disabled() && !https.is_disabled());
    }

    #[test]
    fn http_proxy_alone_stands_before_both_schemes() {
        let settings = AwsSettings {
            http_proxy: Some("http://proxy.example:3128".into()),
            ..AwsSettings::default()
        };
        let [http, https] = proxies(&settings, &|_| None).unwrap();
        assert!(!http.is_disabled() && !https.is_disabled());
    }

    #[test]
    fn a_bundle_without_certificates_is_refused_before_anything_is_called() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let check = |text: &str| {
            std::fs::write(&path, text).unwrap();
            certificates(path.to_str().unwrap()).map(drop)
        };
        assert!(check("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n").is_ok());
        assert!(check("").is_err() && check("-----BEGIN CERTIFICATE-----\nMAA=\n").is_err());
        assert!(check("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").is_err());
        assert!(certificates("/does/not/exist").is_err());
    }
}
