//! The words of `#[model(…)]`, read and checked.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprArray, ExprLit, ExprRange, Lit, LitStr, Meta, RangeLimits, Result, Type};

/// What one field's attributes say.
#[derive(Default)]
pub(crate) struct Words {
    /// `name = "…"`
    pub(crate) name: Option<LitStr>,
    /// `block`
    pub(crate) block: Option<Span>,
    /// The calls on the declared attribute, in order.
    pub(crate) calls: TokenStream,
    /// The first word that a block cannot have.
    pub(crate) not_for_blocks: Option<Span>,
}

const WORDS: &str = "replace, keep, optional, required, sensitive, identity, block, name, deprecated, default, one_of, \
                     range, length, validate, conflicts_with, required_with, exactly_one_of, at_least_one_of";

/// The text of the doc comments, as Markdown.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &pair.value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// `deprecated = "…"` of a struct.
pub(crate) fn of_struct(attributes: &[Attribute]) -> Result<Option<LitStr>> {
    let mut deprecated = None;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        attribute.parse_nested_meta(|word| {
            if word.path.is_ident("deprecated") {
                deprecated = Some(word.value()?.parse()?);
                return Ok(());
            }
            Err(word.error("a struct can say `deprecated = \"…\"` only; the other words stand at its fields"))
        })?;
    }
    Ok(deprecated)
}

/// The words of a field.
pub(crate) fn of_field(attributes: &[Attribute], ty: &Type) -> Result<Words> {
    let mut words = Words::default();
    let mut seen: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        attribute.parse_nested_meta(|word| {
            let name = word.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if seen.contains(&name) {
                return Err(word.error(format!("`{name}` is there twice")));
            }
            seen.push(name.clone());
            let span = word.path.span();
            if !matches!(name.as_str(), "name" | "block") {
                words.not_for_blocks.get_or_insert(span);
            }
            let ident = syn::Ident::new(if name.is_empty() { "_x" } else { &name }, span);
            let call = match name.as_str() {
                "name" => {
                    words.name = Some(word.value()?.parse()?);
                    return Ok(());
                }
                "block" => {
                    words.block = Some(span);
                    return Ok(());
                }
                "replace" | "keep" | "sensitive" | "identity" => quote!(.#ident()),
                "optional" => {
                    if wrapper(ty) != Some("Computed") {
                        return Err(word.error("`optional` is for Computed<…>; make any other field Option<…>"));
                    }
                    quote!(.optional())
                }
                "required" => {
                    if wrapper(ty) != Some("WriteOnly") {
                        return Err(word.error("`required` is for WriteOnly<…>; a plain field is required already"));
                    }
                    quote!(.required())
                }
                "deprecated" => {
                    let instead: LitStr = word.value()?.parse()?;
                    quote!(.deprecated(#instead))
                }
                "default" => {
                    if let Some(wrapper) = wrapper(ty) {
                        return Err(word.error(format!(
                            "a field with a default always has a value; make it plain, not {wrapper}<…>"
                        )));
                    }
                    match word.value() {
                        Ok(value) => default(&value.parse()?),
                        Err(_) => quote!(.default(::core::default::Default::default())),
                    }
                }
                "one_of" => {
                    let choices: Expr = word.value()?.parse()?;
                    quote!(.one_of(#choices))
                }
                "validate" => {
                    let check: Expr = word.value()?.parse()?;
                    quote!(.validate(|value| (#check)(value)))
                }
                "range" | "length" => range(&ident, &word.value()?.parse()?)?,
                "conflicts_with" | "required_with" | "exactly_one_of" | "at_least_one_of" => {
                    let names = names(&word.value()?.parse()?)?;
                    quote!(.#ident(&[#(#names),*]))
                }
                _ => return Err(word.error(format!("unknown word; a field can say: {WORDS}"))),
            };
            words.calls.extend(call);
            Ok(())
        })?;
    }
    Ok(words)
}

fn default(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(_), .. }) => quote!(.default(::core::convert::Into::into(#value))),
        value => quote!(.default(#value)),
    }
}

fn range(method: &syn::Ident, range: &ExprRange) -> Result<TokenStream> {
    if matches!((&range.limits, &range.end), (RangeLimits::HalfOpen(_), Some(_))) {
        return Err(syn::Error::new_spanned(range, "the end belongs to it: write `..=`"));
    }
    let bound = |bound: Option<&Expr>| match bound {
        Some(bound) => {
            let bound = wide(bound);
            quote!(::core::option::Option::Some(::tfplug::Number::from(#bound)))
        }
        None => quote!(::core::option::Option::None),
    };
    let (min, max) = (bound(range.start.as_deref()), bound(range.end.as_deref()));
    Ok(quote!(.#method(#min, #max)))
}

/// A whole literal as an i64; anything else as it is.
fn wide(bound: &Expr) -> TokenStream {
    match bound {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if int.suffix().is_empty() => quote!((#int as i64)),
        Expr::Unary(unary) => {
            let inner = wide(&unary.expr);
            let op = unary.op;
            quote!(#op #inner)
        }
        bound => bound.to_token_stream(),
    }
}

fn names(array: &ExprArray) -> Result<Vec<LitStr>> {
    array
        .elems
        .iter()
        .map(|element| match element {
            Expr::Lit(ExprLit {
                lit: Lit::Str(name), ..
            }) => Ok(name.clone()),
            other => Err(syn::Error::new_spanned(other, "an attribute's name, in quotes")),
        })
        .collect()
}

/// The wrapper around a field's type that says who gives the value.
fn wrapper(ty: &Type) -> Option<&'static str> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?.ident.to_string();
    ["Option", "Computed", "WriteOnly"]
        .into_iter()
        .find(|name| *name == last)
}
