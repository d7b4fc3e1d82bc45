/** MLServer, which has a classifier of scikit-learn, over both of its protocols, and as Vertex AI passes requests on to it. */
import { createServer } from 'node:http'
import { afterAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest'
import { createRemoteRuntime, type RemoteRuntime } from '../../src/adapters/inference/inference.ts'
import type { Runtime } from '../../src/models/runtime.ts'
import { listen } from '../adapters/inference/ports.ts'
import { distance, type ModelProcess, matrixOf, modelProcess, readyOf } from './model-process.ts'
import { needs } from './needs.ts'
import { pythonWith } from './python.ts'

interface Said {
  readonly rest: number
  readonly grpc: number
  readonly rows: readonly (readonly number[])[]
  /** As scikit-learn gives them itself. */
  readonly probabilities: readonly (readonly number[])[]
}

const TOLERANCE = 1e-6
/** Whichever test is the first one installs Python's packages, and waits for a server. */
const LIMIT_MS = 600_000
const never = () => new AbortController().signal

let starting: Promise<ModelProcess<Said>> | undefined
afterAll(async () => (await starting)?.end())

async function mlserver(context: TestContext): Promise<ModelProcess<Said>> {
  const python = await needs(context, () => pythonWith(new URL('python/mlserver.txt', import.meta.url).pathname))
  starting ??= modelProcess<Said>(python, 'mlserver_model.py')
  return starting
}

function runtimeOf(spec: RemoteRuntime, outputs: readonly string[] = ['predict_proba']): Runtime {
  const runtime = createRemoteRuntime(spec, outputs)
  onTestFinished(() => runtime.close())
  return runtime
}

const inputOf = (rows: Said['rows']) => new Map([['x', matrixOf(rows)]])

describe.each(['rest', 'grpc'] as const)('MLServer over %s', { timeout: LIMIT_MS }, protocol => {
  const modelOf = (model: string, { said }: ModelProcess<Said>): RemoteRuntime => ({
    type: 'open-inference',
    url: `http://127.0.0.1:${said[protocol]}`,
    model,
    protocol,
  })

  it('has the probabilities that scikit-learn has, in batches of 1, 7 and all', async context => {
    const server = await mlserver(context)
    const { rows, probabilities } = server.said
    const runtime = runtimeOf(modelOf('clicks', server))
    await readyOf(server, runtime)
    for (const size of [1, 7, rows.length]) {
      for (let at = 0; at < rows.length; at += size) {
        const outputs = await runtime.run(inputOf(rows.slice(at, at + size)), never())
        expect([...outputs.keys()]).toEqual(['predict_proba'])
        expect(distance(outputs.get('predict_proba'), probabilities.slice(at, at + size))).toBeLessThan(TOLERANCE)
      }
    }
  })

  it('answers classes where no output is named, and the version that is', async context => {
    const server = await mlserver(context)
    const { rows, probabilities } = server.said
    const runtime = runtimeOf({ ...modelOf('clicks', server), version: 'v1' } as RemoteRuntime, [])
    await readyOf(server, runtime)
    const outputs = await runtime.run(inputOf(rows), never())
    expect(
      distance(
        outputs.get('predict'),
        probabilities.map(([no, yes]) => [yes > no ? 1 : 0]),
      ),
    ).toBe(0)
  })

  it('says of a model what somebody has written down for it, and nothing of others', async context => {
    const server = await mlserver(context)
    const runtime = runtimeOf(modelOf('described', server))
    await readyOf(server, runtime)
    expect(await runtime.signature(never())).toEqual({
      inputs: [{ name: 'x', dtype: 'float32', shape: [null, 5] }],
      outputs: [{ name: 'predict_proba', dtype: 'float64', shape: [null, 2] }],
    })
    expect(await runtimeOf(modelOf('clicks', server)).signature(never())).toBeUndefined()
  })

  it('refuses what it does not know, without a second try being of use', async context => {
    const server = await mlserver(context)
    await readyOf(server, runtimeOf(modelOf('clicks', server)))
    const unknown = runtimeOf(modelOf('nothing', server))
    expect(await unknown.ready(never())).toBe(false)
    await expect(unknown.run(inputOf(server.said.rows), never())).rejects.toMatchObject({
      reason: 'answer',
      transient: false,
      message: expect.stringMatching(/not found/i),
    })
    const wrong = runtimeOf(modelOf('clicks', server), ['scores'])
    await expect(wrong.run(inputOf(server.said.rows), never())).rejects.toMatchObject({ reason: 'answer' })
  })

  it('answers columns that are too few with an error, and goes on', async context => {
    const server = await mlserver(context)
    const { rows } = server.said
    const runtime = runtimeOf(modelOf('clicks', server))
    await readyOf(server, runtime)
    const short = inputOf(rows.map(row => row.slice(1)))
    await expect(runtime.run(short, never())).rejects.toMatchObject({ reason: 'answer' })
    expect((await runtime.run(inputOf(rows), never())).get('predict_proba')?.rows).toBe(rows.length)
  })
})

describe('MLServer behind an endpoint of Vertex AI', { timeout: LIMIT_MS }, () => {
  it('is asked by rawPredict, whose body is passed on as it is', async context => {
    const server = await mlserver(context)
    const { said } = server
    const endpoint = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const answer = await fetch(`http://127.0.0.1:${said.rest}/v2/models/clicks/infer`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.concat(chunks),
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
    const port = await listen(endpoint)
    onTestFinished(() => void endpoint.close())
    const runtime = runtimeOf({
      type: 'vertex',
      endpoint: 'projects/shop/locations/europe-west1/endpoints/7',
      method: 'rawPredict',
      url: `http://127.0.0.1:${port}`,
    })
    await readyOf(server, runtime)
    const outputs = await runtime.run(inputOf(said.rows), never())
    expect(distance(outputs.get('predict_proba'), said.probabilities)).toBeLessThan(TOLERANCE)
  })
})

describe.each(['rest', 'grpc'] as const)('MLServer that was killed, over %s', { timeout: LIMIT_MS }, protocol => {
  it('is unreachable, and not ready', async context => {
    const server = await mlserver(context)
    const url = `http://127.0.0.1:${server.said[protocol]}`
    const runtime = runtimeOf({ type: 'open-inference', url, model: 'clicks', protocol })
    await server.kill()
    expect(await runtime.ready(never())).toBe(false)
    await expect(runtime.run(inputOf(server.said.rows), never())).rejects.toMatchObject({ reason: 'unreachable' })
  })
})
