import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import type { EvaluationResult, TrainingResult } from '../../src/results.ts'
import { onDisk, put } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const FILES = {
  'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
  'policies/offer.yaml': resource(
    'Policy',
    'offer',
    `unit: player
context: { player: { type: string }, vip: { type: boolean } }
actions: [{ id: none }, { id: gold }]
algorithm: { learner: { type: linear }, exploration: { type: thompson } }
guardrails: { minProbability: 0.1 }
reward: { name: purchase, type: binary }`,
  ),
  'datasets/log.yaml': dataset('csv', 'log.csv'),
  'evaluations/next.yaml': resource(
    'Evaluation',
    'next',
    `dataset: log
candidates: [{ name: new, policy: offer, snapshot: snapshots/offer.json }]
gates: [{ id: better, expr: "candidate('new').estimate('ips').lift.lower > 0.0" }]`,
  ),
}

function dataset(format: string, file: string): string {
  const mapping = '{ decisionId: id, unit: player, action: offer, propensity: p, reward: r, ts: at }'
  return resource(
    'Dataset',
    'log',
    `files: [${file}]\nformat: ${format}\nactions: { policy: offer }\nmapping: ${mapping}`,
  )
}

interface Row {
  readonly [name: string]: string | number | boolean
}

/** Players who are VIPs buy gold. */
function rowsOf(count: number): Row[] {
  const rng = stream(3, 'leakage')
  return Array.from({ length: count }, (_, i) => {
    const [vip, gold] = [rng.uniform() < 0.5, rng.uniform() < 0.5]
    const r = rng.uniform() < (gold ? (vip ? 0.6 : 0.05) : 0.2) ? 1 : 0
    const at = new Date(Date.UTC(2026, 9, 1) + 600_000 * i).toISOString()
    return { id: `d${i}`, player: `p${i % 700}`, vip, offer: gold ? 'gold' : 'none', p: 0.5, r, at }
  })
}

const csv = (rows: readonly Row[]) =>
  [Object.keys(rows[0]), ...rows.map(row => Object.values(row))].map(cells => cells.join(',')).join('\n')
const jsonLines = (rows: readonly Row[]) => rows.map(row => JSON.stringify(row)).join('\n')

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true }))))

async function repository(rows: readonly Row[]) {
  const folder = await onDisk({ ...FILES, 'log.csv': csv(rows) })
  folders.push(folder)
  return {
    write: (path: string, text: string) => put(folder, path, text),
    read: async (path: string) => JSON.parse(await readFile(join(folder, path), 'utf8')),
    dap: (...words: string[]) => dapIn(folder, ...words),
    async train(...words: string[]): Promise<TrainingResult> {
      const { code, stdout, stderr } = await dapIn(folder, 'train', '--json', ...words)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return JSON.parse(stdout)
    },
    async evaluate(): Promise<EvaluationResult> {
      const { stdout, stderr } = await dapIn(folder, 'evaluate', 'next', '--json')
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    },
  }
}

const HELD_OUT = { judgedOn: { heldOut: { groups: 205, by: 'unit' } } }

