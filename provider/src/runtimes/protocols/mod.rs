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
#[error("{text}")]
pub struct NoAnswer {
    text: String,
    login_refused: bool,
}

impl NoAnswer {
    fn new(error: impl std::fmt::Display) -> Self {
        Self {
            text: error.to_string(),
            login_refused: false,
        }
    }

    /// It answers, but not to the stack's own login.
    fn refused(error: impl std::fmt::Display) -> Self {
        Self {
            login_refused: true,
            ..Self::new(error)
        }
    }

    /// Whether the service runs and refuses the stack's own login: waiting does not change that.
    #[must_use]
    pub fn login_refused(&self) -> bool {
        self.login_refused
    }
}

/// What is not there inside a service that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// The database or its owner.
    pub database: bool,
    /// Extensions of the database.
    pub extensions: BTreeSet<String>,
    /// Buckets.
    pub buckets: BTreeSet<String>,
    /// The application's role may do what it must not, as an earlier version of mlplat made it.
    pub excess: bool,
}

impl Missing {
    /// Everything is there.
    #[must_use]
    pub fn nothing(&self) -> bool {
        *self == Self::default()
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn problem(&self) -> String {
        let list = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
        let mut problems = Vec::new();
        if self.database {
            problems.push("its database or role was not found, or the role's password was changed".to_owned());
        }
        if !self.extensions.is_empty() {
            problems.push(format!("extensions were not found: {}", list(&self.extensions)));
        }
        if !self.buckets.is_empty() {
            problems.push(format!("buckets were not found: {}", list(&self.buckets)));
        }
        if self.excess {
            problems.push(
                "the application's role could give itself access to this machine; apply takes that away".to_owned(),
            );
        }
        problems.join("; ")
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
                extensions,
                seed_sql,
            } => {
                let wanted = postgres::Wanted {
                    admin,
                    database,
                    extensions,
                    seed_sql: seed_sql.as_deref(),
                };
                postgres::furnish(self, &wanted).await
            }
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
            Dialogue::Postgres {
                admin,
                database,
                extensions,
                ..
            } => postgres::missing(self, admin, database, extensions).await,
            Dialogue::Redis => redis::answers(self).await.map(|()| Missing::default()),
            Dialogue::S3 { region, buckets, .. } => Ok(Missing {
                buckets: s3::Client::new(self, region).lacks(buckets).await?,
                ..Missing::default()
            }),
        }
    }
}
