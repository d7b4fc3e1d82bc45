import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import { message, required, seconds } from './fields.ts'

const REGISTRY = /^([a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io|dap)\/\S+$/
const LONGEST_DEPLOYMENT = 7200

/** What an uploaded model says of its container and its artifact. */
export function checkContainer(model: JsonObject): JsonObject {
  const container = message(model, 'containerSpec')
  const image = String(required(container, 'imageUri'))
  if (!REGISTRY.test(image))
    throw broken('container-image', `The image "${image}" is not in Artifact Registry or Container Registry.`)
  if (model.artifactUri && !/^gs:\/\/[a-z0-9][a-z0-9._-]{1,}[a-z0-9](\/\S*)?$/.test(String(model.artifactUri)))
    throw broken('artifact-uri', `The artifact_uri "${model.artifactUri}" is no gs:// URI.`)
  for (const field of ['ports', 'grpcPorts'])
    for (const { containerPort } of (container[field] ?? []) as readonly JsonObject[])
      if (!(Number(containerPort) >= 1 && Number(containerPort) <= 65_535))
        throw broken('container-port', `The port ${containerPort} is not from 1 to 65535.`)
  for (const field of ['predictRoute', 'healthRoute'])
    if (container[field] && !String(container[field]).startsWith('/'))
      throw broken('container-route', `The route "${container[field]}" does not begin with a slash.`)
  const prefix = container.invokeRoutePrefix
  if (prefix && prefix !== '/*')
    throw broken('invoke-route', `The invoke_route_prefix is "${prefix}": "/*" or nothing.`)
  if (prefix && container.predictRoute)
    throw broken('invoke-route', 'Only one of predict_route and invoke_route_prefix can be set.')
  const timeout = container.deploymentTimeout
  if (timeout !== undefined && !((seconds(timeout) ?? Number.NaN) <= LONGEST_DEPLOYMENT))
    throw broken('deployment-timeout', `The deployment_timeout ${timeout} is above 2 hours.`)
  return container
}
