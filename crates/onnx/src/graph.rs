//! From a plan to a graph.

use crate::proto::{
    AttributeProto, AttributeType, Dimension, FLOAT, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    Size, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::{Description, Error};
use lenslet_nn::{Operation, Parameter, Plan, Stage, Window};
use std::collections::HashSet;

/// The version of the file format, of ONNX 1.12 (2022).
pub const IR_VERSION: i64 = 8;
/// The version of the operators, of ONNX 1.12: <https://github.com/onnx/onnx/blob/v1.12.0/docs/Operators.md>.
pub const OPSET: i64 = 17;

/// What goes in and what comes out.
const PICTURES: &str = "pictures";
const LOGITS: &str = "logits";

/// A network with its weights as an ONNX model. The same network gives the same bytes.
///
/// # Errors
/// Where the plan's layers have no names of their own, its output is not one logit for each class, the description
/// does not fit the input, or the weights exceed what an ONNX file holds.
pub fn export(plan: &Plan, description: &Description) -> Result<ModelProto, Error> {
    let metadata_props = description.to_metadata(plan.input()[0])?;
    check_outputs(plan, description.classes.len())?;
    check_size(plan.stages().iter().flat_map(Stage::tensors).map(|(_, tensor)| tensor.len()).sum())?;
    let mut graph = Graph::default();
    for stage in plan.stages() {
        graph.add(stage)?;
    }
    let picture = "normalised pictures, channels first: (pixel / pixel_max - mean) / std, see the metadata";
    Ok(ModelProto {
        ir_version: IR_VERSION,
        producer_name: "lenslet".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        graph: Some(GraphProto {
            name: description.network.to_owned(),
            input: vec![value(PICTURES, plan.input(), picture)],
            output: vec![value(LOGITS, plan.output(), "one for each class, before softmax")],
            ..graph.finish(plan)?
        }),
        metadata_props,
    })
}

fn check_outputs(plan: &Plan, classes: usize) -> Result<(), Error> {
    if plan.output() == [classes] && !plan.stages().is_empty() {
        return Ok(());
    }
    let sizes: Vec<String> = plan.output().iter().map(usize::to_string).collect();
    Err(Error::Outputs { layer: last(plan), outputs: sizes.join("x"), classes })
}

fn check_size(numbers: usize) -> Result<(), Error> {
    let bytes = numbers.saturating_mul(size_of::<f32>());
    if bytes <= Error::MOST { Ok(()) } else { Err(Error::TooLarge { bytes }) }
}

fn last(plan: &Plan) -> String {
    plan.stages().last().map_or_else(String::new, shown)
}

fn shown(stage: &Stage) -> String {
    format!("{} {}", stage.name, stage.layer).trim().to_owned()
}

/// A graph up to some stage.
#[derive(Default)]
struct Graph {
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// Of nodes, which are also those of what they give.
    names: HashSet<String>,
    /// What each open residual block has kept, outermost first.
    kept: Vec<String>,
    /// What the last node gave; empty for the input.
    current: Option<String>,
}

impl Graph {
    fn add(&mut self, stage: &Stage) -> Result<(), Error> {
        let current = self.current.clone().unwrap_or_else(|| PICTURES.to_owned());
        match &stage.operation {
            Operation::Conv2d(conv) => self.node(stage, "Conv", [current], window(conv.window())),
            Operation::MaxPool2d(pool) => self.node(stage, "MaxPool", [current], window(pool.window())),
            // Its attribute `count_include_pad` is 0 by default, as it must be.
            Operation::AvgPool2d(pool) => self.node(stage, "AveragePool", [current], window(pool.window())),
            Operation::BatchNorm(norm) => self.node(
                stage,
                "BatchNormalization",
                [current],
                vec![float("epsilon", norm.epsilon() as f32)],
            ),
            // The weights are `outputs x inputs`.
            Operation::Dense(_) => self.node(stage, "Gemm", [current], vec![int("transB", 1)]),
            Operation::Relu => self.node(stage, "Relu", [current], Vec::new()),
            Operation::Flatten(_) => self.node(stage, "Flatten", [current], vec![int("axis", 1)]),
            Operation::Dropout(_) => Ok(()),
            Operation::Fork => {
                self.kept.push(current);
                Ok(())
            }
            Operation::Shortcut => {
                let fork = self.pop(stage)?;
                self.kept.push(current);
                self.current = Some(fork);
                Ok(())
            }
            Operation::Sum => {
                let other = self.pop(stage)?;
                self.node(stage, "Add", [other, current], Vec::new())
            }
        }
    }

    fn pop(&mut self, stage: &Stage) -> Result<String, Error> {
        self.kept.pop().ok_or_else(|| Error::Block { layer: shown(stage) })
    }

    /// A node named after the stage, with the stage's tensors after its inputs.
    fn node<const N: usize>(
        &mut self,
        stage: &Stage,
        operator: &str,
        inputs: [String; N],
        attribute: Vec<AttributeProto>,
    ) -> Result<(), Error> {
        let name = &stage.name;
        if name.is_empty() || [PICTURES, LOGITS].contains(&name.as_str()) || !self.names.insert(name.clone())
        {
            return Err(Error::Name { layer: stage.layer.clone(), name: name.clone() });
        }
        let mut input = Vec::from(inputs);
        for (tensor, values) in stage.tensors() {
            let constant = constant(format!("{name}.{tensor}"), values);
            input.push(constant.name.clone());
            self.constants.push(constant);
        }
        let (name, output) = (name.clone(), vec![name.clone()]);
        self.nodes.push(NodeProto { input, output, name, op_type: operator.to_owned(), attribute });
        self.current = Some(stage.name.clone());
        Ok(())
    }

    /// The last node's output is the logits.
    fn finish(mut self, plan: &Plan) -> Result<GraphProto, Error> {
        match self.nodes.last_mut() {
            Some(node) if self.kept.is_empty() => node.output = vec![LOGITS.to_owned()],
            _ => return Err(Error::Block { layer: last(plan) }),
        }
        Ok(GraphProto { node: self.nodes, initializer: self.constants, ..GraphProto::default() })
    }
}

fn constant(name: String, tensor: &dyn Parameter) -> TensorProto {
    let mut values = vec![0.0; tensor.len()];
    tensor.read(&mut values);
    TensorProto {
        dims: tensor.shape().into_iter().map(|size| size as i64).collect(),
        data_type: FLOAT,
        name,
        raw_data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
    }
}

fn window(window: Window) -> Vec<AttributeProto> {
    let Window { kernel, stride, padding } = window;
    vec![
        ints("kernel_shape", &kernel),
        ints("strides", &stride),
        ints("pads", &[padding.top, padding.left, padding.bottom, padding.right]),
    ]
}

fn int(name: &str, value: i64) -> AttributeProto {
    let r#type = AttributeType::Int.into();
    AttributeProto { name: name.to_owned(), i: value, r#type, ..AttributeProto::default() }
}

fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|value| *value as i64).collect();
    AttributeProto {
        name: name.to_owned(),
        ints,
        r#type: AttributeType::Ints.into(),
        ..AttributeProto::default()
    }
}

fn float(name: &str, value: f32) -> AttributeProto {
    let r#type = AttributeType::Float.into();
    AttributeProto { name: name.to_owned(), f: value, r#type, ..AttributeProto::default() }
}

/// A batch of samples of some sizes; how many, each call decides.
fn value(name: &str, sizes: &[usize], doc: &str) -> ValueInfoProto {
    let sizes = sizes.iter().map(|size| Size::Known(*size as i64));
    let dims = [Size::Named("batch".to_owned())].into_iter().chain(sizes);
    let dim = dims.map(|size| Dimension { value: Some(size) }).collect();
    let tensor_type = TensorTypeProto { elem_type: FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
        doc_string: doc.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_over_the_formats_limit_are_refused() {
        let most = Error::MOST / size_of::<f32>();
        assert_eq!(check_size(most), Ok(()));
        assert_eq!(check_size(most + 1), Err(Error::TooLarge { bytes: Error::MOST + 4 }));
        assert!(check_size(usize::MAX).is_err());
    }
}
