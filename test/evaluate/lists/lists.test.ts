import { describe, expect, it } from 'vitest'
import { evaluate } from '../../../src/evaluate/evaluate.ts'
import { LIST_ESTIMATORS } from '../../../src/evaluate/lists/estimators/list-estimators.ts'
import type { EvaluationSpec } from '../../../src/kinds.ts'
import { stream } from '../../../src/math/rng.ts'
import type { Policy } from '../../../src/policy/policy.ts'
import type { CandidateResult } from '../../../src/results.ts'
import {
  ACTIONS,
  CONTEXTS,
  cascade,
  type Liking,
  listLog,
  listPolicy,
  listWise,
  pbm,
  worthOf,
} from '../support/list-world.ts'
import { memoryTables } from '../support/memory-tables.ts'
import { plan } from '../support/plan.ts'

const rng = stream(7, 'lists')
const grid = (low: number, high: number): Liking =>
  CONTEXTS.map(() => Array.from({ length: ACTIONS }, () => low + (high - low) * rng.uniform()))
const q = grid(0.05, 0.5)
const logging = listPolicy('logging', grid(0, 0.4))
const candidate = listPolicy('new', q)
const ALL = LIST_ESTIMATORS.map(({ type }) => type) as EvaluationSpec['estimators']

async function judge(
  columns: ReturnType<typeof listLog>,
  policies: Readonly<Record<string, Policy>>,
  spec: Partial<EvaluationSpec> = {},
) {
  const result = await evaluate(
    plan({
      dataset: { format: 'dap', mapping: undefined },
      spec: {
        candidates: [
          { name: 'logging', logging: true },
          { name: 'uniform', uniform: true },
          ...Object.keys(policies).map(name => ({ name, policy: name })),
        ],
        estimators: ALL,
        rewardModel: { type: 'tabular', by: ['action', 'slot', 'x'], prior: 10, crossFit: { folds: 2, by: 'row' } },
        interval: { method: 'cressie-read', level: 0.95 },
        ...spec,
      },
      policies: new Map(Object.entries(policies)),
    }),
    memoryTables({ memory: columns }),
  )
  return new Map(result.candidates.map(each => [each.name, each]))
}

const value = (result: CandidateResult | undefined, estimator: string) =>
  result?.estimates.find(each => each.estimator === estimator)?.value ?? Number.NaN

const close = (a: number, b: number, by: number) => expect(Math.abs(a - b)).toBeLessThan(by)
const estimateOf = (result: CandidateResult | undefined, name: string) =>
  result?.estimates.find(each => each.estimator === name)

/** Of actions whose features are two genres, by turns, and the size 0 … 5. */
function diversity([a, b, c]: readonly number[]): number {
  const distance = (x: number, y: number) => (Number(x % 2 !== y % 2) + Math.abs(x - y) / (ACTIONS - 1)) / 2
  return (distance(a, b) + distance(a, c) + distance(b, c)) / 3
}

function coverage(lists: readonly (readonly number[])[]): number {
  const all = lists.flat()
  const shares = Array.from({ length: ACTIONS }, (_, a) => all.filter(each => each === a).length / all.length)
  return 1 / shares.reduce((sum, share) => sum + share * share, 0) / ACTIONS
}

const LOG = listLog(logging, pbm(q), 8000, stream(3, 'log'))

