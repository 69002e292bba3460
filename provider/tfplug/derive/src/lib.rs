//! `#[derive(Model)]`: a struct with doc comments becomes schema, documentation and state. Described in `tfplug`.

mod attributes;
mod expand;

use proc_macro::TokenStream;

/// Makes a struct a `tfplug::Model`; see the crate's documentation for the words of `#[model(…)]`.
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    expand::model(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
