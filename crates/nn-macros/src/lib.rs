//! What `lenslet-nn`'s `network!` and `layers!` write; use them from there.
//!
//! The two read a list of layers (`parse`), follow the sizes through it, refusing what does not fit
//! (`layer`), and write the types (`expand`). Sizes are literals, so every error appears in the editor,
//! at the layer that caused it.

mod expand;
mod layer;
mod parse;

use proc_macro::TokenStream;

/// `lenslet_nn::network!`, with `$crate` before it.
#[proc_macro]
pub fn network(input: TokenStream) -> TokenStream {
    expand(input, expand::network)
}

/// `lenslet_nn::layers!`, with `$crate` before it.
#[proc_macro]
pub fn layers(input: TokenStream) -> TokenStream {
    expand(input, expand::layers)
}

fn expand<T: syn::parse::Parse>(
    input: TokenStream,
    expand: impl Fn(T) -> syn::Result<proc_macro2::TokenStream>,
) -> TokenStream {
    syn::parse(input).and_then(expand).unwrap_or_else(|error| error.into_compile_error()).into()
}
