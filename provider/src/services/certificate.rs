//! A certificate with which the parts of one service know each other, and nothing else.

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use serde::{Deserialize, Serialize};
use tfplug::Secret;

use super::LOOPBACK;

/// A certificate for 127.0.0.1, for servers and clients, with its key. All three texts are PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The authority that signed it. Its key is kept nowhere, so it signs nothing else.
    pub authority: String,
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: Secret,
}

/// [`Certificate`] as it is stored in `login.json`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Stored {
    authority: String,
    certificate: String,
    key: String,
}

impl From<&Certificate> for Stored {
    fn from(certificate: &Certificate) -> Self {
        Self {
            authority: certificate.authority.clone(),
            certificate: certificate.certificate.clone(),
            key: certificate.key.expose().to_owned(),
        }
    }
}

impl From<Stored> for Certificate {
    fn from(stored: Stored) -> Self {
        Self {
            authority: stored.authority,
            certificate: stored.certificate,
            key: Secret::new(stored.key),
        }
    }
}

impl Certificate {
    /// A new one. It is valid from 1975 to 4096 (rcgen's defaults): a stack has no other trust to lose when it is replaced,
    /// and neither a wrong clock nor an old stack may stop it.
    ///
    /// # Panics
    /// When the operating system gives no random bytes.
    #[must_use]
    pub fn new() -> Self {
        Self::make().expect("the names are constants, and the operating system gives random bytes")
    }

    fn make() -> Result<Self, rcgen::Error> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name = named("mlplat stack");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&authority_key)?;
        let issuer = Issuer::new(params, authority_key);

        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(["localhost".to_owned(), LOOPBACK.to_owned()])?;
        params.distinguished_name = named("mlplat part");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &issuer)?;
        Ok(Self {
            authority: authority.pem(),
            certificate: certificate.pem(),
            key: Secret::new(key.serialize_pem()),
        })
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

impl Default for Certificate {
    fn default() -> Self {
        Self::new()
    }
}
