//! Redis or Valkey: the cached first page of the list.

use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{AsyncCommands, Client, RedisError};

const CONNECT: Duration = Duration::from_secs(2);
/// A cache that takes longer is no gain; the database may take 5 s.
const RESPONSE: Duration = Duration::from_secs(2);
/// How long a cached list lives, and so how stale it can be when the cache misses an invalidation.
const TTL_SECONDS: u64 = 30;
const GENERATION: &str = "artefact-store:generation";

/// A cache that connects when it is first asked, and again after a loss.
#[derive(Clone)]
pub(crate) struct Cache {
    connection: ConnectionManager,
    address: String,
}

/// What the cache knows.
pub(crate) enum Lookup {
    Hit(Vec<u8>),
    Miss(Generation),
}

/// Counts the writes to the store. A list is kept under the generation that was current *before* its rows were read,
/// so a list that was overtaken by a write is never found again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Generation(u64);

impl Generation {
    fn key(self) -> String {
        format!("artefact-store:list:{}", self.0)
    }
}

impl Cache {
    pub(crate) fn new(url: &str) -> Result<Self, RedisError> {
        let client = Client::open(url)?;
        let address = client.get_connection_info().addr().to_string();
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(RESPONSE))
            .set_number_of_retries(1);
        Ok(Self {
            connection: ConnectionManager::new_lazy_with_config(client, config)?,
            address,
        })
    }

    /// Host and port, as `REDIS_URL` names them.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) async fn list(&self) -> Result<Lookup, RedisError> {
        let mut connection = self.connection.clone();
        let generation: Option<u64> = connection.get(GENERATION).await?;
        let generation = Generation(generation.unwrap_or_default());
        let cached: Option<Vec<u8>> = connection.get(generation.key()).await?;
        Ok(cached.map_or(Lookup::Miss(generation), Lookup::Hit))
    }

    pub(crate) async fn keep_list(&self, generation: Generation, list: &[u8]) -> Result<(), RedisError> {
        self.connection
            .clone()
            .set_ex(generation.key(), list, TTL_SECONDS)
            .await
    }

    pub(crate) async fn forget_list(&self) -> Result<(), RedisError> {
        self.connection.clone().incr(GENERATION, 1).await
    }

    pub(crate) async fn ping(&self) -> Result<(), RedisError> {
        redis::cmd("PING").exec_async(&mut self.connection.clone()).await
    }

    /// The server's own words: `Valkey 8.1.4`.
    pub(crate) async fn version(&self) -> Result<String, RedisError> {
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut self.connection.clone())
            .await?;
        Ok(version(&info))
    }
}

/// Valkey says for old clients that it is Redis 7.2; its own line comes first.
fn version(info: &str) -> String {
    let line = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    match (line("valkey_version"), line("redis_version")) {
        (Some(version), _) => format!("Valkey {version}"),
        (None, Some(version)) => format!("Redis {version}"),
        (None, None) => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn valkey_is_told_from_redis() {
        assert_eq!(
            version("# Server\r\nredis_version:7.0.15\r\nos:Linux\r\n"),
            "Redis 7.0.15"
        );
        assert_eq!(
            version("# Server\r\nredis_version:7.2.4\r\nvalkey_version:8.1.4\r\n"),
            "Valkey 8.1.4"
        );
    }
}
