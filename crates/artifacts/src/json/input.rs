//! `input.json` (spec 02 §3.1), and its quantisation (§4).

use super::{read_file, write_file};
use crate::felt::{field_from_hex, field_to_hex};
use crate::{ArtifactError, ArtifactKind, FormatError};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::path::Path;
use twain_algebra::Fr;
use twain_graph::numbers::{cast_datum, integer_to_field, quantize};
use twain_graph::{GraphError, InputType, Model, NodeKind, SupportedOp};
use zeroize::Zeroize;

/// The data of a run: one flat list, row by row, for each input of the network. Elements are
/// overwritten when it is dropped.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// The inputs.
    pub input_data: Vec<Vec<InputElement>>,
    /// The expected outputs; not used.
    pub output_data: Option<Vec<Vec<InputElement>>>,
}

/// An element of an input.
#[derive(Clone, Copy, PartialEq)]
pub enum InputElement {
    /// A Boolean, for Boolean inputs only.
    Bool(bool),
    /// A number, which is quantised.
    Number(f64),
    /// A field element, which is taken as it is.
    Field(Fr),
}

impl InputFile {
    /// Reads the content of a file.
    ///
    /// # Errors
    /// Not JSON, or not an object with `input_data`.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormatError> {
        serde_json::from_slice(bytes).map_err(|error| match what_it_is(bytes) {
            Some(text) => FormatError::Mismatch(text),
            None => error.into(),
        })
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`InputFile::parse`], or from the file system.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        read_file(path, ArtifactKind::Input, Self::parse)
    }

    /// How errors name what the command line gives: a path, never the data themselves.
    pub fn place(argument: &str) -> &Path {
        match argument.trim_start().starts_with(['{', '[']) {
            true => Path::new("the data given on the command line"),
            false => Path::new(argument.strip_prefix('@').unwrap_or(argument)),
        }
    }

    /// Reads what the command line gives: `@path`, the JSON text itself, or a path.
    ///
    /// # Errors
    /// As [`InputFile::read`]. A text that looks like JSON but is not is reported as such, not as a
    /// missing file.
    pub fn from_argument(argument: &str) -> Result<Self, ArtifactError> {
        if let Some(path) = argument.strip_prefix('@') {
            return Self::read(Path::new(path));
        }
        match Self::parse(argument.as_bytes()) {
            Err(source) if argument.trim_start().starts_with('{') => {
                Err(ArtifactError::content(Self::place(argument), ArtifactKind::Input)(source))
            }
            Err(_) => Self::read(Path::new(argument)),
            Ok(data) => Ok(data),
        }
    }

    /// Writes a file that its owner only can read.
    ///
    /// # Errors
    /// From the file system.
    pub fn write(&self, path: &Path) -> Result<(), ArtifactError> {
        write_file(path, ArtifactKind::Input, self)
    }

    /// The quantised inputs of `model`, in its order: each element is cast to the input's type and
    /// multiplied by `2^scale`.
    ///
    /// # Errors
    /// A list missing, too many or of the wrong length, an element that is not of the type or does
    /// not fit.
    pub fn quantize(&self, model: &Model) -> Result<Vec<Vec<Fr>>, FormatError> {
        let all: Vec<usize> = (0..model.graph.inputs.len()).collect();
        self.quantize_own(model, &all)
    }

    /// The same if the file holds a list for each of some inputs, in the order of their places
    /// `own`; all other inputs are left empty.
    ///
    /// # Errors
    /// As [`InputFile::quantize`].
    pub fn quantize_own(&self, model: &Model, own: &[usize]) -> Result<Vec<Vec<Fr>>, FormatError> {
        let inputs = &model.graph.inputs;
        if self.input_data.len() != own.len() {
            let lists = self.input_data.len();
            let number = |number: usize, what: &str| match number {
                1 => format!("1 {what}"),
                _ => format!("{number} {what}s"),
            };
            let wanted = match own.len() == inputs.len() {
                true => format!("the network has {}", number(inputs.len(), "input")),
                false => {
                    format!("this side owns {} of its {}", own.len(), number(inputs.len(), "input"))
                }
            };
            let text = format!("input_data holds {}, but {wanted}", number(lists, "list"));
            return Err(FormatError::Shape(text));
        }
        let mut quantized = vec![Vec::new(); inputs.len()];
        for (position, (index, list)) in own.iter().zip(&self.input_data).enumerate() {
            let missing = || FormatError::Mismatch(format!("the network has no input {index}"));
            let node = inputs.get(*index).ok_or_else(missing)?;
            quantized[*index] = quantize_list(model, *node, [position, *index], list)?;
        }
        Ok(quantized)
    }
}

