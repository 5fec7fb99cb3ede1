"""Writes the networks of this folder, and with EZKL 23.0.5 what it makes of them:

    python3 tests/onnx/small/make.py DIR [NAME ...]      needs ezkl==23.0.5, onnx and numpy
    python3 tests/onnx/small/make.py --wrong DIR         networks that are refused or warned of
    python3 tests/onnx/small/make.py --arange DIR        a network of no inputs
    python3 tests/onnx/small/make.py --sklearn DIR       operators of scikit-learn's domain; onnxruntime

Each folder gets network.onnx, input.json, settings.json, model.compiled, witness.json and, for those of
KEYS, vk.key (the SRS files of tests/vectors/srs are used).
"""
import json
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

rng = np.random.default_rng(11)
SRS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../vectors/srs")


def model(nodes, inputs, outputs, constants=None, opset=13):
    """`inputs` by name, with their shapes; numbers of `constants` become single precision."""
    value = lambda name, shape: h.make_tensor_value_info(name, T.FLOAT, shape)
    arrays = {n: np.asarray(v, np.float32) if np.asarray(v).dtype == np.float64 else np.asarray(v)
              for n, v in (constants or {}).items()}
    graph = h.make_graph([h.make_node(op, i, o, **a) for op, i, o, a in nodes], "g",
                         [value(n, s) for n, s in inputs.items()], [value(n, None) for n in outputs],
                         [nh.from_array(v, n) for n, v in arrays.items()])
    return h.make_model(graph, opset_imports=[h.make_opsetid("", opset)], ir_version=8), inputs


def random(*shape):
    return rng.uniform(-1, 1, shape)


def one(op, shape, constants=None, **attributes):
    names = ["x", *(constants or {})]
    return model([(op, names, ["y"], attributes)], {"x": shape}, ["y"], constants)


def recurrent(op, gates, hidden, **attributes):
    """Three steps of a cell; its last state."""
    directions = 1
    constants = {"w": random(directions, hidden * gates, hidden), "r": random(directions, hidden * gates, hidden)}
    return model([(op, ["x", "w", "r"], ["y", "h"], dict(hidden_size=hidden) | attributes)],
                 {"x": [3, 1, hidden]}, ["h"], constants)


def attention_of_one_feature():
    """Queries, keys and values by weights of one element."""
    weights = {name: random(1, 1) for name in "qkv"}
    nodes = [("MatMul", ["x", name], [name + "x"], {}) for name in "qkv"]
    nodes += [("Transpose", ["kx"], ["kt"], dict(perm=[1, 0])), ("MatMul", ["qx", "kt"], ["s"], {}),
              ("Softmax", ["s"], ["p"], dict(axis=1)), ("MatMul", ["p", "vx"], ["y"], {})]
    return model(nodes, {"x": [2, 1]}, ["y"], weights)


def spatial_attention():
    """A map of one channel, made by a 1x1 convolution, times the image."""
    nodes = [("ReduceMean", ["x"], ["m"], dict(axes=[1])), ("Conv", ["m", "w"], ["c"], dict(strides=[1, 1])),
             ("Sigmoid", ["c"], ["a"], {}), ("Mul", ["x", "a"], ["y"], {})]
    return model(nodes, {"x": [1, 2, 3, 3]}, ["y"], {"w": random(1, 1, 1, 1)})


def weights_of_int8():
    """A dense layer whose weights are kept as eight-bit integers."""
    return model([("DequantizeLinear", ["w", "s", "z"], ["f"], {}), ("MatMul", ["x", "f"], ["y"], {})],
                 {"x": [1, 4]}, ["y"], {"w": rng.integers(-100, 100, (4, 3)).astype(np.int8),
                                        "s": np.array(0.015625), "z": np.array(3, np.int8)})


