//! The attribute `endpoints`: the contract's types, each for itself unknown in a plan.

use endpoint_contract as contract;
use tfplug::{Computed, Model};

use crate::resources::endpoints::{PostgresEndpoint, RedisEndpoint, S3Endpoint};

/// Where the services are. A plan knows the endpoints of components that stay, whatever comes beside them.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct StackEndpoints {
    /// A PostgreSQL database.
    pub postgres: Computed<PostgresEndpoint>,
    /// A cache that speaks RESP: Redis or Valkey.
    pub redis: Computed<RedisEndpoint>,
    /// An object store that speaks S3.
    pub s3: Computed<S3Endpoint>,
}

impl StackEndpoints {
    /// Takes what is unknown from what was found.
    pub(super) fn fill(&mut self, found: Self) {
        if self.postgres.is_unknown() {
            self.postgres = found.postgres;
        }
        if self.redis.is_unknown() {
            self.redis = found.redis;
        }
        if self.s3.is_unknown() {
            self.s3 = found.s3;
        }
    }
}

impl From<contract::Endpoints> for StackEndpoints {
    fn from(contract: contract::Endpoints) -> Self {
        Self {
            postgres: contract.postgres.map(PostgresEndpoint::from).into(),
            redis: contract.redis.map(RedisEndpoint::from).into(),
            s3: contract.s3.map(S3Endpoint::from).into(),
        }
    }
}
