//! The provider's pages in the registry's layout, made of the models' doc comments. Deterministic: a test can compare.

mod schema;

use std::collections::BTreeMap;

use crate::calls::{IdentitySchema, Parameter, Signature};
use crate::provider::{Kind, Provider};
use crate::schema::Schema;
use crate::types::Type;

impl Provider {
    /// Every page by its path in `docs/`: `index.md`, `resources/environment.md`, `functions/render_env.md`, …
    ///
    /// `example` gives the text of a file of the examples folder, in the registry's layout: `provider/provider.tf`,
    /// `resources/<type>/resource.tf`, `resources/<type>/import.sh`, `data-sources/<type>/data-source.tf`,
    /// `ephemeral-resources/<type>/ephemeral-resource.tf`, `functions/<name>/function.tf`; `None` when there is none.
    pub fn pages(&self, example: impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
        let schemas = self.schemas();
        let mut pages = BTreeMap::new();
        pages.insert(
            "index.md".to_owned(),
            self.index(&schemas.provider, example("provider/provider.tf")),
        );
        for (ty, schema) in &schemas.resources {
            let mut page = self.page(ty, Kind::Resource, schema);
            usage(&mut page, example(&format!("resources/{ty}/resource.tf")));
            schema::section(&mut page, &schema.block);
            import(
                &mut page,
                ty,
                schemas.identities.get(ty),
                example(&format!("resources/{ty}/import.sh")),
            );
            pages.insert(format!("resources/{}.md", self.suffix(ty)), page);
        }
        for (ty, schema) in &schemas.data_sources {
            let mut page = self.page(ty, Kind::DataSource, schema);
            usage(&mut page, example(&format!("data-sources/{ty}/data-source.tf")));
            schema::section(&mut page, &schema.block);
            pages.insert(format!("data-sources/{}.md", self.suffix(ty)), page);
        }
        for (ty, schema) in &schemas.ephemerals {
            let mut page = self.page(ty, Kind::Ephemeral, schema);
            page.push_str(
                "\n~> Ephemeral resources are there during one run of Terraform and in no plan and no state. They need \
                 Terraform 1.10 or newer.\n",
            );
            usage(
                &mut page,
                example(&format!("ephemeral-resources/{ty}/ephemeral-resource.tf")),
            );
            schema::section(&mut page, &schema.block);
            pages.insert(format!("ephemeral-resources/{}.md", self.suffix(ty)), page);
        }
        for (name, signature) in &schemas.functions {
            let text = example(&format!("functions/{name}/function.tf"));
            pages.insert(
                format!("functions/{name}.md"),
                self.function_page(name, signature, text),
            );
        }
        pages
    }

    fn suffix<'a>(&self, ty: &'a str) -> &'a str {
        ty.strip_prefix(self.name())
            .and_then(|rest| rest.strip_prefix('_'))
            .unwrap_or(ty)
    }

    fn index(&self, schema: &Schema, text: Option<String>) -> String {
        let name = self.name();
        let mut page = front_matter(&format!("Provider: {name}"), None, &schema.block.description);
        heading(&mut page, &format!("{name} Provider"), schema);
        usage(&mut page, text);
        schema::section(&mut page, &schema.block);
        page
    }

    fn page(&self, ty: &str, kind: Kind, schema: &Schema) -> String {
        let words = match kind {
            Kind::Resource => "Resource",
            Kind::DataSource => "Data Source",
            Kind::Ephemeral => "Ephemeral Resource",
        };
        let title = format!("{ty} {words} - {}", self.name());
        let mut page = front_matter(&title, Some(self.subcategory(kind, ty)), &schema.block.description);
        heading(&mut page, &format!("{ty} ({words})"), schema);
        page
    }

    fn function_page(&self, name: &str, signature: &Signature, text: Option<String>) -> String {
        let title = format!("{name} function - {}", self.name());
        let mut page = front_matter(&title, Some(""), &signature.description);
        page.push_str(&format!("\n# function: {name}\n"));
        deprecated(&mut page, signature.deprecated.as_deref());
        paragraph(&mut page, &signature.description);
        usage(&mut page, text);
        let parameter = |parameter: &Parameter| format!("{} {}", parameter.name, parameter.ty);
        let mut all: Vec<String> = signature.parameters.iter().map(parameter).collect();
        all.extend(
            signature
                .variadic
                .as_ref()
                .map(|last| format!("{}...", parameter(last))),
        );
        let output = &signature.output;
        page.push_str(&format!(
            "\n## Signature\n\n```text\n{name}({}) {output}\n```\n",
            all.join(", ")
        ));
        if all.is_empty() {
            return page;
        }
        page.push_str("\n## Arguments\n\n");
        for (i, parameter) in signature.parameters.iter().enumerate() {
            let words = if parameter.allow_null { ", Nullable" } else { "" };
            argument(&mut page, i + 1, parameter, words);
        }
        if let Some(last) = &signature.variadic {
            argument(&mut page, signature.parameters.len() + 1, last, ", Variadic");
        }
        page
    }
}

