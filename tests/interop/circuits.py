"""Makes small circuits with the real ezkl 23.0.5, one folder each, to compare layouts with.

    python3 tests/interop/circuits.py OUT [NAME ...]
    TWAIN_CIRCUITS=OUT cargo test -p twain-circuit --test ezkl -- --ignored

Each folder gets network.onnx, input.json, settings.json, model.compiled, witness.json, vk.key and
digest.txt, the digest of the verifying key (from the Solidity verifier ezkl writes).
"""
import asyncio, json, os, re, sys
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh
import ezkl

rng = np.random.default_rng(7)


def graph(shapes, nodes, outputs, constants=None, int_constants=None, indices=None):
    """A model of float inputs and of integer inputs with given values; `nodes` are (op, inputs, outputs,
    attributes)."""
    indices = {name: np.asarray(value) for name, value in (indices or {}).items()}
    inputs = [h.make_tensor_value_info(n, T.FLOAT, s) for n, s in shapes.items()]
    inputs += [h.make_tensor_value_info(n, T.INT64, v.shape) for n, v in indices.items()]
    initial = [nh.from_array(np.asarray(v, np.float32), k) for k, v in (constants or {}).items()]
    initial += [nh.from_array(np.asarray(v, np.int64), k) for k, v in (int_constants or {}).items()]
    made = [h.make_node(op, i, o, **a) for op, i, o, a in nodes]
    outs = [h.make_tensor_value_info(o, T.FLOAT, None) for o in outputs]
    model = h.make_model(h.make_graph(made, "g", inputs, outs, initial),
                         opset_imports=[h.make_opsetid("", 13)])
    model.ir_version = 8
    return model, shapes, indices


def random(*shape):
    return rng.uniform(-1, 1, shape)


def one(op, shape, **attributes):
    return graph({"x": shape}, [(op, ["x"], ["y"], attributes)], ["y"])


def two(op, left, right, **attributes):
    return graph({"x": left, "z": right}, [(op, ["x", "z"], ["y"], attributes)], ["y"])


def conv(shape, kernel, op="Conv", bias=None, **attributes):
    constants = {"w": random(*kernel)}
    names = ["x", "w"]
    if bias:
        constants["b"] = random(bias)
        names.append("b")
    return graph({"x": shape}, [(op, names, ["y"], attributes)], ["y"], constants)


def mlp(n, m, batch=1):
    return graph({"x": [batch, n]},
                 [("Gemm", ["x", "w", "b"], ["h"], {}), ("Relu", ["h"], ["y"], {})], ["y"],
                 {"w": random(n, m), "b": random(m)})


def recurrent(op, gates):
    """Two steps of a cell of two inputs and two states, from zero states."""
    constants = {"w": random(1, 2 * gates, 2), "r": random(1, 2 * gates, 2)}
    return graph({"x": [2, 1, 2]}, [(op, ["x", "w", "r"], ["y", "h"], dict(hidden_size=2))], ["h"],
                 constants)


def weighted(op, shape, inputs=("h",), int_constants=None, indices=None, outputs=("y",), **attributes):
    """An operation on what is made of an input and parameters: in a pair neither side knows it."""
    nodes = [("Mul", ["x", "c"], ["h"], {}), (op, list(inputs), list(outputs), attributes)]
    return graph({"x": shape}, nodes, ["y"], {"c": rng.uniform(0.5, 1.5, shape)}, int_constants, indices)


