"""Writes logistic_ridge.json beside it: logistic ridge regressions with Laplace's approximation, shared and an action, by Newton's method in numpy.

    python3 -m venv v && v/bin/pip install numpy==2.3.5 && v/bin/python logistic_ridge.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(29)
ROWS, ACTIONS, D, L2 = 90, 3, 5, 0.7
# A constant, numbers of different sizes, and indicators, one of them mostly 0.
z = np.round(np.column_stack([
    np.ones(ROWS), rng.normal(0, 1, ROWS), rng.normal(0, 8, ROWS), rng.integers(0, 2, ROWS), rng.random(ROWS) < 0.1,
]), 6)
action = rng.integers(0, ACTIONS, ROWS)
chance = 1 / (1 + np.exp(-(-1 + 0.8 * z[:, 1] - 0.2 * z[:, 2] + 0.5 * action)))
# Mostly 0 and 1; rewards may be anything between.
reward = np.round(np.where(rng.random(ROWS) < 0.9, rng.random(ROWS) < chance, rng.random(ROWS)), 6)
propensity = np.round(rng.uniform(0.02, 1, ROWS), 6)
# A row an action, of one context.
query = np.round(rng.normal(0, 1, (ACTIONS, D)), 6)


def fit(x, y, weights):
    """Weights count as what their rows are worth: scaled so that they sum to (Σw)²/Σw² (Kish)."""
    w = weights * weights.sum() / (weights**2).sum()
    theta = np.zeros(D)
    for _ in range(50):
        m = 1 / (1 + np.exp(-x @ theta))
        hessian = L2 * np.eye(D) + (x * (w * m * (1 - m))[:, None]).T @ x
        theta = theta - np.linalg.solve(hessian, x.T @ (w * (m - y)) + L2 * theta)
    m = 1 / (1 + np.exp(-x @ theta))
    hessian = L2 * np.eye(D) + (x * (w * m * (1 - m))[:, None]).T @ x
    assert np.abs(x.T @ (w * (m - y)) + L2 * theta).max() < 1e-12
    return theta, hessian


def told(models):
    """What each action is worth by its model in its row of the query."""
    logits = np.array([row @ theta for row, (theta, _) in zip(query, models)])
    spreads = np.sqrt([row @ np.linalg.solve(hessian, row) for row, (_, hessian) in zip(query, models)])
    values = 1 / (1 + np.exp(-logits))
    return {
        "theta": [theta.tolist() for theta, _ in models],
        "logits": logits.tolist(),
        "spreads": spreads.tolist(),
        "values": values.tolist(),
        "widths": (values * (1 - values) * spreads).tolist(),
    }


def shared(weights):
    return told([fit(z, reward, weights)] * ACTIONS)


def each(weights):
    of = [action == a for a in range(ACTIONS)]
    return told([fit(z[rows], reward[rows], weights[rows]) for rows in of])


golden = {
    "made": f"logistic_ridge.py with numpy {np.__version__}",
    "l2": L2,
    "rows": [
        {"action": int(a), "z": row.tolist(), "reward": float(r), "propensity": float(p)}
        for a, row, r, p in zip(action, z, reward, propensity)
    ],
    "query": query.tolist(),
    "shared": {"plain": shared(np.ones(ROWS)), "weighted": shared(1 / propensity)},
    "each": {"plain": each(np.ones(ROWS)), "weighted": each(1 / propensity)},
}


def text(value):
    """A row a line."""
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]" if isinstance(value, list) else json.dumps(value)


lines = ",\n".join(f"{json.dumps(key)}: {text(value)}" for key, value in golden.items())
Path(__file__).with_name("logistic_ridge.json").write_text("{\n" + lines + "\n}\n")
