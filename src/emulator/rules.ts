import { type JsonObject, RpcError } from './ports.ts'

/** google.rpc.Code */
export const CODES = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
} as const

export interface Rule {
  /** How sure it is: said by the API's own definition, by Google's pages, by somebody in public, or assumed here. */
  readonly source: 'proto' | 'doc' | 'thread' | 'guess'
  /** What breaks when it is broken; absent where the rule is a behaviour. */
  readonly code?: keyof typeof CODES
  readonly text: string
  /** File of google/cloud/aiplatform/v1, page or thread. */
  readonly where: string
}

/** Every rule of the emulator. The code names a rule where it keeps it, a test where it checks it. */
export const RULES = {
  // --- Names -----------------------------------------------------------------------------------------------------------
  'name-form': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A resource name has the form `projects/{project}/locations/{location}/endpoints/{endpoint}`, or that of its kind.',
    where: 'endpoint.proto',
  },
  'project-number': {
    source: 'thread',
    text: 'Answers name the project by its number; requests may use its id or its number.',
    where: 'python-aiplatform #773',
  },
  'not-found': {
    source: 'thread',
    code: 'NOT_FOUND',
    text: 'What does not exist is NOT_FOUND.',
    where: 'python-aiplatform #4559',
  },
  'location-mismatch': {
    source: 'guess',
    code: 'INVALID_ARGUMENT',
    text: 'A `parent_model` is in the location of its `parent`.',
    where: 'kubeflow/pipelines PR #6011',
  },
  unimplemented: {
    source: 'guess',
    code: 'UNIMPLEMENTED',
    text: 'A method that the emulator does not have is UNIMPLEMENTED, and the message says which ones it has.',
    where: 'emulator',
  },
  // --- Fields ----------------------------------------------------------------------------------------------------------
  required: {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'Fields that are REQUIRED are there.',
    where: 'field_behavior of every message',
  },
  'output-only': {
    source: 'doc',
    text: 'Fields that are OUTPUT_ONLY are ignored in requests.',
    where: 'google.aip.dev/203',
  },
  'display-name': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A display name has at most 128 characters.',
    where: 'endpoint.proto, model.proto',
  },
  labels: {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'Keys and values of labels have at most 64 characters: lower-case letters, digits, underscores and dashes; international letters are allowed.',
    where: 'endpoint.proto, model.proto',
  },
  'label-key': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'The key of a label begins with a letter.',
    where: 'goo.gl/xmQnxf',
  },
  'label-count': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'A resource has at most 64 labels.',
    where: 'goo.gl/xmQnxf',
  },
  'mask-required': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'An update names the fields that it changes in `update_mask`; fields that it does not name stay as they are.',
    where: 'endpoint_service.proto, model_service.proto',
  },
  'mask-unknown': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A mask names only fields that exist; entries of maps are not fields.',
    where: 'google/protobuf/field_mask.proto',
  },
  'mask-all': {
    source: 'doc',
    text: '`*` in an update mask stands for every field that can be updated.',
    where: 'google.aip.dev/134',
  },
  immutable: {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'An update may not name a field that is fixed when its resource is made.',
    where: 'field_behavior of every message',
  },
  'etag-mismatch': {
    source: 'thread',
    code: 'ABORTED',
    text: 'An update that carries an etag other than the current one is refused: "etag mismatch" has been seen, the code not.',
    where: 'python-aiplatform PR #952; endpoint.proto, model.proto; the code from google.aip.dev/154',
  },
  'etag-blind': {
    source: 'proto',
    text: 'An update without an etag overwrites.',
    where: 'endpoint.proto, model.proto',
  },
  'etag-bump': {
    source: 'thread',
    text: 'Every write to a resource gives it another etag: seen of UpdateModel; that the end of DeployModel, UndeployModel and MutateDeployedModel does so is a guess.',
    where: 'python-aiplatform PR #952',
  },
  // --- Lists -----------------------------------------------------------------------------------------------------------
  'filter-syntax': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A filter is made of `field=value`, `field!=value`, `labels.key=value`, `labels.key:*` and `labels:key`, of the fields of that list (`base_model_name` with `=` only). All else is refused.',
    where: 'endpoint_service.proto, model_service.proto',
  },
  'filter-logic': {
    source: 'doc',
    text: 'Comparisons are joined by AND, OR (which binds more closely), NOT or `-`, and brackets. The protos name none of these; the SDK shows OR.',
    where: 'google.aip.dev/160; python-aiplatform models.py, Endpoint.list',
  },
  'filter-labels': {
    source: 'proto',
    text: '`labels.key=value` is equality, `labels.key:*` and `labels:key` existence; keys may be quoted. `labels.key!=value` wants the key to be there (a guess).',
    where: 'endpoint_service.proto',
  },
  'order-by': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: '`order_by` takes `display_name` (not for versions), `create_time` and `update_time`, each ascending unless `desc` follows.',
    where: 'endpoint_service.proto, model_service.proto',
  },
  'page-size': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'A page size is not negative; 0 means 100, and more than 1,000 means 1,000 (both numbers are guesses).',
    where: 'google.aip.dev/158',
  },
  'page-token': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'A page token continues the list that it came from, with the same parent, filter and order.',
    where: 'google.aip.dev/158',
  },
  'read-mask': {
    source: 'proto',
    text: 'A list with `read_mask` answers with these fields only.',
    where: 'endpoint_service.proto, model_service.proto',
  },
  // --- Endpoints -------------------------------------------------------------------------------------------------------
  'endpoint-id': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A chosen endpoint id begins with a letter, has at most 63 characters `[a-z0-9-]` and ends in a letter or digit (nobody has shown one on the real service); or it is a number without leading zeros. Its length is disputed: the proto says 9 digits, Terraform 10, and the emulator takes 10.',
    where: "endpoint_service.proto; Terraform's google_vertex_ai_endpoint, which takes numbers only",
  },
  'endpoint-id-generated': {
    source: 'proto',
    text: 'Without an id, the endpoint gets one.',
    where: 'endpoint_service.proto',
  },
  'endpoint-exists': {
    source: 'guess',
    code: 'ALREADY_EXISTS',
    text: 'An endpoint id that exists, or is being created, cannot be created again.',
    where: 'endpoint_service.proto',
  },
  'endpoint-unfinished': {
    source: 'guess',
    text: 'An endpoint exists when the operation that creates it is done.',
    where: 'endpoint_service.proto',
  },
  'endpoint-delete-deployed': {
    source: 'thread',
    code: 'FAILED_PRECONDITION',
    text: 'An endpoint with deployed models cannot be deleted.',
    where: 'python-aiplatform #1441',
  },
  'endpoint-delete-busy': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'An endpoint cannot be deleted while another operation runs on it, and nothing else can be started while it is being deleted.',
    where: 'endpoint_service.proto',
  },
  'dedicated-dns': {
    source: 'doc',
    text: 'A dedicated endpoint has a host of its own, `{id}.{region}-{project number}.prediction.vertexai.goog`. The emulator answers for it at its own address, too.',
    where: 'endpoint.proto, using-dedicated-endpoints',
  },
  'dedicated-host': {
    source: 'guess',
    code: 'NOT_FOUND',
    text: 'The host of a dedicated endpoint answers the predictions of that endpoint, and nothing else.',
    where: 'using-dedicated-endpoints',
  },
  'dedicated-shared-host': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'A dedicated endpoint answers no predictions at `{region}-aiplatform.googleapis.com` (the code is a guess).',
    where: 'endpoint.proto',
  },
  'network-psc': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: '`network` and private service connect exclude each other.',
    where: 'endpoint.proto',
  },
  'dedicated-psc': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'A dedicated endpoint has no private service connect.',
    where: "Terraform's google_vertex_ai_endpoint",
  },
  'logging-rate': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'The sampling rate of the request log is in (0, 1].',
    where: 'endpoint.proto',
  },
  'logging-update': {
    source: 'guess',
    text: 'UpdateEndpoint may change the request log; the pages only say that it is set at creation.',
    where: 'endpoint.proto',
  },
  'update-long-running': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'UpdateEndpointLongRunning changes `client_connection_config` and nothing else. UpdateEndpoint does not change it (a guess).',
    where: 'endpoint_service.proto',
  },
  'inference-timeout': {
    source: 'doc',
    code: 'INVALID_ARGUMENT',
    text: 'The inference timeout is at most 60 s, on a dedicated endpoint at most an hour; where it is not set, 60 s and 10 minutes.',
    where: 'choose-endpoint-type',
  },
  // --- Traffic ---------------------------------------------------------------------------------------------------------
  'traffic-sum': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'The percentages of a traffic split sum to 100, or the split is empty: no traffic.',
    where: 'endpoint.proto',
  },
  'traffic-range': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A percentage is an integer from 0 to 100.',
    where: 'endpoint.proto',
  },
  'traffic-unknown': {
    source: 'thread',
    code: 'INVALID_ARGUMENT',
    text: 'A traffic split names deployed models of the endpoint only; `0` is none of them but in DeployModel.',
    where: 'GoogleCloudPlatform/java-docs-samples PR #8475',
  },
  'traffic-zero-key': {
    source: 'proto',
    text: 'In DeployModel `0` stands for the model that is being deployed; its id takes that place.',
    where: 'endpoint_service.proto',
  },
  'empty-split': {
    source: 'proto',
    text: 'DeployModel without a traffic split leaves the split as it is: the model gets no traffic.',
    where: 'endpoint_service.proto',
  },
  'traffic-absent': {
    source: 'proto',
    text: 'A deployed model that the split does not name gets no traffic.',
    where: 'endpoint.proto',
  },
  'traffic-private': {
    source: 'thread',
    code: 'FAILED_PRECONDITION',
    text: 'An endpoint that is peered with a network does not split its traffic.',
    where: 'python-aiplatform #2011, #4756',
  },
  'route-no-traffic': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'An endpoint without deployed models, or without traffic to any, answers no predictions.',
    where: 'endpoint.proto',
  },
  'predict-answer': {
    source: 'proto',
    text: 'An answer to Predict names the deployed model, the model and its version that it is from.',
    where: 'prediction_service.proto',
  },
  'payload-limit': {
    source: 'doc',
    text: 'A prediction has at most 1.5 MB, on a dedicated endpoint 10 MB; more is INVALID_ARGUMENT (the code is a guess).',
    where: 'choose-endpoint-type',
  },
  'route-starting': {
    source: 'guess',
    code: 'UNAVAILABLE',
    text: 'A deployed model whose server is being started again, after a restart of the emulator, is UNAVAILABLE.',
    where: 'emulator',
  },
  // --- Deployed models ---------------------------------------------------------------------------------------------------
  'deployed-id': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'The id of a deployed model has 1 to 10 digits. `0` is taken by the traffic split (a guess).',
    where: 'endpoint.proto',
  },
  'deployed-id-generated': {
    source: 'proto',
    text: 'Without an id, the deployed model gets one.',
    where: 'endpoint.proto',
  },
  'deployed-exists': {
    source: 'guess',
    code: 'ALREADY_EXISTS',
    text: 'An id that is deployed to the endpoint, or being deployed, cannot be deployed again.',
    where: 'endpoint.proto',
  },
  'deployed-unfinished': {
    source: 'guess',
    text: 'A deployed model is in its endpoint, and the traffic moves, when DeployModel is done.',
    where: 'endpoint_service.proto',
  },
  'deployed-version': {
    source: 'proto',
    text: '`model` may end in `@version` or `@alias`; without, the default version is deployed. It is fixed from then on, wherever the alias goes.',
    where: 'endpoint.proto',
  },
  'deployed-display-name': {
    source: 'proto',
    text: "A deployed model without a display name gets the model's.",
    where: 'endpoint.proto',
  },
  'deployed-resources': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A deployed model has prediction resources.',
    where: 'endpoint.proto',
  },
  'automatic-resources': {
    source: 'thread',
    code: 'INVALID_ARGUMENT',
    text: 'A model in a container of its own does not support automatic resources.',
    where: 'python-aiplatform #773, #1041',
  },
  'shared-resources': {
    source: 'guess',
    code: 'UNIMPLEMENTED',
    text: 'The emulator has no deployment resource pools.',
    where: 'emulator',
  },
  'machine-type': {
    source: 'guess',
    code: 'INVALID_ARGUMENT',
    text: 'A machine type ends in its number of vCPUs, `n2-standard-4`. Which ones exist is not checked.',
    where: 'machine_resources.proto',
  },
  'machine-type-default': {
    source: 'proto',
    text: 'The default machine type is `n1-standard-2`.',
    where: 'machine_resources.proto',
  },
  'replica-count': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: '`min_replica_count` is at least 1 (0 belongs to v1beta1), `max_replica_count` not below it, and its default; `required_replica_count` lies from 0 to the least (a guess).',
    where: 'machine_resources.proto',
  },
  'autoscaling-metric': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'Autoscaling knows CPU utilization, accelerator duty cycle and request count, each at most once.',
    where: 'machine_resources.proto',
  },
  'autoscaling-target': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'An autoscaling target is from 1 to 100; its default is 60.',
    where: 'machine_resources.proto',
  },
  'invoke-dedicated': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'A model with an invoke route can only be deployed to a dedicated endpoint.',
    where: 'model.proto',
  },
  'deploy-stages': {
    source: 'proto',
    text: 'The metadata of DeployModel tells the stage: STARTING_DEPLOYMENT, PREPARING_MODEL, CREATING_SERVING_CLUSTER, ADDING_NODES_TO_CLUSTER, GETTING_CONTAINER_IMAGE, STARTING_MODEL_SERVER, FINISHING_UP; then SUCCESSFULLY_DEPLOYED, FAILED_TO_DEPLOY or DEPLOYMENT_TERMINATED (this order is a guess).',
    where: 'deployment_stage.proto',
  },
  'deploy-readiness': {
    source: 'thread',
    code: 'FAILED_PRECONDITION',
    text: 'DeployModel fails where the model server never becomes ready; the endpoint stays as it was.',
    where: 'vertex-ai-samples #3485, #2103',
  },
  'deploy-split-stale': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'DeployModel fails at its end where its split names a deployed model that is gone by then.',
    where: 'endpoint_service.proto',
  },
  'undeploy-traffic': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'A deployed model can be undeployed when it has no traffic, or when the split of the request takes it away. That is checked again when the operation ends (a guess).',
    where: 'endpoint_service.proto',
  },
  'undeploy-last': {
    source: 'proto',
    text: 'When the last model is undeployed, the split ends up empty.',
    where: 'endpoint_service.proto',
  },
  'undeploy-twice': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'A deployed model that is being undeployed, or mutated, cannot be undeployed or mutated at the same time.',
    where: 'endpoint_service.proto',
  },
  'mutate-fields': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'MutateDeployedModel changes replica counts, autoscaling and `disable_container_logging`, and nothing else: another machine, account, model or container is another deployed model.',
    where: 'endpoint_service.proto',
  },
  // --- Models ----------------------------------------------------------------------------------------------------------
  'model-id': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A chosen model id has at most 63 characters `[a-z0-9_-]`, the first of which is no digit and no hyphen.',
    where: 'model_service.proto',
  },
  'model-id-generated': { source: 'guess', text: 'Without an id, the model gets one.', where: 'model_service.proto' },
  'model-exists': {
    source: 'guess',
    code: 'ALREADY_EXISTS',
    text: 'A model id that exists, or is being uploaded, cannot be made again; a new version names its `parent_model`.',
    where: 'model_service.proto',
  },
  'model-destination': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: '`model_id` makes a model, `parent_model` a version of one: not both (for UploadModel a guess).',
    where: 'model_service.proto',
  },
  'container-image': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A model names the image of its container, in Artifact Registry (`…-docker.pkg.dev`) or Container Registry (`gcr.io`). The emulator pulls none, and takes `dap/server`, too.',
    where: 'model.proto',
  },
  'artifact-uri': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: '`artifact_uri` is a folder in Cloud Storage, `gs://bucket/folder`.',
    where: 'model.proto',
  },
  'container-port': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A port is from 1 to 65535; only the first is used, and the default is 8080.',
    where: 'model.proto',
  },
  'container-route': {
    source: 'guess',
    code: 'INVALID_ARGUMENT',
    text: 'A route of a container begins with a slash.',
    where: 'model.proto',
  },
  'container-route-default': {
    source: 'proto',
    text: 'The default of both routes is `/v1/endpoints/{endpoint}/deployedModels/{deployed model}:predict`.',
    where: 'model.proto',
  },
  'invoke-route': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'An `invoke_route_prefix` is `/*`, and excludes a `predict_route`.',
    where: 'model.proto',
  },
  'deployment-timeout': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A deployment timeout is at most 2 hours.',
    where: 'model.proto',
  },
  'container-input-only': {
    source: 'proto',
    text: 'Answers do not carry `container_spec`, which is INPUT_ONLY. (GoogleCloudPlatform/data-science-on-gcp #154 has seen it: do not rely on either.)',
    where: 'model.proto',
  },
  'model-resources': {
    source: 'guess',
    text: 'A model in a container of its own says that it supports dedicated and shared resources.',
    where: 'model.proto',
  },
  'model-deployed-models': {
    source: 'proto',
    text: 'A version of a model lists the endpoints that it is deployed to.',
    where: 'model.proto',
  },
  'version-increment': {
    source: 'proto',
    text: 'Versions are numbered 1, 2, 3, …; a number is never given again (the latter is a guess).',
    where: 'model.proto',
  },
  'version-default': {
    source: 'proto',
    text: 'The first version of a model is the default; exactly one always is. A name without `@` means that one.',
    where: 'model.proto',
  },
  'version-default-removed': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'The alias `default` cannot be taken away, only given to another version.',
    where: 'model.proto; the code is a guess',
  },
  'version-name': {
    source: 'thread',
    text: 'What is asked for with `@`, a number or an alias, is named `…/models/{model}@{number}`, and so is each of ListModelVersions.',
    where:
      'apache/airflow PR #39640; python-aiplatform models.py, Model.resource_name and ModelRegistry.update_version',
  },
  'version-name-absent': {
    source: 'thread',
    text: 'ListModels, UploadModelResponse, and GetModel of a name without `@` (a guess) name the model without a version.',
    where: 'GoogleCloudPlatform/data-science-on-gcp #154; model_service.proto',
  },
  'version-display-name': {
    source: 'guess',
    text: 'A display name and a description belong to the model: those of a further version are not kept.',
    where: 'model_service.proto',
  },
  'alias-form': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'An alias matches `[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]`.',
    where: 'model.proto',
  },
  'alias-moves': {
    source: 'guess',
    text: 'An alias that is given to a version leaves the version that had it.',
    where: 'model_service.proto',
  },
  'alias-cancel': {
    source: 'proto',
    text: 'Giving and taking away the same alias in one request cancel each other out.',
    where: 'model_service.proto',
  },
  'version-explicit': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'DeleteModelVersion names a version by its number, MergeVersionAliases by its number or an alias.',
    where: 'model_service.proto',
  },
  'alias-by-alias': {
    source: 'thread',
    text: 'MergeVersionAliases takes an alias where the proto says a version id.',
    where: 'python-aiplatform tests/system/aiplatform/test_model_version_management.py',
  },
  'alias-order': {
    source: 'thread',
    text: 'Aliases come in the order in which they were given; `default`, where an upload does not name it, is the last (a guess). The proto promises no order.',
    where: 'python-aiplatform tests/system/aiplatform/test_model_version_management.py',
  },
  'labels-merged': {
    source: 'proto',
    text: 'Labels of a model and of its default version are merged in answers; those of the version win, and those of an upload are the version’s (both are guesses). Other versions show their own.',
    where: 'model_service.proto; python-aiplatform #3049',
  },
  'labels-of-model': {
    source: 'thread',
    text: 'UpdateModel of the labels of a model changes those of its default version, too, and of no other.',
    where: 'python-aiplatform #3049',
  },
  'update-model-fields': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'UpdateModel changes `display_name`, `description` and labels of a model, or `version_description` and labels of a version (`@version` in the name; `@-` is the model). The other kind of field is a failed precondition.',
    where: 'model_service.proto',
  },
  'model-delete-deployed': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'A model, or a version, cannot be deleted while it is deployed (or being deployed, a guess).',
    where: 'model_service.proto',
  },
  'version-delete-only': {
    source: 'proto',
    code: 'FAILED_PRECONDITION',
    text: 'The only version of a model cannot be deleted.',
    where: 'model_service.proto',
  },
  'version-delete-default': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'The default version cannot be deleted while there are others.',
    where: 'model.proto',
  },
  'model-delete-busy': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'Nothing can be started on a model, or a version, that is being deleted.',
    where: 'model_service.proto',
  },
  'copy-project': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'CopyModel stays in one project; locations may differ.',
    where: 'model_service.proto',
  },
  'copy-original': {
    source: 'proto',
    text: 'A copy names its original, `…/models/{model}@{version}`.',
    where: 'model.proto',
  },
  // --- Operations ------------------------------------------------------------------------------------------------------
  'operation-name': {
    source: 'thread',
    text: 'An operation is named after its resource: `projects/{number}/locations/{location}/endpoints/{endpoint}/operations/{id}`.',
    where: 'ageron/handson-ml3 #135',
  },
  'operation-metadata': {
    source: 'proto',
    text: 'The metadata of an operation is of the type that its method declares, with the time of its creation and its last update.',
    where: 'operation.proto',
  },
  'operation-error': {
    source: 'proto',
    text: 'What fails after an operation began is the error of the operation, a google.rpc.Status.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-list': {
    source: 'proto',
    text: 'ListOperations lists those of a location, an endpoint or a model, newest first (a guess); it filters by `done`.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-cancel': {
    source: 'proto',
    text: 'A cancelled operation soon ends with the error CANCELLED, and nothing is changed; one that is done stays as it is.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-delete': {
    source: 'proto',
    text: 'DeleteOperation forgets an operation, and does not cancel it.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-delete-running': {
    source: 'guess',
    code: 'FAILED_PRECONDITION',
    text: 'An operation that still runs cannot be forgotten.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-wait': {
    source: 'proto',
    text: 'WaitOperation answers when the operation is done, or after its timeout.',
    where: 'google/longrunning/operations.proto',
  },
  'operation-resume': {
    source: 'guess',
    text: 'Operations that ran when the emulator stopped go on when it starts again.',
    where: 'emulator',
  },
  // --- Cloud Storage ---------------------------------------------------------------------------------------------------
  'storage-unimplemented': {
    source: 'guess',
    text: 'What the emulator does not have of the JSON API, a method, a field that would change what happens, a key for encryption, is 501.',
    where: 'emulator',
  },
  'storage-parameters': {
    source: 'doc',
    text: 'A query parameter is acted upon, or changes nothing that is emulated, or is 501, unless it is false or empty.',
    where: 'storage/docs/json_api/v1',
  },
  'storage-bucket-made': {
    source: 'guess',
    text: 'A bucket is made by the first write to it, and one that does not exist lists as empty; on the real service both are 404.',
    where: 'emulator',
  },
  'storage-bucket-delete': {
    source: 'doc',
    text: 'A bucket that is not empty cannot be deleted: 409.',
    where: 'storage/docs/json_api/v1/buckets/delete',
  },
  'storage-bucket-fields': {
    source: 'doc',
    text: 'Labels, storage class, location (fixed), access, CORS and website of a bucket are kept and shown, and change nothing; what would change objects (versions, lifecycle, retention, soft delete, holds, keys) is 501 unless it is off.',
    where: 'storage/docs/json_api/v1/buckets',
  },
  'storage-fields': {
    source: 'doc',
    text: 'An object keeps `contentType`, `cacheControl`, `contentDisposition`, `contentEncoding`, `contentLanguage`, `customTime`, `storageClass` and `metadata`; downloads carry them as headers.',
    where: 'storage/docs/json_api/v1/objects',
  },
  'storage-patch': {
    source: 'doc',
    text: 'PATCH changes the fields that it names, null clears one, or an entry of `metadata`; PUT replaces them all. Both raise the metageneration and leave the content; the storage class is changed by rewriting.',
    where: 'storage/docs/json_api/v1/objects/patch, objects/update',
  },
  'storage-conditions': {
    source: 'doc',
    text: '`ifGenerationMatch`, `ifMetagenerationMatch`, their `Not` and their `Source` forms, and `If-Match`: 412 where one fails; 304 where a reader has seen what is there.',
    where: 'storage/docs/request-preconditions',
  },
  'storage-checksums': {
    source: 'doc',
    text: 'Content that does not have the `md5Hash` or `crc32c` that the request says is 400.',
    where: 'storage/docs/json_api/v1/objects/insert',
  },
  'storage-list': {
    source: 'doc',
    text: 'Lists go by name, with `prefix`, `delimiter`, `includeTrailingDelimiter`, `startOffset`, `endOffset`, `matchGlob` (not with a delimiter: 501) and pages of at most 1,000.',
    where: 'storage/docs/json_api/v1/objects/list',
  },
  'storage-gzip': {
    source: 'doc',
    text: 'Content that is stored as gzip is unpacked for who does not accept it so, unless it says `no-transform`.',
    where: 'storage/docs/transcoding',
  },
  'storage-copy': {
    source: 'doc',
    text: 'A copy, rewritten or not, has the fields of the request where it says any, else those of its source; a move is a copy that removes its source.',
    where: 'storage/docs/json_api/v1/objects/copy, objects/move',
  },
  'storage-rewrite': {
    source: 'doc',
    text: 'A rewrite is done in one call, whatever the size; the real one may take several.',
    where: 'storage/docs/json_api/v1/objects/rewrite',
  },
  'storage-compose': {
    source: 'doc',
    text: 'Up to 32 objects of a bucket are composed to one, which counts its components and has no MD5.',
    where: 'storage/docs/composite-objects',
  },
  // --- Quotas ----------------------------------------------------------------------------------------------------------
  'quota-crud': {
    source: 'doc',
    code: 'RESOURCE_EXHAUSTED',
    text: 'A project sends at most 600 requests on resources a minute in one region; polling is not counted (a guess).',
    where: 'vertex-ai/docs/quotas',
  },
  'quota-operations': {
    source: 'doc',
    code: 'RESOURCE_EXHAUSTED',
    text: 'A project starts at most 60 operations a minute in one region.',
    where: 'vertex-ai/docs/quotas',
  },
  'quota-cpus': {
    source: 'proto',
    code: 'RESOURCE_EXHAUSTED',
    text: '`max_replica_count` × vCPUs of every deployed model count against a quota of the region, whatever its traffic. The default of the emulator is 20,000.',
    where: 'machine_resources.proto',
  },
} as const satisfies Readonly<Record<string, Rule>>

export type RuleId = keyof typeof RULES

type Refusing = { [Id in RuleId]: (typeof RULES)[Id] extends { readonly code: string } ? Id : never }[RuleId]

/** The refusal of what breaks a rule; its google.rpc.ErrorInfo names the rule. */
export function broken(rule: Refusing, message: string): RpcError {
  return new RpcError(CODES[RULES[rule].code], message, [info(rule)])
}

const info = (id: string): JsonObject => ({
  '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
  reason: id.toUpperCase().replaceAll('-', '_'),
  domain: 'emulator.dap',
  metadata: { rule: id },
})
