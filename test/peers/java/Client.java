import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.*;
import org.openapitools.client.model.*;

/** Uses a running `dap serve` through the client that openapi-generator makes, and prints what it saw as JSON. generated_client.py does the same. */
public class Client {
    private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

    interface Call {
        Object run() throws ApiException;
    }

    public static void main(String[] args) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(args[0]);
        DecisionsApi decisions = new DecisionsApi(client);
        OperationApi operation = new OperationApi(client);
        OfrepApi ofrep = new OfrepApi(client);
        Map<String, Object> saw = new LinkedHashMap<>();

        DecideAnswer first = decisions.decide(request("java-1", 41), null);
        saw.put("decided", decision(first));
        saw.put("again", first.equals(decisions.decide(request("java-1", 41), "java-1")));
        saw.put("conflict", problem(() -> decisions.decide(request("java-1", 42), null)));
        saw.put("invalid", problem(() -> decisions.decide(request(null, 0), null)));
        saw.put("unknown", problem(() -> decisions.decide(request(null, 41).policy("nobody"), null)));
        DecideBatchRequest batch = new DecideBatchRequest().addRequestsItem(request("java-2", 3)).addRequestsItem(request("java-3", 4).deferActivation(true));
        saw.put("batch", decisions.decideBatch(batch).getDecisions().stream().map(Client::decision).toList());

        OffsetDateTime now = OffsetDateTime.now(ZoneOffset.UTC);
        saw.put("reward", decisions.reward(new Rewards(reward("java-1", 1).ts(now))).getAccepted());
        saw.put("rewards", decisions.reward(new Rewards(new RewardBatch().addRewardsItem(reward("java-2", 0)).addRewardsItem(reward("java-3", 1)))).getAccepted());
        saw.put("outOfRange", problem(() -> decisions.reward(new Rewards(new RewardBatch().addRewardsItem(reward("java-2", 1000))))));
        saw.put("activated", decisions.activate(new Activations(new ActivationRequest().decisionId("java-3"))).getAccepted());

        OfrepRequest context = new OfrepRequest().context(Map.of("targetingKey", "java", "level", 41, "platform", "ios"));
        OfrepEvaluation flag = ofrep.evaluateFlag("shop-offer", context, "java-4");
        saw.put("flag", Map.of(
            "key", flag.getKey(),
            "variantIsValue", flag.getVariant().equals(flag.getValue()),
            "reason", flag.getReason().getValue(),
            "decisionId", flag.getMetadata().getDecisionId(),
            "servedBy", flag.getMetadata().getServedBy().getValue(),
            "propensity", flag.getMetadata().getPropensity() > 0));
        ActivationBatch shown = new ActivationBatch().addActivationsItem(new ActivationRequest().decisionId("java-4").ts(OffsetDateTime.now(ZoneOffset.UTC)));
        saw.put("shown", decisions.activate(new Activations(shown)).getAccepted());
        OfrepRequest wrongForOne = new OfrepRequest().context(Map.of("targetingKey", "java", "level", 41, "platform", "ios", "spend30d", -1));
        saw.put("flags", ofrep.evaluateFlags(wrongForOne, null).getFlags().stream().map(Client::flag).toList());
        saw.put("noFlag", failure(() -> ofrep.evaluateFlag("nobody", context, null)));

        saw.put("policies", operation.listPolicies().getPolicies().stream().map(PolicySummary::getName).toList());
        PolicyDescription policy = operation.getPolicy("shop-offer");
        saw.put("actions", policy.getActions().stream().map(action -> action.getId()).toList());
        saw.put("fields", ((Map<?, ?>) policy.getContext().get("properties")).keySet());
        saw.put("healthy", operation.health().getStatus());
        saw.put("ready", operation.readiness().getReady());
        saw.put("metrics", operation.metrics().contains("dap_decisions_total"));
        System.out.println(MAPPER.writeValueAsString(saw));
    }

    static DecideRequest request(String id, int level) {
        return new DecideRequest().policy("shop-offer").decisionId(id).context(Map.of("playerId", "java", "level", level, "platform", "ios", "spend30d", 12.5));
    }

    static RewardRequest reward(String decisionId, double value) {
        return new RewardRequest().decisionId(decisionId).rewardId(decisionId + "/purchase").name("purchase").value(value);
    }

    static Map<String, Object> decision(DecideAnswer answer) {
        return Map.of(
            "decisionId", answer.getDecisionId(),
            "policy", answer.getPolicy().getName(),
            "action", answer.getAction(),
            "servedBy", answer.getServedBy().getValue(),
            "propensity", answer.getPropensity() > 0 && answer.getPropensity() <= 1);
    }

    static Map<String, Object> flag(OfrepFlag flag) {
        return flag.getErrorCode() == null
            ? Map.of("key", flag.getKey(), "decided", flag.getMetadata().getDecisionId() != null)
            : Map.of("key", flag.getKey(), "errorCode", flag.getErrorCode().getValue());
    }

    /** The error of a call that must fail, with the problem that its body is. */
    static Map<String, Object> problem(Call call) throws Exception {
        try {
            return Map.of("answer", call.run());
        } catch (ApiException error) {
            Problem problem = MAPPER.readValue(error.getResponseBody(), Problem.class);
            List<String> pointers = problem.getErrors().stream().map(Fault::getPointer).toList();
            return Map.of("status", error.getCode(), "same", problem.getStatus(), "type", problem.getType(), "pointers", pointers);
        }
    }

    static Map<String, Object> failure(Call call) throws Exception {
        try {
            return Map.of("answer", call.run());
        } catch (ApiException error) {
            OfrepFailure failure = MAPPER.readValue(error.getResponseBody(), OfrepFailure.class);
            return Map.of("status", error.getCode(), "key", failure.getKey(), "errorCode", failure.getErrorCode().getValue());
        }
    }
}
