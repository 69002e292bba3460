//! What a resource's own plan step sees and may change.

use std::collections::BTreeSet;
use std::fmt;

use crate::context::Config;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::model::{Field, Model};
use crate::path::Path;
use crate::schema::Block;
use crate::value::Value;
use crate::wrappers::Computed;

/// A change on its way: what is, what the user wants, what will be.
pub struct Plan<M> {
    prior: Option<M>,
    prior_value: Value,
    config: Config<M>,
    planned: Value,
    replace: BTreeSet<Path>,
    diagnostics: Diagnostics,
}

impl<M: Model> Plan<M> {
    pub(crate) fn new(block: &Block, prior: &Value, config: Value, planned: Value) -> Result<Self, Diagnostics> {
        Ok(Self {
            prior: Option::from_value(prior.clone(), &Path::root())?,
            prior_value: prior.clone(),
            config: Config::new(block, config),
            planned,
            replace: BTreeSet::new(),
            diagnostics: Diagnostics::none(),
        })
    }

    pub(crate) fn into_parts(self) -> (Value, BTreeSet<Path>, Diagnostics) {
        (self.planned, self.replace, self.diagnostics)
    }

    /// What is in the state; `None` when the resource is to be created.
    pub fn prior(&self) -> Option<&M> {
        self.prior.as_ref()
    }

    /// The configuration as the user wrote it; all null when the resource is to be destroyed.
    pub fn config(&self) -> &Config<M> {
        &self.config
    }

    /// What will be; `None` when the resource is to be destroyed, or while a part of it is unknown that is not
    /// [`Computed`].
    pub fn planned(&self) -> Option<M> {
        M::from_value(self.planned.clone(), &Path::root()).ok()
    }

    /// One attribute of what will be: `plan.get::<u16>("postgres.port")`. Inside something null it is null, inside
    /// something unknown unknown; what does not fit `T` counts as unknown.
    pub fn get<T: Field>(&self, path: impl Into<Path>) -> Computed<T> {
        let path = path.into();
        Computed::from_value(self.planned.at(&path).clone(), &path).unwrap_or(Computed::Unknown)
    }

    /// There is no resource yet.
    pub fn is_create(&self) -> bool {
        self.prior_value.is_null()
    }

    /// The resource is there and stays, changed or not.
    pub fn is_update(&self) -> bool {
        !self.prior_value.is_null() && !self.planned.is_null()
    }

    /// The resource is to go.
    pub fn is_destroy(&self) -> bool {
        self.planned.is_null()
    }

    /// What will be differs from what is, as planned up to here.
    pub fn has_changes(&self) -> bool {
        self.planned != self.prior_value
    }

    /// This attribute will differ from what it is, or may: it is unknown.
    pub fn changes(&self, path: impl Into<Path>) -> bool {
        let path = path.into();
        self.planned.at(&path) != self.prior_value.at(&path)
    }

    /// Plans a value. Terraform takes one for an attribute only that is computed and that the user did not give.
    pub fn set<T: Field>(&mut self, path: impl Into<Path>, value: T) {
        self.put(&path.into(), value.into_value());
    }

    /// Plans that the value is known only after apply; with the same rule as [`Plan::set`].
    pub fn set_unknown(&mut self, path: impl Into<Path>) {
        self.put(&path.into(), Value::Unknown);
    }

    /// Plans to keep what is in the state; with the same rule as [`Plan::set`]. Nothing changes where the state has
    /// no such object.
    pub fn keep(&mut self, path: impl Into<Path>) {
        let path = path.into();
        let parent = Path::from(path.steps()[..path.steps().len().saturating_sub(1)].to_vec());
        if matches!(self.prior_value.at(&parent), Value::Map(_)) {
            let value = self.prior_value.at(&path).clone();
            self.put(&path, value);
        }
    }

    /// Says that this change needs a new resource.
    pub fn require_replace(&mut self, path: impl Into<Path>) {
        self.replace.insert(path.into());
    }

    /// Tells the user something beside the plan; an error refuses it.
    pub fn tell(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn put(&mut self, path: &Path, value: Value) {
        match self.planned.at_mut(path) {
            Some(place) => *place = value,
            None => self.diagnostics.push(
                Diagnostic::bug(format!("The plan step sets `{path}`, which is not there in this plan.")).at(path),
            ),
        }
    }
}

/// Nothing of the values: some are secret.
impl<M> fmt::Debug for Plan<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("replace", &self.replace)
            .finish_non_exhaustive()
    }
}
