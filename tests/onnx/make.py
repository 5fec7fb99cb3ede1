"""Writes the ONNX models of this folder, each with an input and calibration data, by the real exporters.

    make.py torch DIR      Debian's python3-torch, or any PyTorch from 1.13 on; onnx
    make.py sklearn DIR    the same and scikit-learn, skl2onnx, hummingbird-ml
    make.py tf DIR         tensorflow-cpu and tf2onnx
    make.py wrong DIR      files that must be refused; onnx

Weights are random with a fixed seed: the models predict nothing, they show what the exporters write.
"""

import json
import os
import sys

import numpy as np

SAMPLES = 3


def save_data(folder, shapes):
    """`input.json` with one input, `calibration.json` with several."""
    draw = np.random.RandomState(7)
    samples = [[draw.uniform(-1, 1, shape).astype(np.float32).ravel().tolist() for shape in shapes]
               for _ in range(SAMPLES)]
    with open(os.path.join(folder, "input.json"), "w") as file:
        json.dump({"input_data": samples[0]}, file)
    together = [sum((sample[i] for sample in samples), []) for i in range(len(shapes))]
    with open(os.path.join(folder, "calibration.json"), "w") as file:
        json.dump({"input_data": together}, file)


def new_folder(parent, name):
    folder = os.path.join(parent, name)
    os.makedirs(folder, exist_ok=True)
    return folder, os.path.join(folder, "network.onnx")


def torch_models(parent):
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.last = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)

        def forward(self, x):
            return self.last(x + self.second(torch.relu(self.first(x))))

    class Concat(nn.Module):
        def __init__(self):
            super().__init__()
            self.left, self.right, self.last = nn.Linear(4, 3), nn.Linear(5, 3), nn.Linear(6, 2)

        def forward(self, a, b):
            both = torch.cat([torch.relu(self.left(a)), torch.relu(self.right(b))], dim=1)
            return self.last(both)

    class Attention(nn.Module):
        def __init__(self, width=4):
            super().__init__()
            self.width = width
            self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
            self.norm, self.out = nn.LayerNorm(width), nn.Linear(width, width)

        def forward(self, x):
            scores = self.query(x) @ self.key(x).transpose(1, 2) / self.width ** 0.5
            mixed = torch.softmax(scores, dim=-1) @ self.value(x)
            return self.norm(x + self.out(mixed))

    class Lstm(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.last = nn.LSTM(3, 4, batch_first=True), nn.Linear(4, 1)

        def forward(self, x):
            states, _ = self.cell(x)
            return self.last(states[:, -1])

    models = {
        "mlp": (lambda: nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 1)),
                [(1, 6)]),
        "cnn": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1), nn.ReLU(),
                                      nn.Conv2d(2, 3, 3, stride=(1, 2), padding=(0, 1)), nn.ReLU(),
                                      nn.Flatten(), nn.Linear(12, 2)), [(1, 1, 8, 8)]),
        "pooling": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2),
                                          nn.AvgPool2d(2, 2), nn.Flatten(), nn.Linear(2, 2)), [(1, 1, 4, 4)]),
        "batch_norm": (lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(),
                                             nn.Linear(18, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 1)),
                       [(1, 1, 5, 5)]),
        "residual": (Residual, [(1, 6)]),
        "concat": (Concat, [(1, 4), (1, 5)]),
        "attention": (Attention, [(1, 3, 4)]),
        "lstm": (Lstm, [(1, 3, 3)]),
    }
    for name, (make, shapes) in models.items():
        torch.manual_seed(11)
        model = make()
        for module in model.modules():
            if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                module.running_mean.uniform_(-0.2, 0.2)
                module.running_var.uniform_(0.5, 1.5)
        folder, path = new_folder(parent, name)
        names = [f"input_{i}" for i in range(len(shapes))]
        torch.onnx.export(model.eval(), tuple(torch.zeros(shape) for shape in shapes), path, opset_version=13,
                          input_names=names, output_names=["output"],
                          dynamic_axes={n: {0: "batch_size"} for n in [*names, "output"]})
        save_data(folder, shapes)