def masked(mask):
    """Self-attention with a mask that is part of the model."""
    return model([("Transpose", ["x"], ["t"], dict(perm=[1, 0])), ("MatMul", ["x", "t"], ["s"], {}),
                  ("Add", ["s", "m"], ["c"], {}), ("Softmax", ["c"], ["p"], dict(axis=1)),
                  ("MatMul", ["p", "x"], ["y"], {})], {"x": [3, 2]}, ["y"], {"m": mask.astype(np.float64)})


def pool(op, shape, **attributes):
    return one(op, shape, kernel_shape=[2] * (len(shape) - 2), **attributes)


def tree_by_index():
    """A perfect tree of depth 5 as hummingbird walks it: the index of the next node is made of the last one
    and of a comparison."""
    depth = 5
    constants = {"two": np.array(2), "root": np.array([[0]]), "leaves": random(2 ** depth, 1),
                 "zero": np.array([[0]]), "flat": np.array([-1])}
    nodes, last = [], "zero"
    for level in range(depth):
        n = 2 ** level
        constants[f"f{level}"] = rng.integers(0, 3, (n, 1))
        constants[f"t{level}"] = rng.uniform(-0.5, 0.5, (n, 1))
        nodes += [("Reshape", [last, "flat"], [f"i{level}"], {}),
                  ("Gather", [f"f{level}", f"i{level}"], [f"g{level}"], dict(axis=0)),
                  ("GatherElements", ["x", f"g{level}"], [f"v{level}"], dict(axis=1)),
                  ("Gather", [f"t{level}", f"i{level}"], [f"h{level}"], dict(axis=0)),
                  ("Greater", [f"v{level}", f"h{level}"], [f"b{level}"], {}),
                  ("Cast", [f"b{level}"], [f"c{level}"], dict(to=T.INT64)),
                  ("Mul", [last, "two"], [f"d{level}"], {}), ("Add", [f"d{level}", f"c{level}"], [f"n{level}"], {})]
        last = f"n{level}"
    nodes += [("Reshape", [last, "flat"], ["i"], {}), ("Gather", ["leaves", "i"], ["y"], dict(axis=0))]
    return model(nodes, {"x": [1, 3]}, ["y"], constants)


def weighted(nodes):
    """Nodes on `h`, the product of the input and private parameters."""
    return model([("Mul", ["x", "c"], ["h"], {})] + nodes, {"x": [1, 3]}, ["y"], {"c": random(1, 3)})