# Values of these are drawn from 0.2 to 1, of others from -1.
POSITIVE = ("sqrt", "reciprocal", "rsqrt", "ln", "ln-bounded", "weighted-rsqrt", "weighted-ln")
RECURRENT = dict(logrows=10, lookup_range=(-900, 900), input_scale=5, param_scale=5)
SMALL = dict(logrows=9, decomp_base=64, decomp_legs=4)
MODELS = {
    "mlp-k7-w1": (lambda: mlp(4, 3), dict(logrows=7, num_inner_cols=1)),
    "mlp-k7-w3": (lambda: mlp(4, 3), dict(logrows=7, num_inner_cols=3)),
    "mlp-k6": (lambda: mlp(6, 5), dict(logrows=6, decomp_base=16, decomp_legs=6)),
    "mlp-columns": (lambda: mlp(3, 2), dict(logrows=7, decomp_base=1024, decomp_legs=2)),
    "mlp-public": (lambda: mlp(3, 2), dict(input_visibility="public", output_visibility="private")),
    "mlp-public-both": (lambda: mlp(3, 2), dict(input_visibility="public")),
    "mlp-fixed": (lambda: mlp(9, 9), dict(param_visibility="fixed", logrows=7)),
    "mlp-fixed-input": (lambda: mlp(3, 2), dict(input_visibility="fixed")),
    "mlp-commit": (lambda: mlp(3, 2), dict(input_visibility="polycommit",
                   param_visibility="polycommit", output_visibility="polycommit")),
    "mlp-commit-fixed": (lambda: mlp(3, 2), dict(input_visibility="polycommit",
                         param_visibility="fixed")),
    "mlp-unchecked": (lambda: mlp(3, 2), dict(ignore_range_check_inputs_outputs=True)),
    "mlp-batch": (lambda: mlp(3, 2, 2), dict(disable_freivalds=True)),
    "hashed-input": (lambda: mlp(3, 2), dict(input_visibility="hashed")),
    "hashed-params": (lambda: mlp(3, 2), dict(param_visibility="hashed")),
    "hashed-output": (lambda: mlp(3, 2), dict(input_visibility="public",
                      output_visibility="hashed")),
    "hashed-all": (lambda: mlp(2, 2), dict(logrows=10, input_visibility="hashed", param_visibility="hashed",
                   output_visibility="hashed")),
    "hashed-private-input": (lambda: mlp(3, 2), dict(input_visibility="hashed/private/0")),
    "hashed-params-public": (lambda: mlp(3, 2), dict(logrows=11, input_visibility="public",
                             param_visibility="hashed")),
    "scalar-operand": (lambda: mlp(1, 3), {}),
    "freivalds": (lambda: mlp(3, 2, 2), dict()),
    "freivalds-k7-w3": (lambda: mlp(3, 4, 3), dict(logrows=7, num_inner_cols=3)),
    "sub": (lambda: two("Sub", [1, 3], [1, 3]), {}),
    "mul": (lambda: two("Mul", [1, 3], [1, 3]), {}),
    "add-broadcast": (lambda: graph({"x": [2, 3]}, [("Add", ["x", "c"], ["y"], {})], ["y"],
                      {"c": random(3)}), {}),
    "shared-constant": (lambda: graph({"x": [1, 3]}, [("Mul", ["x", "c"], ["h"], {}),
                        ("Add", ["h", "c"], ["y"], {})], ["y"], {"c": random(1, 3)}), {}),
    "shared-constant-commit": (lambda: graph({"x": [1, 3]}, [("Mul", ["x", "c"], ["h"], {}),
                               ("Add", ["h", "c"], ["y"], {})], ["y"], {"c": random(1, 3)}),
                               dict(param_visibility="polycommit")),
    "abs": (lambda: one("Abs", [1, 4]), {}),
    "neg": (lambda: one("Neg", [1, 4]), {}),
    "sign": (lambda: one("Sign", [1, 4]), {}),
    "leaky": (lambda: one("LeakyRelu", [1, 4], alpha=0.1), {}),
    "pow": (lambda: graph({"x": [1, 4]}, [("Pow", ["x", "e"], ["y"], {})], ["y"],
            {"e": [3.0]}), {}),
    "concat": (lambda: two("Concat", [2, 2], [2, 3], axis=1), {}),
    "transpose": (lambda: one("Transpose", [2, 3], perm=[1, 0]), {}),
    "slice": (lambda: graph({"x": [2, 4]}, [("Slice", ["x", "s", "e", "a"], ["y"], {})], ["y"],
              None, {"s": [1], "e": [3], "a": [1]}), {}),
    "strided-slice": (lambda: graph({"x": [2, 5]}, [("Slice", ["x", "s", "e", "a", "t"], ["y"],
                      {})], ["y"], None, {"s": [0], "e": [5], "a": [1], "t": [2]}), {}),
    "pad": (lambda: graph({"x": [2, 2]}, [("Pad", ["x", "p"], ["y"], {})], ["y"], None,
            {"p": [1, 0, 0, 2]}), {}),
    "gather": (lambda: graph({"x": [3, 2]}, [("Gather", ["x", "i"], ["y"], {"axis": 0})], ["y"],
               None, {"i": [2, 0, 0, 1]}), {}),
    "resize": (lambda: graph({"x": [1, 1, 2, 2]}, [("Resize", ["x", "", "s"], ["y"],
               dict(mode="nearest", nearest_mode="floor",
                    coordinate_transformation_mode="asymmetric"))],
               ["y"], {"s": [1, 1, 2, 2]}), {}),
    "expand": (lambda: graph({"x": [2, 1]}, [("Expand", ["x", "s"], ["y"], {})], ["y"], None,
               {"s": [2, 3]}), {}),
    "trilu": (lambda: graph({"x": [1, 3, 3]}, [("Trilu", ["x"], ["y"], {"upper": 1})], ["y"]), {}),
    "reduce-sum": (lambda: graph({"x": [2, 5]}, [("ReduceSum", ["x", "a"], ["y"], {})], ["y"],
                   None, {"a": [1]}), {}),
    "reduce-mean": (lambda: one("ReduceMean", [2, 5], axes=[1]), {}),
    "reduce-prod": (lambda: one("ReduceProd", [2, 3], axes=[1]), dict(logrows=9)),
    "sum-square": (lambda: one("ReduceSumSquare", [2, 3], axes=[1]), {}),
    "max2": (lambda: two("Max", [1, 3], [1, 3]), {}),
    "min2": (lambda: two("Min", [1, 3], [1, 3]), {}),
    "clip": (lambda: graph({"x": [1, 4]}, [("Clip", ["x", "lo", "hi"], ["y"], {})], ["y"],
             {"lo": -0.5, "hi": 0.5}), {}),
    "where": (lambda: graph({"x": [1, 3], "z": [1, 3]}, [("Greater", ["x", "z"], ["m"], {}),
              ("Where", ["m", "x", "z"], ["y"], {})], ["y"]), {}),
    "less-equal": (lambda: graph({"x": [1, 3], "z": [1, 3]}, [("LessOrEqual", ["x", "z"], ["m"],
                   {}), ("Where", ["m", "x", "z"], ["y"], {})], ["y"]), {}),
    "equal": (lambda: graph({"x": [1, 3], "z": [1, 3]}, [("Equal", ["x", "z"], ["m"], {}),
              ("Where", ["m", "x", "z"], ["y"], {})], ["y"]), {}),
    "logic": (lambda: graph({"x": [1, 3], "z": [1, 3]}, [
              ("Greater", ["x", "z"], ["a"], {}), ("Less", ["x", "z"], ["b"], {}),
              ("Or", ["a", "b"], ["c"], {}), ("And", ["c", "a"], ["d"], {}),
              ("Xor", ["d", "b"], ["e"], {}), ("Not", ["e"], ["f"], {}),
              ("Where", ["f", "x", "z"], ["y"], {})], ["y"]), {}),
    "conv": (lambda: conv([1, 2, 5, 5], [2, 2, 3, 3], bias=2, pads=[1, 1, 1, 1], strides=[2, 2]),
             dict(logrows=10)),
    "conv-grouped": (lambda: conv([1, 2, 4, 4], [2, 1, 3, 3], group=2, strides=[1, 1]),
                     dict(logrows=9)),
    "conv-transpose": (lambda: conv([1, 2, 3, 3], [2, 1, 2, 2], op="ConvTranspose",
                       strides=[2, 2]), dict(logrows=10)),
    "conv-batch": (lambda: conv([2, 1, 4, 4], [1, 1, 3, 3], bias=1, strides=[1, 1]), {}),
    "average-pool": (lambda: one("AveragePool", [1, 2, 4, 4], kernel_shape=[2, 2],
                     strides=[2, 2]), dict(logrows=9)),
    "global-average": (lambda: one("GlobalAveragePool", [1, 2, 3, 3]), {}),
    "matmul3": (lambda: graph({"x": [2, 2, 3], "z": [2, 3, 2]}, [("MatMul", ["x", "z"], ["y"],
                {})], ["y"]), dict(disable_freivalds=True, logrows=10)),
    "freivalds-batched": (lambda: graph({"x": [2, 2, 3], "z": [2, 3, 2]},
                          [("MatMul", ["x", "z"], ["y"], {})], ["y"]), dict(logrows=10)),
    "einsum-outer": (lambda: two("Einsum", [2], [3], equation="a,b->ab"), {}),
    "einsum-three": (lambda: graph({"x": [2, 2], "z": [2, 2], "u": [2, 2]}, [("Einsum",
                     ["x", "z", "u"], ["y"], dict(equation="ab,bc,cd->ad"))], ["y"]),
                     dict(disable_freivalds=True, logrows=10, decomp_legs=5)),
    "freivalds-three": (lambda: graph({"x": [2, 2], "z": [2, 2], "u": [2, 2]}, [("Einsum",
                        ["x", "z", "u"], ["y"], dict(equation="ab,bc,cd->ad"))], ["y"]),
                        dict(logrows=10, decomp_legs=5)),
    "sigmoid": (lambda: one("Sigmoid", [1, 4]), dict(logrows=10, lookup_range=(-400, 400))),
    "sigmoid-tanh": (lambda: graph({"x": [1, 4]}, [("Sigmoid", ["x"], ["h"], {}),
                     ("Tanh", ["h"], ["y"], {})], ["y"]),
                     dict(logrows=8, lookup_range=(-400, 400))),
    "erf": (lambda: one("Erf", [1, 4]), dict(logrows=9, lookup_range=(-200, 200))),
    "exp": (lambda: one("Exp", [1, 4]), dict(logrows=9, lookup_range=(-200, 200))),
    "hardswish": (lambda: one("HardSwish", [1, 4]), dict(logrows=9, lookup_range=(-200, 200))),
    "max-pool": (lambda: one("MaxPool", [1, 1, 4, 4], kernel_shape=[2, 2], strides=[2, 2]),
                 dict(logrows=9)),
    "max-pool-k7": (lambda: one("MaxPool", [1, 2, 4, 6], kernel_shape=[2, 2], strides=[2, 2],
                    pads=[1, 0, 1, 0]), dict(logrows=7)),
    "reduce-max": (lambda: one("ReduceMax", [2, 3], axes=[1]), dict(logrows=9)),
    "reduce-min": (lambda: one("ReduceMin", [2, 3], axes=[1]), dict(logrows=9)),
    "arg-max": (lambda: one("ArgMax", [1, 4], axis=1), dict(logrows=10)),
    "top-k": (lambda: graph({"x": [1, 4]}, [("TopK", ["x", "k"], ["y", "i"], {})], ["y"], None,
              {"k": [2]}), dict(logrows=9)),
    "softmax": (lambda: one("Softmax", [1, 3], axis=1), dict(logrows=11,
                lookup_range=(-400, 400), decomp_base=128, decomp_legs=4)),
    "softmax-axis": (lambda: one("Softmax", [2, 3, 2], axis=1), dict(logrows=11,
                     lookup_range=(-400, 400), decomp_base=128, decomp_legs=4)),
    "max-pool-1d": (lambda: one("MaxPool", [2, 2, 5], kernel_shape=[3], strides=[2]),
                    dict(logrows=9)),
    "reduce-max-all": (lambda: one("ReduceMax", [2, 3], axes=[0, 1]), dict(logrows=9)),
    "reduce-max-unit": (lambda: one("ReduceMax", [2, 1, 2], axes=[1]), dict(logrows=9)),
    "arg-max-axis": (lambda: one("ArgMax", [2, 3], axis=0), dict(logrows=10)),
    "arg-min": (lambda: one("ArgMin", [2, 3], axis=1), dict(logrows=10)),
    "arg-max-k8": (lambda: one("ArgMax", [1, 12], axis=1), dict(logrows=8)),
    "top-k-smallest": (lambda: graph({"x": [4, 2]}, [("TopK", ["x", "k"], ["y", "i"],
                       dict(axis=0, largest=0))], ["y"], None, {"k": [3]}), dict(logrows=9)),
    "one-hot": (lambda: graph({}, [("OneHot", ["i", "d", "v"], ["y"], dict(axis=1))], ["y"],
                {"v": [0, 1]}, {"d": [4]}, dict(i=[1, 3])), dict(logrows=9)),
    "gather-input": (lambda: graph({"x": [3, 2]}, [("Gather", ["x", "i"], ["y"], {"axis": 0})],
                     ["y"], indices=dict(i=[2, 0])), dict(logrows=9)),
    "gather-input-vector": (lambda: graph({"x": [5]}, [("Gather", ["x", "i"], ["y"], {"axis": 0})],
                            ["y"], indices=dict(i=[2, 0, 4])), dict(logrows=9)),
    "gather-elements-input": (lambda: graph({"x": [2, 3]}, [("GatherElements", ["x", "i"], ["y"],
                              {"axis": 1})], ["y"], indices=dict(i=[[2, 0], [1, 1]])),
                              dict(logrows=9)),
    "gather-elements": (lambda: graph({"x": [2, 3]}, [("GatherElements", ["x", "i"], ["y"],
                        {"axis": 1})], ["y"], None, dict(i=[[2, 0], [1, 1]])), dict(logrows=9)),
    "gather-nd-input": (lambda: graph({"x": [2, 3]}, [("GatherND", ["x", "i"], ["y"], {})], ["y"],
                        indices=dict(i=[[1, 2], [0, 1]])), dict(logrows=9)),
    "gather-nd-short": (lambda: graph({"x": [3, 2]}, [("GatherND", ["x", "i"], ["y"], {})], ["y"],
                        indices=dict(i=[[2], [0]])), dict(logrows=9)),
    "gather-nd-batch": (lambda: graph({"x": [2, 3]}, [("GatherND", ["x", "i"], ["y"],
                        dict(batch_dims=1))], ["y"], indices=dict(i=[[2], [0]])), dict(logrows=9)),
    "gather-nd": (lambda: graph({"x": [2, 3]}, [("GatherND", ["x", "i"], ["y"], {})], ["y"], None,
                  dict(i=[[1, 2], [0, 1]])), dict(logrows=9)),
    "scatter-elements-input": (lambda: graph({"x": [1, 4], "u": [1, 2]}, [("ScatterElements",
                               ["x", "i", "u"], ["y"], {"axis": 1})], ["y"],
                               indices=dict(i=[[2, 0]])), dict(logrows=9)),
    "scatter-elements-rows": (lambda: graph({"x": [3, 2], "u": [2, 2]}, [("ScatterElements",
                              ["x", "i", "u"], ["y"], {"axis": 0})], ["y"],
                              indices=dict(i=[[2, 0], [1, 1]])), dict(logrows=10)),
    "scatter-elements-vector": (lambda: graph({"x": [5], "u": [2]}, [("ScatterElements",
                                ["x", "i", "u"], ["y"], {"axis": 0})], ["y"],
                                indices=dict(i=[3, 1])), dict(logrows=9)),
    "scatter-elements": (lambda: graph({"x": [3, 2], "u": [2, 2]}, [("ScatterElements",
                         ["x", "i", "u"], ["y"], {"axis": 0})], ["y"], None,
                         dict(i=[[2, 0], [1, 1]])), dict(logrows=9)),
    "scatter-nd-input": (lambda: graph({"x": [2, 3], "u": [2]}, [("ScatterND", ["x", "i", "u"], ["y"],
                         {})], ["y"], indices=dict(i=[[1, 2], [0, 1]])), dict(logrows=9)),
    "scatter-nd-rows": (lambda: graph({"x": [3, 2], "u": [1, 2]}, [("ScatterND", ["x", "i", "u"],
                        ["y"], {})], ["y"], indices=dict(i=[[1]])), dict(logrows=9)),
    "scatter-nd": (lambda: graph({"x": [3, 2], "u": [1, 2]}, [("ScatterND", ["x", "i", "u"],
                   ["y"], {})], ["y"], None, dict(i=[[1]])), dict(logrows=9)),
    "rsqrt": (lambda: graph({"x": [1, 3]}, [("Sqrt", ["x"], ["h"], {}),
              ("Reciprocal", ["h"], ["y"], {})], ["y"]), dict(logrows=10, decomp_base=128)),
    "ln": (lambda: one("Log", [1, 3]), dict(logrows=9, lookup_range=(-200, 200))),
    "ln-bounded": (lambda: one("Log", [1, 2]), dict(logrows=11, lookup_range=(-200, 200),
                   bounded_log_lookup=True, decomp_base=1024, decomp_legs=4, input_scale=4,
                   param_scale=4)),
    "lstm": (lambda: recurrent("LSTM", 4), RECURRENT),
    "gru": (lambda: recurrent("GRU", 3), RECURRENT),
    "rnn": (lambda: recurrent("RNN", 1), RECURRENT),
    "reciprocal": (lambda: one("Reciprocal", [1, 3]), dict(logrows=10, decomp_base=128)),
    "sqrt": (lambda: one("Sqrt", [1, 3]), dict(logrows=10, decomp_base=128)),
    "weighted-max-pool": (lambda: weighted("MaxPool", [1, 1, 4, 4], kernel_shape=[2, 2],
                          strides=[2, 2]), dict(logrows=9)),
    "weighted-arg-max": (lambda: weighted("ArgMax", [1, 4], axis=1), dict(logrows=9)),
    "weighted-top-k": (lambda: weighted("TopK", [1, 5], ["h", "k"], {"k": [2]}, outputs=["y", "i"]),
                       dict(logrows=9)),
    "weighted-gather": (lambda: weighted("Gather", [3, 2], ["h", "i"], indices=dict(i=[2, 0]),
                        axis=0), dict(logrows=9)),
    "weighted-softmax": (lambda: weighted("Softmax", [1, 3], axis=1), dict(logrows=11,
                         lookup_range=(-400, 400), decomp_base=128, decomp_legs=4)),
    "weighted-reciprocal": (lambda: weighted("Reciprocal", [1, 3]), dict(logrows=10,
                            decomp_base=128)),
    "weighted-rsqrt": (lambda: graph({"x": [1, 3]}, [("Mul", ["x", "c"], ["h"], {}),
                       ("Sqrt", ["h"], ["r"], {}), ("Reciprocal", ["r"], ["y"], {})], ["y"],
                       {"c": rng.uniform(0.5, 1.5, [1, 3])}), dict(logrows=10, decomp_base=128)),
    "weighted-reciprocal-wide": (lambda: weighted("Reciprocal", [1, 2]), dict(logrows=11,
                                 decomp_base=1024, decomp_legs=6, input_scale=10, param_scale=10)),
    "weighted-scatter": (lambda: graph({"x": [1, 5], "u": [1, 1]}, [("Mul", ["x", "c"], ["h"], {}),
                         ("ArgMax", ["h"], ["i"], dict(axis=1)),
                         ("ScatterElements", ["h", "i", "u"], ["y"], dict(axis=1))], ["y"],
                         {"c": rng.uniform(0.5, 1.5, [1, 5])}), dict(logrows=10)),
    "weighted-base-100": (lambda: mlp(3, 2), dict(decomp_base=100)),
    "weighted-ln": (lambda: weighted("Log", [1, 2]), dict(logrows=11, lookup_range=(-200, 200),
                    bounded_log_lookup=True, decomp_base=1024, decomp_legs=4, input_scale=4,
                    param_scale=4)),
    "weighted-round": (lambda: weighted("Round", [1, 3]), dict(logrows=8, lookup_range=(-200, 200))),
    "floor": (lambda: one("Floor", [1, 3]), dict(logrows=9)),
    "ceil": (lambda: one("Ceil", [1, 3]), dict(logrows=9)),
    "round": (lambda: one("Round", [1, 3]), dict(logrows=9, lookup_range=(-200, 200))),
}


