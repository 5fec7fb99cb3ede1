//! Scaling, normalisation and linear models.

use super::labels::Labels;
use super::rewriter::{Rewriter, floats, integer, text};
use tract_onnx::pb::NodeProto;

type LeftOut = Result<Option<String>, String>;

/// `(x - offset) · scale`, feature by feature.
pub(super) fn scaler(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    output: String,
) -> LeftOut {
    let (offset, scale) = (floats(node, "offset"), floats(node, "scale"));
    if offset.is_empty() || scale.is_empty() {
        return Err("its attributes offset and scale are missing".into());
    }
    let offset = rewriter.numbers(offset, &[1, offset.len()]);
    let moved = rewriter.op("Sub", &[input, &offset], vec![]);
    let scale = rewriter.numbers(scale, &[1, scale.len()]);
    rewriter.op_as("Mul", &[&moved, &scale], vec![], output);
    Ok(None)
}

/// Rows divided by their size.
pub(super) fn normalizer(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    output: String,
) -> LeftOut {
    let size = match text(node, "norm").unwrap_or("MAX".into()).as_str() {
        "L1" => {
            let sizes = rewriter.op("Abs", &[input], vec![]);
            rewriter.reduce("ReduceSum", &sizes)
        }
        "L2" => {
            let squares = rewriter.op("Mul", &[input, input], vec![]);
            let sum = rewriter.reduce("ReduceSum", &squares);
            rewriter.op("Sqrt", &[&sum], vec![])
        }
        "MAX" => rewriter.reduce("ReduceMax", input),
        other => return Err(format!("its attribute norm = {other} is not known")),
    };
    rewriter.op_as("Div", &[input, &size], vec![], output);
    Ok(None)
}

/// 1 where a number exceeds the threshold, otherwise 0.
pub(super) fn binarizer(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    output: String,
) -> LeftOut {
    let attribute = node.attribute.iter().find(|attribute| attribute.name == "threshold");
    let threshold = rewriter.numbers(&[attribute.map_or(0.0, |attribute| attribute.f)], &[1, 1]);
    let greater = rewriter.op("Greater", &[input, &threshold], vec![]);
    rewriter.op_as("Cast", &[&greater], vec![integer("to", 1)], output);
    Ok(None)
}

/// `x · coefficientsᵀ + intercepts` for so many rows of coefficients.
fn products(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    rows: usize,
) -> Result<String, String> {
    let (coefficients, intercepts) = (floats(node, "coefficients"), floats(node, "intercepts"));
    if rows == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(rows) {
        return Err(format!("its {} coefficients do not make {rows} rows", coefficients.len()));
    }
    let columns = coefficients.len() / rows;
    let transposed: Vec<f32> =
        (0..columns).flat_map(|j| (0..rows).map(move |i| coefficients[i * columns + j])).collect();
    let coefficients = rewriter.numbers(&transposed, &[columns, rows]);
    let products = rewriter.op("MatMul", &[input, &coefficients], vec![]);
    if intercepts.is_empty() {
        return Ok(products);
    }
    if intercepts.len() != rows {
        return Err(format!("it has {} intercepts for {rows} results", intercepts.len()));
    }
    let intercepts = rewriter.numbers(intercepts, &[1, rows]);
    Ok(rewriter.op("Add", &[&products, &intercepts], vec![]))
}

pub(super) fn regressor(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    output: String,
) -> LeftOut {
    let targets = node.attribute.iter().find(|attribute| attribute.name == "targets");
    let targets = targets.map_or(1, |attribute| usize::try_from(attribute.i).unwrap_or(0));
    let sums = products(rewriter, node, input, targets)?;
    rewriter.post_transform(node, &sums, output)?;
    Ok(None)
}

pub(super) fn classifier(
    rewriter: &mut Rewriter,
    node: &NodeProto,
    input: &str,
    [label, scores]: [String; 2],
) -> LeftOut {
    let labels = Labels::of(node, "classlabels_ints")?;
    let sums = products(rewriter, node, input, labels.count())?;
    let left_out = rewriter.label(&labels, &sums, label);
    if !scores.is_empty() {
        rewriter.post_transform(node, &sums, scores)?;
    }
    Ok(left_out)
}