TABLE = dict(lookup_range=(-400, 400))
WIDE = dict(logrows=11, lookup_range=(-4000, 4000), input_scale=5, param_scale=5)
RECURRENT = dict(logrows=10, lookup_range=(-900, 900), input_scale=5, param_scale=5)
SMALL = dict(logrows=9, decomp_base=64, decomp_legs=4)
MODELS = {
    # A constant of one element in a product.
    "gemm_1_1": (lambda: one("Gemm", [1, 1], {"w": random(1, 1), "b": random(1)}), {}),
    "matmul_1_1_left": (lambda: model([("MatMul", ["w", "x"], ["y"], {})], {"x": [1, 3]}, ["y"],
                        {"w": random(1, 1)}), {}),
    "matmul_1_1_batch": (lambda: one("MatMul", [2, 3, 1], {"w": random(1, 1)}), {}),
    "conv_1_1": (lambda: one("Conv", [1, 1, 3, 3], {"w": random(1, 1, 1, 1), "b": random(1)},
                 strides=[1, 1]), {}),
    "einsum_scalar": (lambda: one("Einsum", [2, 3], {"w": random(1)}, equation="ij,k->ji"), {}),
    "rnn_1": (lambda: recurrent("RNN", 1, 1), RECURRENT),
    "gru_1": (lambda: recurrent("GRU", 3, 1), RECURRENT),
    "lstm_1": (lambda: recurrent("LSTM", 4, 1), RECURRENT),
    "attention_1": (attention_of_one_feature, dict(logrows=11, decomp_base=128) | TABLE),
    "spatial_attention": (spatial_attention, dict(logrows=10) | TABLE),
    # What tract overlooks: with --as-ezkl only.
    "lstm_reverse": (lambda: recurrent("LSTM", 4, 2, direction="reverse"), RECURRENT),
    "rnn_relu": (lambda: recurrent("RNN", 1, 2, activations=["Relu"]), RECURRENT),
    "gru_activations": (lambda: recurrent("GRU", 3, 2, activations=["HardSigmoid", "Tanh"]), RECURRENT),
    "lstm_clip": (lambda: recurrent("LSTM", 4, 2, clip=0.25), RECURRENT),
    "lstm_input_forget": (lambda: recurrent("LSTM", 4, 2, input_forget=1), RECURRENT),
    # What means something else in the circuit than in the file.
    "max_pool_negative_pad": (lambda: pool("MaxPool", [1, 1, 2, 2], pads=[1, 1, 0, 0], strides=[1, 1]), {}),
    "max_pool_dilated": (lambda: pool("MaxPool", [1, 1, 4, 4], strides=[1, 1], dilations=[2, 2]), {}),
    "average_pool_pad": (lambda: pool("AveragePool", [1, 1, 2, 2], pads=[1, 1, 0, 0], strides=[1, 1]), {}),
    "equal_cast": (lambda: model([("Equal", ["x", "c"], ["e"], {}), ("Cast", ["e"], ["y"], dict(to=T.FLOAT))],
                   {"x": [1, 3]}, ["y"], {"c": [[0.5, 0.25, 0.5]]}), {}),
    "pow_minus_1": (lambda: one("Pow", [1, 3], {"e": [-1.0]}), {}),
    "cast_to_integers": (lambda: model([("Cast", ["x"], ["i"], dict(to=T.INT64)),
                         ("Cast", ["i"], ["y"], dict(to=T.FLOAT))], {"x": [1, 3]}, ["y"]), {}),
    "weights_of_int8": (weights_of_int8, {}),
    # For pairs: indices that comparisons make, and functions whose tables have entries too far apart.
    "tree_by_index": (tree_by_index, dict(logrows=11)),
    "softplus": (lambda: weighted([("Softplus", ["h"], ["y"], {})]), WIDE),
    "mish": (lambda: weighted([("Softplus", ["h"], ["s"], {}), ("Tanh", ["s"], ["t"], {}),
                               ("Mul", ["h", "t"], ["y"], {})]), WIDE),
    "arctangent": (lambda: weighted([("Atanh", ["h"], ["y"], {})]), dict(logrows=10) | TABLE),
    # Written with strides here; the tests take them out.
    "conv_strides": (lambda: one("Conv", [1, 1, 4, 4], {"w": random(2, 1, 2, 2)}, strides=[1, 1]), {}),
    "conv_transpose_strides": (lambda: one("ConvTranspose", [1, 1, 3, 3], {"w": random(1, 2, 2, 2)},
                               strides=[1, 1]), dict(logrows=10)),
    "max_pool_strides": (lambda: pool("MaxPool", [1, 1, 3, 3], strides=[1, 1]), {}),
    "average_pool_strides": (lambda: pool("AveragePool", [1, 1, 3, 3], strides=[1, 1]), {}),
}
# Without what EZKL makes of them.
WRONG = {
    "gru_bidirectional": lambda: model(
        [("GRU", ["x", "w", "r"], ["y", "h"], dict(hidden_size=2, direction="bidirectional"))],
        {"x": [3, 1, 2]}, ["h"], {"w": random(2, 6, 2), "r": random(2, 6, 2)}),
    "resize_sizes": lambda: model(
        [("Resize", ["x", "", "", "sizes"], ["y"], dict(mode="nearest", nearest_mode="floor",
         coordinate_transformation_mode="asymmetric"))],
        {"x": [1, 1, 2, 2]}, ["y"], {"sizes": np.array([1, 1, 4, 4])}),
    "resize_1_5": lambda: model(
        [("Resize", ["x", "", "scales"], ["y"], dict(mode="nearest", nearest_mode="floor",
         coordinate_transformation_mode="asymmetric"))],
        {"x": [1, 1, 2, 2]}, ["y"], {"scales": [1.0, 1.0, 1.5, 1.5]}),
    "max_pool_ceil": lambda: pool("MaxPool", [1, 1, 5, 5], strides=[2, 2], ceil_mode=1),
    "output_is_input": lambda: model([("Relu", ["x"], ["y"], {})], {"x": [1, 4]}, ["y", "x"]),
    "softmax_of_axes": lambda: model([("Softmax", ["x"], ["y"], dict(axis=1))], {"x": [1, 2, 2]}, ["y"],
                                     opset=9),
    "causal_mask": lambda: masked(np.where(np.tri(3) > 0, 0, np.finfo(np.float32).min)),
    "infinite_mask": lambda: masked(np.where(np.tri(3) > 0, 0, -np.inf)),
    "mask_of_10000": lambda: masked(np.where(np.tri(3) > 0, 0, -10000.0)),
    "scales_of_channels": lambda: model(
        [("DequantizeLinear", ["w", "s", "z"], ["f"], dict(axis=1)), ("MatMul", ["x", "f"], ["y"], {})],
        {"x": [1, 2]}, ["y"], {"w": np.array([[1, 2], [3, 4]], np.int8), "s": [0.5, 0.25],
                               "z": np.zeros(2, np.int8)}),
    "cast_to_bool": lambda: model(
        [("Cast", ["x"], ["m"], dict(to=T.BOOL)), ("Where", ["m", "x", "z"], ["y"], {})],
        {"x": [1, 2], "z": [1, 2]}, ["y"]),
    "quotients_of_integers": lambda: model(
        [("Cast", ["x"], ["i"], dict(to=T.INT64)), ("Div", ["i", "k"], ["q"], {}),
         ("Cast", ["q"], ["y"], dict(to=T.FLOAT))], {"x": [1, 3]}, ["y"], {"k": np.array([2])}),
}
def arange():
    """Whole numbers that are part of the circuit, and no inputs."""
    numbers = [nh.from_array(np.array(v), n) for n, v in dict(a=0, b=4, c=1, k=[5, 6, 7, 8]).items()]
    graph = h.make_graph([h.make_node("Range", ["a", "b", "c"], ["r"]), h.make_node("Add", ["r", "k"], ["y"])],
                         "g", [], [h.make_tensor_value_info("y", T.INT64, [4])], numbers)
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 13)], ir_version=8)


