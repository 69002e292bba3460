//! Talking to a service in its own protocol, with its credentials: the only proof that it is ready, and the way to make what
//! the user asked for inside it. Any runtime uses it: it needs an address, not a process.

mod postgres;
mod redis;
mod s3;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use crate::services::{Dialogue, Login};

/// A service that can be talked to on this machine.
#[derive(Clone, Debug)]
pub struct Reach {
    /// Where: loopback, or the address on which pods reach it.
    pub address: IpAddr,
    /// Its port there.
    pub port: u16,
    /// Its credentials.
    pub login: Login,
    /// What to say.
    pub dialogue: Dialogue,
}

/// Why a service gave no, or the wrong, answer. The text holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(String);

impl NoAnswer {
    fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// What is not there inside a service that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The database or its owner.
    pub database: bool,
    /// Buckets.
    pub buckets: BTreeSet<String>,
}

impl Missing {
    /// Everything is there.
    #[must_use]
    pub fn nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Reach {
    /// The same service, as it is seen elsewhere.
    #[must_use]
    pub fn at(&self, door: SocketAddr) -> Self {
        Self {
            address: door.ip(),
            port: door.port(),
            ..self.clone()
        }
    }

    /// Address and port; an IPv6 address stands in brackets.
    #[must_use]
    pub fn place(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// Whether the service itself answers: PostgreSQL to its administrator, Redis to PING, S3 to a signed request.
    ///
    /// # Errors
    /// What it said instead.
    pub async fn answers(&self) -> Result<(), NoAnswer> {
        match &self.dialogue {
            Dialogue::Postgres { admin, .. } => postgres::answers(self, admin).await,
            Dialogue::Redis => redis::answers(self).await,
            Dialogue::S3 { region, .. } => s3::Client::new(self, region).answers().await,
        }
    }

    /// Makes what shall exist inside the service and removes the buckets of `unwanted`. Can be repeated.
    ///
    /// # Errors
    /// What it said instead, such as that a bucket still holds objects.
    pub async fn furnish(&self, unwanted: &BTreeSet<String>) -> Result<(), NoAnswer> {
        match &self.dialogue {
            Dialogue::Postgres {
                admin,
                database,
                seed_sql,
            } => postgres::furnish(self, admin, database, seed_sql.as_deref()).await,
            Dialogue::Redis => Ok(()),
            Dialogue::S3 {
                region,
                buckets,
                force_destroy,
            } => {
                s3::Client::new(self, region)
                    .furnish(buckets, unwanted, *force_destroy)
                    .await
            }
        }
    }

    /// What an application would miss: asked with the application's credentials.
    ///
    /// # Errors
    /// What the service said instead of an answer.
    pub async fn missing(&self) -> Result<Missing, NoAnswer> {
        match &self.dialogue {
            Dialogue::Postgres { admin, database, .. } => Ok(Missing {
                database: postgres::lacks_database(self, admin, database).await?,
                ..Missing::default()
            }),
            Dialogue::Redis => redis::answers(self).await.map(|()| Missing::default()),
            Dialogue::S3 { region, buckets, .. } => Ok(Missing {
                buckets: s3::Client::new(self, region).lacks(buckets).await?,
                ..Missing::default()
            }),
        }
    }
}
