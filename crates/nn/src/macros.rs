//! The macros as they are called. Each puts `$crate` before what someone wrote, for the code that is written of it.

/// Declares a network: a struct with one field per layer, which is a dfdx module, a `Layer` and, where it
/// ends in `dense`, a `Classifier`.
///
/// ```text
/// network! {
///     /// Documentation.
///     pub Name: 1x28x28 => conv(25, 3x3), relu, max_pool(2x2), flatten, dense(100), relu, dense(classes)
/// }
/// ```
///
/// The input is `channels x height x width`, or one number for flat samples. The layers:
///
/// | layer | meaning |
/// |---|---|
/// | `conv(25, 3x3)` | 25 filters of height x width 3x3, stride 1, no padding; options `stride 2` or `stride 2x3`, `pad 1` (both sides alike, as PyTorch) and `same` (as Keras) |
/// | `max_pool(2x2)` | stride as large as the window; the same options |
/// | `avg_pool(2x2)`, `global_avg_pool` | the same with the mean; over the whole picture, which leaves 1x1 |
/// | `batch_norm`, `batch_norm(momentum 0.01, eps 0.001)` | PyTorch's momentum 0.1 and eps 1e-5, or others; Keras's 0.99 is PyTorch's 0.01 |
/// | `relu`, `dropout(0.25)`, `flatten` | as everywhere |
/// | `residual(conv(64, 3x3, same), relu, conv(64, 3x3, same))` | the input plus what the layers make of it; layers after a semicolon, `residual(…; conv(64, 1x1))`, are the shortcut that the input takes instead |
/// | `dense(100)`, `dense(classes)` | 100 outputs, or as many as the data have classes (the last layer only) |
///
/// `conv(3 -> 25, …)` and `dense(16900 -> 100)` also say what must come in, and do not compile where
/// something else does.
///
/// Fields, and so tensors, are named by kind and number: `conv1.weight`, `dense2.bias`.
#[macro_export]
macro_rules! network {
    ($($network:tt)*) => {
        $crate::expand_network! { $crate $($network)* }
    };
}

/// The dfdx tuple type of a list of layers, in the grammar of `network!`:
/// `type Net = layers!(1x28x28 => conv(25, 3x3), relu, flatten, dense(10));`. dfdx's tuples are modules up to six
/// layers.
#[macro_export]
macro_rules! layers {
    ($($layers:tt)*) => {
        $crate::expand_layers! { $crate $($layers)* }
    };
}
