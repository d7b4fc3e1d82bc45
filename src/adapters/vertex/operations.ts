import { WorkFailed } from '../../deploy/cloud-error.ts'
import type { Waiting } from '../../deploy/patience.ts'
import type { Operation, VertexApi } from './api.ts'

type Operations = Pick<VertexApi, 'getOperation' | 'runningOperations'>

/** Waits for an operation; throws what it failed with. A look at it that fails says nothing about it: `api` is one that reads patiently. */
export async function finish(
  api: Pick<Operations, 'getOperation'>,
  operation: Operation,
  waiting: Waiting,
): Promise<void> {
  const { error } = await ended(api, operation, waiting)
  if (error !== undefined) throw new WorkFailed(error.status, error.message)
}

/** Waits for all that run on an endpoint or a model, whoever started them. */
export async function finishAll(
  api: Operations,
  resource: Parameters<VertexApi['runningOperations']>[0],
  waiting: Waiting,
): Promise<void> {
  for (const operation of await api.runningOperations(resource)) await ended(api, operation, waiting)
}

async function ended(
  api: Pick<Operations, 'getOperation'>,
  operation: Operation,
  waiting: Waiting,
): Promise<Operation> {
  waiting.begun(operation.name)
  for (let current = operation; ; current = await api.getOperation(operation.name)) {
    if (current.stage !== undefined) waiting.stage(current.stage)
    if (current.done) return current
    await waiting.pause()
  }
}
