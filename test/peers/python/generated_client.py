"""Uses a running `dap serve` through the client that openapi-generator makes, and prints what it saw as JSON. Client.java does the same."""

import json
import sys
from datetime import datetime, timezone

from openapi_client import ApiClient, ApiException, Configuration, DecisionsApi, OfrepApi, OperationApi
from openapi_client import exceptions, models


def main(url: str) -> None:
    client = ApiClient(Configuration(host=url))
    decisions, operation, ofrep = DecisionsApi(client), OperationApi(client), OfrepApi(client)
    saw: dict[str, object] = {}

    first = decisions.decide(request("python-1", 41))
    saw["decided"] = decision(first)
    saw["again"] = first == decisions.decide(request("python-1", 41), idempotency_key="python-1")
    saw["conflict"] = problem(exceptions.ConflictException, lambda: decisions.decide(request("python-1", 42)))
    saw["invalid"] = problem(exceptions.BadRequestException, lambda: decisions.decide(request(None, 0)))
    saw["unknown"] = problem(
        exceptions.NotFoundException, lambda: decisions.decide(models.DecideRequest(policy="nobody", context={}))
    )
    deferred = request("python-3", 4)
    deferred.defer_activation = True
    batch = models.DecideBatchRequest(requests=[request("python-2", 3), deferred])
    saw["batch"] = [decision(answer) for answer in decisions.decide_batch(batch).decisions]

    now = datetime.now(timezone.utc)
    saw["reward"] = decisions.reward(models.Rewards(reward("python-1", 1, now))).accepted
    several = models.RewardBatch(rewards=[reward("python-2", 0), reward("python-3", 1)])
    saw["rewards"] = decisions.reward(models.Rewards(several)).accepted
    wrong = models.RewardBatch(rewards=[reward("python-2", 1000)])
    saw["outOfRange"] = problem(exceptions.BadRequestException, lambda: decisions.reward(models.Rewards(wrong)))
    saw["activated"] = decisions.activate(models.Activations(models.ActivationRequest(decisionId="python-3"))).accepted

    context = {"targetingKey": "python", "level": 41, "platform": "ios"}
    flag = ofrep.evaluate_flag("shop-offer", models.OfrepRequest(context=context), idempotency_key="python-4")
    saw["flag"] = {
        "key": flag.key,
        "variantIsValue": flag.variant == flag.value,
        "reason": flag.reason.value,
        "decisionId": flag.metadata.decision_id,
        "servedBy": flag.metadata.served_by.value,
        "propensity": flag.metadata.propensity > 0,
    }
    shown = models.ActivationRequest(decisionId="python-4", ts=datetime.now(timezone.utc))
    saw["shown"] = decisions.activate(models.Activations(models.ActivationBatch(activations=[shown]))).accepted
    wrong_for_one = models.OfrepRequest(context={**context, "spend30d": -1})
    saw["flags"] = [flag_of(each) for each in ofrep.evaluate_flags(wrong_for_one).flags]
    saw["noFlag"] = failure(lambda: ofrep.evaluate_flag("nobody", models.OfrepRequest(context=context)))

    saw["policies"] = [policy.name for policy in operation.list_policies().policies]
    policy = operation.get_policy("shop-offer")
    saw["actions"] = [action.id for action in policy.actions]
    saw["fields"] = list(policy.context["properties"])
    saw["healthy"] = operation.health().status
    saw["ready"] = operation.readiness().ready
    saw["metrics"] = "dap_decisions_total" in operation.metrics()
    print(json.dumps(saw))


def request(decision_id, level):
    context = {"playerId": "python", "level": level, "platform": "ios", "spend30d": 12.5}
    return models.DecideRequest(policy="shop-offer", decisionId=decision_id, context=context)


def reward(decision_id, value, ts=None):
    return models.RewardRequest(
        decisionId=decision_id, rewardId=f"{decision_id}/purchase", name="purchase", value=value, ts=ts
    )


def decision(answer):
    return {
        "decisionId": answer.decision_id,
        "policy": answer.policy.name,
        "action": answer.action,
        "servedBy": answer.served_by.value,
        "propensity": 0 < answer.propensity <= 1,
    }


def flag_of(flag):
    if flag.error_code is None:
        return {"key": flag.key, "decided": flag.metadata.decision_id is not None}
    return {"key": flag.key, "errorCode": flag.error_code.value}


def problem(kind, call):
    """The error of a call that must fail, with the problem that its body is."""
    try:
        return {"answer": str(call())}
    except kind as error:
        found = error.data
        pointers = [fault.pointer for fault in found.errors]
        return {"status": error.status, "same": found.status, "type": found.type, "pointers": pointers}


def failure(call):
    try:
        return {"answer": str(call())}
    except ApiException as error:
        return {"status": error.status, "key": error.data.key, "errorCode": error.data.error_code.value}


main(sys.argv[1])
