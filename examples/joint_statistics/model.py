"""Writes statistics over the rows of two tables, `network.onnx`, and the tables of two companies."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from graph import Graph, folder_of, save_input

FOLDER = folder_of(__file__)
ROWS = 6
# What nobody can guess, so that the published hash of a table tells nothing of it.
SALT_ROWS = 2


def mean(graph, column):
    """Of a column of both tables. A pool divides by the number of rows, which everybody can see; `ReduceMean`
    becomes a product with a weight, which nobody can."""
    shape = graph.integers([1, 1, 2 * ROWS, 1])
    pooled = graph.op("AveragePool", graph.op("Reshape", column, shape), kernel_shape=[2 * ROWS, 1])
    return graph.op("Reshape", pooled, graph.integers([1, 1]))


def main():
    graph = Graph()
    tables = [graph.input(name, ROWS + SALT_ROWS, 2) for name in ("north", "south")]
    rows = graph.op("Concat", *(graph.part(table, 0, 0, ROWS) for table in tables), axis=0)
    x, y = graph.part(rows, 1, 0, 1), graph.part(rows, 1, 1, 2)
    mean_x, mean_y = mean(graph, x), mean(graph, y)
    dx, dy = graph.op("Sub", x, mean_x), graph.op("Sub", y, mean_y)
    variance, covariance = (mean(graph, graph.op("Mul", dx, other)) for other in (dx, dy))
    slope = graph.op("Div", covariance, variance)
    intercept = graph.op("Sub", mean_y, graph.op("Mul", slope, mean_x))
    for name, result in [("mean_x", mean_x), ("mean_y", mean_y), ("variance_x", variance),
                         ("slope", slope), ("intercept", intercept)]:
        graph.output(name, result)
    graph.save(FOLDER)

    rng = np.random.default_rng(3)
    both = []
    for name, level in [("north", 1.5), ("south", 2.5)]:
        years = rng.uniform(0, 4, ROWS)
        pay = level / 2 + 0.5 * years + rng.normal(0, 0.1, ROWS)
        table = np.round(np.stack([years, pay], 1), 2)
        both.append(table)
        salt = rng.uniform(-2 ** 17, 2 ** 17, (SALT_ROWS, 2)).round(2)
        save_input(FOLDER, name, np.concatenate([table, salt]))
    x, y = np.concatenate(both).T
    slope = np.cov(x, y, bias=True)[0, 1] / x.var()
    print("expected", [float(v) for v in (x.mean(), y.mean(), x.var(), slope, y.mean() - slope * x.mean())])


if __name__ == "__main__":
    main()
