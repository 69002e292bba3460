//! A function that configurations call: `provider::mlplat::render_env(…)`.

use std::fmt;

use crate::model::{Field, Model};

/// A pure function: the same arguments, the same result, no network, no clock.
///
/// The arguments are a model's fields in order. `Option` takes null, [`Computed`](crate::Computed) takes null and
/// unknown. When [`Function::VARIADIC`] is set, the last field is a `Vec` and takes all remaining arguments.
/// The model's doc comment is the function's description, its first line the summary.
pub trait Function: Send + Sync + 'static {
    /// The parameters, in order.
    type Arguments: Model;
    /// The result.
    type Output: Field;

    /// The function's name.
    const NAME: &'static str;
    /// The last parameter takes any number of arguments.
    const VARIADIC: bool = false;

    /// Computes the result.
    ///
    /// # Errors
    /// When the arguments make no sense together.
    fn call(&self, arguments: Self::Arguments) -> Result<Self::Output, FunctionError>;
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What failed, why, and what to do.
    pub message: String,
    /// The parameter that it is about; `None` when it is about none.
    pub parameter: Option<String>,
}

impl FunctionError {
    /// About the call as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            parameter: None,
        }
    }

    /// About one parameter, by its name.
    pub fn parameter(name: &str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            parameter: Some(name.to_owned()),
        }
    }
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parameter {
            Some(name) => write!(f, "`{name}`: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for FunctionError {}
