"""MLServer with a classifier of scikit-learn that was trained a moment ago, on ports of loopback that were free.

Its argument is an empty folder. The first line it prints is JSON: the ports, rows, and the probabilities that scikit-learn itself gives them; then it is MLServer.
"""

import json
import os
import random
import socket
import sys
from pathlib import Path

import joblib
import numpy
from sklearn.ensemble import GradientBoostingClassifier

FEATURES = 5
ROWS = 40


def train():
    chance = numpy.random.default_rng(1)
    features = chance.normal(size=(500, FEATURES))
    rewards = (features[:, 0] * features[:, 1] + features[:, 2] > 0).astype(int)
    return GradientBoostingClassifier(n_estimators=20, random_state=1).fit(features, rewards), features[:ROWS]


def free_port():
    """Below those that a connection's own end is given."""
    while True:
        with socket.socket() as probe:
            try:
                port = random.randrange(20000, 32000)
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def main():
    folder = Path(sys.argv[1])
    model, rows = train()
    rows = rows.astype(numpy.float32)
    rest, grpc = free_port(), free_port()
    settings = {
        "host": "127.0.0.1",
        "http_port": rest,
        "grpc_port": grpc,
        "metrics_endpoint": None,
        "parallel_workers": 0,
        "debug": False,
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    joblib.dump(model, folder / "model.joblib")
    # The same model twice: MLServer knows of its inputs and outputs what somebody wrote down.
    said = {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, FEATURES]}],
        "outputs": [{"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2]}],
    }
    for name, described in {"clicks": {}, "described": said}.items():
        (folder / name).mkdir()
        model_settings = {
            "name": name,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": str(folder / "model.joblib"), "version": "v1"},
            **described,
        }
        (folder / name / "model-settings.json").write_text(json.dumps(model_settings))
    ready = {"rest": rest, "grpc": grpc, "rows": rows.tolist(), "probabilities": model.predict_proba(rows).tolist()}
    print(json.dumps(ready), flush=True)
    command = "from mlserver.cli import main; main()"
    os.execv(sys.executable, [sys.executable, "-c", command, "start", str(folder)])


main()
