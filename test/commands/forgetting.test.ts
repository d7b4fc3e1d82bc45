import { rm } from 'node:fs/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const policy = (learner: string) =>
  resource(
    'Policy',
    'offer',
    `context: {}
actions: [{ id: none }, { id: gold }]
algorithm: { learner: { ${learner} }, exploration: { type: thompson } }
guardrails: { minProbability: 0.1 }`,
  )
const FILES = {
  'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
  'policies/offer.yaml': policy('type: beta, discount: { halfLife: 7d }'),
  'datasets/log.yaml': resource(
    'Dataset',
    'log',
    'files: [log.csv]\nformat: csv\nmapping: { action: a, reward: r, propensity: p, ts: t }',
  ),
  // Gold is bought in October, and nothing else in November.
  'log.csv': [
    'a,r,p,t',
    ...Array.from({ length: 122 }, (_, i) => {
      const time = new Date(Date.UTC(2026, 6, 25) + i * 86_400_000).toISOString()
      return ['none', 'gold'].map(a => `${a},${(a === 'gold') === i < 99 ? 1 : 0},0.5,${time}`).join('\n')
    }),
  ].join('\n'),
  'scenarios/season.yaml': resource(
    'Scenario',
    'season',
    'world: { type: bernoulli, means: { none: 0.1, gold: 0.2 } }\npolicies: [offer, uniform]\nhorizon: 200\nreplications: 4\nseed: 1\nevery: 1h',
  ),
}

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true }))))

async function place(changes: Readonly<Record<string, string>> = {}) {
  const folder = await onDisk({ ...FILES, ...changes })
  folders.push(folder)
  return (...words: string[]) => dapIn(folder, ...words)
}

const plain = (text: string) => text.replace(/sha256:[0-9a-f]{64}|[0-9a-f]{64}/g, '…')

describe('a policy that forgets', () => {
  it('is trained, shown and compared with what it remembers', async () => {
    const dap = await place()
    const trained = await dap('train', '--holdout', '0')
    expect(trained).toMatchObject({ code: 0, stderr: '' })
    expect(plain(trained.stdout)).toMatchInlineSnapshot(`
      "offer learnt 244 rows of log, 2026-07-25T00:00:00.000Z to 2026-11-23T00:00:00.000Z
      snapshots/offer.json  …

      action  rows  worth
      none      90  10.61
      gold      90  10.61

      64 rows of before 2026-08-26T00:00:00.000Z no longer count

      no unit was held out: nothing says what it is worth
      "
    `)
    expect(plain((await dap('snapshot', 'show', 'snapshots/offer.json')).stdout)).toMatchInlineSnapshot(`
      "snapshot   …
      policy     offer  …
      learner    {"discount":{"halfLife":"7d"},"prior":{"alpha":1,"beta":1},"type":"beta"}
      learnt     21.21 rewards
      from       log, 244 rows, 2026-07-25T00:00:00.000Z to 2026-11-23T00:00:00.000Z  …
      held out   nothing
      remembers  180 rows in 90 buckets of 1d, 2026-08-26T00:00:00.000Z to 2026-11-23T00:00:00.000Z, worth 21.21 new ones
      made by    dap 0.0.0-test

      action  rewards   value     width
      none      10.61  0.8345  ± 0.1008
      gold      10.61  0.1655  ± 0.1008
      "
    `)
    const { data } = JSON.parse((await dap('snapshot', 'show', 'snapshots/offer.json', '--json')).stdout)
    expect(data.remembered.rows).toBe(180)
  })

  it('plays in a scenario that has a clock', async () => {
    const dap = await place()
    expect(await dap('simulate', 'season')).toMatchObject({ code: 0, stderr: '' })
    const without = await place({ 'scenarios/season.yaml': FILES['scenarios/season.yaml'].replace('  every: 1h', '') })
    const { code, stderr } = await without('simulate', 'season')
    expect([code, stderr]).toEqual([1, expect.stringContaining('every: 10m')])
  })

  it('is not trained on a log without times', async () => {
    const dap = await place({ 'datasets/log.yaml': FILES['datasets/log.yaml'].replace(', ts: t', '') })
    expect(await dap('train')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .*forgets by the times(.|\n)*hint: .*`ts`/),
    })
  })

  it('is served, but not by a server that learns at once', async () => {
    const dap = await place()
    const { code, stderr } = await dap('serve', '--learn', '--port', '0')
    expect(code).toBe(1)
    expect(stderr).toMatchInlineSnapshot(`
      "error: there is nothing to serve: policy \`offer\` forgets (\`discount\`), which --learn cannot do: leave --learn out, and train it on the log by \`dap train\`
      hint: \`dap validate\` checks a repository; \`dap bundle POLICY\` makes what --bundle takes
      "
    `)
  })
})