def sklearn(op, inputs, outputs=("y",), more=(), constants=None, types=None, **attributes):
    """A model of three features with an operator of scikit-learn's domain, and nodes after it."""
    made = [h.make_node(op, list(inputs), list(outputs), domain="ai.onnx.ml", **attributes)]
    made += [h.make_node(op, i, o, domain="ai.onnx.ml" if op in ("ZipMap", "ArrayFeatureExtractor") else "", **a)
             for op, i, o, a in more]
    types = types or {"y": T.FLOAT}
    graph = h.make_graph(made, "g", [h.make_tensor_value_info("x", T.FLOAT, [1, 3])],
                         [h.make_tensor_value_info(n, t, None) for n, t in types.items()],
                         [nh.from_array(np.asarray(v), n) for n, v in (constants or {}).items()])
    opsets = [h.make_opsetid("", 14), h.make_opsetid("ai.onnx.ml", 1)]
    return h.make_model(graph, opset_imports=opsets, ir_version=8)


def forest(leaf, mode="BRANCH_LEQ", targets=1):
    """Two trees, of three branches and of one; `leaf` names the lists of the leaves' weights, which are
    for so many targets."""
    return {
        "nodes_treeids": [0] * 7 + [1] * 3, "nodes_nodeids": [0, 1, 2, 3, 4, 5, 6, 0, 1, 2],
        "nodes_modes": [mode, mode, "LEAF", "LEAF", mode, "LEAF", "LEAF", mode, "LEAF", "LEAF"],
        "nodes_featureids": [0, 1, 0, 0, 2, 0, 0, 1, 0, 0],
        "nodes_values": [0.5, -0.25, 0, 0, 0.75, 0, 0, 0.5, 0, 0],
        "nodes_truenodeids": [1, 2, 0, 0, 5, 0, 0, 1, 0, 0],
        "nodes_falsenodeids": [4, 3, 0, 0, 6, 0, 0, 2, 0, 0],
        f"{leaf}_treeids": sorted([0, 0, 0, 0, 1, 1] * targets),
        f"{leaf}_nodeids": [node for node in [2, 3, 5, 6, 1, 2] for _ in range(targets)],
    }


