import { describe, expect, it } from 'vitest'
import { CloudError, type Status } from '../../src/deploy/cloud-error.ts'
import { stream } from '../../src/math/rng.ts'
import { type Faults, faulty } from '../support/faults.ts'
import { changePolicy, deployedShop, type Shop } from './support.ts'

/** Every command that asks a cloud, where it has something to do, and what it ends with at a cloud that always answers. */
const COMMANDS: readonly (readonly [string, number, (made: Shop) => Promise<unknown>])[] = [
  ['plan', 0, asItIs],
  ['plan --exit-code', 2, edit],
  ['plan --out plan.json', 0, edit],
  ['status', 0, asItIs],
  ['status --exit-code', 2, edit],
  ['deploy --yes', 0, edit],
  ['deploy plan.json', 0, approve],
  ['rollback offer --yes', 0, deployAnother],
  [
    'gc --yes',
    0,
    async made => {
      await deployAnother(made)
      await deployAnother(made)
      await made.cloud.clock.sleep(25 * 3_600_000)
    },
  ],
  ['destroy offer --yes', 0, asItIs],
  ['adopt theirs --name theirs --yes', 0, foreignEndpoint],
  ['lock ls', 0, asItIs],
  ['lock break offer', 0, lockedBySomebody],
]

async function asItIs(): Promise<void> {}

async function edit(made: Shop): Promise<void> {
  changePolicy(made)
}

async function approve(made: Shop): Promise<void> {
  changePolicy(made)
  await made.dap('plan --out plan.json')
}

async function deployAnother(made: Shop): Promise<void> {
  changePolicy(made)
  await made.dap('deploy --yes')
}

async function foreignEndpoint({ cloud: { vertex, clock } }: Shop): Promise<void> {
  const labels = { team: 'x' }
  await vertex.createEndpoint('theirs', {
    displayName: 'theirs',
    description: '',
    labels,
    dedicated: false,
    requestLog: null,
  })
  await clock.sleep(60_000)
}

async function lockedBySomebody({ cloud: { vertex, clock } }: Shop): Promise<void> {
  const [{ id, etag, labels }] = await vertex.listEndpoints()
  const lock = `0000beef-${Math.ceil(clock.now() / 1000) + 600}`
  await vertex.updateEndpoint(id, { etag, labels: { ...labels, 'dap-lock': lock, 'dap-lock-owner': 'bob' } })
}

const fail = (status: Status, message = 'no'): never => {
  throw new CloudError(status, message)
}

/** The same shop, whose cloud has faults from now on. */
function withFaults(made: Shop, faults: Faults): NonNullable<Parameters<Shop['dap']>[1]> {
  return { cloud: { ...made.cloud, cloud: faulty(made.cloud.cloud, faults) } }
}

const SEEDS = Number(process.env.CHAOS_RUNS ?? 12)

describe.each(COMMANDS)('%s', (line, code, prepare) => {
  const ready = async () => {
    const made = await deployedShop()
    await prepare(made)
    return made
  }

  it(`ends with ${code}`, async () => {
    const made = await ready()
    expect(await made.dap(line)).toMatchObject({ code, stderr: '' })
  })

  it(`ends with ${code} where a fifth of all answers is a refusal for now, or is cut`, async () => {
    let failed = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const made = await ready()
      const rng = stream(seed, 'busy', line)
      const flip = (share: number, status: Status) => {
        if (rng.uniform() >= share) return
        failed++
        fail(status, 'not now')
      }
      const setting = withFaults(made, {
        before: () => flip(0.1, rng.uniform() < 0.5 ? 'UNAVAILABLE' : 'RESOURCE_EXHAUSTED'),
        after: () => flip(0.1, 'UNAVAILABLE'),
      })
      const { code: ended, stdout, stderr, events } = await made.dap(line, setting)
      expect({ seed, ended, stdout: ended === code ? '' : stdout, stderr }).toEqual({
        seed,
        ended: code,
        stdout: '',
        stderr: '',
      })
      for (const event of events) if (event.type === 'retry') expect(event.ms).toBeGreaterThan(0)
    }
    expect(failed).toBeGreaterThan(0)
  })

  it('tries a cloud that never answers for a while, says each try, and ends with 5 and a hint', async () => {
    const made = await ready()
    const { code, stderr, events } = await made.dap(
      line,
      withFaults(made, { before: () => fail('UNAVAILABLE', 'gone') }),
    )
    expect(code).toBe(5)
    expect(stderr).toMatch(/^error: gone \(\w+, tried 11 times in \d+ s\)\nhint: /)
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['retry']))
  })

  it('tries nothing again that is forbidden', async () => {
    const made = await ready()
    const { code, events } = await made.dap(line, withFaults(made, { before: () => fail('PERMISSION_DENIED') }))
    expect({ code, events }).toEqual({ code: 5, events: [] })
  })

  it('ends with 130 at once when it is stopped while a read is not answered', async () => {
    const made = await ready()
    const controller = new AbortController()
    const before = (_: number, method: string) => {
      if (!/^(get|list)/.test(method)) return
      setImmediate(() => controller.abort())
      return new Promise<void>(() => {})
    }
    const setting = { ...withFaults(made, { before }), signal: controller.signal }
    expect((await made.dap(line, setting)).code).toBe(130)
  })

  it('ends with 130 at once when it is stopped while it waits', async () => {
    const made = await ready()
    const controller = new AbortController()
    const calls: string[] = []
    const before = (_: number, method: string) => {
      calls.push(method)
      controller.abort()
      fail('UNAVAILABLE')
    }
    const setting = { ...withFaults(made, { before }), signal: controller.signal }
    expect((await made.dap(line, setting)).code).toBe(130)
    // Those that had begun at the same time; none was begun again.
    expect(new Set(calls).size).toBe(calls.length)
  })
})

it('no request is left out: each was asked for by one of the commands', async () => {
  const called = new Set<string>()
  for (const [line, , prepare] of COMMANDS) {
    const made = await deployedShop()
    await prepare(made)
    await made.dap(line, withFaults(made, { before: (_, method) => void called.add(method) }))
  }
  const { cloud } = await deployedShop()
  const methods = Object.keys(cloud.vertex).filter(key => key !== 'place')
  // A gate reads `requests`; scale, single objects and creations are written in tests of their own.
  const elsewhere = ['requests', 'mutateDeployedModel', 'deleteObject', 'createEndpoint']
  expect(methods.filter(method => !called.has(method) && !elsewhere.includes(method))).toEqual([])
})
