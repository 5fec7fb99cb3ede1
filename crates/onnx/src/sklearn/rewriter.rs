//! Writes plain ONNX nodes and constants with names of their own.

use super::labels::{Labels, texts_are_positions};
use crate::departure::name_of;
use std::collections::BTreeMap;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, TensorProto};

/// The nodes written so far.
pub(super) struct Rewriter {
    opset: i64,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    /// The tensors of whole numbers or texts that are part of the model.
    labels: BTreeMap<String, Option<Vec<i64>>>,
    /// How names begin, and how many there are.
    prefix: String,
    count: usize,
}

impl Rewriter {
    pub fn new(opset: i64, graph: &GraphProto) -> Self {
        let labels = graph.initializer.iter().filter_map(|tensor| {
            let numbers = match DataType::from_i32(tensor.data_type)? {
                DataType::String => None,
                DataType::Int32 if !tensor.int32_data.is_empty() => {
                    Some(tensor.int32_data.iter().map(|label| i64::from(*label)).collect())
                }
                DataType::Int32 => Some(
                    tensor.raw_data.chunks_exact(4).map(|bytes| le(bytes) as i32 as i64).collect(),
                ),
                DataType::Int64 if !tensor.int64_data.is_empty() => Some(tensor.int64_data.clone()),
                DataType::Int64 => {
                    Some(tensor.raw_data.chunks_exact(8).map(|bytes| le(bytes) as i64).collect())
                }
                _ => return None,
            };
            Some((tensor.name.clone(), numbers))
        });
        Self {
            opset,
            nodes: Vec::new(),
            constants: Vec::new(),
            labels: labels.collect(),
            prefix: String::new(),
            count: 0,
        }
    }

    /// A node that stays.
    pub fn keep(&mut self, node: NodeProto) {
        self.nodes.push(node);
    }

    /// Names after a node to be replaced.
    pub fn begin(&mut self, node: &NodeProto) {
        self.prefix = name_of(node);
        self.count = 0;
    }

    pub fn finish(self) -> (Vec<NodeProto>, Vec<TensorProto>) {
        (self.nodes, self.constants)
    }

    fn fresh(&mut self) -> String {
        self.count += 1;
        format!("{}/plain{}", self.prefix, self.count)
    }

    pub fn numbers(&mut self, values: &[f32], dims: &[usize]) -> String {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(raw_data, DataType::Float, dims)
    }

    pub fn integers(&mut self, values: &[i64], dims: &[usize]) -> String {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(raw_data, DataType::Int64, dims)
    }

