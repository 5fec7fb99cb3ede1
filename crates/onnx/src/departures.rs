//! Where a circuit means something else than the network of the file: the circuits are EZKL's,
//! which give some operators another meaning than ONNX does. Found in the graph, and said by the
//! commands that make a circuit.

use crate::constants::input_type;
use crate::departure::Departure;
use crate::load::Loaded;
use crate::masks::lowest;
use tract_core::internal::*;
use tract_core::ops::cast::Cast;
use tract_core::ops::cnn::SumPool;
use twain_graph::{Graph, HybridOp, Model, NodeKind, Outlet, PolyOp, SupportedOp};

/// All departures of a circuit made from a model that was read.
pub fn departures(loaded: &Loaded, model: &Model) -> Vec<Departure> {
    let mut departures = loaded.departures.clone();
    let at_least_zero = at_least_zero(&loaded.model);
    for (idx, kind) in &model.graph.nodes {
        let (NodeKind::Node(node), Some(source)) = (kind, loaded.model.nodes.get(*idx)) else {
            continue;
        };
        let op = innermost(&node.op);
        let Some(what) = departure(&loaded.model, source, op, &model.graph, &at_least_zero) else {
            continue;
        };
        departures.push(Departure {
            name: source.name.clone(),
            op: source.op.name().into_owned(),
            what: what.into(),
        });
    }
    for idx in &loaded.masks {
        let Some(node) = loaded.model.nodes.get(*idx) else { continue };
        let lowest = lowest(node).unwrap_or_default();
        let what = match loaded.clamps_masks {
            true => format!("it masks a softmax with {lowest:e}, which is taken as -100"),
            false => format!(
                "it masks a softmax with {lowest:e}: lookup tables may have to be as wide; \
                 --clamp-masks takes it as -100"
            ),
        };
        departures.push(Departure { name: node.name.clone(), op: "Const".into(), what });
    }
    departures
}

/// The operation without what brings scales together.
fn innermost(op: &SupportedOp) -> &SupportedOp {
    match op {
        SupportedOp::Rescaled(rescaled) => innermost(&rescaled.inner),
        SupportedOp::RebaseScale(rebased) => innermost(&rebased.inner),
        op => op,
    }
}

fn departure(
    model: &TypedModel,
    source: &TypedNode,
    op: &SupportedOp,
    graph: &Graph,
    at_least_zero: &[bool],
) -> Option<&'static str> {
    let operand_at_least_zero =
        source.inputs.first().is_some_and(|inlet| at_least_zero.get(inlet.node) == Some(&true));
    let pads = |padding: &[(usize, usize)]| padding.iter().any(|pads| *pads != (0, 0));
    let integers = |outlet: &OutletId| {
        let datum = model.outlet_fact(*outlet).ok().and_then(|fact| input_type(fact.datum_type));
        datum.is_some_and(|datum| datum.is_integer())
    };
    match op {
        SupportedOp::Hybrid(HybridOp::MaxPool { padding, .. })
            if pads(padding) && !operand_at_least_zero =>
        {
            Some(
                "padding counts as 0 in the circuit: a window at the edge over negative numbers \
                  gives 0; pad with zeros only what cannot be negative (after ReLU)",
            )
        }
        SupportedOp::Hybrid(HybridOp::SumPool { padding, .. })
            if pads(padding)
                && source.op_as::<SumPool>().is_some_and(|pool| !pool.count_include_pad) =>
        {
            Some(
                "padding counts in the circuit's averages, although count_include_pad is 0: set \
                  it to 1, or do not pad",
            )
        }
        SupportedOp::Hybrid(HybridOp::Equals) => {
            let node = graph.nodes.get(&source.id)?;
            let scaled = node.out_scales().iter().any(|scale| *scale != 0);
            (scaled && !only_chooses(graph, source.id)).then_some(
                "1 becomes 2^-scale in the circuit where the result is more than a mask: choose \
                 with Where instead",
            )
        }
        SupportedOp::Linear(PolyOp::Pow { exponent: 0 }) => {
            Some("exponents of 0 and below give the operand itself: use Reciprocal")
        }
        SupportedOp::Hybrid(HybridOp::Div { .. })
            if source.op.name() == "Div" && integers(&OutletId::new(source.id, 0)) =>
        {
            Some("quotients of integers keep their fraction in the circuit: follow it with Floor")
        }
        SupportedOp::Hybrid(HybridOp::Floor { .. }) => match source.op_as::<Cast>()?.to {
            DatumType::Bool => Some(
                "fractions become false in the circuit, and whole numbers other than 0 are not \
                 scaled to Booleans, so that gen-witness refuses them: compare with Greater or Equal \
                 instead",
            ),
            _ if !operand_at_least_zero => Some(
                "negative numbers are rounded down in the circuit, not towards zero: use Floor, or \
                 cast what cannot be negative",
            ),
            _ => None,
        },
        _ => None,
    }
}

/// Whether nothing but choices and Boolean operations read a result.
fn only_chooses(graph: &Graph, idx: usize) -> bool {
    let this = Outlet { node: idx, slot: 0 };
    let chooses = |kind: &NodeKind| {
        let NodeKind::Node(node) = kind else { return false };
        let SupportedOp::Linear(op) = innermost(&node.op) else { return false };
        match op {
            PolyOp::Iff => !node.inputs.iter().skip(1).any(|inlet| *inlet == this),
            PolyOp::Not | PolyOp::And | PolyOp::Or | PolyOp::Xor => true,
            _ => false,
        }
    };
    let readers = graph.nodes.values().filter(|kind| kind.inputs().contains(&this));
    !graph.outputs.contains(&this) && readers.into_iter().all(chooses)
}

/// For each node, whether its results cannot be negative.
fn at_least_zero(model: &TypedModel) -> Vec<bool> {
    let mut known = vec![false; model.nodes.len()];
    for node in &model.nodes {
        let operand = |inlet: &OutletId| known.get(inlet.node) == Some(&true);
        let all = !node.inputs.is_empty() && node.inputs.iter().all(operand);
        let first = node.inputs.first().is_some_and(operand);
        let unsigned = node.outputs.first().is_some_and(|output| {
            let datum = output.fact.datum_type;
            datum == DatumType::Bool || datum.is_unsigned()
        });
        let result = match &*node.op.name() {
            "Const" => lowest(node).is_some_and(|lowest| lowest >= 0.0),
            "Sigmoid" | "Exp" | "Softmax" | "Abs" | "Sqrt" | "Square" | "Cosh" | "Acos" => true,
            "Max" => node.inputs.iter().any(operand),
            "Iff" => node.inputs.iter().skip(1).all(operand),
            "Add" | "Mul" | "Min" | "Concat" | "EinSum" | "Conv" => all,
            "AddAxis" | "RmAxis" | "Reshape" | "MoveAxis" | "MultiBroadcastTo" | "Slice"
            | "Cast" | "Pad" | "MaxPool" | "SumPool" | "Downsample" | "Gather" | "Reduce<Max>"
            | "Reduce<Min>" | "Reduce<Sum>" | "Floor" | "Ceil" | "Round" => first,
            _ => false,
        };
        if let Some(place) = known.get_mut(node.id) {
            *place = unsigned || result;
        }
    }
    known
}
