import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { decisionRecord } from '../../src/log/records/decision-record.ts'
import { recordText } from '../../src/log/records/record-text.ts'
import { readBundle } from '../../src/policy/bundle.ts'
import { decide } from '../../src/policy/decide.ts'
import { LEVELS } from '../support/action-sets.ts'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

/** Levels of both genres; every fifth comes five minutes into 2026, and every seventh goes after ten. */
const levels = (from: number, to: number) =>
  `levelId,genre,difficulty,validFrom,validUntil\n${Array.from({ length: to - from }, (_, j) => {
    const i = from + j
    const dates = [i % 5 === 0 ? '2026-01-01T00:05:00Z' : '', i % 7 === 0 ? '2026-01-01T00:10:00Z' : '']
    return `level-${i},${i % 2 === 0 ? 'card' : 'puzzle'},${i % 9},${dates.join()}\n`
  }).join('')}`

const FILES = {
  ...LEVELS,
  'policies/next-level.yaml': LEVELS['policies/next-level.yaml']
    .replace('type: thompson', 'type: squarecb')
    .replace('0.0001', '0.01'),
  'data/levels.csv': levels(1, 31),
  'scenarios/launch.yaml': resource(
    'Scenario',
    'launch',
    `policies: [next-level, uniform]
horizon: 3000
replications: 2
population:
  units: 400
  context: { level: { uniform: { min: 1, max: 20 } }, platform: { categorical: { ios: 0.5, android: 0.5 } } }
world:
  type: catalogue
  logit: "action.difficulty > 6.0 ? -1.0 : -1.5"
  effects: [{ of: [platform, action.genre], sd: 2 }]`,
  ),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs/day.jsonl]\nformat: dap'),
  'datasets/of-policy.yaml': resource(
    'Dataset',
    'of-policy',
    'files: [logs/day.jsonl]\nformat: dap\nactions: { policy: next-level }',
  ),
  'evaluations/next.yaml': resource(
    'Evaluation',
    'next',
    `dataset: log
estimators: [ips, snips]
candidates:
  - { name: next, policy: next-level, snapshot: snapshots/next-level.json }
  - { name: alike, uniform: true }
  - { name: logging, logging: true }`,
  ),
}

