//! The grammar.

use crate::layer::{Kind, Layer, Outputs, Padding, Shape, Window};
use proc_macro2::Span;
use std::ops::RangeInclusive;
use syn::parse::{Parse, ParseStream};
use syn::token::Paren;
use syn::{Attribute, Error, Ident, LitFloat, LitInt, Result, Token, Visibility, parenthesized};

/// `1x28x28 => conv(25, 3x3), relu, …`
pub struct Layers {
    pub input: Shape,
    pub layers: Vec<Layer>,
}

/// `pub Name: 1x28x28 => …`
pub struct Network {
    pub attributes: Vec<Attribute>,
    pub visibility: Visibility,
    pub name: Ident,
    pub layers: Layers,
}

/// What someone wrote, after the `$crate` that `lenslet-nn`'s macro put before it: the code that is written names the
/// crate in that way, so that it compiles where only a crate that re-exports `lenslet-nn` is known.
pub struct InCrate<T> {
    pub nn: Ident,
    pub declaration: T,
}

impl<T: Parse> Parse for InCrate<T> {
    fn parse(input: ParseStream) -> Result<Self> {
        Ok(Self { nn: input.parse()?, declaration: input.parse()? })
    }
}

impl Parse for Network {
    fn parse(input: ParseStream) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self { attributes, visibility, name, layers: input.parse()? })
    }
}

impl Parse for Layers {
    fn parse(input: ParseStream) -> Result<Self> {
        let (sizes, span) = sizes(input)?;
        let shape = match sizes[..] {
            [length] => Shape::Flat(length),
            [channels, height, width] => Shape::Picture([channels, height, width]),
            _ => return Err(Error::new(span, "the input is `channels x height x width`, or one number")),
        };
        input.parse::<Token![=>]>()?;
        let layers = layers(input)?;
        if layers.is_empty() {
            return Err(input.error("a network needs a layer"));
        }
        Ok(Self { input: shape, layers })
    }
}

impl Parse for Layer {
    fn parse(input: ParseStream) -> Result<Self> {
        let name: Ident = input.parse()?;
        let kind = match name.to_string().as_str() {
            "relu" => Kind::Relu,
            "flatten" => Kind::Flatten,
            "conv" => arguments(input, |input| {
                let expected = expected(input)?;
                let filters = positive(input)?;
                input.parse::<Token![,]>()?;
                let kernel = kernel(input)?;
                Ok(Kind::Conv { expected, filters, window: window(input, kernel, [1, 1])? })
            })?,
            "max_pool" => arguments(input, |input| {
                let kernel = kernel(input)?;
                Ok(Kind::MaxPool { window: window(input, kernel, kernel)? })
            })?,
            "avg_pool" => arguments(input, |input| {
                let kernel = kernel(input)?;
                Ok(Kind::AvgPool { window: window(input, kernel, kernel)? })
            })?,
            "global_avg_pool" => Kind::GlobalAvgPool,
            "batch_norm" if input.peek(Paren) => arguments(input, batch_norm)?,
            "batch_norm" => Kind::BatchNorm { momentum_per_mille: 100, epsilon_per_billion: 10_000 },
            "dense" => arguments(input, |input| {
                let expected = expected(input)?;
                let outputs = if input.peek(Ident) {
                    let word: Ident = input.parse()?;
                    if word != "classes" {
                        return Err(Error::new(word.span(), "a number, or `classes`"));
                    }
                    Outputs::Classes
                } else {
                    Outputs::Number(positive(input)?)
                };
                Ok(Kind::Dense { expected, outputs })
            })?,
            "residual" => arguments(input, |input| {
                let body = layers(input)?;
                if body.is_empty() {
                    return Err(input.error("a residual needs a layer to go around"));
                }
                let shortcut = match input.parse::<Option<Token![;]>>()? {
                    Some(_) => layers(input)?,
                    None => Vec::new(),
                };
                Ok(Kind::Residual { body, shortcut })
            })?,
            "dropout" => arguments(input, |input| {
                let what = "a rate is at least 0, below 1, and has at most three decimals";
                Ok(Kind::Dropout { per_mille: units(&input.parse()?, 1e-3, 0..=999, what)? })
            })?,
            other => {
                let known = "conv, max_pool, avg_pool, global_avg_pool, batch_norm, relu, dropout, flatten, dense, \
                             residual";
                return Err(Error::new(
                    name.span(),
                    format!("no layer is called `{other}`; known are {known}"),
                ));
            }
        };
        Ok(Self { kind, span: name.span() })
    }
}

