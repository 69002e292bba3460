//! What a handler is given beside its models: the clients, private data, cancellation; and a configuration not yet wholly known.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::calls::CallContext;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::planning;
use crate::schema::Block;
use crate::value::Value;
use crate::wrappers::Computed;

/// What a handler is given beside its models. `C` is what the provider made of its configuration.
pub struct Context<C> {
    clients: Arc<C>,
    cancel: CancellationToken,
    meta: Value,
    private: Mutex<Vec<u8>>,
    told: Mutex<Diagnostics>,
}

impl<C> Context<C> {
    pub(crate) fn new(clients: Arc<C>, call: &CallContext, meta: Value, private: Vec<u8>) -> Self {
        Self {
            clients,
            cancel: call.cancel.clone(),
            meta,
            private: Mutex::new(private),
            told: Mutex::new(Diagnostics::none()),
        }
    }

    /// What the provider made of its configuration.
    pub fn clients(&self) -> &C {
        &self.clients
    }

    /// Waits until Terraform asks to stop (the user pressed Ctrl-C). Select on it in everything long.
    pub async fn cancelled(&self) {
        self.cancel.cancelled().await;
    }

    /// Terraform has asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// For code that is given a token.
    pub fn cancellation(&self) -> &CancellationToken {
        &self.cancel
    }

    /// What the module's `provider_meta` block says; `None` when there is none.
    ///
    /// # Errors
    /// When it does not fit the model.
    pub fn meta<M: Model>(&self) -> Result<Option<M>, Diagnostics> {
        Option::from_value(self.meta.clone(), &Path::root())
    }

    /// What was kept beside the state with [`Context::keep_private`], in an earlier call also; `None` when nothing was.
    /// The user does not see it.
    ///
    /// # Errors
    /// When an earlier version of the provider kept something else.
    pub fn private<T: DeserializeOwned>(&self) -> Result<Option<T>, Diagnostics> {
        let private = self.private.lock().unwrap_or_else(PoisonError::into_inner);
        if private.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&private).map(Some).map_err(|error| {
            Diagnostic::error("The provider's private data cannot be read")
                .detail(format!(
                    "Beside the state of this object another version of the provider kept something that this one \
                     does not understand: {error}. To fix: use the version that wrote it, or remove the object from \
                     the state and import it again."
                ))
                .into()
        })
    }

    /// Keeps `data` beside the state for later calls, in the place of what was there.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn keep_private<T: Serialize>(&self, data: &T) -> Result<(), Diagnostics> {
        let bytes = serde_json::to_vec(data)
            .map_err(|error| Diagnostic::bug(format!("private data that JSON cannot hold: {error}")))?;
        *self.private.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(())
    }

    /// Tells the user something beside the result of a resource's operation: a warning. Errors are returned.
    pub fn tell(&self, warning: Diagnostic) {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    /// What was told, once.
    pub(crate) fn told(&self) -> Diagnostics {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut told, Diagnostics::none())
    }

    pub(crate) fn into_private(self) -> Vec<u8> {
        self.private.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Neither clients nor private data.
impl<C> fmt::Debug for Context<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

/// A configuration as the user wrote it with the defaults filled in; parts of it may be known only after apply.
#[derive(Clone)]
pub struct Config<M> {
    given: Value,
    value: Value,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Config<M> {
    pub(crate) fn new(block: &Block, given: Value) -> Self {
        let value = planning::with_defaults(block, given.clone());
        Self {
            given,
            value,
            model: PhantomData,
        }
    }

    /// The whole model; `None` while a part of it is unknown that is not [`Computed`], or does not fit its type.
    pub fn known(&self) -> Option<M> {
        M::from_value(self.value.clone(), &Path::root()).ok()
    }

    /// The whole model.
    ///
    /// # Errors
    /// When a part of it is unknown or does not fit its type; the errors name it.
    pub fn whole(&self) -> Result<M, Diagnostics> {
        M::from_value(self.value.clone(), &Path::root())
    }

    /// One attribute: `config.get::<u16>("postgres.port")`. Inside something null it is null, inside something
    /// unknown unknown; what does not fit `T` counts as unknown, for its own check tells of it.
    pub fn get<T: Field>(&self, path: impl Into<Path>) -> Computed<T> {
        let path = path.into();
        Computed::from_value(self.value.at(&path).clone(), &path).unwrap_or(Computed::Unknown)
    }

    /// The user gave it, be it known already or not; a default is not given.
    pub fn is_set(&self, path: impl Into<Path>) -> bool {
        !self.given.at(&path.into()).is_null()
    }

    /// It, or something in it, is known only after apply.
    pub fn is_unknown(&self, path: impl Into<Path>) -> bool {
        !self.value.at(&path.into()).is_wholly_known()
    }
}

/// Nothing of the values: some are secret.
impl<M> fmt::Debug for Config<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}
