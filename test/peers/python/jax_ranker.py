"""The same by JAX, of one input: python jax_ranker.py training/offers offer-ctr"""

import json
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
from jax2onnx import to_onnx

source, name = sys.argv[1:]
(given,) = json.loads(Path(f"{source}.features.json").read_text())["inputs"]
table = pq.read_table(f"{source}.parquet")
x = np.stack(table[given["column"]].to_numpy())
reward, weight = (table[column].to_numpy().astype("float32") for column in ("reward", "weight"))

mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-6
widths = [x.shape[1], 32, 16, 1]
keys = jax.random.split(jax.random.key(19), 3)
layers = [
    (jax.random.normal(key, (i, o)) * np.sqrt(2 / i), jnp.zeros(o))
    for key, i, o in zip(keys, widths, widths[1:])
]


def logit(layers, x):
    h = (x - mean) / deviation
    for w, b in layers[:-1]:
        h = jax.nn.relu(h @ w + b)
    w, b = layers[-1]
    return h @ w + b


def loss(layers, x, y, weight):
    z = logit(layers, x)[:, 0]
    return jnp.sum(weight * (jnp.logaddexp(0, z) - y * z)) / jnp.sum(weight)


@jax.jit
def step(layers, velocity, x, y, weight):
    gradient = jax.grad(loss)(layers, x, y, weight)
    velocity = jax.tree.map(lambda v, g: 0.9 * v - 0.05 * g, velocity, gradient)
    return jax.tree.map(jnp.add, layers, velocity), velocity


velocity = jax.tree.map(jnp.zeros_like, layers)
order = np.random.default_rng(19)
for _ in range(40):
    for rows in np.array_split(order.permutation(len(x)), max(1, len(x) // 256)):
        layers, velocity = step(layers, velocity, x[rows], reward[rows], weight[rows])

expected = np.asarray(logit(layers, x[:20]))
with open(f"models/{name}.parity.jsonl", "w") as parity:
    for row, output in zip(x, expected):
        parity.write(json.dumps({"inputs": {given["name"]: row.tolist()}, "output": output.tolist()}) + "\n")

to_onnx(
    lambda x: logit(layers, x),
    inputs=[("B", x.shape[1])],
    input_names=[given["name"]],
    output_names=["logit"],
    return_mode="file",
    output_path=f"models/{name}.onnx",
)
