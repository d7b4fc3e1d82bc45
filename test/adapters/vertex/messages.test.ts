import type { google } from '@google-cloud/aiplatform/build/protos/protos.js'
import { describe, expect, it } from 'vitest'
import {
  endpointOf,
  endpointUpdate,
  newDeployedModel,
  newEndpoint,
  newModelVersion,
  operationOf,
  resourceNames,
  scaleUpdate,
  versionOf,
} from '../../../src/adapters/vertex/messages.ts'

const CPU = 'aiplatform.googleapis.com/prediction/online/cpu/utilization'

/** As gRPC decodes it: int64 as text, and a value for every field that is no oneof. */
const ENDPOINT: google.cloud.aiplatform.v1.IEndpoint = {
  name: 'projects/1234567/locations/europe-west1/endpoints/dap-shop-offer',
  displayName: 'shop-offer',
  description: '',
  etag: 'AMEw9yP',
  labels: { 'dap-project': 'shop', team: 'monetisation' },
  trafficSplit: { '1': 90, '2': 10 },
  network: 'projects/1234567/global/networks/games',
  dedicatedEndpointEnabled: true,
  dedicatedEndpointDns: 'dap-shop-offer.europe-west1-1234567.prediction.vertexai.goog',
  predictRequestResponseLoggingConfig: {
    enabled: true,
    samplingRate: 0.25,
    bigqueryDestination: { outputUri: 'bq://games.logs.offers' },
  },
  deployedModels: [
    {
      id: '1',
      displayName: 'shop-offer-0123456789ab',
      model: 'projects/1234567/locations/europe-west1/models/dap-shop-offer@7',
      modelVersionId: '7',
      serviceAccount: 'dap-runtime@games.iam.gserviceaccount.com',
      createTime: { seconds: '1795400000', nanos: 250_000_000 } as unknown as google.protobuf.ITimestamp,
      status: { availableReplicaCount: 0 },
      dedicatedResources: {
        machineSpec: { machineType: 'n2-standard-2' },
        minReplicaCount: 2,
        maxReplicaCount: 10,
        autoscalingMetricSpecs: [
          { metricName: 'aiplatform.googleapis.com/prediction/online/request_count', target: 5 },
          { metricName: CPU, target: 70 },
        ],
      },
    },
    {
      id: '2',
      displayName: 'by hand',
      model: 'projects/1234567/locations/europe-west1/models/99',
      automaticResources: {},
    },
  ],
}

describe('an endpoint that the cloud answers', () => {
  it('has bare ids, milliseconds and nulls where nothing was said', () => {
    expect(endpointOf(ENDPOINT)).toEqual({
      id: 'dap-shop-offer',
      displayName: 'shop-offer',
      description: '',
      etag: 'AMEw9yP',
      labels: { 'dap-project': 'shop', team: 'monetisation' },
      traffic: { '1': 90, '2': 10 },
      dedicated: true,
      requestLog: { sample: 0.25, table: 'bq://games.logs.offers' },
      host: 'dap-shop-offer.europe-west1-1234567.prediction.vertexai.goog',
      deployedModels: [
        {
          id: '1',
          displayName: 'shop-offer-0123456789ab',
          model: 'dap-shop-offer',
          version: '7',
          machineType: 'n2-standard-2',
          serviceAccount: 'dap-runtime@games.iam.gserviceaccount.com',
          scale: { minReplicas: 2, maxReplicas: 10, targetCpu: 70 },
          created: 1_795_400_000_250,
          available: 0,
        },
        {
          id: '2',
          displayName: 'by hand',
          model: '99',
          version: '',
          machineType: '',
          serviceAccount: null,
          scale: { minReplicas: 0, maxReplicas: 0, targetCpu: 60 },
          created: 0,
          available: null,
        },
      ],
    })
  })

  it('keeps no request log where logging is configured and not enabled', () => {
    const predictRequestResponseLoggingConfig = { enabled: false, samplingRate: 0.5 }
    expect(endpointOf({ ...ENDPOINT, predictRequestResponseLoggingConfig }).requestLog).toBeNull()
  })
})

describe('the update of an endpoint', () => {
  it('names in its mask what is given and writes nothing else', () => {
    expect(endpointUpdate('e', { etag: 'x', traffic: { '1': 100 } })).toEqual({
      endpoint: { name: 'e', etag: 'x', trafficSplit: { '1': 100 } },
      updateMask: { paths: ['traffic_split'] },
    })
  })

  it('tells what is emptied from what is left alone', () => {
    const update = { etag: 'x', description: '', labels: {}, traffic: {}, requestLog: null }
    expect(endpointUpdate('e', update)).toEqual({
      endpoint: {
        name: 'e',
        etag: 'x',
        description: '',
        labels: {},
        trafficSplit: {},
        predictRequestResponseLoggingConfig: null,
      },
      updateMask: { paths: ['description', 'labels', 'traffic_split', 'predict_request_response_logging_config'] },
    })
  })
})

