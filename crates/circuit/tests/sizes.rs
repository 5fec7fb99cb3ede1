//! Operations of a hostile model file that ask for tensors nothing in the circuit has a use for are
//! refused before memory is asked for.

use std::path::Path;
use twain_artifacts::CompiledModel;
use twain_circuit::{ProductTree, lay_out};
use twain_graph::{DataFormat, HybridOp, NodeKind, PolyOp, SupportedOp, Tensor};

const HUGE: usize = 1 << 40;

/// What becomes of a circuit of one input of shape `dims` and one operation.
fn outcome(dims: &[usize], op: SupportedOp) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let file = folder.join("1l_relu-k8-private/model.compiled");
    let mut compiled = CompiledModel::read(&file).unwrap();
    let mut nodes = compiled.model.graph.nodes.values_mut();
    let (Some(NodeKind::Node(input)), Some(NodeKind::Node(node))) = (nodes.next(), nodes.next())
    else {
        panic!("an input and an operation");
    };
    input.out_dims = dims.to_vec();
    node.op = op;
    lay_out(&compiled.model, &compiled.settings, ProductTree::FullySplit).unwrap_err().to_string()
}

#[test]
fn what_grows_a_tensor() {
    let padding = vec![(HUGE, 0), (0, 0)];
    let (stride, data_format) = (vec![1, 1], DataFormat::NCHW);
    let indices = Tensor::new(vec![0; 1 << 20], vec![1 << 20]);
    let operations = [
        SupportedOp::Linear(PolyOp::MultiBroadcastTo { shape: vec![HUGE, 1, 1, 3] }),
        SupportedOp::Linear(PolyOp::MultiBroadcastTo { shape: vec![HUGE, HUGE, 0, 3] }),
        SupportedOp::Linear(PolyOp::Pad { padding: padding.clone() }),
        SupportedOp::Linear(PolyOp::Resize { scale_factor: vec![1, 1, HUGE, 1] }),
        SupportedOp::Hybrid(HybridOp::SumPool {
            padding: padding.clone(),
            stride: stride.clone(),
            kernel_shape: vec![HUGE, 1],
            normalized: false,
            data_format,
        }),
        SupportedOp::Hybrid(HybridOp::MaxPool {
            padding,
            stride,
            pool_dims: vec![2, 1],
            data_format,
        }),
        SupportedOp::Hybrid(HybridOp::Gather { dim: 0, constant_idx: Some(indices) }),
    ];
    for op in operations {
        let name = op.to_string();
        let error = outcome(&[1, 1, 1, 3], op);
        assert!(error.starts_with("node 2 ("), "{name}: {error}");
        assert!(error.contains("more elements than the circuit has cells"), "{name}: {error}");
    }
}

#[test]
fn inputs_and_shapes() {
    let reshape = |shape: &[usize]| SupportedOp::Linear(PolyOp::Reshape { shape: shape.to_vec() });
    let error = outcome(&[HUGE, 3], reshape(&[3]));
    assert!(error.starts_with("input 0: the shape"), "{error}");
    for shape in [&[HUGE, HUGE, 3][..], &[HUGE, HUGE, 0]] {
        let error = outcome(&[1, 3], reshape(shape));
        assert!(error.contains("3 elements do not have the shape"), "{error}");
    }
}
