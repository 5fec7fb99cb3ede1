//! The nodes of a graph as a table: the columns and the words of EZKL's `table`.

use std::fmt::Write;
use twain_graph::{HybridOp, LookupOp, Model, NodeKind, Outlet, PolyOp, SupportedOp};

const HEADINGS: [&str; 5] = ["idx", "opkind", "out_scale", "inputs", "out_dims"];

/// A table of the nodes; each loop has a heading and its own tables at its place.
pub fn table(model: &Model) -> String {
    let mut text = String::new();
    let mut rows = Vec::new();
    for kind in model.graph.nodes.values() {
        match kind {
            NodeKind::Node(node) => rows.push([
                node.idx.to_string(),
                operation(&node.op),
                node.out_scale.to_string(),
                if node.inputs.is_empty() { String::new() } else { outlets(&node.inputs) },
                format!("{:?}", node.out_dims),
            ]),
            NodeKind::SubGraph(subgraph) => {
                draw(&mut text, &std::mem::take(&mut rows));
                let (idx, inputs) = (subgraph.idx, outlets(&subgraph.inputs));
                let _ = writeln!(text, "SUBGRAPH AT IDX {idx} WITH INPUTS {inputs}");
                text.push_str(&table(&subgraph.model));
            }
        }
    }
    draw(&mut text, &rows);
    text
}

fn outlets(outlets: &[Outlet]) -> String {
    let pairs: Vec<String> = outlets.iter().map(|o| format!("({}, {})", o.node, o.slot)).collect();
    format!("[{}]", pairs.join(", "))
}

fn draw(text: &mut String, rows: &[[String; 5]]) {
    if rows.is_empty() {
        return;
    }
    let headings = HEADINGS.map(str::to_owned);
    let all = || std::iter::once(&headings).chain(rows);
    let widths: [usize; 5] = std::array::from_fn(|column| {
        all().map(|row| row[column].chars().count()).max().unwrap_or(0)
    });
    let rule = |left: &str, cross: &str, right: &str| {
        let parts = widths.map(|width| "─".repeat(width + 2));
        format!("{left}{}{right}\n", parts.join(cross))
    };
    text.push_str(&rule("┌", "┬", "┐"));
    for (index, row) in all().enumerate() {
        if index > 0 {
            text.push_str(&rule("├", "┼", "┤"));
        }
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(text, "│ {cell:<width$} ");
        }
        text.push_str("│\n");
    }
    text.push_str(&rule("└", "┴", "┘"));
}

/// An operation with its arguments, in EZKL's words.
fn operation(op: &SupportedOp) -> String {
    match op {
        SupportedOp::Linear(op) => polynomial(op),
        SupportedOp::Nonlinear(op) => lookup(op),
        SupportedOp::Hybrid(op) => hybrid(op),
        SupportedOp::Input(_) => "Input".into(),
        SupportedOp::Constant(constant) => {
            let scale = constant.quantized_values.scale.unwrap_or_default();
            format!("CONST (scale={scale})")
        }
        SupportedOp::Unknown => "Unknown".into(),
        SupportedOp::Rescaled(op) => format!("RESCALED INPUT ({})", operation(&op.inner)),
        SupportedOp::RebaseScale(op) => format!(
            "REBASED (div={:?}, rebasing_op={}) ({})",
            op.multiplier,
            hybrid(&op.rebase_op),
            operation(&op.inner)
        ),
    }
}

fn polynomial(op: &PolyOp) -> String {
    let name = op.name().to_uppercase();
    match op {
        PolyOp::LeakyReLU { slope, .. } => format!("{name} (slope={slope})"),
        PolyOp::GatherElements { dim, constant_idx }
        | PolyOp::ScatterElements { dim, constant_idx } => {
            format!("{name} (dim={dim}, constant_idx{})", constant_idx.is_some())
        }
        PolyOp::GatherND { batch_dims, indices } => {
            format!("{name} (batch_dims={batch_dims}, constant_idx{})", indices.is_some())
        }
        PolyOp::ScatterND { constant_idx } => {
            format!("{name} (constant_idx={})", constant_idx.is_some())
        }
        PolyOp::MultiBroadcastTo { shape }
        | PolyOp::Reshape { shape }
        | PolyOp::Flatten { shape } => {
            format!("{name} (shape={shape:?})")
        }
        PolyOp::Einsum { equation } => format!("{name} {equation}"),
        PolyOp::Conv { padding, stride, group, data_format, kernel_format } => format!(
            "{name} (stride={stride:?}, padding={padding:?}, group={group}, \
             data_format={data_format:?}, kernel_format={kernel_format:?})"
        ),
        PolyOp::DeConv { padding, output_padding, stride, group, data_format, kernel_format } => {
            format!(
                "{name} (stride={stride:?}, padding={padding:?}, \
                 output_padding={output_padding:?}, group={group}, data_format={data_format:?}, \
                 kernel_format={kernel_format:?})"
            )
        }
        PolyOp::Identity { out_scale } => format!("{name} (out_scale={out_scale:?})"),
        PolyOp::Pad { padding } => format!("{name} (pads={padding:?})"),
        PolyOp::Sum { axes } | PolyOp::MeanOfSquares { axes } => format!("{name} (axes={axes:?})"),
        PolyOp::Concat { axis } => format!("{name} (axis={axis})"),
        PolyOp::Slice { axis, start, end } => {
            format!("{name} (axis={axis}, start={start}, end={end})")
        }
        PolyOp::Trilu { upper, k } => format!("{name} (upper={upper}, k={k})"),
        _ => name,
    }
}

