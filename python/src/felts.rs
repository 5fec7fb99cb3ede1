//! Field elements as EZKL's Python shows them: hexadecimal text of the little-endian bytes.
//! Malformed text is a `ValueError`.

use ff::PrimeField;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyInt;
use twain_algebra::{Fq, Fr, G1Affine};
use twain_artifacts::{field_from_hex, field_to_hex, field_to_pretty};
use twain_circuit::poseidon_hash as hash;
use twain_graph::InputType;
use twain_graph::numbers::{integer_to_field, quantize};

/// Bytes of a buffer in one field element.
const CHUNK: usize = 16;

/// The types of inputs and outputs.
#[pyclass(eq, eq_int, frozen, hash, module = "twain", name = "PyInputType", from_py_object)]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum PyInputType {
    Bool,
    F16,
    F32,
    F64,
    Int,
    TDim,
    Unknown,
}

impl From<PyInputType> for InputType {
    fn from(kind: PyInputType) -> Self {
        match kind {
            PyInputType::Bool => Self::Bool,
            PyInputType::F16 => Self::F16,
            PyInputType::F32 => Self::F32,
            PyInputType::F64 => Self::F64,
            PyInputType::Int => Self::Int,
            PyInputType::TDim => Self::TDim,
            PyInputType::Unknown => Self::Unknown,
        }
    }
}

/// A field element from text.
pub fn parse(felt: &str) -> PyResult<Fr> {
    field_from_hex(felt).ok_or_else(|| {
        let text = "a field element is 64 hexadecimal digits (little-endian bytes, no 0x) of a number \
                    below the modulus";
        PyValueError::new_err(text)
    })
}

/// A point of G1: coordinates in the base field, as hexadecimal text of little-endian bytes.
#[pyclass(frozen, get_all, eq, module = "twain", name = "PyG1Affine")]
#[derive(Clone, PartialEq)]
pub struct PyG1Affine {
    /// The first coordinate.
    pub x: String,
    /// The second.
    pub y: String,
}

#[pymethods]
impl PyG1Affine {
    fn __repr__(&self) -> String {
        format!("PyG1Affine(x={:?}, y={:?})", self.x, self.y)
    }
}

impl From<&G1Affine> for PyG1Affine {
    fn from(point: &G1Affine) -> Self {
        let text = |coordinate: Fq| -> String {
            coordinate.to_repr().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        Self { x: text(point.x), y: text(point.y) }
    }
}

/// The integer around 0 that a field element stands for, as Python's: sign and little-endian bytes.
fn signed(py: Python<'_>, value: Fr) -> PyResult<Bound<'_, PyAny>> {
    let unsigned = |value: Fr| {
        let bytes = value.to_repr();
        py.get_type::<PyInt>().call_method1("from_bytes", (bytes.as_ref(), "little"))
    };
    // The larger half of the field is that of the negative numbers.
    let (value_bytes, negated_bytes) = (value.to_repr(), (-value).to_repr());
    let larger = value_bytes.as_ref().iter().rev().gt(negated_bytes.as_ref().iter().rev());
    if larger { unsigned(-value)?.neg() } else { unsigned(value) }
}

/// felt_to_int(felt: str) -> int
///
/// The signed integer of a field element, exact over the whole field.
#[pyfunction]
fn felt_to_int<'py>(py: Python<'py>, felt: &str) -> PyResult<Bound<'py, PyAny>> {
    signed(py, parse(felt)?)
}

/// felt_to_float(felt: str, scale: int) -> float
///
/// The signed integer of a field element, divided by `2**scale`.
#[pyfunction]
fn felt_to_float(py: Python<'_>, felt: &str, scale: i32) -> PyResult<f64> {
    let integer: f64 = signed(py, parse(felt)?)?.call_method0("__float__")?.extract()?;
    Ok(integer / f64::from(scale).exp2())
}

/// felt_to_big_endian(felt: str) -> str
///
/// `0x` and 64 digits, most significant first.
#[pyfunction]
fn felt_to_big_endian(felt: &str) -> PyResult<String> {
    Ok(field_to_pretty(&parse(felt)?))
}

/// float_to_felt(input: float, scale: int, input_type: PyInputType = PyInputType.F64) -> str
///
/// The field element nearest to `input * 2**scale`. Integer types cut the fraction off first, a
/// Bool is 0 below 1, and nothing else than 0 and 1. Raises OverflowError beyond 127 bits.
#[pyfunction]
#[pyo3(signature = (input, scale, input_type = PyInputType::F64))]
fn float_to_felt(input: f64, scale: i32, input_type: PyInputType) -> PyResult<String> {
    let input = match InputType::from(input_type) {
        InputType::F16 | InputType::F32 => f64::from(input as f32),
        InputType::Int | InputType::TDim => input.trunc(),
        InputType::Bool => match input.trunc() {
            bit if bit == 0.0 || bit == 1.0 => bit,
            _ if input.is_nan() => 0.0,
            _ => return Err(PyValueError::new_err("a Bool is 0 or 1")),
        },
        InputType::F64 | InputType::Unknown => input,
    };
    let integer = quantize(input, scale)
        .map_err(|_| PyOverflowError::new_err("the number does not fit 127 bits at this scale"))?;
    Ok(field_to_hex(&integer_to_field(integer)))
}

/// buffer_to_felts(buffer: bytes | list[int]) -> list[str]
///
/// 16 bytes a field element, little-endian; the last is filled up with zeros.
#[pyfunction]
fn buffer_to_felts(buffer: Vec<u8>) -> Vec<String> {
    let felt = |bytes: &[u8]| {
        let mut chunk = [0; CHUNK];
        chunk[..bytes.len()].copy_from_slice(bytes);
        field_to_hex(&Fr::from_u128(u128::from_le_bytes(chunk)))
    };
    buffer.chunks(CHUNK).map(felt).collect()
}

/// poseidon_hash(message: list[str]) -> list[str]
///
/// The hash that a circuit with hashed visibility makes: one field element, none for no message.
#[pyfunction]
fn poseidon_hash(message: Vec<String>) -> PyResult<Vec<String>> {
    let message = message.iter().map(|felt| parse(felt)).collect::<PyResult<Vec<_>>>()?;
    Ok(if message.is_empty() { Vec::new() } else { vec![field_to_hex(&hash(&message))] })
}

/// Puts the functions into the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyInputType>()?;
    module.add_class::<PyG1Affine>()?;
    module.add_function(wrap_pyfunction!(felt_to_int, module)?)?;
    module.add_function(wrap_pyfunction!(felt_to_float, module)?)?;
    module.add_function(wrap_pyfunction!(felt_to_big_endian, module)?)?;
    module.add_function(wrap_pyfunction!(float_to_felt, module)?)?;
    module.add_function(wrap_pyfunction!(buffer_to_felts, module)?)?;
    module.add_function(wrap_pyfunction!(poseidon_hash, module)?)
}
