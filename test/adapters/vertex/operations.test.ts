import { expect, it } from 'vitest'
import { type Operation, READS, type VertexApi } from '../../../src/adapters/vertex/api.ts'
import { finish } from '../../../src/adapters/vertex/operations.ts'
import { CloudError, type Status } from '../../../src/deploy/cloud-error.ts'
import { createWaiting } from '../../../src/deploy/patience.ts'
import { readPatiently } from '../../../src/deploy/reads.ts'
import { stream } from '../../../src/math/rng.ts'
import { virtualClock } from '../../support/memory-vertex.ts'

const running = (stage: string): Operation => ({ name: 'op', done: false, stage })

/** Waits for an operation whose looks are answered like this, one after the other. */
async function watched(...answers: (Operation | Status)[]) {
  const patience = { clock: virtualClock(0), rng: stream(1, 'operations') }
  const stages: string[] = []
  let polls = 0
  const api = {
    async getOperation() {
      const answer = answers.shift()!
      if (typeof answer === 'string') throw new CloudError(answer, 'no')
      return answer
    },
  }
  const waiting = createWaiting(patience, {
    onStage: stage => stages.push(stage),
    onPoll: async () => void polls++,
  })
  const patient = readPatiently({ ...READ_NOTHING, ...api } as unknown as VertexApi, READS, patience)
  const failure = await finish(patient, running('A'), waiting).catch(error => error)
  return { stages, polls, failure }
}

const READ_NOTHING = Object.fromEntries(READS.map(name => [name, async () => undefined]))

it('an operation is waited for through a look that fails, and every stage of it is said once', async () => {
  expect(await watched(running('A'), 'UNAVAILABLE', running('A'), running('B'), { name: 'op', done: true })).toEqual({
    stages: ['A', 'B'],
    polls: 4,
    failure: undefined,
  })
})

it('an operation that ends badly says with what, and that is no call that failed', async () => {
  const error = { status: 'FAILED_PRECONDITION', message: 'model server never became ready' } as const
  const { failure } = await watched({ name: 'op', done: true, error })
  expect(failure).toMatchObject({ name: 'WorkFailed', ...error })
})