describe('a policy that was trained and is evaluated on one log', () => {
  it('is judged on the units that were held out, and the result says so', async () => {
    const { dap, train, evaluate } = await repository(rowsOf(5000))
    const { estimates, dataset: learnt } = await train()
    const result = await evaluate()
    expect(result).toMatchObject({ passed: true, dataset: { ...HELD_OUT, rows: learnt.heldOut } })
    expect(result.candidates[0]).toMatchObject({ verdict: 'ok', reasons: [], learntFrom: 'this-log' })
    const ips = ({ candidates }: EvaluationResult) => candidates[0].estimates[0]
    expect(ips(result)).toEqual(ips(estimates as EvaluationResult))
    expect((await dap('evaluate')).stdout).toContain('\njudged on 20 % of the units, which were held out\n')
  })

  it('is refused where it held nothing out, with the command that mends it', async () => {
    const { dap, train, evaluate } = await repository(rowsOf(3000))
    await train('--holdout', '0')
    const { code, stdout } = await dap('evaluate')
    expect(code).toBe(1)
    const mend = 'dap train offer --dataset log --holdout 0.2'
    expect(stdout).toContain(`new: refuse, it learnt these decisions, and none were held out: \`${mend}\` mends that`)
    expect((await dap(...mend.split(' ').slice(1))).code).toBe(0)
    expect(await evaluate()).toMatchObject({ passed: true, dataset: HELD_OUT })
  })

  it.each([
    ['as JSON lines, the last decision first', 'jsonl', (rows: readonly Row[]) => jsonLines([...rows].reverse())],
    ['with later decisions', 'csv', (rows: readonly Row[]) => csv([...rows, ...rowsOf(8000).slice(rows.length)])],
    ['without some', 'csv', (rows: readonly Row[]) => csv(rows.slice(500, 2500))],
  ])('is known to have learnt it when it comes again %s', async (_, format, text) => {
    const rows = rowsOf(4000)
    const { write, train, evaluate } = await repository(rows)
    await train()
    await write('again', text(rows))
    await write('datasets/log.yaml', dataset(format, 'again'))
    expect(await evaluate()).toMatchObject({ dataset: HELD_OUT, candidates: [{ learntFrom: 'this-log' }] })
  })

  it('is judged on later decisions where it held nothing out, and on all of a log that is later', async () => {
    const { write, train, evaluate } = await repository(rowsOf(3000))
    const { dataset: learnt } = await train('--holdout', '0')
    await write('log.csv', csv(rowsOf(5000)))
    expect((await evaluate()).dataset).toMatchObject({ rows: 2000, judgedOn: { after: learnt.to } })
    await write('log.csv', csv(rowsOf(5000).slice(3000)))
    expect(await evaluate()).toMatchObject({
      dataset: { rows: 2000, judgedOn: null },
      candidates: [{ learntFrom: 'other-decisions' }],
    })
  })

  it('gets caution at best where its snapshot does not say what it learnt', async () => {
    const { read, write, train, evaluate } = await repository(rowsOf(5000))
    await train()
    const { data, ...served } = await read('snapshots/offer.json')
    const { heldOut, ids, ...old } = data
    expect([heldOut.groups, ids.length]).toEqual([205, 128])
    for (const snapshot of [served, { ...served, data: old }]) {
      await write('snapshots/offer.json', JSON.stringify(snapshot))
      const result = await evaluate()
      expect(result.dataset).toMatchObject({ rows: 5000, judgedOn: null })
      expect(result.candidates[0]).toMatchObject({ verdict: 'caution', learntFrom: 'unknown' })
    }
  })

  it('does not lose sight of what is wrong with the rows on which nobody is judged', async () => {
    const rows = rowsOf(3000)
    const { dap, write, train } = await repository(rows)
    await train()
    await write(
      'log.csv',
      `${csv(rows)}\n${Object.values({ ...rows[0], offer: 'none', r: 1 - Number(rows[0]['r']), p: 0.25 }).join(',')}`,
    )
    const { code, stderr } = await dap('evaluate')
    expect([code, stderr]).toEqual([1, expect.stringContaining('2 bad rows (2 × rows of one `id` that differ')])
  })
})

describe('training again', () => {
  const names = ({ estimates }: TrainingResult) => estimates?.candidates.map(({ name }) => name)

  it('compares with the old snapshot on units that neither has learnt', async () => {
    const { train } = await repository(rowsOf(4000))
    await train('--holdout', '0.1')
    const again = await train()
    expect(names(again)).toEqual(['new', 'old', 'logging'])
    expect(again.estimates?.dataset.judgedOn).toEqual({ heldOut: { groups: 102, by: 'unit' } })
  })

  it('says where there are no such units', async () => {
    const { read, write, train } = await repository(rowsOf(4000))
    await train('--holdout', '0')
    const after = await train()
    expect(names(after)).toEqual(['new', 'logging'])
    expect(after.dataset.notes).toEqual([
      'not compared with the snapshot that was there: it held nothing out, so there are no units that neither has learnt',
    ])
    const { data: _, ...served } = await read('snapshots/offer.json')
    await write('snapshots/offer.json', JSON.stringify(served))
    expect((await train()).dataset.notes).toEqual([
      'not compared with the snapshot that was there: what it learnt from is not known',
    ])
  })

  it('compares with one that learnt nothing but earlier decisions', async () => {
    const { write, train } = await repository(rowsOf(2000))
    await train('--holdout', '0')
    await write('log.csv', csv(rowsOf(5000).slice(2000)))
    const after = await train()
    expect(names(after)).toEqual(['new', 'old', 'logging'])
    expect(after.estimates?.candidates.map(({ learntFrom }) => learntFrom)).toEqual([
      'this-log',
      'other-decisions',
      'nothing',
    ])
  })
})
