//! The code that a derived model consists of.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitStr, Result};

use crate::attributes;

/// The `Model` and `Field` of one struct.
pub(crate) fn model(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            "a model is a struct with named fields",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a model has no parameters: its schema is one",
        ));
    }
    let fields = match &data.fields {
        Fields::Named(fields) => fields.named.iter().collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            return Err(Error::new_spanned(
                fields,
                "a model's fields have names: they are the attributes",
            ));
        }
    };

    let (mut declared, mut blocks, mut taken, mut given) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut seen = Vec::new();
    let mut errors: Option<Error> = None;
    for field in fields {
        let ident = field.ident.as_ref().expect("a named field has a name");
        let ty = &field.ty;
        let words = match attributes::of_field(&field.attrs, ty) {
            Ok(words) => words,
            Err(error) => {
                match &mut errors {
                    Some(errors) => errors.combine(error),
                    None => errors = Some(error),
                }
                continue;
            }
        };
        let name = words.name.unwrap_or_else(|| {
            let name = ident.to_string();
            LitStr::new(name.strip_prefix("r#").unwrap_or(&name), ident.span())
        });
        if !is_attribute_name(&name.value()) {
            return Err(Error::new(
                name.span(),
                "an attribute's name is snake case: [a-z_][a-z0-9_]*",
            ));
        }
        if seen.contains(&name.value()) {
            return Err(Error::new(name.span(), "two fields have this name"));
        }
        seen.push(name.value());
        let docs = attributes::docs(&field.attrs);
        if words.block.is_some() {
            if let Some(span) = words.not_for_blocks {
                return Err(Error::new(span, "a block cannot say this; the fields of its model can"));
            }
            blocks.push(quote!(::tfplug::declare::block::<#ty>(#name, #docs)));
        } else {
            let calls = words.calls;
            declared.push(quote!(::tfplug::declare::attribute::<#ty>(#name, #docs) #calls .done()));
        }
        taken.push(quote!(#ident: fields.take(#name)?));
        given.push(quote!((#name, ::tfplug::Field::into_value(self.#ident))));
    }
    if let Some(errors) = errors {
        return Err(errors);
    }

    let ident = &input.ident;
    let docs = attributes::docs(&input.attrs);
    let deprecated = match attributes::of_struct(&input.attrs)? {
        Some(instead) => quote!(::core::option::Option::Some(#instead)),
        None => quote!(::core::option::Option::None),
    };
    let mutable = if taken.is_empty() {
        quote!(_fields)
    } else {
        quote!(mut fields)
    };
    let object = if given.is_empty() {
        quote!(::tfplug::Value::Map(::core::default::Default::default()))
    } else {
        quote!(::tfplug::Value::object([#(#given),*]))
    };
    Ok(quote! {
        #[automatically_derived]
        impl ::tfplug::Model for #ident {
            fn block() -> ::tfplug::schema::Block {
                ::tfplug::declare::model(
                    #docs,
                    #deprecated,
                    ::std::vec![#(#declared),*],
                    ::std::vec![#(#blocks),*],
                )
            }
        }

        #[automatically_derived]
        impl ::tfplug::Field for #ident {
            type Plain = Self;

            fn shape() -> ::tfplug::model::Shape {
                ::tfplug::model::Shape::required(::tfplug::schema::Kind::Nested(
                    ::tfplug::schema::Nesting::Single,
                    <Self as ::tfplug::Model>::block(),
                ))
            }

            fn from_value(
                value: ::tfplug::Value,
                at: &::tfplug::Path,
            ) -> ::core::result::Result<Self, ::tfplug::Diagnostics> {
                let #mutable = ::tfplug::model::Fields::open(value, at)?;
                ::core::result::Result::Ok(Self { #(#taken),* })
            }

            fn into_value(self) -> ::tfplug::Value {
                #object
            }
        }
    })
}

fn is_attribute_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn refusal(input: &DeriveInput) -> String {
        model(input).unwrap_err().to_string()
    }

    #[test]
    fn a_word_that_is_none_is_answered_with_those_that_are() {
        let text = refusal(&parse_quote!(
            struct M {
                #[model(replaces)]
                a: String,
            }
        ));
        assert!(
            text.starts_with("unknown word; a field can say: replace, keep,"),
            "{text}"
        );
    }

    #[test]
    fn words_that_contradict_the_type_are_refused() {
        let optional = refusal(&parse_quote!(
            struct M {
                #[model(optional)]
                a: String,
            }
        ));
        assert_eq!(
            optional,
            "`optional` is for Computed<…>; make any other field Option<…>"
        );
        let default = refusal(&parse_quote!(
            struct M {
                #[model(default = 1)]
                a: Option<u8>,
            }
        ));
        assert_eq!(
            default,
            "a field with a default always has a value; make it plain, not Option<…>"
        );
        let block = refusal(&parse_quote!(
            struct M {
                #[model(block, replace)]
                a: Option<N>,
            }
        ));
        assert_eq!(block, "a block cannot say this; the fields of its model can");
    }

    #[test]
    fn names_are_attributes_and_there_once() {
        let name = refusal(&parse_quote!(
            struct M {
                #[model(name = "Port")]
                a: u16,
            }
        ));
        assert_eq!(name, "an attribute's name is snake case: [a-z_][a-z0-9_]*");
        let twice = refusal(&parse_quote!(
            struct M {
                a: u16,
                #[model(name = "a")]
                b: u16,
            }
        ));
        assert_eq!(twice, "two fields have this name");
        let word = refusal(&parse_quote!(
            struct M {
                #[model(replace, replace)]
                a: u16,
            }
        ));
        assert_eq!(word, "`replace` is there twice");
    }

    #[test]
    fn what_is_no_struct_with_names_is_no_model() {
        assert_eq!(
            refusal(&parse_quote!(
                enum M {}
            )),
            "a model is a struct with named fields"
        );
        assert_eq!(
            refusal(&parse_quote!(
                struct M(u8);
            )),
            "a model's fields have names: they are the attributes"
        );
        assert_eq!(
            refusal(&parse_quote!(
                struct M<T> {
                    a: T,
                }
            )),
            "a model has no parameters: its schema is one"
        );
    }

    #[test]
    fn a_range_has_its_end_in_it() {
        let range = refusal(&parse_quote!(
            struct M {
                #[model(range = 1..9)]
                a: u16,
            }
        ));
        assert_eq!(range, "the end belongs to it: write `..=`");
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let errors = model(&parse_quote!(
            struct M {
                #[model(oops)]
                a: u16,
                #[model(alas)]
                b: u16,
            }
        ))
        .unwrap_err();
        assert_eq!(errors.into_iter().count(), 2);
    }
}
