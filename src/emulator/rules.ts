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
    source: 'proto',
    code: 'ABORTED',
    text: 'An update that carries an etag other than the current one is refused.',
    where: 'endpoint.proto, model.proto; the code from google.aip.dev/154',
  },
  'etag-blind': {
    source: 'proto',
    text: 'An update without an etag overwrites.',
    where: 'endpoint.proto, model.proto',
  },
  'etag-bump': {
    source: 'guess',
    text: 'Every write to a resource gives it another etag, the end of DeployModel, UndeployModel and MutateDeployedModel, too.',
    where: 'endpoint.proto',
  },
  // --- Lists -----------------------------------------------------------------------------------------------------------
  'filter-syntax': {
    source: 'proto',
    code: 'INVALID_ARGUMENT',
    text: 'A filter is made of `field=value`, `field!=value`, `labels.key=value`, `labels.key:*` and `labels:key`, joined by AND, of the fields of that list.',
    where: 'endpoint_service.proto, model_service.proto',
  },
  'filter-labels': {
    source: 'proto',
    text: '`labels.key=value` is equality, `labels.key:*` and `labels:key` existence; keys may be quoted.',
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
    text: 'A chosen endpoint id begins with a letter, has at most 63 characters `[a-z0-9-]` and ends in a letter or digit; or it is a number of at most 9 digits without leading zeros.',
    where: 'endpoint_service.proto',
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
    text: '`min_replica_count` is at least 1, `max_replica_count` not below it, and its default; `required_replica_count` lies from 0 to the least (a guess).',
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
    source: 'guess',
    text: 'ListModelVersions names each version `…/models/{model}@{version}`, other answers leave out the version.',
    where: 'model_service.proto',
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
    text: 'MergeVersionAliases and DeleteModelVersion name a version by its number.',
    where: 'model_service.proto',
  },
  'labels-merged': {
    source: 'proto',
    text: 'Labels of a model and of its version are merged in answers; those of the version win, and those of an upload are the version’s (both are guesses).',
    where: 'model_service.proto',
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
