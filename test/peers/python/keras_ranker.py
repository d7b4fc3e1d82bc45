"""A ranker by Keras, trained on what `dap dataset export --features` wrote: python keras_ranker.py training/offers offer-ctr"""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pyarrow.parquet as pq

source, name = sys.argv[1:]
exported = json.loads(Path(f"{source}.features.json").read_text())
table = pq.read_table(f"{source}.parquet")
x = {each["name"]: np.stack(table[each["column"]].to_numpy()) for each in exported["inputs"]}
reward, weight = (table[column].to_numpy().astype("float32") for column in ("reward", "weight"))

keras.utils.set_random_seed(19)
inputs = [keras.Input(x[each["name"]].shape[1:], name=each["name"], dtype=each["dtype"]) for each in exported["inputs"]]
hidden = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
hidden = keras.layers.BatchNormalization()(hidden)
for width in (32, 16):
    hidden = keras.layers.Dense(width, activation="relu")(hidden)
model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", weighted_metrics=["AUC"])
model.fit(x, reward, sample_weight=weight, epochs=20, batch_size=256, validation_split=0.2, verbose=2)

# Rows whose outputs are known, by which dap finds that the file, its runtime and what goes in are these.
rows = {key: values[:20] for key, values in x.items()}
expected = model.predict(rows, verbose=0)
with open(f"models/{name}.parity.jsonl", "w") as parity:
    for i, output in enumerate(expected):
        given = {key: values[i].tolist() for key, values in rows.items()}
        parity.write(json.dumps({"inputs": given, "output": output.tolist()}) + "\n")

model.export(f"models/{name}.onnx", format="onnx", verbose=False)  # for dap's own process
model.export(f"saved/{name}/1", verbose=False)  # for TensorFlow Serving
