import { describe, expect, it } from 'vitest'
import { CloudError, type Status } from '../../src/deploy/cloud-error.ts'
import { attempt, createBackoff, createWaiting, type Patience } from '../../src/deploy/patience.ts'
import { InterruptedError } from '../../src/errors.ts'
import { stream } from '../../src/math/rng.ts'
import { virtualClock } from '../support/memory-vertex.ts'

function patient(signal?: AbortSignal) {
  const clock = virtualClock(0)
  const retries: string[] = []
  const patience: Patience = {
    clock,
    rng: stream(1, 'patience'),
    signal,
    onRetry: (call, tried, reason) => retries.push(`${call} ${tried} ${reason}`),
  }
  return { clock, patience, retries }
}

/** Fails with these, one after the other, then answers. */
function failing(...statuses: Status[]): () => Promise<string> {
  let calls = 0
  return async () => {
    if (calls < statuses.length) throw Object.assign(new CloudError(statuses[calls++], 'no'), { call: 'get' })
    return 'answer'
  }
}

describe('attempt', () => {
  it('tries again what may pass, and says so', async () => {
    const { patience, retries } = patient()
    await expect(attempt(failing('UNAVAILABLE', 'DEADLINE_EXCEEDED', 'INTERNAL'), patience)).resolves.toBe('answer')
    expect(retries).toEqual(['get 1 no', 'get 1 no', 'get 1 no'])
  })

  it.each(['PERMISSION_DENIED', 'INVALID_ARGUMENT', 'FAILED_PRECONDITION', 'ABORTED', 'ALREADY_EXISTS'] as const)(
    'never tries %s again',
    async status => {
      const { patience, retries } = patient()
      await expect(attempt(failing(status), patience)).rejects.toMatchObject({ status })
      expect(retries).toEqual([])
    },
  )

  it('tries again after a lost race where its caller looks again', async () => {
    const { patience } = patient()
    const backoff = createBackoff(patience, { races: true })
    await expect(backoff(new CloudError('ABORTED', 'the version is another'))).resolves.toBeUndefined()
  })

  it('gives up on a bug of the cloud sooner than on a busy one', async () => {
    const tries = async (status: Status) => {
      const { patience, retries } = patient()
      await attempt(failing(...Array<Status>(99).fill(status)), patience).catch(() => {})
      return retries.length
    }
    expect([await tries('INTERNAL'), await tries('UNAVAILABLE')]).toEqual([3, 10])
  })

  it('waits longer where the quota of a minute is used up', async () => {
    const waited = async (status: Status) => {
      const { patience, clock } = patient()
      await attempt(failing(status, status, status), patience)
      return clock.now()
    }
    expect(await waited('RESOURCE_EXHAUSTED')).toBeGreaterThan(5 * (await waited('UNAVAILABLE')))
  })

  it('waits the same from the same seed, and never beyond its budget', async () => {
    const run = async () => {
      const { patience, clock } = patient()
      await attempt(failing(...Array<Status>(99).fill('RESOURCE_EXHAUSTED')), patience).catch(() => {})
      return clock.now()
    }
    expect(await run()).toBe(await run())
    expect(await run()).toBeLessThanOrEqual(300_000)
  })

  it('stops waiting when the run is stopped', async () => {
    const controller = new AbortController()
    const { patience, retries } = patient(controller.signal)
    const call = async () => {
      controller.abort()
      throw new CloudError('UNAVAILABLE', 'no')
    }
    await expect(attempt(call, patience)).rejects.toBeInstanceOf(InterruptedError)
    expect(retries).toEqual([])
  })

  it('throws a bug on at once', async () => {
    const { patience, retries } = patient()
    await expect(attempt(() => Promise.reject(new TypeError('bug')), patience)).rejects.toThrow('bug')
    expect(retries).toEqual([])
  })
})

describe('waiting', () => {
  it('says every stage once, and looks every second at first and every quarter of a minute later', async () => {
    const { patience, clock } = patient()
    const said: string[] = []
    const polls: number[] = []
    const waiting = createWaiting(patience, {
      onBegun: name => said.push(name),
      onStage: stage => said.push(stage),
      onPoll: async () => void polls.push(clock.now()),
    })
    waiting.begun('op')
    for (const stage of ['A', 'A', 'B', 'B', 'B', 'B', 'B', 'B', 'B', 'B', 'B', 'B']) {
      waiting.stage(stage)
      await waiting.pause()
    }
    expect(said).toEqual(['op', 'A', 'B'])
    expect(polls[0]).toBe(1000)
    expect(polls[11] - polls[10]).toBe(15_000)
    waiting.begun('another')
    await waiting.pause()
    expect(polls[12] - polls[11]).toBe(1000)
  })

  it('gives up on what never ends, and says how to go on', async () => {
    const { patience } = patient()
    const waiting = createWaiting(patience)
    waiting.begun('op')
    const forEver = async () => {
      for (;;) await waiting.pause()
    }
    await expect(forEver()).rejects.toMatchObject({ message: '`op` is not done after 130 minutes', exitCode: 6 })
  })
})
