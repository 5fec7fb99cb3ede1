//! An ONNX file to tract's simplified graph, in EZKL's steps (spec 05 §1.1).

use crate::OnnxError;
use crate::axes::AxisPass;
use crate::check::check_graph;
use crate::departure::Departure;
use crate::external::read_external;
use crate::masks::masks;
use crate::reading::Reading;
use crate::sklearn;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use tract_core::internal::*;
use tract_core::optim::Optimizer;
use tract_onnx::pb::GraphProto;
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
    /// Whether the reader ignored something: what tract computes is not what the file means.
    pub ignores_attributes: bool,
    /// What the reader ignored or left out.
    pub(crate) departures: Vec<Departure>,
    /// Constants that mask a softmax, by node.
    pub(crate) masks: BTreeSet<usize>,
    /// Whether these are taken as -100.
    pub(crate) clamps_masks: bool,
}

/// Loads the content of an ONNX file. `variables` are the values of symbolic dimensions;
/// `batch_size` is that of dimensions without a name.
///
/// # Errors
/// Not an ONNX model, weights that are not where it says, an operator tract does not know or an
/// attribute it does not heed, a quantised model, dimensions that stay unknown.
pub fn load(
    bytes: &[u8],
    variables: &[(String, usize)],
    reading: &Reading,
) -> Result<Loaded, OnnxError> {
    guarded(|| load_unguarded(bytes, variables, reading))
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Calls tract, which asserts in places on what the file says: a panic becomes an error, and
/// nothing is printed about it.
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

fn load_unguarded(
    bytes: &[u8],
    variables: &[(String, usize)],
    reading: &Reading,
) -> Result<Loaded, OnnxError> {
    let onnx = tract_onnx::onnx();
    let mut proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(|_| parse_error(bytes))?;
    let mut departures = sklearn::rewrite(&mut proto)?;
    let graph = proto.graph.as_mut().ok_or_else(|| parse_error(bytes))?;
    let ignored = check_graph(graph, &onnx.op_register, reading)?;
    let ignores_attributes = !ignored.is_empty();
    departures.extend(ignored);
    read_external(graph, reading.folder)?;
    if let Some(name) = passed_through(graph) {
        return Err(OnnxError::Analyse(format!(
            "the output `{name}` is an input, which no circuit computes: leave it out, or add an \
             Identity"
        )));
    }
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
    let masks = masks(&model);
    let clamps_masks = reading.clamp_masks;
    Ok(Loaded { model, symbols, departures, ignores_attributes, masks, clamps_masks })
}

/// An output that is an input itself.
fn passed_through(graph: &GraphProto) -> Option<&str> {
    let is_input = |name: &&str| graph.input.iter().any(|input| input.name == *name);
    graph.output.iter().map(|output| output.name.as_str()).find(is_input)
}

/// tract's list of simplifications with our own in place of the last.
fn simplifications() -> Optimizer {
    let mut optimizer = Optimizer::declutter();
    optimizer.passes.pop();
    optimizer.passes.push(Box::<AxisPass>::default());
    optimizer
}
