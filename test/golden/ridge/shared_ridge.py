"""Writes shared_ridge.json beside it: the ridge regression that actions share, by numpy's own solver.

    python3 -m venv v && v/bin/pip install numpy==2.3.5 && v/bin/python shared_ridge.py
"""

import json
from pathlib import Path

import numpy as np

rng = np.random.default_rng(17)
ROWS, ACTIONS, D, L2 = 60, 4, 6, 0.7
# A constant, numbers of very different sizes, and an indicator that is mostly 0.
z = np.round(np.column_stack([
    np.ones(ROWS), rng.normal(0, 1, ROWS), rng.normal(0, 40, ROWS), rng.normal(0, 0.01, ROWS),
    rng.integers(0, 2, ROWS), rng.random(ROWS) < 0.1,
]), 6)
reward = np.round(0.2 + 0.3 * z[:, 1] - 0.01 * z[:, 2] + rng.normal(0, 0.5, ROWS), 6)
action = rng.integers(0, ACTIONS, ROWS)
propensity = np.round(rng.uniform(0.02, 1, ROWS), 6)
# A row an action, of one context.
query = np.round(rng.normal(0, 1, (ACTIONS, D)), 6)


def ridge(weights):
    """Weights count as what their rows are worth: scaled so that they sum to (Σw)²/Σw² (Kish)."""
    w = weights * weights.sum() / (weights**2).sum()
    a = L2 * np.eye(D) + (z * w[:, None]).T @ z
    theta = np.linalg.solve(a, (z * w[:, None]).T @ reward)
    variance = [x @ np.linalg.solve(a, x) for x in query]
    return {
        "theta": theta.tolist(),
        "values": (query @ theta).tolist(),
        "widths": np.sqrt(variance).tolist(),
        "covariance": (query @ np.linalg.solve(a, query.T)).tolist(),
    }


golden = {
    "made": f"shared_ridge.py with numpy {np.__version__}",
    "l2": L2,
    "rows": [
        {"action": int(a), "z": row.tolist(), "reward": float(r), "propensity": float(p)}
        for a, row, r, p in zip(action, z, reward, propensity)
    ],
    "query": query.tolist(),
    "plain": ridge(np.ones(ROWS)),
    "weighted": ridge(1 / propensity),
}


def text(value):
    """A row a line."""
    return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]" if isinstance(value, list) else json.dumps(value)


lines = ",\n".join(f"{json.dumps(key)}: {text(value)}" for key, value in golden.items())
Path(__file__).with_name("shared_ridge.json").write_text("{\n" + lines + "\n}\n")
