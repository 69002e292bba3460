//! Nothing of protobuf, MessagePack, gRPC or TLS is in the public surface. Of our generated types the compiler sees to
//! that (they are private, and `make check` refuses a private type in a public place); here it is about other crates'.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{Fields, ImplItem, Item, Type, UseTree, Visibility};

/// The crates that stay inside, and the module of the generated code.
const INNER: [&str; 10] = [
    "generated",
    "h2",
    "prost",
    "prost_types",
    "rcgen",
    "rmp",
    "rustls",
    "tokio_rustls",
    "tonic",
    "tonic_prost",
];

#[test]
fn no_public_item_names_an_inner_crate() {
    let files = files();
    let public: BTreeSet<String> = files.iter().flat_map(|(_, items)| public_types(items)).collect();
    assert!(public.contains("Provider") && public.contains("Value"), "{public:?}");
    let mut leaks = Vec::new();
    let mut seen = 0;
    for (file, items) in &files {
        let inner = inner_names(items);
        for shown in items.iter().flat_map(|item| surface(item, &public)) {
            seen += 1;
            let mut words = shown.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            if let Some(word) = words.find(|word| inner.contains(*word)) {
                leaks.push(format!("{}: `{word}` in `{shown}`", file.display()));
            }
        }
    }
    assert!(seen > 200, "the surface is larger than {seen} items");
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// Every source file that is not generated.
fn files() -> Vec<(PathBuf, Vec<Item>)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("generated") {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == "rs") {
                let items = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap().items;
                files.push((path, items));
            }
        }
    }
    files
}

/// The inner crates, and what a file has imported from them.
fn inner_names(items: &[Item]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = INNER.map(str::to_owned).into();
    for item in items {
        if let Item::Use(import) = item {
            imported(&import.tree, false, &mut names);
        }
    }
    names
}

fn imported(tree: &UseTree, inner: bool, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => imported(&path.tree, inner || INNER.iter().any(|name| path.ident == name), names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| imported(tree, inner, names)),
        UseTree::Name(name) if inner && name.ident != "self" => drop(names.insert(name.ident.to_string())),
        UseTree::Rename(name) if inner => drop(names.insert(name.rename.to_string())),
        UseTree::Name(_) | UseTree::Rename(_) | UseTree::Glob(_) => {}
    }
}

fn public_types(items: &[Item]) -> impl Iterator<Item = String> {
    items.iter().filter_map(|item| match item {
        Item::Struct(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Enum(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        _ => None,
    })
}

/// What of an item is seen from outside, without bodies. (`unreachable_pub` sees to it that `pub` means public.)
fn surface(item: &Item, public: &BTreeSet<String>) -> Vec<String> {
    let text = |tokens: &dyn ToTokens| vec![tokens.to_token_stream().to_string()];
    match item {
        Item::Fn(item) if is_public(&item.vis) => text(&item.sig),
        Item::Type(item) if is_public(&item.vis) => text(item),
        Item::Const(item) if is_public(&item.vis) => text(&item.ty),
        Item::Use(item) if is_public(&item.vis) => text(item),
        Item::Trait(item) if is_public(&item.vis) => {
            let mut item = item.clone();
            for member in &mut item.items {
                if let syn::TraitItem::Fn(function) = member {
                    function.default = None;
                }
            }
            text(&item)
        }
        Item::Enum(item) if is_public(&item.vis) => text(item),
        Item::Struct(item) if is_public(&item.vis) => fields(&item.fields),
        Item::Impl(item) => {
            let Type::Path(target) = &*item.self_ty else {
                return Vec::new();
            };
            let name = target.path.segments.last().unwrap().ident.to_string();
            if !public.contains(&name) {
                return Vec::new();
            }
            let of = item
                .trait_
                .iter()
                .map(|(_, path, _)| path.to_token_stream().to_string());
            let members = item.items.iter().filter_map(|member| match member {
                ImplItem::Fn(function) if is_public(&function.vis) => Some(function.sig.to_token_stream().to_string()),
                ImplItem::Type(associated) => Some(associated.to_token_stream().to_string()),
                _ => None,
            });
            of.chain(members).collect()
        }
        _ => Vec::new(),
    }
}

fn fields(fields: &Fields) -> Vec<String> {
    fields
        .iter()
        .filter(|field| is_public(&field.vis))
        .map(|field| field.ty.to_token_stream().to_string())
        .collect()
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}
