"""Google's Python SDK, unpatched, as its users call it: what it does with an emulator that it takes for Google's cloud.

Run by google-sdk.peer.ts below `dap emulator exec`, with the file of a bundle and the names of the steps. Each step prints one line of JSON
when it is over; the first that fails prints why, and is the last.
"""

import http.client
import json
import os
import ssl
import sys
import traceback
from urllib.parse import urlsplit

import google.auth
import requests
from google.api_core.exceptions import FailedPrecondition, GoogleAPICallError, MethodNotImplemented, NotFound
from google.cloud import aiplatform, storage
from google.cloud.aiplatform.models import ModelRegistry
from google.cloud.aiplatform_v1 import PredictionServiceClient
from google.protobuf import json_format
from google.protobuf.struct_pb2 import Value

BUNDLE = sys.argv[1]
REGION = "europe-west1"
BUCKET = "saga-dap"
IMAGE = f"{REGION}-docker.pkg.dev/demo/dap/server:1"
INSTANCE = {"context": {"playerId": "p1"}}

aiplatform.init(project="demo", location=REGION)
made = {}


def refused(kind, call):
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"no {kind.__name__}")


def decisions(predictions):
    """Predictions of a real `dap serve`."""
    for each in predictions:
        assert isinstance(each["action"], str) and 0 < each["propensity"] <= 1, each


def put_get_list_and_delete_objects():
    # Without it the library does as it does in production.
    del os.environ["STORAGE_EMULATOR_HOST"]
    bucket = storage.Client(project="demo").bucket(BUCKET)
    bucket.blob("notes/a.txt").upload_from_string("one", content_type="text/plain")
    large = bucket.blob("notes/large.bin", chunk_size=256 * 1024)
    content = bytes(i * 7 % 256 for i in range(700_000))
    large.upload_from_string(content)
    assert bucket.blob("notes/a.txt").download_as_text() == "one"
    assert large.download_as_bytes() == content
    assert [blob.name for blob in bucket.list_blobs(prefix="notes/")] == ["notes/a.txt", "notes/large.bin"]
    for blob in list(bucket.list_blobs(prefix="notes/")):
        blob.delete()
    assert list(bucket.list_blobs(prefix="notes/")) == []
    refused(NotFound, bucket.blob("notes/a.txt").download_as_bytes)
    for version in ("one", "two"):
        bucket.blob(f"models/{version}/bundle.json").upload_from_filename(BUNDLE)


def create_a_shared_and_a_dedicated_endpoint():
    shared = aiplatform.Endpoint.create("shared", labels={"team": "shop"})
    dedicated = aiplatform.Endpoint.create("dedicated", dedicated_endpoint_enabled=True)
    assert not shared.dedicated_endpoint_enabled and shared.labels["team"] == "shop"
    assert dedicated.dedicated_endpoint_dns.startswith(f"{dedicated.name}.{REGION}-")
    found = aiplatform.Endpoint.list(filter='display_name="shared"')
    assert [endpoint.resource_name for endpoint in found] == [shared.resource_name]
    made.update(shared=shared, dedicated=dedicated)


def container(version):
    return dict(
        artifact_uri=f"gs://{BUCKET}/models/{version}",
        serving_container_image_uri=IMAGE,
        serving_container_predict_route="/predict",
        serving_container_health_route="/readyz",
        serving_container_ports=[8080],
    )


def upload_a_model_and_a_version_of_it():
    one = aiplatform.Model.upload(display_name="offer", version_aliases=["stable"], **container("one"))
    two = aiplatform.Model.upload(
        parent_model=one.resource_name, is_default_version=False, version_aliases=["next"], **container("two")
    )
    assert (one.version_id, two.version_id) == ("1", "2"), (one.version_id, two.version_id)
    assert set(one.version_aliases) == {"stable", "default"} and two.version_aliases == ["next"]
    made.update(one=one, two=two, registry=ModelRegistry(one.resource_name))


def find_versions_and_move_aliases():
    registry = made["registry"]
    assert sorted(version.version_id for version in registry.list_versions()) == ["1", "2"]
    assert registry.get_model(version="next").version_id == "2"
    registry.add_version_aliases(["canary"], version="2")
    registry.remove_version_aliases(["next"], version="2")
    assert registry.get_version_info("canary").version_aliases == ["canary"]
    refused(NotFound, lambda: registry.get_version_info("next"))


MACHINE = dict(machine_type="n2-standard-2", min_replica_count=1, max_replica_count=1)