def make(name, out):
    build, options = MODELS[name]
    model, shapes, indices = build()
    folder = os.path.join(out, name)
    os.makedirs(folder, exist_ok=True)
    path = lambda file: os.path.join(folder, file)
    onnx.save(model, path("network.onnx"))
    data = [rng.uniform(0.2 if name in POSITIVE else -1, 1, s).flatten().tolist()
            for s in shapes.values()]
    data += [value.flatten().tolist() for value in indices.values()]
    json.dump({"input_data": data}, open(path("input.json"), "w"))
    args = ezkl.PyRunArgs()
    args.input_visibility, args.param_visibility = "private", "private"
    args.output_visibility = "public"
    for key, value in (SMALL | options).items():
        setattr(args, key, value)
    assert ezkl.gen_settings(path("network.onnx"), path("settings.json"), py_run_args=args)
    assert ezkl.compile_circuit(path("network.onnx"), path("model.compiled"), path("settings.json"))
    srs = os.path.join(out, f"kzg{args.logrows}.srs")
    if not os.path.exists(srs):
        ezkl.gen_srs(srs, args.logrows)
    ezkl.gen_witness(path("input.json"), path("model.compiled"), path("witness.json"))
    # For fixed inputs the keys depend on whether a witness is given: here none is.
    assert ezkl.setup(path("model.compiled"), path("vk.key"), path("pk.key"), srs)
    os.remove(path("pk.key"))
    asyncio.run(solidity(path, srs))
    digest = re.search(r"0x([0-9a-f]{64})[^\n]*vk_digest", open(path("verifier.sol")).read())
    open(path("digest.txt"), "w").write(digest.group(1))
    os.remove(path("verifier.sol"))


async def solidity(path, srs):
    try:
        await ezkl.create_evm_verifier(path("vk.key"), path("settings.json"), path("verifier.sol"),
                                       path("verifier.abi"), srs_path=srs)
    except RuntimeError:
        pass  # the file is written; what fails without a network is getting a Solidity compiler


if __name__ == "__main__":
    out, names = sys.argv[1], sys.argv[2:] or list(MODELS)
    os.makedirs(out, exist_ok=True)
    for name in names:
        try:
            make(name, out)
            print("made", name, flush=True)
        except BaseException as error:
            import shutil
            shutil.rmtree(os.path.join(out, name), ignore_errors=True)
            print("FAILED", name, str(error)[:200], flush=True)
