//! From checked layers to Rust types.

use crate::layer::{Kind, Layer, Outputs, Padding, SHORTCUT, Shape, Step, Window, follow};
use crate::parse::{InCrate, Layers, Network};
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use std::fmt::Display;
use syn::{Error, Ident, Result, Visibility};

/// A layer with its name and its type up to dfdx's dtype and device.
struct Field {
    name: Ident,
    documentation: String,
    path: TokenStream,
    generics: Vec<TokenStream>,
    /// Whether it holds tensors, and so has a dtype and a device.
    has_tensors: bool,
    is_classes: bool,
    /// Types of its own.
    definitions: TokenStream,
}

/// For whom types are written.
#[derive(Clone, Copy)]
struct Owner<'a> {
    name: &'a Ident,
    visibility: &'a Visibility,
}

impl Field {
    fn concrete(&self) -> TokenStream {
        let Self { path, generics, .. } = self;
        if generics.is_empty() { quote!(#path) } else { quote!(#path<#(#generics),*>) }
    }

    /// A call of its `Layer::plan`.
    fn plan(&self) -> TokenStream {
        let (name, label) = (&self.name, self.name.to_string());
        quote!(Layer::plan(&self.#name, &path(#label), plan);)
    }

    fn generic(&self) -> TokenStream {
        let Self { path, generics, .. } = self;
        if self.has_tensors { quote!(#path<#(#generics,)* E, D>) } else { self.concrete() }
    }
}

fn fields(nn: &Ident, steps: &[Step], owner: Option<Owner>) -> Result<Vec<Field>> {
    steps.iter().map(|step| field(nn, step, owner)).collect()
}

fn field(nn: &Ident, step: &Step, owner: Option<Owner>) -> Result<Field> {
    let Step { layer, input, output, .. } = *step;
    let name = format_ident!("{}", step.name, span = layer.span);
    let mut definitions = quote!();
    let numbers = |numbers: &[usize]| numbers.iter().map(|n| quote!(#n)).collect::<Vec<_>>();
    let padding = |padding: Padding| match padding {
        Padding::Symmetric(pad) => quote!(#pad),
        Padding::Same => quote!({ #nn::SAME }),
    };
    let pool = |window: Window| {
        let rows_and_columns = output.sizes()[1..].to_vec();
        let mut generics = numbers(
            &[input.sizes(), rows_and_columns, window.kernel.to_vec(), window.stride.to_vec()].concat(),
        );
        generics.push(padding(window.padding));
        generics
    };
    let (path, generics) = match &layer.kind {
        Kind::Conv { window, .. } => {
            let mut generics = numbers(
                &[input.sizes(), output.sizes(), window.kernel.to_vec(), window.stride.to_vec()].concat(),
            );
            generics.push(padding(window.padding));
            (quote!(#nn::Conv2d), generics)
        }
        Kind::MaxPool { window } => (quote!(#nn::MaxPool2d), pool(*window)),
        Kind::AvgPool { window } => (quote!(#nn::AvgPool2d), pool(*window)),
        Kind::GlobalAvgPool => {
            let kernel = input.sizes()[1..].try_into().expect("a picture has height and width");
            let window = Window { kernel, stride: kernel, padding: Padding::Symmetric(0) };
            (quote!(#nn::AvgPool2d), pool(window))
        }
        Kind::BatchNorm { momentum_per_mille, epsilon_per_billion } => {
            let generics = numbers(&[input.sizes()[0], *momentum_per_mille, *epsilon_per_billion]);
            (quote!(#nn::BatchNorm), generics)
        }
        Kind::Relu => (quote!(#nn::Relu), Vec::new()),
        Kind::Dropout { per_mille } => (quote!(#nn::Dropout), numbers(&[*per_mille])),
        Kind::Flatten => (quote!(#nn::Flatten), numbers(&[input.sizes(), output.sizes()].concat())),
        Kind::Dense { outputs, .. } => {
            let inputs = numbers(&input.sizes());
            let outputs = match outputs {
                Outputs::Number(n) => quote!(#nn::dfdx::shapes::Const<#n>),
                Outputs::Classes => quote!(#nn::Classes),
            };
            (quote!(#nn::Dense), [inputs, vec![outputs]].concat())
        }
        Kind::Residual { body, shortcut } => {
            let Some(owner) = owner else {
                let what =
                    format!("{name}: its layers need names, which a tuple has not: write it in `network!`");
                return Err(Error::new(layer.span, what));
            };
            let path;
            (path, definitions) = residual(nn, owner, step, [body, shortcut])?;
            (quote!(#path), Vec::new())
        }
    };
    Ok(Field {
        documentation: format!("`{}` from {input} to {output}.", layer.kind.name()),
        has_tensors: has_tensors(layer),
        is_classes: matches!(layer.kind, Kind::Dense { outputs: Outputs::Classes, .. }),
        name,
        path,
        generics,
        definitions,
    })
}

fn has_tensors(layer: &Layer) -> bool {
    match &layer.kind {
        Kind::Conv { .. } | Kind::BatchNorm { .. } | Kind::Dense { .. } | Kind::Residual { .. } => true,
        Kind::MaxPool { .. }
        | Kind::AvgPool { .. }
        | Kind::GlobalAvgPool
        | Kind::Relu
        | Kind::Dropout { .. }
        | Kind::Flatten => false,
    }
}

/// The type of a residual block, and its definition. Layers of the shortcut have names of their own.
fn residual(
    nn: &Ident,
    owner: Owner,
    Step { layer, name, input, output }: &Step,
    [body, shortcut]: [&[Layer]; 2],
) -> Result<(Ident, TokenStream)> {
    if !body.iter().chain(shortcut).any(has_tensors) {
        return Err(nothing_to_learn(layer.span, name));
    }
    // `shortcut_residual1` as types are written: `ShortcutResidual1`.
    let words = name.split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
    let type_name = format_ident!("{}{}", owner.name, words.collect::<String>(), span = owner.name.span());
    let inner = Owner { name: &type_name, ..owner };
    let (body_steps, _) = follow(body, *input, "")?;
    let (shortcut_steps, _) = follow(shortcut, *input, SHORTCUT)?;
    let (through, around) =
        (fields(nn, &body_steps, Some(inner))?, fields(nn, &shortcut_steps, Some(inner))?);
    let plans = |fields: &[Field]| fields.iter().map(Field::plan).collect::<TokenStream>();
    let (through_plan, around_plan) = (plans(&through), plans(&around));
    let plan = quote! {
        plan.fork();
        #through_plan
        plan.shortcut();
        #around_plan
        plan.sum(name);
    };
    let documentation = format!("`{name}` of [`{}`], from {input} to {output}.", owner.name);
    let all: Vec<Field> = through.into_iter().chain(around).collect();
    Ok((type_name.clone(), collection(nn, &quote!(#[doc = #documentation]), inner, &all, &plan)?))
}

fn nothing_to_learn(at: Span, name: impl Display) -> Error {
    Error::new(at, format!("{name} has nothing to learn: it needs a conv, a batch_norm or a dense layer"))
}

/// The body of `layers!`.
pub fn layers(InCrate { nn, declaration: layers }: InCrate<Layers>) -> Result<TokenStream> {
    let (steps, _) = follow(&layers.layers, layers.input, "")?;
    let fields = fields(&nn, &steps, None)?;
    let types = fields.iter().map(Field::concrete);
    Ok(quote!((#(#types,)*)))
}

/// The body of `network!`.
pub fn network(InCrate { nn, declaration: network }: InCrate<Network>) -> Result<TokenStream> {
    let Network { attributes, visibility, name, layers } = &network;
    let (steps, output) = follow(&layers.layers, layers.input, "")?;
    let owner = Owner { name, visibility };
    let fields = fields(&nn, &steps, Some(owner))?;
    let plan: TokenStream = fields.iter().map(Field::plan).collect();
    let collection = collection(&nn, &quote!(#(#attributes)*), owner, &fields, &plan)?;

    let sample = match layers.input {
        Shape::Picture([c, h, w]) => quote!(Const<#c>, Const<#h>, Const<#w>),
        Shape::Flat(length) => quote!(Const<#length>),
        Shape::Classes => unreachable!("an input is written in numbers"),
    };
    let input_sizes = layers.input.sizes();
    let last = fields.last().expect("a network has a layer");
    let (output_type, output_value) = match output {
        Shape::Picture([c, h, w]) => {
            (quote!((B, Const<#c>, Const<#h>, Const<#w>)), quote!((batch, Const, Const, Const)))
        }
        Shape::Flat(length) => (quote!((B, Const<#length>)), quote!((batch, Const))),
        Shape::Classes => {
            let head = &last.name;
            (quote!((B, #nn::Classes)), quote!((batch, self.#head.outputs())))
        }
    };
    let classifier = match &layers.layers[layers.layers.len() - 1].kind {
        Kind::Dense { outputs, .. } => classifier(&nn, name, layers.input, &fields, &last.name, *outputs),
        _ => quote!(),
    };

    Ok(quote! {
        #collection

        const _: () = {
            use #nn::dfdx::nn::{Module, ModuleMut};
            use #nn::dfdx::prelude::{Const, Cpu, CpuError, Dim, HasShape, Tape, Tensor};
            use #nn::Plan;

            impl<B: Dim, T: Tape<f32, Cpu>> Module<Tensor<(B, #sample), f32, Cpu, T>> for #name {
                type Output = Tensor<#output_type, f32, Cpu, T>;
                type Error = CpuError;

                fn try_forward(
                    &self,
                    x: Tensor<(B, #sample), f32, Cpu, T>,
                ) -> ::core::result::Result<Self::Output, CpuError> {
                    let batch = HasShape::shape(&x).0;
                    #nn::forward(Plan::of(self, &[#(#input_sizes),*]), x, #output_value)
                }
            }

            impl<B: Dim, T: Tape<f32, Cpu>> ModuleMut<Tensor<(B, #sample), f32, Cpu, T>> for #name {
                type Output = Tensor<#output_type, f32, Cpu, T>;
                type Error = CpuError;

                fn try_forward_mut(
                    &mut self,
                    x: Tensor<(B, #sample), f32, Cpu, T>,
                ) -> ::core::result::Result<Self::Output, CpuError> {
                    let batch = HasShape::shape(&x).0;
                    let output = #output_value;
                    #nn::forward_mut(self, &[#(#input_sizes),*], x, output)
                }
            }

            #classifier
        };
    })
}

/// A struct with a field for each layer, which is a dfdx collection of tensors and a `Layer`.
fn collection(
    nn: &Ident,
    attributes: &TokenStream,
    Owner { name, visibility }: Owner,
    fields: &[Field],
    plan: &TokenStream,
) -> Result<TokenStream> {
    if !fields.iter().any(|field| field.has_tensors) {
        return Err(nothing_to_learn(name.span(), name));
    }
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let documentation = fields.iter().map(|field| &field.documentation);
    let types = fields.iter().map(Field::generic);
    let definitions = fields.iter().map(|field| &field.definitions);

    // dfdx implements its field lists for tuples of up to six; pairs of pairs have no limit.
    let learned: Vec<_> = fields.iter().filter(|field| field.has_tensors).collect();
    let visits = learned.iter().rev().fold(quote!(()), |rest, Field { name, .. }| {
        let label = name.to_string();
        quote!((Self::module(#label, |s| &s.#name, |s| &mut s.#name), #rest))
    });
    let pattern = learned.iter().rev().fold(quote!(()), |rest, Field { name, .. }| quote!((#name, #rest)));
    let built = fields.iter().map(|Field { name, has_tensors, .. }| {
        if *has_tensors { quote!(#name) } else { quote!(#name: ::core::default::Default::default()) }
    });
    Ok(quote! {
        #(#definitions)*

        #attributes
        #[derive(Clone, Debug)]
        #visibility struct #name<
            E: #nn::dfdx::prelude::Dtype = f32,
            D: #nn::dfdx::prelude::Storage<E> = #nn::dfdx::prelude::Cpu,
        > {
            #(#[doc = #documentation] pub #names: #types,)*
        }

        const _: () = {
            use #nn::dfdx::nn::{BuildOnDevice, ModuleVisitor, TensorCollection};
            use #nn::dfdx::prelude::{Device, Dtype};
            use #nn::{Layer, Plan};

            impl<E: Dtype, D: Device<E>> TensorCollection<E, D> for #name<E, D> {
                type To<E2: Dtype, D2: Device<E2>> = #name<E2, D2>;

                fn iter_tensors<V: ModuleVisitor<Self, E, D>>(
                    visitor: &mut V,
                ) -> ::core::result::Result<::core::option::Option<Self::To<V::E2, V::D2>>, V::Err> {
                    visitor.visit_fields(#visits, |#pattern| #name { #(#built,)* })
                }
            }

            impl<E: Dtype, D: Device<E>> BuildOnDevice<D, E> for #name {
                type Built = #name<E, D>;
            }

            impl Layer for #name {
                fn plan(&self, name: &str, plan: &mut Plan) {
                    let path = |field: &str| match name {
                        "" => ::std::string::ToString::to_string(field),
                        name => ::std::format!("{name}.{field}"),
                    };
                    #plan
                }

                fn noise_keys(&mut self, visit: &mut dyn FnMut(&mut u64)) {
                    #(Layer::noise_keys(&mut self.#names, visit);)*
                }

                fn keep_statistics(
                    &mut self,
                    batch: &mut dyn ::core::iter::Iterator<Item = #nn::BatchStatistics>,
                ) {
                    #(Layer::keep_statistics(&mut self.#names, batch);)*
                }
            }
        };
    })
}

fn classifier(
    nn: &Ident,
    name: &Ident,
    input: Shape,
    fields: &[Field],
    head: &Ident,
    outputs: Outputs,
) -> TokenStream {
    let [channels, height, width] = match input {
        Shape::Picture(sizes) => sizes,
        Shape::Flat(length) => [1, 1, length],
        Shape::Classes => unreachable!("an input is written in numbers"),
    };
    let values = fields.iter().map(|field| {
        let Field { name, generics, .. } = field;
        let concrete = field.concrete();
        if field.is_classes {
            let inputs = &generics[0];
            quote!(#name: #nn::Dense::<#inputs, _>::zeros(#nn::Classes(classes)))
        } else if field.has_tensors {
            quote!(#name: #nn::dfdx::nn::BuildModule::build(&Cpu::default()))
        } else {
            quote!(#name: <#concrete as ::core::default::Default>::default())
        }
    });
    let check = match outputs {
        Outputs::Classes => quote!(),
        Outputs::Number(network) => quote! {
            if classes != #network {
                return ::core::result::Result::Err(#nn::WrongClasses::Fixed { network: #network, data: classes });
            }
        },
    };
    quote! {
        impl #nn::Network for #name {
            fn input(&self) -> [usize; 3] {
                <Self as #nn::Classifier>::INPUT
            }

            fn classes(&self) -> usize {
                Dim::size(&self.#head.outputs())
            }
        }

        impl #nn::Classifier for #name {
            const INPUT: [usize; 3] = [#channels, #height, #width];

            fn with_classes(classes: usize) -> ::core::result::Result<Self, #nn::WrongClasses> {
                #nn::WrongClasses::check(classes)?;
                #check
                ::core::result::Result::Ok(Self { #(#values,)* })
            }
        }
    }
}