fn argument(page: &mut String, number: usize, parameter: &Parameter, words: &str) {
    let text = schema::one_line(&parameter.description);
    let item = format!(
        "{number}. `{}` ({}{words}) {text}",
        parameter.name,
        type_words(&parameter.ty)
    );
    page.push_str(item.trim_end());
    page.push('\n');
}

fn front_matter(title: &str, subcategory: Option<&str>, description: &str) -> String {
    let first = description.split("\n\n").next().unwrap_or_default();
    let mut text = format!("---\npage_title: \"{title}\"\n");
    if let Some(subcategory) = subcategory {
        text.push_str(&format!("subcategory: \"{subcategory}\"\n"));
    }
    text.push_str("description: |-\n");
    for line in first.lines() {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str("---\n");
    text
}

fn heading(page: &mut String, title: &str, schema: &Schema) {
    page.push_str(&format!("\n# {title}\n"));
    deprecated(page, schema.block.deprecated.as_deref());
    paragraph(page, &schema.block.description);
}

fn deprecated(page: &mut String, instead: Option<&str>) {
    if let Some(instead) = instead {
        page.push_str(&format!("\n!> **Deprecated.** {instead}\n"));
    }
}

fn paragraph(page: &mut String, text: &str) {
    if !text.is_empty() {
        page.push_str(&format!("\n{text}\n"));
    }
}

fn usage(page: &mut String, text: Option<String>) {
    if let Some(text) = text {
        page.push_str(&format!(
            "\n## Example Usage\n\n```terraform\n{}\n```\n",
            text.trim_end()
        ));
    }
}

fn import(page: &mut String, ty: &str, identity: Option<&IdentitySchema>, text: Option<String>) {
    if text.is_none() && identity.is_none() {
        return;
    }
    page.push_str("\n## Import\n");
    if let Some(text) = text {
        page.push_str(&format!("\n```shell\n{}\n```\n", text.trim_end()));
    }
    if let Some(identity) = identity {
        page.push_str(&format!(
            "\nFrom Terraform 1.12 on an `import` block can name it by its identity:\n\n```terraform\nimport {{\n  \
             to = {ty}.example\n  identity = {{\n"
        ));
        let width = identity
            .attributes
            .iter()
            .map(|attribute| attribute.name.len())
            .max()
            .unwrap_or(0);
        for attribute in &identity.attributes {
            let note = if attribute.required_for_import {
                ""
            } else {
                " # optional"
            };
            page.push_str(&format!(
                "    {:width$} = {}{note}\n",
                attribute.name,
                placeholder(&attribute.ty)
            ));
        }
        page.push_str("  }\n}\n```\n");
    }
}

fn placeholder(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "true",
        Type::Number => "1",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[]",
        _ => "\"…\"",
    }
}

/// `List of String`, as the registry's pages say it.
fn type_words(ty: &Type) -> String {
    match ty {
        Type::Bool => "Boolean".to_owned(),
        Type::Number => "Number".to_owned(),
        Type::String => "String".to_owned(),
        Type::Dynamic => "Dynamic".to_owned(),
        Type::List(element) => format!("List of {}", type_words(element)),
        Type::Set(element) => format!("Set of {}", type_words(element)),
        Type::Map(element) => format!("Map of {}", type_words(element)),
        Type::Object(_) => "Object".to_owned(),
        Type::Tuple(_) => "Tuple".to_owned(),
    }
}