BOTH = {"l": T.INT64, "y": T.FLOAT}
SKLEARN = {
    "scaler": lambda: sklearn("Scaler", ["x"], offset=[1.0, -0.5, 0.25], scale=[0.5, 2.0, 4.0]),
    "scaler_of_one": lambda: sklearn("Scaler", ["x"], offset=[0.5], scale=[2.0]),
    "normalizer_l1": lambda: sklearn("Normalizer", ["x"], norm="L1"),
    "normalizer_l2": lambda: sklearn("Normalizer", ["x"], norm="L2"),
    "binarizer": lambda: sklearn("Binarizer", ["x"], threshold=0.25),
    "linear_regressor": lambda: sklearn("LinearRegressor", ["x"], targets=2, intercepts=[0.5, -1.0],
                                        coefficients=[1.0, 2.0, -1.0, 0.25, 0.5, 3.0]),
    "linear_classifier": lambda: sklearn(
        "LinearClassifier", ["x"], ["l", "y"], types=BOTH, classlabels_ints=[3, 5, 9], post_transform="SOFTMAX",
        coefficients=[1.0, 2.0, -1.0, 0.25, 0.5, 3.0, -2.0, 1.0, 0.5], intercepts=[0.5, -1.0, 0.25]),
    "logistic_regression": lambda: sklearn(
        "LinearClassifier", ["x"], ["l", "s"], [("ZipMap", ["s"], ["y"], dict(classlabels_int64s=[0, 1]))], types={"l": T.INT64, "s": T.FLOAT},
        classlabels_ints=[0, 1], post_transform="LOGISTIC", coefficients=[-1.0, -2.0, 1.0, 1.0, 2.0, -1.0],
        intercepts=[-0.5, 0.5]),
    "labels_of_positions": lambda: sklearn(
        "Scaler", ["x"], ["s"], [("ArgMax", ["s"], ["i"], dict(axis=1)),
                                 ("ArrayFeatureExtractor", ["c", "i"], ["f"], {}),
                                 ("Reshape", ["f", "one"], ["y"], {})],
        {"c": np.array([7, 2, 4]), "one": np.array([-1])}, {"y": T.INT64}, offset=[0.0], scale=[1.0]),
    "tree_regressor": lambda: sklearn(
        "TreeEnsembleRegressor", ["x"], n_targets=2, aggregate_function="AVERAGE", base_values=[0.5, -0.5],
        target_ids=[0, 1] * 6, target_weights=[0.25 * i for i in range(12)],
        **forest("target", "BRANCH_LT", 2)),
    "tree_regressor_gt": lambda: sklearn(
        "TreeEnsembleRegressor", ["x"], n_targets=1, target_ids=[0] * 6,
        target_weights=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], **forest("target", "BRANCH_GT")),
    "tree_classifier": lambda: sklearn(
        "TreeEnsembleClassifier", ["x"], ["l", "y"], types=BOTH, classlabels_int64s=[0, 1, 2],
        post_transform="SOFTMAX", class_ids=[0, 1, 2, 0, 1, 2], class_weights=[1.0, 2.0, 0.5, 1.5, 0.25, 0.75],
        **forest("class")),
    "tree_classifier_of_two": lambda: sklearn(
        "TreeEnsembleClassifier", ["x"], ["l", "y"], types=BOTH, classlabels_int64s=[0, 1], class_ids=[0] * 6,
        class_weights=[0.125, 0.5, 0.25, 0.0, 0.375, 0.0625], **forest("class")),
    "tree_classifier_of_margins": lambda: sklearn(
        "TreeEnsembleClassifier", ["x"], ["l", "y"], types=BOTH, classlabels_int64s=[0, 1], class_ids=[0] * 6,
        post_transform="LOGISTIC", base_values=[0.25], class_weights=[0.125, -0.5, 0.25, 1.0, -0.375, 0.5],
        **forest("class")),
}


