//! An ONNX file to tract's simplified graph, in EZKL's steps (spec 05 §1.1).

use crate::OnnxError;
use crate::axes::AxisPass;
use crate::check::check_graph;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use tract_core::internal::*;
use tract_core::optim::Optimizer;
use tract_onnx::prelude::{Framework, InferenceModelExt};
use tract_onnx::tract_hir::infer::GenericFactoid;

/// The variable that sets the dimensions without a name.
const BATCH_SIZE: &str = "batch_size";

/// A model as tract sees it, simplified and with all dimensions known.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// tract's graph.
    pub model: TypedModel,
    /// Values of the dimensions that have a name.
    pub symbols: SymbolValues,
}

/// Loads the content of an ONNX file. `variables` are the values of symbolic dimensions;
/// `batch_size` is that of dimensions without a name.
///
/// # Errors
/// Not an ONNX model, weights in another file, an operator tract does not know, a quantised model,
/// dimensions that stay unknown.
pub fn load(bytes: &[u8], variables: &[(String, usize)]) -> Result<Loaded, OnnxError> {
    guarded(|| load_unguarded(bytes, variables))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls tract, which asserts in places on what the file says: a panic becomes an error, and nothing is
/// printed about it.
///
/// # Errors
/// Those of `run`, and its panics.
pub fn guarded<T>(run: impl FnOnce() -> Result<T, OnnxError>) -> Result<T, OnnxError> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |information| {
            if !QUIET.get() {
                loud(information);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    result.unwrap_or_else(|_| {
        Err(OnnxError::Analyse("the file breaks an assumption of its reader".into()))
    })
}

/// An error of tract on one line.
pub fn analyse_error(error: TractError) -> OnnxError {
    let text = format!("{error:#}");
    OnnxError::Analyse(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Why bytes do not decode as an ONNX model.
fn parse_error(bytes: &[u8]) -> OnnxError {
    // A model begins with its version, field 1.
    OnnxError::Parse(match bytes.first() {
        None => "the file is empty".into(),
        Some(8) => "the file ends early or is damaged: export or copy it again".into(),
        Some(_) => {
            "the file has another format: export the network with torch.onnx.export, tf2onnx \
                    or skl2onnx"
                .into()
        }
    })
}

fn load_unguarded(bytes: &[u8], variables: &[(String, usize)]) -> Result<Loaded, OnnxError> {
    let onnx = tract_onnx::onnx();
    let proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(|_| parse_error(bytes))?;
    let graph = proto.graph.as_ref().ok_or_else(|| parse_error(bytes))?;
    check_graph(graph, &onnx.op_register)?;
    let mut model = onnx.model_for_proto_model(&proto).map_err(analyse_error)?;

    let mut symbols = SymbolValues::default();
    for (name, value) in variables {
        let value = i64::try_from(*value)
            .map_err(|_| OnnxError::Analyse(format!("the variable {name} is too large")))?;
        symbols = symbols.with(&model.symbols.sym(name), value);
    }
    let batch_size = variables.iter().rev().find(|(name, _)| name == BATCH_SIZE);
    let inputs = model.input_outlets().map_err(analyse_error)?.to_vec();
    for (position, input) in inputs.into_iter().enumerate() {
        let node = model.node(input.node);
        let unknown = |axis, variable: &str| OnnxError::UnknownDimension {
            input: node.name.clone(),
            axis,
            variable: variable.into(),
        };
        let mut fact = node.outputs.first().map(|output| output.fact.clone()).unwrap_or_default();
        if fact.shape.is_open() {
            return Err(OnnxError::Analyse(format!(
                "input `{}` has no shape: export the model with the shapes of its inputs",
                node.name
            )));
        }
        let dims: Vec<_> = fact.shape.dims().cloned().collect();
        for (axis, dim) in dims.iter().enumerate() {
            match dim {
                GenericFactoid::Any => {
                    let (_, size) = batch_size.ok_or_else(|| unknown(axis, BATCH_SIZE))?;
                    fact.shape.set_dim(axis, size.to_dim());
                }
                GenericFactoid::Only(dim) => {
                    if let Some(symbol) = dim.eval(&symbols).symbols().into_iter().next() {
                        return Err(unknown(axis, &symbol.to_string()));
                    }
                }
            }
        }
        model.set_input_fact(position, fact).map_err(analyse_error)?;
    }
    let outputs = model.output_outlets().map_err(analyse_error)?.len();
    for position in 0..outputs {
        model.set_output_fact(position, Default::default()).map_err(analyse_error)?;
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
