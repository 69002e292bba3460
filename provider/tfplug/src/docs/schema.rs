//! The Schema section of a page: arguments and attributes by who gives them, nested ones below with an anchor.

use std::collections::VecDeque;

use crate::docs::type_words;
use crate::schema::{Attribute, Block, Kind, NestedBlock, Nesting, Presence};
use crate::validate::Relation;
use crate::value::Value;

/// A nested group that has its own heading further down.
struct Below<'a> {
    block: &'a Block,
    path: Vec<&'a str>,
    anchor: String,
}

pub(super) fn section(page: &mut String, block: &Block) {
    if block.attributes.is_empty() && block.blocks.is_empty() {
        return;
    }
    page.push_str("\n## Schema\n");
    let mut below = VecDeque::new();
    group(page, block, &[], true, &mut below);
    while let Some(next) = below.pop_front() {
        let path = next.path.join(".");
        page.push_str(&format!(
            "\n<a id=\"{}\"></a>\n### Nested Schema for `{path}`\n",
            next.anchor
        ));
        let mut inner = VecDeque::new();
        group(page, next.block, &next.path, false, &mut inner);
        // What is nested follows right below, before the siblings.
        while let Some(last) = inner.pop_back() {
            below.push_front(last);
        }
    }
}

fn group<'a>(page: &mut String, block: &'a Block, path: &[&'a str], top: bool, below: &mut VecDeque<Below<'a>>) {
    let titles = [
        ("Required", &[Presence::Required][..]),
        ("Optional", &[Presence::Optional, Presence::OptionalComputed][..]),
        ("Read-Only", &[Presence::Computed][..]),
    ];
    for (title, presences) in titles {
        let mut attributes: Vec<&Attribute> = block
            .attributes
            .iter()
            .filter(|attribute| presences.contains(&attribute.presence))
            .collect();
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        let mut blocks: Vec<&NestedBlock> = block
            .blocks
            .iter()
            .filter(|block| presences.contains(&presence(block)))
            .collect();
        blocks.sort_by(|a, b| a.name.cmp(&b.name));
        if attributes.is_empty() && blocks.is_empty() {
            continue;
        }
        page.push_str(&if top {
            format!("\n### {title}\n")
        } else {
            format!("\n{title}:\n")
        });
        if attributes.iter().any(|attribute| attribute.write_only) {
            page.push_str("\n> **NOTE**: Write-only arguments need Terraform or OpenTofu 1.11 or newer.\n");
        }
        page.push('\n');
        for attribute in attributes {
            line(page, &attribute.name, &words(attribute), &text(attribute));
            if let Kind::Nested(_, inner) = &attribute.kind {
                link(page, "nestedatt", inner, path, &attribute.name, below);
            }
            page.push('\n');
        }
        for inner in blocks {
            let words = format!("Block{}", many(inner.nesting));
            line(page, &inner.name, &words, &one_line(&inner.block.description));
            link(page, "nestedblock", &inner.block, path, &inner.name, below);
            page.push('\n');
        }
    }
}

fn presence(block: &NestedBlock) -> Presence {
    if block.min_items > 0 {
        Presence::Required
    } else {
        Presence::Optional
    }
}

fn line(page: &mut String, name: &str, words: &str, text: &str) {
    page.push_str(format!("- `{name}` ({words}) {text}").trim_end());
}

fn link<'a>(
    page: &mut String,
    kind: &str,
    block: &'a Block,
    path: &[&'a str],
    name: &'a str,
    below: &mut VecDeque<Below<'a>>,
) {
    let path: Vec<&str> = path.iter().copied().chain([name]).collect();
    let anchor = format!("{kind}--{}", path.join("--"));
    page.push_str(&format!(" (see [below for nested schema](#{anchor}))"));
    below.push_back(Below { block, path, anchor });
}

fn words(attribute: &Attribute) -> String {
    let mut words = vec![match &attribute.kind {
        Kind::Plain(ty) => type_words(ty),
        Kind::Nested(nesting, _) => format!("Attributes{}", many(*nesting)),
    }];
    if attribute.sensitive {
        words.push("Sensitive".to_owned());
    }
    if attribute.write_only {
        words.push("Write-only".to_owned());
    }
    if attribute.deprecated.is_some() {
        words.push("Deprecated".to_owned());
    }
    words.join(", ")
}

fn many(nesting: Nesting) -> &'static str {
    match nesting {
        Nesting::Single => "",
        Nesting::List => " List",
        Nesting::Set => " Set",
        Nesting::Map => " Map",
    }
}

/// The author's text, and in sentences what the schema knows beside it.
fn text(attribute: &Attribute) -> String {
    let mut sentences = vec![one_line(&attribute.description)];
    if let Some(instead) = &attribute.deprecated {
        sentences.push(format!("**Deprecated.** {instead}"));
    }
    sentences.extend(
        attribute
            .validators
            .iter()
            .map(|validator| validator.description().to_owned()),
    );
    match &attribute.default {
        Some(Value::Bool(default)) => sentences.push(format!("Defaults to `{default}`.")),
        Some(Value::Number(default)) => sentences.push(format!("Defaults to `{default}`.")),
        Some(Value::String(default)) if !attribute.sensitive => sentences.push(format!("Defaults to `{default}`.")),
        _ => {}
    }
    sentences.extend(attribute.relations.iter().map(relation));
    if attribute.replace {
        sentences.push("Changing it makes a new resource.".to_owned());
    }
    sentences.retain(|sentence| !sentence.is_empty());
    sentences.join(" ")
}

fn relation(relation: &Relation) -> String {
    let list = |names: &[String]| {
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    match relation {
        Relation::ConflictsWith(others) => format!("Cannot be set beside {}.", list(others)),
        Relation::RequiredWith(others) => format!("Needs {} beside it.", list(others)),
        Relation::ExactlyOneOf(others) => format!("Exactly one of this and {} must be set.", list(others)),
        Relation::AtLeastOneOf(others) => format!("At least one of this and {} must be set.", list(others)),
    }
}

/// Markdown for a list item: lines of a paragraph are joined, further paragraphs follow on the same line.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