    fn constant(&mut self, raw_data: Vec<u8>, datum: DataType, dims: &[usize]) -> String {
        let name = self.fresh();
        self.constants.push(TensorProto {
            name: name.clone(),
            dims: dims.iter().map(|dim| *dim as i64).collect(),
            data_type: datum as i32,
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    /// An operation; the name of its result.
    pub fn op(&mut self, op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> String {
        let output = self.fresh();
        self.op_as(op, inputs, attributes, output.clone());
        output
    }

    /// An operation whose result has a name already.
    pub fn op_as(
        &mut self,
        op: &str,
        inputs: &[&str],
        attribute: Vec<AttributeProto>,
        output: String,
    ) {
        self.nodes.push(NodeProto {
            name: output.clone(),
            op_type: op.into(),
            input: inputs.iter().map(|input| input.to_string()).collect(),
            output: vec![output],
            attribute,
            ..NodeProto::default()
        });
    }

    /// A reduction of the last of two axes, which stays with length 1.
    pub fn reduce(&mut self, op: &str, input: &str) -> String {
        let axes_are_an_input = self.opset >= if op == "ReduceSum" { 13 } else { 18 };
        match axes_are_an_input {
            true => {
                let axes = self.integers(&[1], &[1]);
                self.op(op, &[input, &axes], vec![integer("keepdims", 1)])
            }
            false => self.op(op, &[input], vec![integer("keepdims", 1), integers("axes", &[1])]),
        }
    }

    /// What a model does with its scores at the end.
    pub fn post_transform(
        &mut self,
        node: &NodeProto,
        scores: &str,
        output: String,
    ) -> Result<(), String> {
        match text(node, "post_transform").unwrap_or("NONE".into()).as_str() {
            "NONE" => self.op_as("Identity", &[scores], vec![], output),
            "SOFTMAX" => self.op_as("Softmax", &[scores], vec![integer("axis", 1)], output),
            "LOGISTIC" => self.op_as("Sigmoid", &[scores], vec![], output),
            other => return Err(format!("its attribute post_transform = {other} has no circuit")),
        }
        Ok(())
    }

    /// The label of the class with the largest score.
    pub fn label(&mut self, labels: &Labels, scores: &str, output: String) -> Option<String> {
        if output.is_empty() {
            return None;
        }
        let largest = vec![integer("axis", 1), integer("keepdims", 0)];
        let position = self.op("ArgMax", &[scores], largest);
        match labels {
            Labels::Numbers(labels) => {
                self.pick(labels, &position, output);
                None
            }
            Labels::Texts(_) => {
                self.op_as("Identity", &[&position], vec![], output);
                Some(texts_are_positions())
            }
        }
    }

    /// The labels at positions.
    fn pick(&mut self, labels: &[i64], position: &str, output: String) {
        match labels.iter().copied().eq(0..labels.len() as i64) {
            true => self.op_as("Identity", &[position], vec![], output),
            false => {
                let labels = self.integers(labels, &[labels.len()]);
                self.op_as("Gather", &[&labels, position], vec![integer("axis", 0)], output);
            }
        }
    }

    /// `ArrayFeatureExtractor`: elements of the last axis.
    pub fn extract(
        &mut self,
        data: &str,
        positions: &str,
        output: String,
    ) -> Result<Option<String>, String> {
        match self.labels.get(data).cloned() {
            Some(None) => {
                self.op_as("Identity", &[positions], vec![], output);
                return Ok(Some(texts_are_positions()));
            }
            Some(Some(labels)) => self.pick(&labels, positions, output),
            None => self.op_as("Gather", &[data, positions], vec![integer("axis", -1)], output),
        }
        Ok(None)
    }
}

/// Bytes as a number, the lowest first.
fn le(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

pub(super) fn integer(name: &str, value: i64) -> AttributeProto {
    let r#type = AttributeType::Int as i32;
    AttributeProto { name: name.into(), r#type, i: value, ..AttributeProto::default() }
}

pub(super) fn integers(name: &str, values: &[i64]) -> AttributeProto {
    let r#type = AttributeType::Ints as i32;
    AttributeProto { name: name.into(), r#type, ints: values.to_vec(), ..Default::default() }
}

pub(super) fn string(name: &str, value: &str) -> AttributeProto {
    let r#type = AttributeType::String as i32;
    AttributeProto { name: name.into(), r#type, s: value.into(), ..AttributeProto::default() }
}

/// The attribute of a node with a text.
pub(super) fn text(node: &NodeProto, name: &str) -> Option<String> {
    let attribute = node.attribute.iter().find(|attribute| attribute.name == name)?;
    Some(String::from_utf8_lossy(&attribute.s).into_owned())
}

/// The attribute of a node with numbers; none if it is missing.
pub(super) fn floats<'a>(node: &'a NodeProto, name: &str) -> &'a [f32] {
    let attribute = node.attribute.iter().find(|attribute| attribute.name == name);
    attribute.map_or(&[], |attribute| &attribute.floats)
}

/// The attribute of a node with whole numbers; none if it is missing.
pub(super) fn ints<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    let attribute = node.attribute.iter().find(|attribute| attribute.name == name);
    attribute.map_or(&[], |attribute| &attribute.ints)
}
