import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ModelServers, ServedModel } from '../../src/emulator/ports.ts'
import type { VertexClients } from '../support/vertex-clients.ts'

export const PARENT = 'projects/demo/locations/europe-west1'
export const FAST = { create: 0, update: 0, delete: 0, upload: 0, copy: 0, deployStage: 0, undeploy: 0, mutate: 0 }

/** What a model server of a test does with a request's body. */
export type Behaviour = (
  body: string,
  model: ServedModel,
) => { readonly status?: number; readonly body: string } | 'hang'

/** Model servers in this process. */
export function servers(behave: Behaviour): ModelServers {
  return {
    async start(model) {
      const server = createServer(async (request, response) => {
        let body = ''
        for await (const part of request) body += part
        const answer = behave(body, model)
        if (answer === 'hang') return
        response.writeHead(answer.status ?? 200, { 'content-type': request.headers['content-type'] })
        response.end(answer.body)
      })
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
      return {
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        predictRoute: model.predictRoute,
        async stop() {
          server.closeAllConnections()
          await new Promise(done => server.close(done))
        },
      }
    },
  }
}

/** Answers each instance with itself. */
export const echo: Behaviour = body => ({
  body: JSON.stringify({ predictions: (JSON.parse(body) as { instances: unknown[] }).instances }),
})

interface Deployed {
  readonly endpoint: string
  readonly model: string
}

/** An endpoint with a deployed model for each id, the traffic as given. */
export async function deploy(
  { endpoints, models }: VertexClients,
  options: {
    readonly traffic: Readonly<Record<string, number>>
    readonly endpoint?: object
    readonly artifactUri?: string
    readonly args?: readonly string[]
  },
): Promise<Deployed> {
  const { traffic, endpoint = {}, artifactUri = 'gs://saga-dap/models', args = [] } = options
  const [creation] = await endpoints.createEndpoint({
    parent: PARENT,
    endpointId: 'shop',
    endpoint: { displayName: 'shop', ...endpoint },
  })
  const [{ name }] = await creation.promise()
  const [upload] = await models.uploadModel({
    parent: PARENT,
    modelId: 'shop-model',
    model: {
      displayName: 'Shop model',
      artifactUri,
      containerSpec: {
        imageUri: 'europe-west1-docker.pkg.dev/demo/dap/server@sha256:abc',
        predictRoute: '/predict',
        healthRoute: '/readyz',
        ports: [{ containerPort: 8080 }],
        args: [...args],
      },
    },
  })
  const [{ model }] = await upload.promise()
  for (const id of Object.keys(traffic)) {
    const [deployment] = await endpoints.deployModel({
      endpoint: name,
      deployedModel: {
        id,
        model,
        displayName: `shop-${id}`,
        dedicatedResources: { machineSpec: { machineType: 'n2-standard-2' }, minReplicaCount: 1, maxReplicaCount: 1 },
      },
    })
    await deployment.promise()
  }
  await endpoints.updateEndpoint({
    endpoint: { name, trafficSplit: traffic },
    updateMask: { paths: ['traffic_split'] },
  })
  return { endpoint: String(name), model: String(model) }
}
