//! The vocabulary of `#[derive(Model)]`: what each `#[model(…)]` word does to an attribute. For derived code.

use std::fmt::Display;
use std::marker::PhantomData;

use crate::diagnostic::Diagnostics;
use crate::model::{Field, Shape};
use crate::number::Number;
use crate::path::Path;
use crate::schema::{Attribute, Block, Kind, NestedBlock, Nesting, Presence};
use crate::validate::{Relation, Validator};
use crate::value::Value;

/// An attribute on its way into a schema; `T` is the field's type.
#[derive(Debug)]
pub struct Declared<T> {
    attribute: Attribute,
    field: PhantomData<T>,
}

/// The attribute of a field of type `T`.
pub fn attribute<T: Field>(name: &str, description: &str) -> Declared<T> {
    let Shape {
        mut kind,
        presence,
        sensitive,
        write_only,
    } = T::shape();
    let mut description = description.to_owned();
    if let (true, Kind::Nested(_, block)) = (description.is_empty(), &kind) {
        description.clone_from(&block.description);
    }
    if let (true, Kind::Nested(_, block)) = (write_only, &mut kind) {
        block.make_write_only();
    }
    let attribute = Attribute {
        name: name.to_owned(),
        kind,
        presence,
        description,
        sensitive,
        write_only,
        deprecated: None,
        default: None,
        replace: false,
        keep: false,
        identity: false,
        validators: Vec::new(),
        relations: Vec::new(),
    };
    Declared {
        attribute,
        field: PhantomData,
    }
}

/// The block of a field of type `T`.
///
/// # Panics
/// When `T` holds no model, or is a map: Terraform has no such blocks. The first test of the provider tells.
pub fn block<T: Field>(name: &str, description: &str) -> NestedBlock {
    let shape = T::shape();
    let Kind::Nested(nesting, mut block) = shape.kind else {
        panic!("`{name}`: a block's field must be a model, or an Option, a Vec or a BTreeSet of one");
    };
    assert!(
        nesting != Nesting::Map,
        "`{name}`: Terraform has no blocks by name; make it an attribute"
    );
    if !description.is_empty() {
        description.clone_into(&mut block.description);
    }
    let min_items = u32::from(nesting == Nesting::Single && shape.presence == Presence::Required);
    NestedBlock {
        name: name.to_owned(),
        nesting,
        min_items,
        block,
    }
}

impl<T: Field> Declared<T> {
    /// `replace`
    pub fn replace(mut self) -> Self {
        self.attribute.replace = true;
        self
    }

    /// `keep`
    pub fn keep(mut self) -> Self {
        self.attribute.keep = true;
        self
    }

    /// `identity`
    pub fn identity(mut self) -> Self {
        self.attribute.identity = true;
        self
    }

    /// `sensitive`
    pub fn sensitive(mut self) -> Self {
        self.attribute.sensitive = true;
        self
    }

    /// `optional`
    pub fn optional(mut self) -> Self {
        self.attribute.presence = match self.attribute.presence {
            Presence::Computed | Presence::OptionalComputed => Presence::OptionalComputed,
            Presence::Required | Presence::Optional => Presence::Optional,
        };
        self
    }

    /// `required`
    pub fn required(mut self) -> Self {
        self.attribute.presence = Presence::Required;
        self
    }

    /// `deprecated = "…"`
    pub fn deprecated(mut self, instead: &str) -> Self {
        self.attribute.deprecated = Some(instead.to_owned());
        self
    }

    /// `default = …`
    pub fn default(mut self, value: T::Plain) -> Self {
        self.attribute.default = Some(value.into_value());
        self.attribute.presence = Presence::OptionalComputed;
        self
    }

    /// `one_of = […]`
    pub fn one_of<S: AsRef<str>>(self, choices: impl IntoIterator<Item = S>) -> Self {
        self.validator(Validator::one_of(choices))
    }

    /// `range = …`
    pub fn range(self, min: Option<Number>, max: Option<Number>) -> Self {
        self.validator(Validator::range(min, max))
    }

    /// `length = …`
    pub fn length(self, min: Option<Number>, max: Option<Number>) -> Self {
        self.validator(Validator::length(min, max))
    }

    /// `validate = …`
    pub fn validate<E: Display>(self, check: impl Fn(&T::Plain) -> Result<(), E> + Send + Sync + 'static) -> Self {
        self.validator(Validator::custom(move |value: &Value| {
            match T::Plain::from_value(value.clone(), &Path::root()) {
                Ok(plain) => check(&plain).map_err(|error| error.to_string()),
                // Another validator says that the type does not fit.
                Err(_) => Ok(()),
            }
        }))
    }

    /// `conflicts_with = […]`
    pub fn conflicts_with(self, others: &[&str]) -> Self {
        self.relation(Relation::ConflictsWith, others)
    }

    /// `required_with = […]`
    pub fn required_with(self, others: &[&str]) -> Self {
        self.relation(Relation::RequiredWith, others)
    }

    /// `exactly_one_of = […]`
    pub fn exactly_one_of(self, others: &[&str]) -> Self {
        self.relation(Relation::ExactlyOneOf, others)
    }

    /// `at_least_one_of = […]`
    pub fn at_least_one_of(self, others: &[&str]) -> Self {
        self.relation(Relation::AtLeastOneOf, others)
    }

    fn relation(mut self, relation: fn(Vec<String>) -> Relation, others: &[&str]) -> Self {
        self.attribute
            .relations
            .push(relation(others.iter().map(|&name| name.to_owned()).collect()));
        self
    }

    fn validator(mut self, validator: Validator) -> Self {
        self.attribute.validators.push(validator);
        self
    }

    /// The attribute, with the check that its value fits the field's type.
    ///
    /// # Panics
    /// When the words contradict each other. The first test of the provider tells.
    pub fn done(mut self) -> Attribute {
        let attribute = &mut self.attribute;
        let name = &attribute.name;
        assert!(
            !attribute.keep || attribute.presence.is_computed(),
            "`{name}`: only a computed value can be kept; make the field Computed<…>"
        );
        if attribute.presence == Presence::Computed {
            assert!(
                !attribute.replace,
                "`{name}`: the user cannot change it, so it cannot ask for a replacement"
            );
            if let Kind::Nested(_, block) = &mut attribute.kind {
                block.make_computed();
            }
        } else if let Kind::Plain(_) = attribute.kind {
            attribute.validators.push(Validator::custom(|value: &Value| {
                T::Plain::from_value(value.clone(), &Path::root())
                    .map(drop)
                    .map_err(|error| fit(&error))
            }));
        }
        self.attribute
    }
}

/// The sentence of a conversion error, to follow the attribute's name.
fn fit(error: &Diagnostics) -> String {
    let Some(first) = error.iter().next() else {
        return String::new();
    };
    let name = if first.path.is_root() {
        "The value".to_owned()
    } else {
        format!("`{}`", first.path)
    };
    match first.detail.strip_prefix(&format!("{name} must")) {
        Some(rest) if first.path.is_root() => format!("must{}", rest.trim_end_matches('.')),
        _ => first.detail.trim_end_matches('.').to_owned(),
    }
}

/// A block of these attributes and blocks.
pub fn model(
    description: &str,
    deprecated: Option<&str>,
    attributes: Vec<Attribute>,
    blocks: Vec<NestedBlock>,
) -> Block {
    Block {
        description: description.to_owned(),
        deprecated: deprecated.map(str::to_owned),
        attributes,
        blocks,
    }
}