describe('what is written', () => {
  const created = {
    displayName: 'shop-offer',
    description: 'made by dap',
    labels: { a: 'b' },
    dedicated: true,
    requestLog: { sample: 0.25, table: 'bq://games.logs.offers' },
  }
  const deployed = {
    id: '1',
    displayName: 'shop-offer-0123456789ab',
    model: 'dap-shop-offer',
    version: '7',
    machineType: 'n2-standard-2',
    serviceAccount: null,
    scale: { minReplicas: 1, maxReplicas: 3, targetCpu: 50 },
  }

  it('reads back as it was: an endpoint', () => {
    expect(endpointOf({ ...newEndpoint(created), name: 'a/b/e', etag: 'x' })).toMatchObject({ id: 'e', ...created })
  })

  it('reads back as it was: a deployed model', () => {
    const { version } = resourceNames({ target: 'vertex', project: 'games', region: 'europe-west1', bucket: 'b' })
    const message = newDeployedModel(deployed, version(deployed.model, deployed.version))
    expect(message.model).toBe('projects/games/locations/europe-west1/models/dap-shop-offer@7')
    const [read] = endpointOf({ deployedModels: [{ ...message, modelVersionId: '7' }] }).deployedModels
    expect(read).toMatchObject(deployed)
  })

  it('changes of a deployed model its scale alone', () => {
    expect(scaleUpdate('1', deployed.scale)).toEqual({
      deployedModel: {
        id: '1',
        dedicatedResources: {
          minReplicaCount: 1,
          maxReplicaCount: 3,
          autoscalingMetricSpecs: [{ metricName: CPU, target: 50 }],
        },
      },
      updateMask: {
        paths: [
          'dedicated_resources.min_replica_count',
          'dedicated_resources.max_replica_count',
          'dedicated_resources.autoscaling_metric_specs',
        ],
      },
    })
  })

  it('describes the version, not the model that other versions share', () => {
    const message = newModelVersion({
      displayName: 'shop-offer',
      description: 'commit 0123abc',
      labels: { 'dap-model': 'f00' },
      image: 'host/server@sha256:00',
      artifact: 'gs://games-dap/dap/bundles/x',
      predictRoute: '/predict',
      healthRoute: '/readyz',
      port: 8080,
      args: ['--log', 'stdout'],
    })
    expect(message).toEqual({
      displayName: 'shop-offer',
      versionDescription: 'commit 0123abc',
      labels: { 'dap-model': 'f00' },
      artifactUri: 'gs://games-dap/dap/bundles/x',
      containerSpec: {
        imageUri: 'host/server@sha256:00',
        args: ['--log', 'stdout'],
        ports: [{ containerPort: 8080 }],
        predictRoute: '/predict',
        healthRoute: '/readyz',
      },
    })
  })
})

it('a version of a model loses the version that its name may end with', () => {
  const name = 'projects/1/locations/r/models/dap-shop-offer@3'
  const message = { name, versionId: '3', versionAliases: ['default'], labels: { a: 'b' }, etag: 'e1' }
  expect(versionOf(message)).toEqual({
    model: 'dap-shop-offer',
    version: '3',
    aliases: ['default'],
    displayName: '',
    etag: 'e1',
    labels: { a: 'b' },
    created: 0,
  })
})

describe('an operation', () => {
  const never = () => {
    throw new Error('should not be decoded')
  }
  const decoders = {
    uploadModelResponse: (bytes: Uint8Array) => ({ toJSON: () => ({ modelVersionId: String(bytes[0]) }) }),
    deployModelMetadata: () => ({ toJSON: () => ({ deploymentStage: 'STARTING_MODEL_SERVER' }) }),
  }
  const type = (name: string) => `type.googleapis.com/google.cloud.aiplatform.v1.${name}`

  it('has a stage while a model is deployed, and none when it is done', () => {
    const metadata = { type_url: type('DeployModelOperationMetadata'), value: new Uint8Array([1]) }
    expect(operationOf({ name: 'o', done: false, metadata }, decoders)).toEqual({
      name: 'o',
      done: false,
      stage: 'STARTING_MODEL_SERVER',
    })
    expect(operationOf({ name: 'o', done: true, metadata }, decoders)).toEqual({ name: 'o', done: true })
  })

  it('has the version that an upload made', () => {
    const response = { type_url: type('UploadModelResponse'), value: new Uint8Array([7]) }
    expect(operationOf({ name: 'o', done: true, response }, decoders).version).toBe('7')
  })

  it('says why it failed, although it is done', () => {
    const error = { code: 9, message: 'Model server never became ready.' }
    expect(operationOf({ name: 'o', done: true, error }, decoders)).toEqual({
      name: 'o',
      done: true,
      error: { status: 'FAILED_PRECONDITION', message: 'Model server never became ready.' },
    })
  })

  it('carries what no deployment needs, and that is not decoded', () => {
    const response = { type_url: type('Endpoint'), value: new Uint8Array([1]) }
    const answer = operationOf(
      { name: 'o', done: true, response },
      { uploadModelResponse: never, deployModelMetadata: never },
    )
    expect(answer).toEqual({ name: 'o', done: true })
  })
})
