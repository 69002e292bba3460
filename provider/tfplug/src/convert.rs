//! Schemas, functions and diagnostics in the protocol's words.

use std::{
    collections::{BTreeMap, HashMap},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    calls::{Parameter, Signature},
    codec::type_to_json,
    diagnostic::{Diagnostic, Diagnostics, Severity},
    generated::tfplugin6 as wire,
    path::{Path, Step},
    schema::{Attribute, Block, Kind, NestedBlock, Nesting, Presence, Schema},
};

const MARKDOWN: i32 = wire::StringKind::Markdown as i32;

pub(crate) fn schema(schema: &Schema) -> wire::Schema {
    let block = wire::schema::Block {
        version: schema.version,
        ..block(&schema.block)
    };
    wire::Schema {
        version: schema.version,
        block: Some(block),
    }
}

fn block(block: &Block) -> wire::schema::Block {
    wire::schema::Block {
        version: 0,
        attributes: block.attributes.iter().map(attribute).collect(),
        block_types: block.blocks.iter().map(nested_block).collect(),
        description: block.description.clone(),
        description_kind: MARKDOWN,
        deprecated: block.deprecated.is_some(),
    }
}

fn attribute(attribute: &Attribute) -> wire::schema::Attribute {
    let (ty, nested_type) = match &attribute.kind {
        Kind::Plain(ty) => (type_to_json(ty), None),
        Kind::Nested(nesting, block) => (Vec::new(), Some(object(*nesting, block))),
    };
    wire::schema::Attribute {
        name: attribute.name.clone(),
        r#type: ty,
        description: attribute.description.clone(),
        required: attribute.presence == Presence::Required,
        optional: attribute.presence.is_optional(),
        computed: attribute.presence.is_computed(),
        sensitive: attribute.sensitive,
        description_kind: MARKDOWN,
        deprecated: attribute.deprecated.is_some(),
        nested_type,
        write_only: attribute.write_only,
    }
}

fn object(nesting: Nesting, block: &Block) -> wire::schema::Object {
    use wire::schema::object::NestingMode;
    let nesting = match nesting {
        Nesting::Single => NestingMode::Single,
        Nesting::List => NestingMode::List,
        Nesting::Set => NestingMode::Set,
        Nesting::Map => NestingMode::Map,
    };
    wire::schema::Object {
        attributes: block.attributes.iter().map(attribute).collect(),
        nesting: nesting.into(),
    }
}

fn nested_block(nested: &NestedBlock) -> wire::schema::NestedBlock {
    use wire::schema::nested_block::NestingMode;
    // 0 = any number; for a block that stands once Terraform wants both limits to be equal.
    let (nesting, max_items) = match nested.nesting {
        Nesting::Single => (NestingMode::Single, nested.min_items),
        Nesting::List => (NestingMode::List, 0),
        Nesting::Set => (NestingMode::Set, 0),
        Nesting::Map => (NestingMode::Map, 0),
    };
    wire::schema::NestedBlock {
        type_name: nested.name.clone(),
        block: Some(block(&nested.block)),
        nesting: nesting.into(),
        min_items: nested.min_items.into(),
        max_items: max_items.into(),
    }
}

pub(crate) fn diagnostics(diagnostics: Diagnostics) -> Vec<wire::Diagnostic> {
    diagnostics.into_iter().map(diagnostic).collect()
}

fn diagnostic(diagnostic: Diagnostic) -> wire::Diagnostic {
    let severity = match diagnostic.severity {
        Severity::Error => wire::diagnostic::Severity::Error,
        Severity::Warning => wire::diagnostic::Severity::Warning,
    };
    let attribute = (!diagnostic.path.is_root()).then(|| path(&diagnostic.path));
    wire::Diagnostic {
        severity: severity.into(),
        summary: diagnostic.summary,
        detail: diagnostic.detail,
        attribute,
    }
}

pub(crate) fn path(path: &Path) -> wire::AttributePath {
    use wire::attribute_path::{Step as WireStep, step::Selector};
    let steps = path.steps().iter().map(|step| match step {
        Step::Attribute(name) => Selector::AttributeName(name.clone()),
        Step::Key(key) => Selector::ElementKeyString(key.clone()),
        Step::Index(index) => Selector::ElementKeyInt(i64::try_from(*index).unwrap_or(i64::MAX)),
    });
    wire::AttributePath {
        steps: steps
            .map(|selector| WireStep {
                selector: Some(selector),
            })
            .collect(),
    }
}

/// Times before 1970 become 1970: "renew at once" all the same.
pub(crate) fn timestamp(time: SystemTime) -> prost_types::Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    prost_types::Timestamp {
        seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since.subsec_nanos()).expect("less than a thousand million"),
    }
}

pub(crate) fn schemas(schemas: &BTreeMap<String, Schema>) -> HashMap<String, wire::Schema> {
    schemas.iter().map(|(name, one)| (name.clone(), schema(one))).collect()
}

pub(crate) fn functions(signatures: &BTreeMap<String, Signature>) -> HashMap<String, wire::Function> {
    signatures
        .iter()
        .map(|(name, signature)| (name.clone(), function(signature)))
        .collect()
}

fn function(signature: &Signature) -> wire::Function {
    wire::Function {
        parameters: signature.parameters.iter().map(parameter).collect(),
        variadic_parameter: signature.variadic.as_ref().map(parameter),
        r#return: Some(wire::function::Return {
            r#type: type_to_json(&signature.output),
        }),
        summary: signature.summary.clone(),
        description: signature.description.clone(),
        description_kind: MARKDOWN,
        deprecation_message: signature.deprecated.clone().unwrap_or_default(),
    }
}

fn parameter(parameter: &Parameter) -> wire::function::Parameter {
    wire::function::Parameter {
        name: parameter.name.clone(),
        r#type: type_to_json(&parameter.ty),
        allow_null_value: parameter.allow_null,
        allow_unknown_values: parameter.allow_unknown,
        description: parameter.description.clone(),
        description_kind: MARKDOWN,
    }
}
