"""SavedModels that were trained and exported a moment ago, behind a server that is shaped as TensorFlow Serving, on ports of loopback that were free.

Its argument is an empty folder. The first line it prints is JSON: the ports, and of each model rows and what TensorFlow itself gives for them. Beside the SavedModel of a Keras model, in
NAME/1, is the same as NAME.onnx, and its rows as NAME.parity.jsonl.
"""

import json
import os
import random
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import grpc
import keras
import numpy
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

ROWS = 40
SIGNATURE = "serving_default"


class Served:
    """A SavedModel, and what its signature says of it."""

    def __init__(self, folder):
        # The function goes with the module that has its variables.
        self.module = tf.saved_model.load(str(folder))
        self.run = self.module.signatures[SIGNATURE]
        self.types = self.run.structured_input_signature[1]
        saved = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        self.signatures = saved.meta_graphs[0].signature_def

    def predict(self, inputs):
        """Of lists or arrays by name; arrays by name."""
        unknown = set(inputs) ^ set(self.types)
        if unknown:
            raise ValueError(f"input tensor alias not found in signature: {sorted(unknown)}")
        tensors = {name: tf.constant(value, dtype=self.types[name].dtype) for name, value in inputs.items()}
        for name, tensor in tensors.items():
            if not self.types[name].shape.is_compatible_with(tensor.shape):
                raise ValueError(f"{name} has the shape {tensor.shape}, not {self.types[name].shape}")
        return {name: tensor.numpy() for name, tensor in self.run(**tensors).items()}


def export_keras(folder, name, model, inputs):
    model.export(str(folder / name / "1"), verbose=False)
    model.export(str(folder / f"{name}.onnx"), format="onnx", verbose=False)
    expected = model.predict(inputs, verbose=0)
    with open(folder / f"{name}.parity.jsonl", "w") as parity:
        for row in range(len(expected)):
            given = {key: value[row].tolist() for key, value in inputs.items()}
            parity.write(json.dumps({"inputs": given, "output": expected[row].tolist()}) + "\n")


def make_models(folder, chance):
    """Keras models of one input and of two, and a module with outputs of several types, some of them no numbers."""
    keras.utils.set_random_seed(1)
    x, price = keras.Input((6,), name="x"), keras.Input((1,), name="price")
    rows = {"x": chance.normal(size=(ROWS, 6)), "price": chance.normal(size=(ROWS, 1))}
    rows = {name: value.astype(numpy.float32) for name, value in rows.items()}
    clicked = (rows["x"][:, :1] * rows["price"] > 0).astype(numpy.float32)

    for name, inputs in {"clicks": [x], "offers": [x, price]}.items():
        features = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else x
        hidden = keras.layers.Dense(16, activation="relu")(features)
        model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(hidden))
        model.compile("adam", "binary_crossentropy")
        given = {each.name: rows[each.name] for each in inputs}
        model.fit(given, clicked, epochs=3, verbose=0)
        export_keras(folder, name, model, given)

    class Several(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((None, 2), tf.float32, name="x"),
                tf.TensorSpec((None, 1), tf.int64, name="id"),
            ]
        )
        def __call__(self, x, id):
            mean = tf.reduce_mean(x, axis=1, keepdims=True)
            return {
                "mean": mean,
                "deviation": tf.cast(tf.math.reduce_std(x, axis=1), tf.float64),
                "logarithm": tf.math.log(mean),
                "twice": 2 * id,
                "positive": mean > 0,
                "word": tf.fill(tf.shape(mean), "yes"),
            }

    several = Several()
    signatures = {SIGNATURE: several.__call__.get_concrete_function()}
    tf.saved_model.save(several, str(folder / "several" / "1"), signatures=signatures)
    return rows


def jsonable(array):
    """Lists; a text is bytes to TensorFlow."""
    return (numpy.vectorize(bytes.decode, otypes=[object])(array) if array.dtype == object else array).tolist()