it('goes round with a set: simulate, log check, train, evaluate, serve, replay, and again once the set is another', async () => {
  const folder = await onDisk(FILES)
  const dap = (line: string) => dapIn(folder, ...line.split(' '))
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  expect(await dap('validate')).toMatchObject({ code: 0 })
  expect(await dap('simulate launch --log logs/day.jsonl')).toMatchObject({ code: 0 })

  // Dates are those of the log's own clock: a decision a second, from 2026 on.
  const lines = (await readFile(join(folder, 'logs/day.jsonl'), 'utf8')).split('\n')
  const recordAt = (number: number) => JSON.parse(lines.find(line => line.includes(`"launch-1-${number}"`)) as string)
  const ids = (number: number) => recordAt(number).eligible.map(({ id }: { id: string }) => id)
  const byOf = (number: number, wanted: string) =>
    recordAt(number).excluded.find(({ id }: { id: string }) => id === wanted)?.by
  expect(byOf(299, 'level-5')).toBe('dates: from 2026-01-01T00:05:00.000Z')
  expect(byOf(599, 'level-7') ?? '').not.toContain('dates')
  expect(byOf(600, 'level-7')).toBe('dates: until 2026-01-01T00:10:00.000Z')
  expect(ids(300)).toContain('level-10')
  // Of a set thousands may be named: the features of what was taken are there, so that its answer can be given again.
  const { eligible, slots } = recordAt(1000)
  const described = eligible.filter(({ features }: { features?: object }) => features !== undefined)
  expect(described.map(({ id }: { id: string }) => id)).toEqual([slots[0].action])

  expect((await dap('log check logs')).stdout).toContain('the log passes')
  expect((await dap('log stats logs')).stdout).toContain('no alarm')
  const trained = await dap('train next-level --dataset log --until 2026-03-01T00:00:00Z')
  expect(trained.stdout).toContain('those of the set')
  const estimate = async (name: string) => {
    const result = JSON.parse((await dap('evaluate next --json')).stdout)
    return result.candidates.find((each: { name: string }) => each.name === name).estimates[0].value
  }
  expect(await estimate('next')).toBeGreaterThan(1.1 * (await estimate('alike')))

  // Served from a bundle, which has the set in it.
  const bundled = JSON.parse((await dap('bundle next-level --json')).stdout)
  const bundle = readBundle(JSON.parse(await readFile(join(folder, bundled.path), 'utf8')))
  if ('faults' in bundle) throw new Error(bundle.faults.join())
  const served = Array.from({ length: 40 }, (_, i) => {
    const at = Date.UTC(2026, 0, 1, 0, i)
    const pool = bundle.policy.offer({ at, exclude: i % 3 === 0 ? ['level-2'] : undefined })
    if ('faults' in pool) throw new Error()
    const context = { playerId: `p${i}`, level: 1 + (i % 9), platform: i % 2 === 0 ? 'ios' : 'android' }
    const decision = decide(bundle.policy, { decisionId: `d${i}`, context, pool })
    if ('faults' in decision) throw new Error()
    const facts = { ts: new Date(at).toISOString(), mode: 'online', runtime: 'dap/test', latencyUs: 1 } as const
    return recordText(
      decisionRecord(bundle.policy, decision, { ...facts, snapshot: bundle.snapshot, logProbability: 1 }, pool),
    )
  })
  await write('served/a.jsonl', `${served.join('\n')}\n`)
  expect((await dap('log check served')).stdout).toContain('the log passes')
  expect((await dap('decide --replay served')).stdout).toContain('40 decisions recomputed, bit for bit: the same')

  // Another time, other levels: what was taken could not have been.
  const moved = served[1].replace('T00:01:00.000Z', 'T00:06:00.000Z')
  await write('moved/a.jsonl', `${moved}\n`)
  expect(await dap('decide --replay moved')).toMatchObject({ code: 1 })
  await write('moved/a.jsonl', `${served[8].replace('T00:08:00.000Z', 'T09:00:00.000Z')}\n`)
  expect((await dap('log check moved')).stdout).toContain(
    "is excluded by the policy's `dates: until 2026-01-01T00:10:00.000Z`",
  )

  // What a level was when it was taken is what is learnt of, whatever the set says of it today; only the policy's digest is another.
  const state = async () => JSON.parse(await readFile(join(folder, 'edited.json'), 'utf8')).state
  await dap('train next-level --dataset log --until 2026-03-01T00:00:00Z --out edited.json')
  const learnt = await state()
  await write('data/levels.csv', levels(1, 31).replaceAll(',card,', ',puzzle,').replaceAll(/,\d,/g, ',1,'))
  expect(await dap('train next-level --dataset log --until 2026-03-01T00:00:00Z --out edited.json')).toMatchObject({
    code: 0,
  })
  expect(await state()).toEqual(learnt)

  // The set of the next week: what the levels taught, which are gone in part, holds for those that have come.
  await write('data/levels.csv', levels(10, 60))
  const decided = await dap('decide next-level --context {"playerId":"p","level":9,"platform":"ios"} --id d --json')
  expect(decided).toMatchObject({ code: 0 })
  expect(JSON.parse(decided.stdout).policy.snapshot).toBe(bundle.snapshot)
  expect((await dap('decide --replay served')).stdout).toContain('40 decisions recomputed, bit for bit: the same')
  expect(await estimate('next')).toBeGreaterThan(1.05 * (await estimate('alike')))
  const again = await dap('train next-level --dataset log --until 2026-03-01T00:00:00Z --out again.json')
  expect(again).toMatchObject({ code: 0 })
  expect(again.stdout).toMatch(/\d+ rows of action `level-\d`, which the policy does not have, left out/)

  // The same of a Dataset that names the policy: its set has the actions of today, and the log is older.
  const named = await dap('train next-level --dataset of-policy --until 2026-03-01T00:00:00Z --out named.json')
  expect(named).toMatchObject({ code: 0 })
  expect(named.stdout).toMatch(/\d+ rows of action `level-\d`, which the policy does not have, left out/)
  const digest = ({ stdout }: { stdout: string }) => JSON.parse(stdout).snapshot
  expect(digest(await dap('snapshot show named.json --json'))).toEqual(
    digest(await dap('snapshot show again.json --json')),
  )
  await write('evaluations/next.yaml', FILES['evaluations/next.yaml'].replace('dataset: log', 'dataset: of-policy'))
  expect((await dap('evaluate next')).stdout).toContain(
    '9 actions that the set does not have (`level-1`, `level-2`, `level-3`, …) are in the log',
  )
  expect(await estimate('next')).toBeGreaterThan(1.05 * (await estimate('alike')))
})

it('learns from a mapped log and is judged on it, whatever the set has lost since', async () => {
  const rows = Array.from({ length: 400 }, (_, i) => `level-${1 + (i % 4)},0.25,${i % 3 === 0 ? 1 : 0},ios,p${i},9`)
  const folder = await onDisk({
    ...FILES,
    'data/levels.csv': levels(2, 5),
    'log.csv': `shown,p,done,platform,playerId,level\n${rows.join('\n')}\n`,
    'datasets/log.yaml': resource(
      'Dataset',
      'log',
      `files: [log.csv]
format: csv
mapping: { action: shown, propensity: p, reward: done, unit: playerId }
actions: { policy: next-level }`,
    ),
  })
  const trained = await dapIn(folder, 'train', 'next-level', '--dataset', 'log', '--holdout', '0')
  expect(trained.stderr).toBe('')
  expect(trained.stdout).toContain('100 rows of action `level-1`, which the policy does not have, left out')
  const judged = await dapIn(folder, 'evaluate', 'next')
  expect(judged.stdout).toContain('1 action that the set does not have (`level-1`) is in the log')
})