/// Layers up to the end or a semicolon.
fn layers(input: ParseStream) -> Result<Vec<Layer>> {
    let mut layers = Vec::new();
    while !input.is_empty() && !input.peek(Token![;]) {
        layers.push(input.parse()?);
        if !input.is_empty() && !input.peek(Token![;]) {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(layers)
}

fn arguments(input: ParseStream, parse: impl FnOnce(ParseStream) -> Result<Kind>) -> Result<Kind> {
    let content;
    parenthesized!(content in input);
    let kind = parse(&content)?;
    if content.is_empty() { Ok(kind) } else { Err(content.error("unexpected argument")) }
}

/// `3 ->`
fn expected(input: ParseStream) -> Result<Option<usize>> {
    if !input.peek2(Token![->]) {
        return Ok(None);
    }
    let number = positive(input)?;
    input.parse::<Token![->]>()?;
    Ok(Some(number))
}

fn kernel(input: ParseStream) -> Result<[usize; 2]> {
    let (sizes, span) = sizes(input)?;
    sizes.try_into().map_err(|_| Error::new(span, "a kernel is `height x width`, for example 3x3"))
}

/// `, stride 2, pad 1` or `, same`
fn window(input: ParseStream, kernel: [usize; 2], default_stride: [usize; 2]) -> Result<Window> {
    let (mut stride, mut padding) = (None, None);
    while !input.is_empty() {
        input.parse::<Token![,]>()?;
        let option: Ident = input.parse()?;
        let is_new = match option.to_string().as_str() {
            "stride" => stride.replace(self::stride(input)?).is_none(),
            "pad" => padding.replace(Padding::Symmetric(number(input)?)).is_none(),
            "same" => padding.replace(Padding::Same).is_none(),
            _ => return Err(Error::new(option.span(), "the options are `stride N`, `pad N` and `same`")),
        };
        if !is_new {
            return Err(Error::new(option.span(), "the stride, or the padding, is given twice"));
        }
    }
    let (stride, padding) = (stride.unwrap_or(default_stride), padding.unwrap_or(Padding::Symmetric(0)));
    Ok(Window { kernel, stride, padding })
}

/// `momentum 0.01, eps 0.001`; PyTorch's constants where one is left out.
fn batch_norm(input: ParseStream) -> Result<Kind> {
    let (mut momentum, mut epsilon) = (None, None);
    while !input.is_empty() {
        let option: Ident = input.parse()?;
        let is_new = match option.to_string().as_str() {
            "momentum" => {
                let what = "a momentum is above 0, at most 1, and has at most three decimals";
                momentum.replace(units(&input.parse()?, 1e-3, 1..=1000, what)?).is_none()
            }
            "eps" => {
                let what = "an eps is above 0, at most 1, and has at most nine decimals";
                epsilon.replace(units(&input.parse()?, 1e-9, 1..=1_000_000_000, what)?).is_none()
            }
            _ => return Err(Error::new(option.span(), "the options are `momentum 0.1` and `eps 1e-5`")),
        };
        if !is_new {
            return Err(Error::new(option.span(), "the momentum, or the eps, is given twice"));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    let (momentum_per_mille, epsilon_per_billion) = (momentum.unwrap_or(100), epsilon.unwrap_or(10_000));
    Ok(Kind::BatchNorm { momentum_per_mille, epsilon_per_billion })
}

/// `2` or `2x3`
fn stride(input: ParseStream) -> Result<[usize; 2]> {
    match sizes(input)? {
        (both, _) if both.len() == 1 => Ok([both[0], both[0]]),
        (each, span) => each.try_into().map_err(|_| Error::new(span, "a stride is `2`, or `2x3`")),
    }
}

fn positive(input: ParseStream) -> Result<usize> {
    let span = input.span();
    match number(input)? {
        0 => Err(Error::new(span, "a size is at least 1")),
        number => Ok(number),
    }
}

/// Sizes above this are slips of the finger, and could overflow what is computed from them.
const LARGEST: usize = 1 << 20;

fn number(input: ParseStream) -> Result<usize> {
    let literal: LitInt = input.parse()?;
    if !literal.suffix().is_empty() {
        return Err(Error::new(literal.span(), "one number is expected here"));
    }
    match literal.base10_parse()? {
        0..=LARGEST => literal.base10_parse(),
        _ => Err(Error::new(literal.span(), format!("a size is at most {LARGEST}"))),
    }
}

/// A number as a whole multiple of `unit` that lies in a range; otherwise an error that says `what` it must be.
fn units(literal: &LitFloat, unit: f64, range: RangeInclusive<usize>, what: &str) -> Result<usize> {
    let units = literal.base10_parse::<f64>()? / unit;
    let whole = units.round();
    if (units - whole).abs() < 1e-6 && range.contains(&(whole as usize)) {
        Ok(whole as usize)
    } else {
        Err(Error::new(literal.span(), what))
    }
}

/// `1x28x28`, which Rust reads as the number 1 with the suffix `x28x28`, or `1 x 28 x 28`.
fn sizes(input: ParseStream) -> Result<(Vec<usize>, Span)> {
    let mut sizes = Vec::new();
    let first: LitInt = input.parse()?;
    let mut literal = first.clone();
    loop {
        sizes.push(literal.base10_digits().to_owned());
        sizes.extend(literal.suffix().split('x').skip(1).map(str::to_owned));
        if !literal.suffix().is_empty() && !literal.suffix().starts_with('x') {
            return Err(Error::new(literal.span(), "sizes are written 1x28x28"));
        }
        if !input.peek(Ident) {
            break;
        }
        let x: Ident = input.parse()?;
        if x != "x" {
            return Err(Error::new(x.span(), "sizes are written 1x28x28"));
        }
        literal = input.parse()?;
    }
    let parse = |size: &String| size.parse().ok().filter(|size| *size > 0);
    let sizes: Option<Vec<usize>> = sizes.iter().map(parse).collect();
    sizes
        .map(|sizes| (sizes, first.span()))
        .ok_or_else(|| Error::new(first.span(), "every size is at least 1"))
}
