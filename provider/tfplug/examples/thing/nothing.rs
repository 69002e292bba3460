//! A resource that does nothing and is as wide as a real one: what the protocol alone costs. The benchmark's floor.

use tfplug::{Computed, Context, Diagnostics, Kept, Model, Resource, async_trait};

use crate::Clients;

/// Nothing, about as wide as an environment with its endpoints.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Nothing {
    /// Its name.
    #[model(replace, identity)]
    pub(crate) name: String,
    /// A path; no file is looked at.
    pub(crate) contract_file: String,
    /// Another path.
    pub(crate) secret_file: Option<String>,
    /// Endpoints that nobody reaches.
    pub(crate) endpoints: Endpoints,
    /// A number.
    pub(crate) generation: Option<i64>,
    /// Known after apply.
    pub(crate) contract_sha256: Computed<String>,
    /// Known after apply.
    pub(crate) status: Computed<String>,
}

/// One entry per protocol.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Endpoints {
    /// A database.
    pub(crate) postgres: Option<Server>,
    /// A cache.
    pub(crate) redis: Option<Server>,
    /// A store.
    pub(crate) s3: Option<Server>,
}

/// A server.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Server {
    /// Its address.
    pub(crate) host: Address,
    /// Its other address.
    pub(crate) cluster: Option<Address>,
    /// A number with a default.
    #[model(default = 0)]
    pub(crate) database: u32,
    /// Whether the connection is encrypted.
    pub(crate) tls: bool,
    /// Names of a Secret's keys.
    pub(crate) credentials: Option<Keys>,
}

/// An address.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Address {
    /// A name or an IP address.
    pub(crate) address: String,
    /// A TCP port.
    #[model(range = 1..=65535)]
    pub(crate) port: u16,
}

/// Keys.
#[derive(Model, Clone, Debug, PartialEq)]
pub(crate) struct Keys {
    /// The Secret.
    pub(crate) secret_name: String,
    /// A key in it.
    #[model(default = "username")]
    pub(crate) username_key: String,
    /// Another.
    #[model(default = "password")]
    pub(crate) password_key: String,
}

/// The resource.
pub(crate) struct Nothings;

#[async_trait]
impl Resource for Nothings {
    type Model = Nothing;
    type Clients = Clients;

    const TYPE: &'static str = "nothing";

    async fn create(
        &self,
        _context: &Context<Clients>,
        planned: Nothing,
        _config: Nothing,
    ) -> Result<Nothing, Kept<Nothing>> {
        let nothing = || Computed::Known("nothing".to_owned());
        Ok(Nothing {
            contract_sha256: nothing(),
            status: nothing(),
            ..planned
        })
    }

    async fn read(&self, _context: &Context<Clients>, state: Nothing) -> Result<Option<Nothing>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        context: &Context<Clients>,
        _prior: Nothing,
        planned: Nothing,
        config: Nothing,
    ) -> Result<Nothing, Kept<Nothing>> {
        self.create(context, planned, config).await
    }

    async fn delete(&self, _context: &Context<Clients>, _state: Nothing) -> Result<(), Kept<Nothing>> {
        Ok(())
    }
}
