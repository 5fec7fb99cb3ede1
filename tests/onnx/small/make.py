"""Writes the networks of this folder, and with EZKL 23.0.5 what it makes of them:

    python3 tests/onnx/small/make.py DIR [NAME ...]      needs ezkl==23.0.5, onnx and numpy

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


def pool(op, shape, **attributes):
    return one(op, shape, kernel_shape=[2] * (len(shape) - 2), **attributes)


TABLE = dict(lookup_range=(-400, 400))
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
    # Written with strides here; the tests take them out.
    "conv_strides": (lambda: one("Conv", [1, 1, 4, 4], {"w": random(2, 1, 2, 2)}, strides=[1, 1]), {}),
    "conv_transpose_strides": (lambda: one("ConvTranspose", [1, 1, 3, 3], {"w": random(1, 2, 2, 2)},
                               strides=[1, 1]), dict(logrows=10)),
    "max_pool_strides": (lambda: pool("MaxPool", [1, 1, 3, 3], strides=[1, 1]), {}),
    "average_pool_strides": (lambda: pool("AveragePool", [1, 1, 3, 3], strides=[1, 1]), {}),
}
KEYS = ["gemm_1_1", "conv_1_1", "lstm_1", "spatial_attention"]


def make(parent, name):
    import ezkl
    build, options = MODELS[name]
    network, inputs = build()
    folder = os.path.join(parent, name)
    os.makedirs(folder, exist_ok=True)
    path = lambda file: os.path.join(folder, file)
    onnx.save(network, path("network.onnx"))
    data = [[round(float(v), 3) for v in random(*shape).flatten()] for shape in inputs.values()]
    json.dump({"input_data": data}, open(path("input.json"), "w"))
    args = ezkl.PyRunArgs()
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
    os.environ["RAYON_NUM_THREADS"] = "1"
    for name in sys.argv[2:] or MODELS:
        rng = np.random.default_rng(11)
        try:
            make(sys.argv[1], name)
            print("made", name, flush=True)
        except BaseException as error:
            print("FAILED", name, str(error)[:300], flush=True)