fn lookup(op: &LookupOp) -> String {
    let name = op.name().to_uppercase();
    match op {
        LookupOp::Div { denom } => format!("{name}(denom={denom})"),
        LookupOp::IsOdd => name,
        LookupOp::Exp { scale, base } => format!("{name}(scale={scale}, base={base})"),
        LookupOp::Pow { scale, a } => format!("{name}(scale={scale}, exponent={a})"),
        LookupOp::PowersOfTwo { scale }
        | LookupOp::Ln { scale }
        | LookupOp::Sigmoid { scale }
        | LookupOp::Cos { scale }
        | LookupOp::ACos { scale }
        | LookupOp::Cosh { scale }
        | LookupOp::ACosh { scale }
        | LookupOp::Sin { scale }
        | LookupOp::ASin { scale }
        | LookupOp::Sinh { scale }
        | LookupOp::ASinh { scale }
        | LookupOp::Tan { scale }
        | LookupOp::ATan { scale }
        | LookupOp::Tanh { scale }
        | LookupOp::ATanh { scale }
        | LookupOp::Erf { scale }
        | LookupOp::HardSwish { scale } => format!("{name}(scale={scale})"),
    }
}

fn hybrid(op: &HybridOp) -> String {
    let name = op.name().to_uppercase();
    match op {
        HybridOp::Ln { scale, eps } => format!("{name}(scale={scale}, eps={eps})"),
        HybridOp::Rsqrt { input_scale, output_scale, eps }
        | HybridOp::Recip { input_scale, output_scale, eps } => {
            format!("{name} (input_scale={input_scale}, output_scale={output_scale}, eps={eps})")
        }
        HybridOp::Sqrt { scale } => format!("{name}(scale={scale})"),
        HybridOp::RoundHalfToEven { scale, legs } => {
            format!("ROUND_HALF_TO_EVEN(scale={scale}, legs={legs})")
        }
        HybridOp::Ceil { scale, legs }
        | HybridOp::Floor { scale, legs }
        | HybridOp::Round { scale, legs } => format!("{name}(scale={scale}, legs={legs})"),
        HybridOp::Div { denom } => format!("{name} (denom={denom})"),
        HybridOp::ReduceMax { axes } | HybridOp::ReduceMin { axes } => {
            format!("{name} (axes={axes:?})")
        }
        HybridOp::ReduceArgMax { dim }
        | HybridOp::ReduceArgMin { dim }
        | HybridOp::Gather { dim, .. } => format!("{name} (dim={dim})"),
        HybridOp::SumPool { padding, stride, kernel_shape, normalized, data_format } => format!(
            "{name} (padding={padding:?}, stride={stride:?}, kernel_shape={kernel_shape:?}, \
             normalized={normalized}, data_format={data_format:?})"
        ),
        HybridOp::MaxPool { padding, stride, pool_dims, data_format } => format!(
            "MaxPool (padding={padding:?}, stride={stride:?}, pool_dims={pool_dims:?}, \
             data_format={data_format:?})"
        ),
        HybridOp::Softmax { input_scale, output_scale, axes, eps } => format!(
            "{name} (input_scale={input_scale}, output_scale={output_scale}, axes={axes:?}, \
             eps={eps})"
        ),
        HybridOp::TopK { dim, k, largest } => {
            format!("{name} (k={k}, dim={dim}, largest={largest})")
        }
        HybridOp::OneHot { dim, num_classes } => {
            format!("{name} (dim={dim}, num_classes={num_classes})")
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twain_graph::Tensor;

    /// As the real tool prints them.
    #[test]
    fn words_of_operations() {
        let linear = |op| operation(&SupportedOp::Linear(op));
        assert_eq!(
            linear(PolyOp::MultiBroadcastTo { shape: vec![2, 4] }),
            "MULTIBROADCASTTO (shape=[2, 4])"
        );
        assert_eq!(
            linear(PolyOp::Pad { padding: vec![(0, 0), (1, 1)] }),
            "PAD (pads=[(0, 0), (1, 1)])"
        );
        assert_eq!(
            linear(PolyOp::Identity { out_scale: Some(-3) }),
            "IDENTITY (out_scale=Some(-3))"
        );
        assert_eq!(linear(PolyOp::Pow { exponent: 3 }), "POW");
        let constant_idx = Some(Tensor::new(vec![0], vec![1]));
        let gather = PolyOp::GatherElements { dim: 1, constant_idx };
        assert_eq!(linear(gather), "GATHERELEMENTS (dim=1, constant_idxtrue)");
        let lookup = |op| operation(&SupportedOp::Nonlinear(op));
        assert_eq!(lookup(LookupOp::Pow { scale: 128.0, a: 1.5 }), "POW(scale=128, exponent=1.5)");
        assert_eq!(lookup(LookupOp::HardSwish { scale: 128.0 }), "HARDSWISH(scale=128)");
        let hybrid = |op| operation(&SupportedOp::Hybrid(op));
        let rounded = HybridOp::RoundHalfToEven { scale: 128.0, legs: 2 };
        assert_eq!(hybrid(rounded), "ROUND_HALF_TO_EVEN(scale=128, legs=2)");
        let eps = f64::EPSILON;
        let recip = HybridOp::Recip { input_scale: 128.0, output_scale: 128.0, eps };
        assert_eq!(
            hybrid(recip),
            "RECIP (input_scale=128, output_scale=128, eps=0.0000000000000002220446049250313)"
        );
        assert_eq!(
            hybrid(HybridOp::TopK { dim: 2, k: 2, largest: true }),
            "TOPK (k=2, dim=2, largest=true)"
        );
        assert_eq!(hybrid(HybridOp::GreaterEqual), "GREATEREQUAL");
    }
}
