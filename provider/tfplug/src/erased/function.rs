//! A function, its arguments' model forgotten.

use crate::calls::{CallFailure, Parameter, Signature};
use crate::diagnostic::Diagnostics;
use crate::function::Function;
use crate::model::{Field, Model};
use crate::path::{Path, Step};
use crate::schema::{Attribute, Block, Presence};
use crate::types::Type;
use crate::validate;
use crate::value::Value;

pub(crate) trait AnyFunction: Send + Sync {
    fn call(&self, arguments: Vec<Value>) -> Result<Value, CallFailure>;
}

pub(crate) struct FunctionOf<F> {
    inner: F,
    block: Block,
}

impl<F: Function> FunctionOf<F> {
    pub(crate) fn new(inner: F) -> Self {
        let block = F::Arguments::block();
        assert!(
            block.blocks.is_empty(),
            "`{}`: a function's arguments have no blocks",
            F::NAME
        );
        if F::VARIADIC {
            let last = block.attributes.last().map(|attribute| attribute.kind.ty());
            assert!(
                matches!(last, Some(Type::List(_))),
                "`{}`: the last argument must be a Vec",
                F::NAME
            );
        }
        Self { inner, block }
    }

    pub(crate) fn signature(&self) -> Signature {
        let mut parameters: Vec<Parameter> = self.block.attributes.iter().map(parameter).collect();
        let variadic = if F::VARIADIC { parameters.pop() } else { None }.map(|mut last| {
            if let Type::List(element) = last.ty {
                last.ty = *element;
            }
            last
        });
        Signature {
            summary: self.block.description.lines().next().unwrap_or_default().to_owned(),
            description: self.block.description.clone(),
            parameters,
            variadic,
            output: F::Output::shape().kind.ty(),
            deprecated: self.block.deprecated.clone(),
        }
    }

    /// The argument that an error at `path` is about.
    fn argument(&self, path: &Path) -> Option<usize> {
        let Some(Step::Attribute(name)) = path.steps().first() else {
            return None;
        };
        let position = self
            .block
            .attributes
            .iter()
            .position(|attribute| attribute.name == *name)?;
        match path.steps().get(1) {
            Some(Step::Index(element)) if F::VARIADIC && position + 1 == self.block.attributes.len() => {
                Some(position + element)
            }
            _ => Some(position),
        }
    }

    fn failure(&self, diagnostics: &Diagnostics) -> CallFailure {
        let Some(first) = diagnostics.iter().find(|diagnostic| diagnostic.is_error()) else {
            return CallFailure {
                message: String::new(),
                argument: None,
            };
        };
        let message = if first.detail.is_empty() {
            first.summary.clone()
        } else {
            first.detail.clone()
        };
        CallFailure {
            message,
            argument: self.argument(&first.path),
        }
    }
}

fn parameter(attribute: &Attribute) -> Parameter {
    Parameter {
        name: attribute.name.clone(),
        description: attribute.description.clone(),
        ty: attribute.kind.ty(),
        allow_null: attribute.presence != Presence::Required,
        allow_unknown: attribute.presence == Presence::Computed,
    }
}

impl<F: Function> AnyFunction for FunctionOf<F> {
    fn call(&self, arguments: Vec<Value>) -> Result<Value, CallFailure> {
        let mut arguments = arguments.into_iter();
        let last = self.block.attributes.len();
        let mut values = std::collections::BTreeMap::new();
        for (i, attribute) in self.block.attributes.iter().enumerate() {
            let value = if F::VARIADIC && i + 1 == last {
                Value::List(arguments.by_ref().collect())
            } else {
                match arguments.next() {
                    Some(Value::Null) if attribute.default.is_some() => attribute.default.clone().unwrap_or_default(),
                    Some(value) => value,
                    None => {
                        let message = format!("The argument `{}` is missing.", attribute.name);
                        return Err(CallFailure {
                            message,
                            argument: Some(i),
                        });
                    }
                }
            };
            values.insert(attribute.name.clone(), value);
        }
        let values = Value::Map(values);
        let found = validate::config(&self.block, &values, true);
        if found.has_errors() {
            return Err(self.failure(&found));
        }
        let arguments =
            F::Arguments::from_value(values, &Path::root()).map_err(|diagnostics| self.failure(&diagnostics))?;
        match self.inner.call(arguments) {
            Ok(output) => Ok(output.into_value()),
            Err(error) => Err(CallFailure {
                message: error.message,
                argument: error
                    .parameter
                    .and_then(|name| self.argument(&Path::root().attribute(name))),
            }),
        }
    }
}