class Rest(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # A head and a body are two packets, the second of which would wait for word of the first: 40 ms.
    disable_nagle_algorithm = True
    models = {}

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        # As TensorFlow Serving: NaN and Infinity, which are no JSON.
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def model(self, name):
        if name in self.models:
            return self.models[name]
        self.answer(404, {"error": f"Servable not found for request: Latest({name})"})
        return None

    def do_GET(self):
        found = re.fullmatch(r"/v1/models/([^/:]+)(?:/versions/1)?(/metadata)?", self.path)
        model = self.model(found[1] if found else self.path)
        if model is None:
            return
        if found[2] is None:
            status = {"error_code": "OK", "error_message": ""}
            self.answer(200, {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": status}]})
        else:
            signatures = {
                name: MessageToDict(value, preserving_proto_field_name=True) for name, value in model.signatures.items()
            }
            self.answer(200, {"metadata": {"signature_def": {"signature_def": signatures}}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        # Of Vertex AI, whose prebuilt containers are TensorFlow Serving, an endpoint's id is the model's name here.
        place = r"(?:models|projects/[^/]+/locations/[^/]+/endpoints)"
        found = re.fullmatch(rf"/v1/{place}/([^/:]+)(?:/versions/1)?:predict", self.path)
        model = self.model(found[1] if found else self.path)
        if model is None:
            return
        try:
            is_rows = "instances" in body
            self.answer(200, by_rows(model, body["instances"]) if is_rows else by_columns(model, body["inputs"]))
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": str(error)})


def by_columns(model, inputs):
    if not isinstance(inputs, dict):
        inputs = {next(iter(model.types)): inputs}
    outputs = {name: jsonable(value) for name, value in model.predict(inputs).items()}
    return {"outputs": outputs if len(outputs) > 1 else next(iter(outputs.values()))}


def by_rows(model, instances):
    if len(instances) == 0:
        raise ValueError("instances is empty")
    if isinstance(instances[0], dict):
        inputs = {name: [row[name] for row in instances] for name in instances[0]}
    else:
        inputs = {next(iter(model.types)): instances}
    outputs = {name: jsonable(value) for name, value in model.predict(inputs).items()}
    if len(outputs) == 1:
        return {"predictions": next(iter(outputs.values()))}
    return {"predictions": [{name: value[row] for name, value in outputs.items()} for row in range(len(instances))]}


class Grpc(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, models):
        self.models = models

    def model(self, spec, context):
        if spec.name not in self.models or spec.HasField("version") and spec.version.value != 1:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: {spec.name}")
        return self.models[spec.name]

    def Predict(self, request, context):
        model = self.model(request.model_spec, context)
        try:
            outputs = model.predict({name: tf.make_ndarray(proto) for name, proto in request.inputs.items()})
        except (TypeError, ValueError) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        wanted = list(request.output_filter) or list(outputs)
        if not set(wanted) <= set(outputs):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"output tensor alias not found in signature: {wanted}")
        response = predict_pb2.PredictResponse()
        for name in wanted:
            response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return response

    def GetModelMetadata(self, request, context):
        model = self.model(request.model_spec, context)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, value in model.signatures.items():
            signatures.signature_def[name].CopyFrom(value)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.metadata["signature_def"].Pack(signatures)
        return response

    def GetModelStatus(self, request, context):
        self.model(request.model_spec, context)
        status = get_model_status_pb2.ModelVersionStatus
        return get_model_status_pb2.GetModelStatusResponse(model_version_status=[status(version=1, state=status.AVAILABLE)])


def at_free_port(listen):
    """Below those that a connection's own end is given."""
    while True:
        port = random.randrange(20000, 32000)
        try:
            return port, listen(port)
        except (OSError, RuntimeError):
            continue


def main():
    folder = Path(sys.argv[1])
    rows = make_models(folder, numpy.random.default_rng(1))
    models = {name: Served(folder / name / "1") for name in ["clicks", "offers", "several"]}

    Rest.models = models
    rest, http = at_free_port(lambda port: ThreadingHTTPServer(("127.0.0.1", port), Rest))
    threading.Thread(target=http.serve_forever, daemon=True).start()

    # Two servers may share a port, unless told otherwise.
    server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    service = Grpc(models)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    port, _ = at_free_port(lambda port: server.add_insecure_port(f"127.0.0.1:{port}"))
    server.start()

    expected = {
        name: next(iter(models[name].predict({key: rows[key] for key in models[name].types}).values())).tolist()
        for name in ["clicks", "offers"]
    }
    given = {name: value.tolist() for name, value in rows.items()}
    print(json.dumps({"rest": rest, "grpc": port, "rows": given, "expected": expected}), flush=True)
    server.wait_for_termination()


main()