def deploy_both_versions():
    shared = made["shared"]
    shared.deploy(made["one"], deployed_model_display_name="one", traffic_percentage=100, **MACHINE)
    shared.deploy(made["two"], deployed_model_display_name="two", traffic_percentage=20, **MACHINE)
    ids = {deployed.display_name: deployed.id for deployed in shared.list_models()}
    assert shared.traffic_split == {ids["one"]: 80, ids["two"]: 20}, shared.traffic_split
    made["dedicated"].deploy(made["one"], deployed_model_display_name="one", traffic_percentage=100, **MACHINE)
    made["ids"] = ids


def split_the_traffic():
    shared, ids = made["shared"], made["ids"]
    shared.update(traffic_split={ids["one"]: 50, ids["two"]: 50})
    assert aiplatform.Endpoint(shared.resource_name).traffic_split == {ids["one"]: 50, ids["two"]: 50}
    answers = {shared.predict([INSTANCE]).deployed_model_id for _ in range(40)}
    assert answers == set(ids.values()), answers


def predict():
    for endpoint in (made["shared"], made["dedicated"]):
        answer = endpoint.predict([INSTANCE, INSTANCE])
        assert len(answer.predictions) == 2 and answer.model_resource_name.startswith("projects/"), answer
        decisions(answer.predictions)


def predict_raw():
    for endpoint in (made["shared"], made["dedicated"]):
        body = json.dumps({"instances": [INSTANCE]})
        answer = endpoint.raw_predict(body=body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        decisions(answer.json()["predictions"])
        answer = endpoint.predict([INSTANCE], use_raw_predict=True)
        decisions(answer.predictions)
        assert answer.model_resource_name == made["one"].resource_name.split("@")[0], answer
        assert answer.model_version_id in ("1", "2") and answer.deployed_model_id, answer


def client_of(host):
    return PredictionServiceClient(client_options={"api_endpoint": host})


def ask(client, endpoint):
    return client.predict(endpoint=endpoint.resource_name, instances=[json_format.ParseDict(INSTANCE, Value())])


def predict_over_grpc_at_the_dedicated_host():
    dedicated = made["dedicated"]
    answer = ask(client_of(dedicated.dedicated_endpoint_dns), dedicated)
    decisions(json_format.MessageToDict(prediction) for prediction in answer.predictions.pb)


def be_refused_at_the_wrong_host():
    shared, dedicated = made["shared"], made["dedicated"]
    assert "DEDICATED_HOST" in refused(NotFound, lambda: ask(client_of(dedicated.dedicated_endpoint_dns), shared))
    regional = f"{REGION}-aiplatform.googleapis.com"
    assert "DEDICATED_SHARED_HOST" in refused(FailedPrecondition, lambda: ask(client_of(regional), dedicated))


def be_told_what_is_not_emulated():
    # This one looks at no status: its caller sees the lines of the refusal.
    for endpoint in (made["shared"], made["dedicated"]):
        said = b"".join(endpoint.stream_raw_predict(body=b"{}", headers={"Content-Type": "application/json"}))
        assert json.loads(said)["error"]["status"] == "UNIMPLEMENTED", said
    assert "Explain" in refused(MethodNotImplemented, lambda: made["shared"].explain([INSTANCE]))
    refused(GoogleAPICallError, lambda: made["shared"].direct_predict([{"int_val": [1]}]))


def reach_nothing_else():
    said = refused(requests.exceptions.ProxyError, lambda: requests.get("https://example.com/", timeout=20))
    assert "the dap emulator does not have example.com:443" in said, said


def trust_certificates_in_every_detail():
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    proxy = urlsplit(os.environ["HTTPS_PROXY"])
    connection = http.client.HTTPSConnection(proxy.hostname, proxy.port, context=context, timeout=20)
    connection.set_tunnel("storage.googleapis.com", 443)
    connection.request("GET", "/storage/v1/b")
    assert connection.getresponse().status == 200
    credentials, _ = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    credentials.refresh(google.auth.transport.requests.Request())
    assert credentials.token


def undeploy():
    shared, ids = made["shared"], made["ids"]
    shared.undeploy(ids["two"], traffic_split={ids["one"]: 100})
    assert [deployed.id for deployed in shared.list_models()] == [ids["one"]]
    refused(FailedPrecondition, shared.delete)
    shared.undeploy_all()
    made["dedicated"].undeploy_all()
    assert shared.list_models() == []


def delete_versions_models_and_endpoints():
    made["registry"].delete_version("2")
    assert [version.version_id for version in made["registry"].list_versions()] == ["1"]
    made["one"].delete()
    for name in ("shared", "dedicated"):
        made[name].delete()
    assert aiplatform.Endpoint.list() == [] and aiplatform.Model.list() == []


for name in sys.argv[2:]:
    try:
        globals()[name]()
    except BaseException:
        print(json.dumps({"step": name, "error": traceback.format_exc()}), flush=True)
        raise SystemExit(1)
    print(json.dumps({"step": name}), flush=True)