/// What a file is that is not the JSON of inputs, where the parser could only say at which byte.
fn what_it_is(bytes: &[u8]) -> Option<String> {
    let content = bytes.trim_ascii_start();
    if content.is_empty() {
        return Some("it is empty".into());
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Some("it begins with a byte order mark: save it as UTF-8 without one".into());
    }
    if content.starts_with(b"[") {
        return Some("it is a list, not an object with input_data".into());
    }
    // Words outside texts that other writers of JSON use; quotes do not occur within them.
    let outside = content.split(|byte| *byte == b'"').step_by(2);
    let mut words = outside.flat_map(|part| part.split(|byte| !byte.is_ascii_alphabetic()));
    let word = words.find(|word| matches!(*word, b"NaN" | b"Infinity" | b"inf" | b"nan"))?;
    let word = String::from_utf8_lossy(word);
    Some(format!("it contains {word}, which neither JSON nor a circuit has as a number"))
}

/// Quantises a list, which has the place `position` in the file, for the input `index`.
fn quantize_list(
    model: &Model,
    node: usize,
    [position, index]: [usize; 2],
    list: &[InputElement],
) -> Result<Vec<Fr>, FormatError> {
    let Some(NodeKind::Node(node)) = model.graph.nodes.get(&node) else {
        return Err(FormatError::Mismatch(format!("input {index} of the network is not a node")));
    };
    let SupportedOp::Input(input) = &node.op else {
        return Err(FormatError::Mismatch(format!("{node} is not an input")));
    };
    let expected = node.out_dims.iter().fold(1usize, |count, dim| count.saturating_mul(*dim));
    if list.len() != expected {
        return Err(FormatError::Shape(format!(
            "list {position} of input_data holds {} elements, but input {index} of the network has \
             shape {:?}, that is, {expected} elements",
            list.len(),
            node.out_dims
        )));
    }
    let quantized = list.iter().map(|element| element.quantize(input.scale, input.datum_type));
    let elements = quantized.enumerate().map(|(element, value)| {
        value.map_err(|source| {
            FormatError::Mismatch(format!("element {element} of list {position}: {source}"))
        })
    });
    elements.collect()
}

impl InputElement {
    /// The field element for an input of type `datum_type` at `scale`.
    ///
    /// # Errors
    /// Not of the type, or out of range.
    pub fn quantize(self, scale: i32, datum_type: InputType) -> Result<Fr, GraphError> {
        let value = match self {
            InputElement::Field(value) => return Ok(value),
            InputElement::Number(value) => cast_datum(value, datum_type)?,
            InputElement::Bool(value) if datum_type == InputType::Bool => f64::from(value),
            InputElement::Bool(value) => {
                let value = value.to_string();
                return Err(GraphError::Datum { value, expected: "number" });
            }
        };
        Ok(integer_to_field(quantize(value, scale)?))
    }
}

impl Drop for InputFile {
    fn drop(&mut self) {
        for element in
            self.input_data.iter_mut().chain(self.output_data.iter_mut().flatten()).flatten()
        {
            match element {
                InputElement::Bool(value) => value.zeroize(),
                InputElement::Number(value) => value.zeroize(),
                InputElement::Field(value) => twain_algebra::erase(std::slice::from_mut(value)),
            }
        }
    }
}

/// Shows numbers of elements only: the values may be private.
impl fmt::Debug for InputFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<usize> = self.input_data.iter().map(Vec::len).collect();
        f.debug_struct("InputFile").field("input_data", &lengths).finish_non_exhaustive()
    }
}

impl Serialize for InputElement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            InputElement::Bool(value) => serializer.serialize_bool(*value),
            InputElement::Number(value) => serializer.serialize_f64(*value),
            InputElement::Field(value) => serializer.serialize_str(&field_to_hex(value)),
        }
    }
}

impl<'de> Deserialize<'de> for InputElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Element;
        impl Visitor<'_> for Element {
            type Value = InputElement;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a Boolean, a number or a field element as 64 hexadecimal digits")
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<InputElement, E> {
                Ok(InputElement::Bool(value))
            }
            fn visit_i64<E: Error>(self, value: i64) -> Result<InputElement, E> {
                Ok(InputElement::Number(value as f64))
            }
            fn visit_u64<E: Error>(self, value: u64) -> Result<InputElement, E> {
                Ok(InputElement::Number(value as f64))
            }
            fn visit_f64<E: Error>(self, value: f64) -> Result<InputElement, E> {
                Ok(InputElement::Number(value))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<InputElement, E> {
                let reason = "a text must be a field element: 64 hexadecimal digits, least \
                              significant byte first, without 0x, below the modulus";
                field_from_hex(text).map(InputElement::Field).ok_or_else(|| E::custom(reason))
            }
        }
        deserializer.deserialize_any(Element)
    }
}
