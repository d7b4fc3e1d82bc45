import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { grpc } from 'google-gax'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { VertexApi } from '../../../src/adapters/vertex/api.ts'
import { attempting, statusOf } from '../../../src/adapters/vertex/errors.ts'
import { vertexApi } from '../../../src/adapters/vertex/requests.ts'
import { CloudError } from '../../../src/deploy/cloud-error.ts'
import type { Place } from '../../../src/deploy/routes.ts'
import { DapError } from '../../../src/errors.ts'

const LOCAL: Place = { target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' }
const REAL: Place = { target: 'vertex', project: 'games', region: 'europe-west1', bucket: 'games-dap' }

const failure = (promise: Promise<unknown>): Promise<DapError> =>
  promise.then(
    () => Promise.reject(new Error('should have failed')),
    error => error,
  )

describe('where requests go', () => {
  it('to the emulator only if it answers; else the error says what starts one', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(done => server.once('listening', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await new Promise(done => server.close(done))
    const error = await failure(vertexApi(LOCAL, name => (name === 'DAP_VERTEX_ENDPOINT' ? url : undefined)))
    expect(error).toMatchObject({
      name: 'DapError',
      exitCode: 5,
      message: `the emulator does not answer at ${url}`,
      hint: '`dap emulator` starts it; `dap emulator exec -- dap deploy` runs one just for a command',
    })
  })

  it('never to an emulator when the target is the real cloud', async () => {
    for (const variable of ['DAP_VERTEX_ENDPOINT', 'STORAGE_EMULATOR_HOST']) {
      const environment = (name: string) => (name === variable ? 'http://127.0.0.1:8790' : undefined)
      const error = await failure(vertexApi(REAL, environment))
      expect(error.message).toBe(`${variable} leads to an emulator, and \`games\` is on the real cloud`)
    }
  })

  it('to no address that is none', async () => {
    const error = await failure(vertexApi(LOCAL, () => '127.0.0.1:8790'))
    expect(error.message).toBe('DAP_VERTEX_ENDPOINT is `127.0.0.1:8790`, no address of an emulator')
  })
})

describe('credentials', () => {
  beforeEach(() => {
    vi.stubEnv('HOME', '/nonexistent')
    vi.stubEnv('METADATA_SERVER_DETECTION', 'none')
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', undefined)
  })
  afterEach(() => void vi.unstubAllEnvs())

  it('that are missing are an error of every call, with what to do', async () => {
    const cloud = await vertexApi(REAL, () => undefined)
    for (const call of [() => cloud.getEndpoint('x'), () => cloud.listModels(), () => cloud.requests('e', '1', 0, 1)]) {
      const error = await failure(call())
      expect(error).toBeInstanceOf(CloudError)
      expect(error).toMatchObject({
        status: 'UNAUTHENTICATED',
        exitCode: 5,
        hint: '`gcloud auth application-default login` on a workstation, workload identity in CI',
      })
      expect(error.message).toMatch(/^UNAUTHENTICATED: Could not load the default credentials\./)
    }
  })

  it('in a file that is not there are called missing, too', async () => {
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nonexistent/key.json')
    const error = await failure((await vertexApi(REAL, () => undefined)).listEndpoints())
    expect(error).toMatchObject({ status: 'UNAUTHENTICATED' })
    expect(error.message).toContain('GOOGLE_APPLICATION_CREDENTIALS')
  })
})

describe('a server that refuses everything', () => {
  const calls: string[] = []
  const deadlines: number[] = []
  let answer: { code: number; details: string }
  let server: grpc.Server
  let cloud: VertexApi

  beforeAll(async () => {
    server = new grpc.Server()
    const bytes = (buffer: Buffer) => buffer
    for (const method of [
      'google.longrunning.Operations/GetOperation',
      'google.longrunning.Operations/ListOperations',
      'google.cloud.aiplatform.v1.EndpointService/GetEndpoint',
      'google.cloud.aiplatform.v1.EndpointService/ListEndpoints',
      'google.cloud.aiplatform.v1.EndpointService/DeployModel',
      'google.cloud.aiplatform.v1.ModelService/ListModels',
      'google.cloud.aiplatform.v1.ModelService/ListModelVersions',
      'google.cloud.aiplatform.v1.ModelService/UploadModel',
    ]) {
      const refuse = (call: grpc.ServerUnaryCall<Buffer, Buffer>, done: grpc.sendUnaryData<Buffer>) => {
        calls.push(method.replace(/^.*\//, ''))
        deadlines.push(Number(call.getDeadline()))
        done(answer)
      }
      server.register(`/${method}`, refuse, bytes, bytes, 'unary')
    }
    const port = await new Promise<number>((done, fail) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? fail(error) : done(bound),
      ),
    )
    cloud = await vertexApi(LOCAL, () => `http://127.0.0.1:${port}`)
  })
  beforeEach(() => void calls.splice(0))
  afterAll(() => server.forceShutdown())

  const MODEL = {
    id: '1',
    displayName: 'd',
    model: 'm',
    version: '1',
    machineType: 'n2-standard-2',
    serviceAccount: null,
    scale: { minReplicas: 1, maxReplicas: 1, targetCpu: 60 },
  }
  const VERSION = {
    displayName: 'd',
    description: '',
    labels: {},
    image: 'i',
    artifact: 'gs://b/x',
    predictRoute: '/predict',
    healthRoute: '/readyz',
    port: 8080,
    args: [],
  }

  it('is asked once a call: UNAVAILABLE is one CloudError, also of a poll', async () => {
    answer = { code: grpc.status.UNAVAILABLE, details: 'try again\nlater' }
    const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['GetOperation', () => cloud.getOperation('projects/1/locations/us-central1/endpoints/e/operations/7')],
      ['ListOperations', () => cloud.runningOperations({ endpoint: 'e' })],
      ['GetEndpoint', () => cloud.getEndpoint('e')],
      ['ListEndpoints', () => cloud.listEndpoints()],
      ['DeployModel', () => cloud.deployModel('e', MODEL)],
      ['ListModels', () => cloud.listModels()],
      ['ListModelVersions', () => cloud.listVersions('m')],
      ['UploadModel', () => cloud.uploadModel('m', VERSION)],
    ]
    for (const [, call] of asked)
      expect(await failure(call())).toMatchObject({
        name: 'CloudError',
        status: 'UNAVAILABLE',
        message: 'UNAVAILABLE: try again',
      })
    expect(calls).toEqual(asked.map(([method]) => method))
    expect(deadlines.every(Number.isFinite)).toBe(true)
  })

  it('has nothing where it answers NOT_FOUND, and a first version is uploaded as a new model', async () => {
    answer = {
      code: grpc.status.NOT_FOUND,
      details: 'Endpoint `projects/1/locations/us-central1/endpoints/e` not found.',
    }
    expect(await cloud.getEndpoint('e')).toBeUndefined()
    expect(await cloud.listVersions('m')).toEqual([])
    expect(await cloud.runningOperations({ model: 'm' })).toEqual([])
    expect(await failure(cloud.uploadModel('m', VERSION))).toMatchObject({ status: 'NOT_FOUND' })
    expect(calls).toEqual(['GetEndpoint', 'ListModelVersions', 'ListOperations', 'UploadModel', 'UploadModel'])
  })
})

describe('what was thrown', () => {
  const thrown = (cause: unknown, service: 'vertex' | 'storage' | 'monitoring' = 'vertex', place = REAL) =>
    failure(attempting(service, place)(() => Promise.reject(cause)))

  it('keeps the status and the first line, and hints at what may help', async () => {
    expect(
      await thrown({
        code: 7,
        message: "7 PERMISSION_DENIED: Permission 'aiplatform.endpoints.list' denied",
        details: "Permission 'aiplatform.endpoints.list' denied\n    at callErrorFromStatus",
      }),
    ).toMatchObject({
      status: 'PERMISSION_DENIED',
      message: "PERMISSION_DENIED: Permission 'aiplatform.endpoints.list' denied",
      hint: 'whoever runs dap needs roles/aiplatform.user in `games`, and roles/iam.serviceAccountUser (actAs) on the service account that the models run as',
    })
    expect(await thrown({ code: 8, details: 'Quota exceeded' })).toMatchObject({
      hint: 'https://console.cloud.google.com/iam-admin/quotas?project=games',
    })
    expect(await thrown({ code: 12, details: 'Received HTTP status code 404' })).toMatchObject({
      hint: 'is `europe-west1` the region? requests go to europe-west1-aiplatform.googleapis.com',
    })
    const missing = 'Endpoint projects/games/locations/europe-west1/endpoints/e is not found.'
    expect(await thrown({ code: 5, details: missing })).toMatchObject({ status: 'NOT_FOUND', hint: undefined })
  })

  it('has a status where it is no status of gRPC', async () => {
    expect(await thrown({ code: 404, message: 'No such bucket' }, 'storage')).toMatchObject({
      status: 'NOT_FOUND',
      hint: 'gcloud storage buckets create gs://games-dap --location=europe-west1',
    })
    expect(await thrown({ code: 403, message: 'no' }, 'monitoring')).toMatchObject({
      status: 'PERMISSION_DENIED',
      hint: 'whoever runs dap needs roles/monitoring.viewer in `games`',
    })
    const refused = Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } })
    expect(await thrown(refused, 'monitoring', LOCAL)).toMatchObject({
      status: 'UNAVAILABLE',
      hint: expect.stringMatching(/^does the emulator still run\?/),
    })
    expect(await thrown(new DOMException('too late', 'TimeoutError'), 'monitoring')).toMatchObject({
      status: 'DEADLINE_EXCEEDED',
    })
    expect(await thrown(new Error('?'))).toMatchObject({ status: 'UNKNOWN', message: 'UNKNOWN: ?' })
  })

  it('is left alone where it says already what to do, or is a bug', async () => {
    for (const error of [new DapError('needs a package'), new TypeError('x is undefined')])
      expect(await thrown(error)).toBe(error)
  })

  it('numbers of gRPC and of HTTP are names', () => {
    expect([1, 4, 10, 16, 0, 99, 412, 503].map(statusOf)).toEqual([
      'CANCELLED',
      'DEADLINE_EXCEEDED',
      'ABORTED',
      'UNAUTHENTICATED',
      'UNKNOWN',
      'UNKNOWN',
      'FAILED_PRECONDITION',
      'UNAVAILABLE',
    ])
  })
})
