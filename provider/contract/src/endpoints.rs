//! All endpoints of an environment, and the variables made from them.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::problem::Checker;
use crate::{ContractError, Postgres, Profile, Redis, S3, SecretKey, Variable, VariableValue, View, variable};

/// One entry per protocol that the environment offers; absent = the environment has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoints {
    /// The relational database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgres: Option<Postgres>,
    /// The cache: anything that speaks RESP, Valkey included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Redis>,
    /// The object store: anything that speaks S3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s3: Option<S3>,
}

/// What an endpoint speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// PostgreSQL's frontend/backend protocol.
    Postgres,
    /// RESP, as Redis and Valkey speak it.
    Redis,
    /// The S3 API.
    S3,
}

impl Protocol {
    /// Every protocol, in the order in which variables are listed.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Redis, Self::S3];
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::S3 => "s3",
        })
    }
}

impl Endpoints {
    /// The variables of all endpoints as seen from one side, of [`Profile::DEFAULT`]: by protocol in the order of
    /// [`Protocol::ALL`], and within one so that a variable comes after those it refers to. The same contract always gives
    /// the same list.
    ///
    /// The values are only as good as the contract: call [`EnvironmentEndpoints::validate`] first.
    ///
    /// # Errors
    /// [`ContractError::MissingView`] for the first endpoint that cannot be reached from that side.
    ///
    /// [`EnvironmentEndpoints::validate`]: crate::EnvironmentEndpoints::validate
    pub fn variables(&self, view: View) -> Result<Vec<Variable>, ContractError> {
        self.variables_of(&Protocol::ALL, &Profile::DEFAULT, view)
    }

    /// The variables of some protocols only, and of some profiles together with those that they are composed of. A
    /// protocol that the environment does not offer gives none.
    ///
    /// # Errors
    /// [`ContractError::MissingView`] for the first of them that cannot be reached from that side.
    pub fn variables_of(
        &self,
        protocols: &[Protocol],
        profiles: &[Profile],
        view: View,
    ) -> Result<Vec<Variable>, ContractError> {
        let mut list = Vec::new();
        for protocol in Protocol::ALL
            .into_iter()
            .filter(|protocol| protocols.contains(protocol))
        {
            let reached = match protocol {
                Protocol::Postgres => self
                    .postgres
                    .as_ref()
                    .map(|endpoint| endpoint.variables(view, &mut list)),
                Protocol::Redis => self.redis.as_ref().map(|endpoint| endpoint.variables(view, &mut list)),
                Protocol::S3 => self.s3.as_ref().map(|endpoint| endpoint.variables(view, &mut list)),
            };
            if reached == Some(None) {
                return Err(ContractError::MissingView { protocol, view });
            }
        }
        variable::keep(&mut list, profiles);
        Ok(list)
    }

    /// The protocols that the environment offers.
    #[must_use]
    pub fn protocols(&self) -> Vec<Protocol> {
        Protocol::ALL
            .into_iter()
            .filter(|protocol| match protocol {
                Protocol::Postgres => self.postgres.is_some(),
                Protocol::Redis => self.redis.is_some(),
                Protocol::S3 => self.s3.is_some(),
            })
            .collect()
    }

    /// Every Secret key that the endpoints refer to.
    #[must_use]
    pub fn secret_keys(&self) -> BTreeSet<SecretKey> {
        // References are the same from both sides.
        let list = self.variables(View::Host).expect("every endpoint has a host view");
        let keys = list.into_iter().filter_map(|variable| match variable.value {
            VariableValue::SecretKey(key) => Some(key),
            VariableValue::Literal(_) | VariableValue::Composed(_) => None,
        });
        keys.collect()
    }

    /// Checks every field that the types leave open.
    ///
    /// # Errors
    /// [`ContractError::Invalid`] with every wrong field; paths start at the protocol (`postgres.host.port`).
    pub fn validate(&self) -> Result<(), ContractError> {
        let mut at = Checker::new();
        self.check(&mut at);
        at.finish()
    }

    pub(crate) fn check(&self, at: &mut Checker) {
        if let Some(endpoint) = &self.postgres {
            at.field("postgres", |at| endpoint.check(at));
        }
        if let Some(endpoint) = &self.redis {
            at.field("redis", |at| endpoint.check(at));
        }
        if let Some(endpoint) = &self.s3 {
            at.field("s3", |at| endpoint.check(at));
        }
    }
}