def compared(build, name, folder):
    """Saves the model and what ONNX Runtime makes of a few rows."""
    import onnxruntime
    network = build()
    onnx.save(network, os.path.join(folder, name + ".onnx"))
    session = onnxruntime.InferenceSession(network.SerializeToString())
    rows = [[round(float(v), 3) for v in random(3)] for _ in range(8)]
    outputs = [n.name for n in session.get_outputs()]
    expected = [[np.asarray(v, np.float64).flatten().tolist() for v in
                 session.run(outputs, {"x": np.array([row], np.float32)})] for row in rows]
    json.dump({"rows": rows, "outputs": expected}, open(os.path.join(folder, name + ".json"), "w"))


KEYS = ["gemm_1_1", "conv_1_1", "lstm_1", "spatial_attention"]


def make(parent, name):
    import ezkl
    build, options = MODELS[name]
    network, inputs = build()
    folder = os.path.join(parent, name)
    os.makedirs(folder, exist_ok=True)
    path = lambda file: os.path.join(folder, file)
    onnx.save(network, path("network.onnx"))
    if name.endswith("_strides"):
        # The same without what is 1 where it is left out.
        bare = onnx.load(path("network.onnx"))
        for node in bare.graph.node:
            del node.attribute[[a.name for a in node.attribute].index("strides")]
        onnx.save(bare, path("without_strides.onnx"))
    data = [[round(float(v), 3) for v in random(*shape).flatten()] for shape in inputs.values()]
    json.dump({"input_data": data}, open(path("input.json"), "w"))
    args = ezkl.PyRunArgs()
    args.input_visibility, args.param_visibility = "private", "private"
    for key, value in (SMALL | options).items():
        setattr(args, key, value)
    assert ezkl.gen_settings(path("network.onnx"), path("settings.json"), py_run_args=args)
    assert ezkl.compile_circuit(path("network.onnx"), path("model.compiled"), path("settings.json"))
    ezkl.gen_witness(path("input.json"), path("model.compiled"), path("witness.json"))
    if name in KEYS:
        srs = os.path.join(SRS, f"kzg{args.logrows}.srs")
        assert ezkl.setup(path("model.compiled"), path("vk.key"), path("pk.key"), srs)
        os.remove(path("pk.key"))


if __name__ == "__main__":
    if sys.argv[1] == "--wrong":
        for name, build in WRONG.items():
            rng = np.random.default_rng(11)
            onnx.save(build()[0], os.path.join(sys.argv[2], name + ".onnx"))
        sys.exit()
    if sys.argv[1] == "--arange":
        onnx.save(arange(), os.path.join(sys.argv[2], "arange.onnx"))
        sys.exit()
    if sys.argv[1] == "--sklearn":
        for name, build in SKLEARN.items():
            compared(build, name, sys.argv[2])
        sys.exit()
    os.environ["RAYON_NUM_THREADS"] = "1"
    for name in sys.argv[2:] or MODELS:
        rng = np.random.default_rng(11)
        try:
            make(sys.argv[1], name)
            print("made", name, flush=True)
        except BaseException as error:
            print("FAILED", name, str(error)[:300], flush=True)