describe('an evaluation of lists', () => {
  it('comes to what the policies are worth, and knows its own by weights of 1', async () => {
    const results = await judge(LOG, { new: candidate, same: logging })
    for (const estimator of ALL) {
      close(value(results.get('new'), estimator as string), worthOf(candidate, pbm(q)), 0.04)
      close(value(results.get('logging'), estimator as string), worthOf(logging, pbm(q)), 0.02)
    }
    const own = results.get('same')
    for (const estimator of ['sips', 'snsips', 'rips', 'snrips', 'iips', 'sniips']) {
      close(value(own, estimator), value(results.get('logging'), estimator), 1e-9)
    }
    for (const { maxWeight, meanWeight } of own?.slots ?? []) {
      close(maxWeight, 1, 1e-9)
      close(meanWeight, 1, 1e-9)
    }
    expect(results.get('new')?.verdict).toBe('ok')
  })

  it('tells the weights slot by slot, which grow from the top', async () => {
    const { slots = [], support } = (await judge(LOG, { new: candidate })).get('new') as CandidateResult
    expect(slots.map(({ slot }) => slot)).toEqual([0, 1, 2])
    expect(slots[1].effectiveSampleSize).toBeLessThan(slots[0].effectiveSampleSize)
    expect(slots[2].effectiveSampleSize).toBeLessThan(slots[1].effectiveSampleSize)
    close(slots[2].effectiveSampleSize, support?.effectiveSampleSize ?? 0, 1e-9)
    for (const { meanWeight } of slots) close(meanWeight, 1, 0.1)
  })

  it('measures lists as searches are measured', async () => {
    const rewards = [0, 1, 2].map(k => LOG[`reward ${k}`] as number[])
    const lists = rewards[0].map((_, i) => rewards.map(each => each[i]))
    const mean = (of: (list: readonly number[]) => number) =>
      lists.reduce((sum, list) => sum + of(list), 0) / lists.length
    const gain = (list: readonly number[]) => list.reduce((sum, r, k) => sum + r / Math.log2(k + 2), 0)
    const best = (list: readonly number[]) => gain([...list].sort((a, b) => b - a))
    const shown = LOG.list.map(json =>
      (JSON.parse(json as string) as { slots: { action: string }[] }).slots.map(({ action }) =>
        Number(action.slice(1)),
      ),
    )
    const results = await judge(LOG, { new: candidate, same: logging }, { estimators: ['sips'] })
    for (const name of ['logging', 'same']) {
      const { metrics = [] } = results.get(name) as CandidateResult
      expect(metrics.map(({ metric }) => metric)).toEqual(['ctr@1', 'ctr@3', 'mrr', 'ndcg@3', 'diversity', 'coverage'])
      const values = [
        mean(([first]) => first),
        mean(list => Math.max(...list)),
        mean(list => (list.includes(1) ? 1 / (1 + list.indexOf(1)) : 0)),
        mean(list => (best(list) === 0 ? 0 : gain(list) / best(list))),
        shown.reduce((sum, list) => sum + diversity(list), 0) / shown.length,
        coverage(shown),
      ]
      for (const [i, { value }] of metrics.entries()) close(value ?? Number.NaN, values[i], 1e-9)
    }
    // By another policy's log and by its own, the same, within what chance explains.
    const own = (await judge(listLog(candidate, pbm(q), 8000, stream(9, 'log')), { new: candidate })).get('logging')
    for (const [i, { interval }] of (results.get('new')?.metrics ?? []).slice(0, -1).entries()) {
      const other = own?.metrics?.[i].interval
      expect(interval?.lower).toBeLessThan(other?.upper as number)
      expect(interval?.upper).toBeGreaterThan(other?.lower as number)
    }
  })

  it('tells how much of the catalogue a candidate shows that was never served', async () => {
    const narrow = listPolicy(
      'narrow',
      CONTEXTS.map(() => [0.5, 0.4, 0.3, 0, 0, 0]),
    )
    const share = (result: CandidateResult | undefined) => result?.metrics?.at(-1)?.value ?? Number.NaN
    const judged = (await judge(LOG, { narrow }, { estimators: ['sips'] })).get('narrow')
    const served = listLog(narrow, pbm(q), 8000, stream(9, 'log'))
    const own = (await judge(served, { narrow }, { estimators: ['sips'] })).get('logging')
    close(share(judged), share(own), 0.03)
    expect(share(own)).toBeLessThan(0.85)
  })

  it('refuses an estimator from the slot on at which the weights are too few, and the others not', async () => {
    // Sure of itself, where the log is not: the first slot is well covered, the list is not.
    const sure = listPolicy('sure', q, { temperature: 0.01 })
    const short = listLog(logging, pbm(q), 600, stream(4, 'log'))
    const result = (await judge(short, { sure })).get('sure')
    const [sips, iips] = ['sips', 'iips'].map(name => estimateOf(result, name))
    expect(sips?.verdict).toBe('refuse')
    expect(estimateOf(result, 'rips')?.verdict).toBe('refuse')
    expect(estimateOf(result, 'rips')?.reasons[0]).toMatch(
      /^`rips`: (from slot 1 on, in slot 2 at worst,|from slot 2 on) the weights leave .* effective units/,
    )
    expect(iips?.verdict).not.toBe('refuse')
    expect(result?.verdict).not.toBe('refuse')
  })

  it('says that lists interact, where prefixes and whole lists differ beyond chance', async () => {
    const clicks = listWise(q)
    const results = await judge(listLog(logging, clicks, 8000, stream(6, 'log')), { new: candidate })
    const found = results.get('new')
    expect(found?.reasons.join()).toMatch(/the lists interact: by prefixes the candidate earns .* than by whole lists/)
    expect(found?.verdict).toBe('caution')
    expect(estimateOf(found, 'rips')?.verdict).toBe('caution')
    expect(estimateOf(found, 'sips')?.reasons).toEqual([])
    expect((await judge(LOG, { new: candidate })).get('new')?.reasons).toEqual([])
  })

  it('doubts what says nothing of the slots above, where these matter', async () => {
    const steep = q.map(row => row.map(p => Math.min(0.95, 3 * p)))
    const results = await judge(listLog(logging, cascade(steep), 8000, stream(7, 'log')), { new: candidate })
    const found = results.get('new')
    for (const name of ['iips', 'sniips']) {
      expect(estimateOf(found, name)?.verdict).toBe('caution')
      expect(estimateOf(found, name)?.reasons.join()).toContain(`what stands above matters: by \`${name}\``)
    }
    expect(estimateOf(found, 'rips')?.reasons.join()).not.toContain('matters')
    expect(estimateOf((await judge(LOG, { new: candidate })).get('new'), 'iips')?.reasons).toEqual([])
  })

  it('takes a list to have one reward at most where none had two, and chance does not explain it', async () => {
    const notesOf = async (columns: ReturnType<typeof listLog>) => {
      const { dataset, candidates } = await evaluate(
        plan({
          dataset: { format: 'dap', mapping: undefined },
          spec: {
            candidates: [{ name: 'new', policy: 'new' }],
            estimators: ['sips', 'rips', 'iips'],
            interval: { method: 'cressie-read', level: 0.95 },
          },
          policies: new Map([['new', candidate]]),
        }),
        memoryTables({ memory: columns }),
      )
      return { alone: dataset.notes.join().includes('a reward in more than one slot'), found: candidates[0] }
    }
    const once = listLog(logging, cascade(q), 500, stream(12, 'log'))
    const { alone, found } = await notesOf(once)
    expect(alone).toBe(true)
    // One list that has two, and any can.
    const clicked = once['reward 0'].indexOf(1)
    const twice = { ...once, 'reward 1': once['reward 1'].with(clicked, 1) }
    const several = await notesOf(twice)
    expect(several.alone).toBe(false)
    for (const name of ['sips', 'rips']) {
      const [upper, wide] = [found, several.found].map(of => estimateOf(of, name)?.interval?.upper ?? Number.NaN)
      expect(upper).toBeLessThanOrEqual(1)
      expect(upper - value(found, name)).toBeLessThan(0.75 * (wide - value(several.found, name)))
    }
    // Too few to tell.
    expect((await notesOf(listLog(logging, cascade(q), 20, stream(12, 'log')))).alone).toBe(false)
    expect((await notesOf(LOG)).alone).toBe(false)
  })

  it('has intervals by unit: a log that says everything five times knows no more', async () => {
    const once = listLog(logging, pbm(q), 1500, stream(8, 'log'))
    const again = Object.fromEntries(
      Object.entries(once).map(([name, values]) => [
        name,
        [0, 1, 2, 3, 4].flatMap(i => (name === 'decisionId' ? values.map(each => `${each}-${i}`) : values)),
      ]),
    )
    const [one, five] = await Promise.all([once, again].map(log => judge(log, { new: candidate })))
    for (const estimator of ALL) {
      const [a, b] = [one, five].map(each => estimateOf(each.get('new'), estimator as string)?.standardError ?? 0)
      expect(b / a).toBeGreaterThan(0.95)
      expect(b / a).toBeLessThan(1.05)
    }
  })

  it('refuses what needs marginals where nobody can have them, and says why', async () => {
    const slots = { type: 'slots', slots: [{ id: 'a' }, { id: 'b' }, { id: 'c' }] } as const
    const own = listPolicy('own', grid(0, 0.4), { decision: slots })
    const other = listPolicy('other', q, { decision: slots })
    const log = listLog(own, pbm(q), 3000, stream(5, 'log'))
    const result = (await judge(log, { other })).get('other')
    expect(estimateOf(result, 'iips')).toMatchObject({ verdict: 'refuse', value: null })
    expect(estimateOf(result, 'iips')?.reasons[0]).toMatch(/needs to know how likely an action stands at a slot/)
    expect(estimateOf(result, 'rips')?.verdict).toBe('ok')
    close(value(result, 'rips'), worthOf(other, pbm(q)), 0.05)
  })

  it('refuses lists where single decisions are asked for, and the other way round', async () => {
    await expect(
      judge(LOG, {}, { estimators: ['ips'], candidates: [{ name: 'uniform', uniform: true }] }),
    ).rejects.toThrow(/it is a list, which estimators of single decisions cannot judge/)
    const single = { ...LOG, list: LOG.list.map(() => null) }
    await expect(judge(single, { new: candidate })).rejects.toThrow(/it is a decision for one action, and no list/)
    await expect(judge(LOG, { new: candidate }, { estimators: ['ips', 'sips'] })).rejects.toThrow(
      '`sips` is of lists, and `ips` of decisions for one action',
    )
    await expect(
      judge(
        LOG,
        { new: candidate },
        {
          candidates: [
            { name: 'it', fixed: 'a0' },
            { name: 'new', policy: 'new' },
          ],
        },
      ),
    ).rejects.toThrow(/of lists a `policy`, `uniform: true` and `logging: true` can be judged/)
    const four = listPolicy('four', q, { decision: { type: 'ranking', slots: 4, uniform: 0.1 } })
    await expect(judge(LOG, { new: candidate, four })).rejects.toThrow('the policies have 3 and 4 slots')
    await expect(judge(LOG, {}, { candidates: [{ name: 'uniform', uniform: true }] })).rejects.toThrow(
      'how many slots the lists have is not known',
    )
  })

  it('finds a list whose numbers cannot be', async () => {
    const spoil = (
      change: (list: { slots: { propensity: number; propensities: number[]; action: string }[] }) => void,
    ) => {
      const list = JSON.parse(String(LOG.list[0]))
      change(list)
      return judge({ ...LOG, list: [JSON.stringify(list), ...LOG.list.slice(1)] }, { new: candidate })
    }
    await expect(spoil(({ slots }) => (slots[1].propensity = 0.9999))).rejects.toThrow(/is not its propensity/)
    await expect(spoil(({ slots }) => (slots[1].propensity = 0))).rejects.toThrow(/outside \(0, 1\]/)
    await expect(spoil(({ slots }) => (slots[1].action = 'nobody'))).rejects.toThrow(/not among the eligible/)
    await expect(spoil(({ slots }) => slots[1].propensities.push(0))).rejects.toThrow(/for each eligible action/)
  })
})
