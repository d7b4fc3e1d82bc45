import { numbered } from '../names.ts'
import type { JsonObject } from '../ports.ts'
import { broken } from '../rules.ts'
import type { OperationDoc, State } from '../state.ts'
import { required, seconds } from './fields.ts'
import { equality } from './filters.ts'
import type { Job, Jobs } from './jobs.ts'
import { type ListShape, page } from './lists.ts'

const LIST: ListShape = { fields: { done: equality(({ done }) => String(done ?? false)) }, labels: false, orders: [] }
/** As long as a call without a deadline may take. */
const LONGEST_WAIT_MS = 60_000

/** google.longrunning.Operation. rule: operation-metadata, rule: operation-name */
export function operationAnswer(
  { name, createTime, updateTime, stage, done, error, response }: OperationDoc,
  job: Job,
): JsonObject {
  return {
    name,
    metadata: {
      '@type': `type.googleapis.com/google.cloud.aiplatform.v1.${job.metadata}`,
      genericMetadata: { createTime, updateTime },
      ...(stage && { deploymentStage: stage }),
    },
    done,
    ...(error && { error }),
    ...(response && { response }),
  }
}

export type Unary = (request: JsonObject) => JsonObject | Promise<JsonObject>

/** google.longrunning.Operations */
export function operationMethods(
  state: State,
  jobs: Jobs,
  answer: (operation: OperationDoc) => JsonObject,
): Readonly<Record<string, Unary>> {
  const find = (request: JsonObject): OperationDoc => {
    const name = numbered(state, String(required(request, 'name')))
    const operation = state.operations.get(name)
    if (!operation) throw broken('not-found', `The Operation "${name}" does not exist.`)
    return operation
  }
  return {
    GetOperation: request => answer(find(request)),
    // rule: operation-list
    ListOperations(request) {
      const parent = numbered(state, String(required(request, 'name'))).replace(/\/operations$/, '')
      if (!/^projects\/\d+\/locations\/[a-z0-9-]+(\/(endpoints|models)\/[A-Za-z0-9_-]+)?$/.test(parent))
        throw broken('name-form', `Invalid resource name "${request.name}" in name.`)
      const below = [...state.operations.values()].filter(({ name }) => name.startsWith(`${parent}/`))
      const { items, nextPageToken } = page(below.reverse().map(answer), request, LIST)
      return { operations: items, nextPageToken }
    },
    CancelOperation(request) {
      jobs.cancel(find(request))
      return {}
    },
    // rule: operation-delete
    DeleteOperation(request) {
      const { name, done } = find(request)
      if (!done) throw broken('operation-delete-running', `The Operation "${name}" still runs.`)
      state.operations.delete(name)
      return {}
    },
    // rule: operation-wait
    async WaitOperation(request) {
      const { name } = find(request)
      await jobs.settled(name, Math.min(LONGEST_WAIT_MS, 1000 * (seconds(request.timeout) ?? Number.POSITIVE_INFINITY)))
      return answer(find({ name }))
    },
  }
}
