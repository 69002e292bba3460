//! A data source, its model forgotten.

use async_trait::async_trait;

use crate::calls::CallContext;
use crate::context::Config;
use crate::data_source::DataSource;
use crate::diagnostic::Diagnostics;
use crate::erased::{AnyClients, context};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::planning;
use crate::schema::Block;
use crate::value::Value;

#[async_trait]
pub(crate) trait AnyData: Send + Sync {
    async fn validate(&self, config: Value) -> Diagnostics;
    async fn read(&self, config: Value, meta: Value, clients: AnyClients, call: &CallContext) -> (Value, Diagnostics);
    fn subcategory(&self) -> &'static str;
}

pub(crate) struct DataOf<D> {
    inner: D,
    block: Block,
}

impl<D: DataSource> DataOf<D> {
    pub(crate) fn new(inner: D) -> Self {
        Self {
            inner,
            block: D::Model::block(),
        }
    }
}

#[async_trait]
impl<D: DataSource> AnyData for DataOf<D> {
    async fn validate(&self, config: Value) -> Diagnostics {
        self.inner.validate(&Config::new(&self.block, config)).await
    }

    async fn read(&self, config: Value, meta: Value, clients: AnyClients, call: &CallContext) -> (Value, Diagnostics) {
        let asked = planning::with_defaults(&self.block, config);
        let read = async {
            let model = D::Model::from_value(asked.clone(), &Path::root())?;
            let context = context::<D::Clients>(clients, call, meta, Vec::new());
            self.inner.read(&context, model).await
        };
        match read.await {
            Ok(model) => {
                let mut diagnostics = Diagnostics::none();
                let value = planning::settle(&self.block, model.into_value(), &asked, D::TYPE, &mut diagnostics);
                (value, diagnostics)
            }
            Err(diagnostics) => (Value::Null, diagnostics),
        }
    }

    fn subcategory(&self) -> &'static str {
        D::SUBCATEGORY
    }
}
