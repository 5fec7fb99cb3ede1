"""Writes an embedding of pictures of 8 times 8 points, `network.onnx`, the embedding that is enrolled and
a new picture of the same face. The weights are random: pictures that are alike have embeddings that
are, which is all that is needed here."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)
THRESHOLD = 0.5


def face(rng):
    """Two eyes and a mouth, somewhere."""
    picture = np.zeros((8, 8))
    row, left, right, mouth = rng.integers(1, 4), rng.integers(0, 3), rng.integers(4, 7), rng.integers(5, 7)
    picture[row:row + 2, left:left + 2] = picture[row:row + 2, right:right + 2] = 0.9
    picture[mouth, left + 1:right + 1] = 0.7
    return picture


def embed(picture, kernels, dense):
    windows = np.array([[picture[i:i + 3, j:j + 3] for j in (0, 2, 4)] for i in (0, 2, 4)])
    maps = np.einsum("ijab,kab->kij", windows, kernels)
    return np.maximum(maps, 0).reshape(1, -1) @ dense


def main():
    rng = np.random.default_rng(5)
    kernels, dense = rng.normal(0, 0.5, (2, 3, 3)), rng.normal(0, 0.4, (18, 6))
    known, other = face(rng), face(rng)
    photo = np.clip(known + rng.normal(0, 0.02, known.shape), 0, 1)
    enrolled = embed(known, kernels, dense)
    for name, picture in [("the same face", photo), ("another face", other)]:
        print(f"{name}: distance {((embed(picture, kernels, dense) - enrolled) ** 2).sum():.2f}")
    graph = Graph()
    picture, template = graph.input("photo", 1, 1, 8, 8), graph.input("enrolled", 1, 6)
    maps = graph.op("Conv", picture, graph.weights(kernels[:, None]), kernel_shape=[3, 3], strides=[2, 2])
    flat = graph.op("Flatten", graph.op("Relu", maps), axis=1)
    embedding = graph.op("MatMul", flat, graph.weights(dense))
    apart = graph.op("Sub", embedding, template)
    distance = graph.total(graph.op("Mul", apart, apart), 1)
    same = graph.op("Less", distance, graph.weights([[THRESHOLD]]))
    graph.output("same_face", graph.number(same))
    graph.save(FOLDER)
    save_input(FOLDER, "gate", enrolled)
    save_input(FOLDER, "visitor", photo)


if __name__ == "__main__":
    main()
