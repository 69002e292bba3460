//! What a provider tells Terraform of its configuration: attributes, nested attributes and blocks.
//! Schemas are made by `#[derive(Model)]`; this is what the server, the planner and the pages read.

use crate::types::Type;
use crate::validate::{Relation, Validator};
use crate::value::Value;

/// A versioned schema of a resource, a data source, an ephemeral resource or a provider.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Counts up when stored state must be upgraded; from 0.
    pub version: i64,
    /// Its attributes and blocks.
    pub block: Block,
}

/// A group of attributes, and of blocks where Terraform allows them.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// Markdown.
    pub description: String,
    /// What to use instead; `None` when it is not deprecated.
    pub deprecated: Option<String>,
    /// In the order of the struct's fields.
    pub attributes: Vec<Attribute>,
    /// In the order of the struct's fields; empty in a nested attribute, where Terraform allows none.
    pub blocks: Vec<NestedBlock>,
}

/// One attribute.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attribute {
    /// Snake case.
    pub name: String,
    /// A plain type, or attributes of its own.
    pub kind: Kind,
    /// Who gives the value.
    pub presence: Presence,
    /// Markdown.
    pub description: String,
    /// Terraform does not print it; it is in the state all the same.
    pub sensitive: bool,
    /// In the configuration only: never in plan or state.
    pub write_only: bool,
    /// What to use instead; `None` when it is not deprecated.
    pub deprecated: Option<String>,
    /// What stands in the place of null in the configuration.
    pub default: Option<Value>,
    /// A change of it makes a new resource.
    pub replace: bool,
    /// Once known it stays: a plan does not make it unknown again.
    pub keep: bool,
    /// It is a part of what identifies the resource.
    pub identity: bool,
    /// What its value must be.
    pub validators: Vec<Validator>,
    /// Which of its siblings it needs or excludes.
    pub relations: Vec<Relation>,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A value of this type.
    Plain(Type),
    /// Attributes of its own, once or many times.
    Nested(Nesting, Block),
}

/// How many times a nested attribute or a block is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Nesting {
    /// Once.
    Single,
    /// Any number of times, in order.
    List,
    /// Any number of times, all different, in no order.
    Set,
    /// By name.
    Map,
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// The user must.
    Required,
    /// The user may; null otherwise.
    Optional,
    /// The provider does.
    Computed,
    /// The user may; the provider does otherwise.
    OptionalComputed,
}

/// A block: `timeouts { … }`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NestedBlock {
    /// Snake case.
    pub name: String,
    /// How many times it may be there; never [`Nesting::Map`].
    pub nesting: Nesting,
    /// At least this many times.
    pub min_items: u32,
    /// Its attributes and blocks.
    pub block: Block,
}

impl Presence {
    /// The provider may give the value.
    pub fn is_computed(self) -> bool {
        matches!(self, Self::Computed | Self::OptionalComputed)
    }

    /// The user may leave it out, and may give it.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalComputed)
    }
}

impl Schema {
    /// The type of a whole value of this schema.
    pub fn ty(&self) -> Type {
        self.block.ty()
    }
}

impl Block {
    /// The type of a value of this block: an object.
    pub fn ty(&self) -> Type {
        let attributes = self
            .attributes
            .iter()
            .map(|attribute| (attribute.name.clone(), attribute.kind.ty()));
        let blocks = self
            .blocks
            .iter()
            .map(|block| (block.name.clone(), block.nesting.of(block.block.ty())));
        Type::object(attributes.chain(blocks))
    }

    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// Everything in it is the provider's to give.
    pub(crate) fn make_computed(&mut self) {
        for attribute in &mut self.attributes {
            attribute.presence = Presence::Computed;
            attribute.default = None;
            attribute.replace = false;
            attribute.validators.clear();
            attribute.relations.clear();
            if let Kind::Nested(_, block) = &mut attribute.kind {
                block.make_computed();
            }
        }
    }

    /// Everything in it is in the configuration only.
    pub(crate) fn make_write_only(&mut self) {
        for attribute in &mut self.attributes {
            if attribute.presence.is_computed() {
                attribute.presence = Presence::Optional;
            }
            attribute.write_only = true;
            attribute.default = None;
            attribute.replace = false;
            attribute.keep = false;
            if let Kind::Nested(_, block) = &mut attribute.kind {
                block.make_write_only();
            }
        }
    }
}

impl Kind {
    /// The type of a value of this kind.
    pub fn ty(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Nested(nesting, block) => nesting.of(block.ty()),
        }
    }
}

impl Nesting {
    fn of(self, object: Type) -> Type {
        match self {
            Self::Single => object,
            Self::List => Type::list(object),
            Self::Set => Type::set(object),
            Self::Map => Type::map(object),
        }
    }
}
