"""Trains the bank's model on made-up customers and writes `network.onnx` and the applicant's input."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)
FEATURES = ["income", "debt", "years employed", "late payments", "credit used", "savings"]
HIDDEN = 4


def customers(rng, count):
    """Features from 0 to 1, and whether the loan was paid back."""
    x = rng.uniform(0, 1, (count, len(FEATURES)))
    worth = 2 * x[:, 0] - 1.5 * x[:, 1] + x[:, 2] - 2 * x[:, 3] * x[:, 4] + x[:, 5] - 0.9
    return x, (worth + rng.normal(0, 0.2, count) > 0).astype(float)


def train(rng, x, paid, steps=4000, rate=0.5):
    """A layer of rectified units and one of a score, by gradient descent on the logistic loss."""
    w, b = rng.normal(0, 0.7, (len(FEATURES), HIDDEN)), np.zeros(HIDDEN)
    v, c = rng.normal(0, 0.7, (HIDDEN, 1)), np.zeros(1)
    for _ in range(steps):
        before = x @ w + b
        units = np.maximum(before, 0)
        wrong = (1 / (1 + np.exp(-(units @ v + c)[:, 0])) - paid)[:, None] / len(x)
        back = (wrong @ v.T) * (before > 0)
        v, c = v - rate * units.T @ wrong, c - rate * wrong.sum(0)
        w, b = w - rate * x.T @ back, b - rate * back.sum(0)
    return w, b, v, c


def main():
    rng = np.random.default_rng(1)
    w, b, v, c = train(rng, *customers(rng, 2000))
    x, paid = customers(rng, 2000)
    right = ((np.maximum(x @ w + b, 0) @ v + c)[:, 0] > 0) == (paid > 0)
    print(f"right about {right.mean():.0%} of customers it has not seen")
    graph = Graph()
    applicant = graph.input("applicant", 1, len(FEATURES))
    units = graph.op("Gemm", applicant, graph.weights(w), graph.weights(b))
    score = graph.op("Gemm", graph.op("Relu", units), graph.weights(v), graph.weights(c))
    # The bank's threshold is a weight as well.
    approved = graph.op("Greater", score, graph.weights([[0.25]]))
    graph.output("approved", graph.number(approved))
    graph.save(FOLDER)
    save_input(FOLDER, "applicant", [0.7, 0.3, 0.5, 0.1, 0.4, 0.45])


if __name__ == "__main__":
    main()