def sklearn_models(parent):
    import torch
    from hummingbird.ml import convert
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPRegressor
    from sklearn.tree import DecisionTreeRegressor

    draw = np.random.RandomState(5)
    x = draw.uniform(-1, 1, (64, 4)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] + x[:, 2]).astype(np.float32)

    folder, path = new_folder(parent, "sklearn_mlp")
    model = MLPRegressor((5,), max_iter=50, random_state=3).fit(x, y)
    with open(path, "wb") as file:
        file.write(to_onnx(model, x[:1], target_opset=13).SerializeToString())
    save_data(folder, [(1, 4)])

    folder, path = new_folder(parent, "trees")
    model = DecisionTreeRegressor(max_depth=2, random_state=3).fit(x, y)
    trees = convert(model, "torch", x[:1], extra_config={"tree_implementation": "gemm"}).model
    torch.onnx.export(trees, (torch.zeros(1, 4),), path, opset_version=13, input_names=["input"],
                      output_names=["output"])
    save_data(folder, [(1, 4)])


def tf_models(parent):
    import tensorflow as tf
    import tf2onnx
    from tensorflow.keras import Input, Model, layers

    tf.random.set_seed(11)

    def softmax_head():
        x = Input((5,), batch_size=1)
        return Model(x, layers.Dense(4, activation="softmax")(layers.Dense(6, activation="relu")(x)))

    def transpose():
        x = Input((4, 3), batch_size=1)
        turned = layers.Reshape((2, 6))(layers.Permute((2, 1))(x))
        return Model(x, layers.Dense(2)(layers.Flatten()(layers.Permute((2, 1))(turned))))

    def sigmoid_tanh():
        x = Input((5,), batch_size=1)
        return Model(x, layers.Dense(1, activation="sigmoid")(layers.Dense(4, activation="tanh")(x)))

    models = {
        "softmax_head": (softmax_head, [(1, 5)]),
        "transpose": (transpose, [(1, 4, 3)]),
        "sigmoid_tanh": (sigmoid_tanh, [(1, 5)]),
    }
    for name, (make, shapes) in models.items():
        folder, path = new_folder(parent, name)
        signature = [tf.TensorSpec(shape, tf.float32, name="input") for shape in shapes]
        tf2onnx.convert.from_keras(make(), input_signature=signature, opset=13, output_path=path)
        save_data(folder, shapes)


def wrong_models(folder):
    """What users bring by mistake, one file each."""
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.ones((2, 2), np.float32), "weights")
    value = helper.make_tensor_value_info

    def write(name, nodes, shape=(1, 2), out=TensorProto.FLOAT, constants=()):
        graph = helper.make_graph(nodes, name, [value("x", TensorProto.FLOAT, shape)], [value("y", out, None)],
                                  list(constants))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        with open(os.path.join(folder, f"{name}.onnx"), "wb") as file:
            file.write(model.SerializeToString())

    dense = helper.make_node("MatMul", ["x", "weights"], ["y"], name="dense")
    write("unnamed_dimension", [dense], (None, 2), constants=[weights])
    write("named_dimension", [dense], ("rows", 2), constants=[weights])
    outside = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[2, 2],
                          data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="network.onnx.data")
    write("external_data", [dense], constants=[outside])
    write("unknown_operator", [helper.make_node("Det", ["x"], ["y"], name="volume")], (2, 2))
    write("no_circuit", [helper.make_node("IsNaN", ["x"], ["y"], name="check")], out=TensorProto.BOOL)
    scale = numpy_helper.from_array(np.float32(0.1), "scale")
    zero = numpy_helper.from_array(np.int8(0), "zero")
    write("int8", [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], name="to_int8"),
                   helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"], name="from_int8")],
          constants=[scale, zero])


if __name__ == "__main__":
    makers = {"torch": torch_models, "sklearn": sklearn_models, "tf": tf_models, "wrong": wrong_models}
    if len(sys.argv) != 3 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    makers[sys.argv[1]](sys.argv[2])
