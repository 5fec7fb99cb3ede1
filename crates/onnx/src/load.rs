//! An ONNX file to tract's simplified graph, in EZKL's steps (spec 05 §1.1).

use crate::OnnxError;
use crate::axes::AxisPass;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tract_core::internal::*;
use tract_core::optim::Optimizer;
use tract_onnx::prelude::{Framework, InferenceModelExt};

/// A model as tract sees it, simplified and with all dimensions known.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub(crate) model: TypedModel,
    pub(crate) symbols: SymbolValues,
}

/// Loads the content of an ONNX file. `variables` are the values of symbolic dimensions;
/// `batch_size` is that of dimensions without a name.
///
/// # Errors
/// Not an ONNX model, an operator tract does not know, dimensions that stay unknown.
pub fn load(bytes: &[u8], variables: &[(String, usize)]) -> Result<Loaded, OnnxError> {
    // tract asserts in places on what the file says.
    catch_unwind(AssertUnwindSafe(|| load_unguarded(bytes, variables))).unwrap_or_else(|_| {
        Err(OnnxError::Analyse("the file breaks an assumption of its reader".into()))
    })
}

fn parse_error(error: TractError) -> OnnxError {
    OnnxError::Parse(format!("{error:#}"))
}

fn analyse_error(error: TractError) -> OnnxError {
    OnnxError::Analyse(format!("{error:#}"))
}

fn load_unguarded(bytes: &[u8], variables: &[(String, usize)]) -> Result<Loaded, OnnxError> {
    let onnx = tract_onnx::onnx();
    let proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(parse_error)?;
    if proto.graph.is_none() {
        return Err(OnnxError::Parse("it holds no graph".into()));
    }
    let mut model = onnx.model_for_proto_model(&proto).map_err(analyse_error)?;

    let inputs = model.input_outlets().map_err(analyse_error)?.to_vec();
    let batch_size = variables.iter().rev().find(|(name, _)| name == "batch_size");
    for (position, input) in inputs.into_iter().enumerate() {
        let node = model.node(input.node);
        let unknown = || OnnxError::UnknownDimension { input: node.name.clone() };
        let mut fact = node.outputs.first().map(|output| output.fact.clone()).unwrap_or_default();
        if fact.shape.is_open() {
            return Err(unknown());
        }
        let dims: Vec<_> = fact.shape.dims().cloned().collect();
        for (axis, dim) in dims.iter().enumerate() {
            if *dim == tract_onnx::tract_hir::infer::GenericFactoid::Any {
                let (_, size) = batch_size.ok_or_else(unknown)?;
                fact.shape.set_dim(axis, size.to_dim());
            }
        }
        model.set_input_fact(position, fact).map_err(analyse_error)?;
    }
    let outputs = model.output_outlets().map_err(analyse_error)?.len();
    for position in 0..outputs {
        model.set_output_fact(position, Default::default()).map_err(analyse_error)?;
    }

    let mut symbols = SymbolValues::default();
    for (name, value) in variables {
        let value = i64::try_from(*value)
            .map_err(|_| OnnxError::Analyse(format!("the variable {name} is too large")))?;
        symbols = symbols.with(&model.symbols.sym(name), value);
    }
    let typed = model.into_typed().map_err(analyse_error)?;
    let mut model = typed.concretize_dims(&symbols).map_err(analyse_error)?;
    simplifications().session().optimize(&mut model).map_err(analyse_error)?;
    Ok(Loaded { model, symbols })
}

/// tract's list of simplifications with our own in place of the last.
fn simplifications() -> Optimizer {
    let mut optimizer = Optimizer::declutter();
    optimizer.passes.pop();
    optimizer.passes.push(Box::<AxisPass>::default());
    optimizer
}
