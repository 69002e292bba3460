//! A provider: the tables of what it offers, and the calls that the server passes on to it.

mod answers;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, RwLock};

use async_trait::async_trait;

use crate::calls::Schemas;
use crate::context::Config;
use crate::data_source::DataSource;
use crate::diagnostic::Diagnostics;
use crate::ephemeral::Ephemeral;
use crate::erased::{
    AnyClients, AnyData, AnyEphemeral, AnyFunction, AnyResource, DataOf, EphemeralOf, FunctionOf, ResourceOf,
};
use crate::function::Function;
use crate::model::Model;
use crate::resource::Resource;
use crate::schema::{Block, Schema};
use crate::value::Value;

/// The provider block: its model, and what is made of it.
#[async_trait]
pub trait Configure: Send + Sync + 'static {
    /// The provider block's arguments.
    type Config: Model;
    /// What every resource is given: clients, settings.
    type Clients: Send + Sync + 'static;

    /// Checks that concern more than one argument.
    async fn validate(&self, _config: &Config<Self::Config>) -> Diagnostics {
        Diagnostics::none()
    }

    /// Makes the clients. On a plan parts of `config` may be unknown: that is no error here, but in the resource
    /// that needs them.
    ///
    /// # Errors
    /// When no client can be made.
    async fn configure(&self, config: Config<Self::Config>) -> Result<Self::Clients, Diagnostics>;
}

/// A whole provider, ready to be served, tested or documented.
pub struct Provider {
    name: String,
    version: String,
    root: Box<dyn AnyRoot>,
    clients: RwLock<Option<AnyClients>>,
    schemas: Schemas,
    resources: BTreeMap<String, Box<dyn AnyResource>>,
    data_sources: BTreeMap<String, Box<dyn AnyData>>,
    ephemerals: BTreeMap<String, Box<dyn AnyEphemeral>>,
    functions: BTreeMap<String, Box<dyn AnyFunction>>,
}

/// What a type is the name of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Resource,
    DataSource,
    Ephemeral,
}

/// Fills a provider's tables. `C` is what its [`Configure`] makes.
pub struct Builder<C> {
    provider: Provider,
    clients: PhantomData<fn() -> C>,
}

impl Provider {
    /// A provider of this name (`mlplat`) and version (`0.1.0`).
    pub fn builder<P: Configure>(name: &str, version: &str, configure: P) -> Builder<P::Clients> {
        let schemas = Schemas {
            provider: Schema {
                version: 0,
                block: P::Config::block(),
            },
            ..Schemas::default()
        };
        let provider = Self {
            name: name.to_owned(),
            version: version.to_owned(),
            root: Box::new(RootOf {
                inner: configure,
                block: P::Config::block(),
            }),
            clients: RwLock::new(None),
            schemas,
            resources: BTreeMap::new(),
            data_sources: BTreeMap::new(),
            ephemerals: BTreeMap::new(),
            functions: BTreeMap::new(),
        };
        Builder {
            provider,
            clients: PhantomData,
        }
    }

    /// The name in `required_providers`, and the first part of every type's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version as in a release, without a `v`.
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl<C: Send + Sync + 'static> Builder<C> {
    /// Adds a resource.
    ///
    /// # Panics
    /// When there is one of this type already, or its model contradicts itself. The first test tells.
    #[must_use]
    pub fn resource<R: Resource<Clients = C>>(mut self, resource: R) -> Self {
        let name = self.type_name(R::TYPE);
        let schema = Schema {
            version: R::VERSION,
            block: R::Model::block(),
        };
        let resource = ResourceOf::new(name.clone(), resource);
        if let Some(identity) = resource.identity_schema() {
            self.provider.schemas.identities.insert(name.clone(), identity);
        }
        self.provider.schemas.resources.insert(name.clone(), schema);
        let before = self.provider.resources.insert(name.clone(), Box::new(resource));
        assert!(before.is_none(), "there are two resources `{name}`");
        self
    }

    /// Adds a data source.
    ///
    /// # Panics
    /// When there is one of this type already, or its model contradicts itself. The first test tells.
    #[must_use]
    pub fn data_source<D: DataSource<Clients = C>>(mut self, data_source: D) -> Self {
        let name = self.type_name(D::TYPE);
        self.provider.schemas.data_sources.insert(
            name.clone(),
            Schema {
                version: 0,
                block: D::Model::block(),
            },
        );
        let before = self
            .provider
            .data_sources
            .insert(name.clone(), Box::new(DataOf::new(data_source)));
        assert!(before.is_none(), "there are two data sources `{name}`");
        self
    }

    /// Adds an ephemeral resource.
    ///
    /// # Panics
    /// When there is one of this type already, or its model contradicts itself. The first test tells.
    #[must_use]
    pub fn ephemeral<E: Ephemeral<Clients = C>>(mut self, ephemeral: E) -> Self {
        let name = self.type_name(E::TYPE);
        self.provider.schemas.ephemerals.insert(
            name.clone(),
            Schema {
                version: 0,
                block: E::Model::block(),
            },
        );
        let before = self
            .provider
            .ephemerals
            .insert(name.clone(), Box::new(EphemeralOf::new(ephemeral)));
        assert!(before.is_none(), "there are two ephemeral resources `{name}`");
        self
    }

    /// Adds a function.
    ///
    /// # Panics
    /// When there is one of this name already, or its arguments contradict each other. The first test tells.
    #[must_use]
    pub fn function<F: Function>(mut self, function: F) -> Self {
        let function = FunctionOf::new(function);
        self.provider
            .schemas
            .functions
            .insert(F::NAME.to_owned(), function.signature());
        let before = self.provider.functions.insert(F::NAME.to_owned(), Box::new(function));
        assert!(before.is_none(), "there are two functions `{}`", F::NAME);
        self
    }

    /// Says what a module may write in a `provider_meta` block.
    #[must_use]
    pub fn provider_meta<M: Model>(mut self) -> Self {
        self.provider.schemas.provider_meta = Schema {
            version: 0,
            block: M::block(),
        };
        self
    }

    /// The provider.
    pub fn build(self) -> Provider {
        self.provider
    }

    fn type_name(&self, ty: &str) -> String {
        format!("{}_{ty}", self.provider.name)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl<C> fmt::Debug for Builder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.provider.fmt(f)
    }
}

/// A provider block whose model is forgotten.
#[async_trait]
trait AnyRoot: Send + Sync {
    async fn validate(&self, config: Value) -> Diagnostics;
    async fn configure(&self, config: Value) -> Result<AnyClients, Diagnostics>;
}

struct RootOf<P> {
    inner: P,
    block: Block,
}

#[async_trait]
impl<P: Configure> AnyRoot for RootOf<P> {
    async fn validate(&self, config: Value) -> Diagnostics {
        self.inner.validate(&Config::new(&self.block, config)).await
    }

    async fn configure(&self, config: Value) -> Result<AnyClients, Diagnostics> {
        let clients: Arc<dyn Any + Send + Sync> =
            Arc::new(self.inner.configure(Config::new(&self.block, config)).await?);
        Ok(clients)
    }
}
