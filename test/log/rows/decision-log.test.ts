import { describe, expect, it } from 'vitest'
import type { DatasetSpec } from '../../../src/kinds.ts'
import { readDecisionLog } from '../../../src/log/rows/decision-log.ts'
import { eligibleSet, propensitiesReader } from '../../../src/log/rows/eligible.ts'
import {
  badRowCount,
  badRowsError,
  judgeBadRows,
  nothingLeftOut,
  readingNotes,
} from '../../../src/log/rows/left-out.ts'
import type { LogLayout } from '../../../src/log/rows/log-columns.ts'
import { RowFault, type RowReader } from '../../../src/log/rows/row-reader.ts'
import type { NumberColumn, SourceFault, Tables, ValueColumn } from '../../../src/log/tables.ts'
import { memoryTables } from '../../evaluate/support/memory-tables.ts'

const LAYOUT: LogLayout = {
  source: { format: 'csv', paths: ['memory'] },
  action: 'action',
  propensity: 'p',
  reward: { request: { column: 'r', type: 'number' }, name: 'r', cost: false },
  columns: [
    { column: 'score', type: 'number' },
    { column: 'slot', type: 'key' },
  ],
}
const GOOD = { action: 'a', p: 0.5, r: 1, score: 2, slot: 'left', kept: 1, eligible: '["a","b"]', ps: '[0.5,0.5]' }

type Row = Partial<Record<keyof typeof GOOD, string | number | null>>

const SETS: Partial<LogLayout> = { eligible: 'eligible', columns: [eligibleSet, propensitiesReader('ps')] }

function tablesOf(rows: readonly Row[], chunkRows = 2): Tables {
  const all = rows.map(row => ({ ...GOOD, ...row }))
  const names = Object.keys(GOOD) as (keyof typeof GOOD)[]
  return memoryTables({ memory: Object.fromEntries(names.map(name => [name, all.map(row => row[name])])) }, chunkRows)
}

async function read(rows: readonly Row[], layout: Partial<LogLayout> = {}, tables = tablesOf(rows)) {
  const leftOut = nothingLeftOut()
  const kept: number[] = []
  const actions: number[] = []
  const propensities: number[] = []
  const rewards: number[] = []
  const standsFor: number[] = []
  const values: unknown[][] = []
  for await (const log of readDecisionLog(tables, { ...LAYOUT, ...layout }, ['a', 'b'], leftOut)) {
    kept.push(...log.row.subarray(0, log.rows))
    actions.push(...log.action.subarray(0, log.rows))
    propensities.push(...log.propensity.subarray(0, log.rows))
    rewards.push(...log.reward.subarray(0, log.rows))
    standsFor.push(...(log.standsFor?.subarray(0, log.rows) ?? Array(log.rows).fill(1)))
    for (let i = 0; i < log.rows; i++) {
      values.push(
        log.columns.filter(column => column.type === 'value').map(column => (column as ValueColumn).values[i]),
      )
    }
  }
  return { kept, actions, propensities, rewards, standsFor, values, leftOut }
}

describe('reading a decision log', () => {
  it.each([
    ['no action', { action: null }, '`action` is missing'],
    ['an unknown action', { action: 'z' }, 'unknown action `z`'],
    ['an unknown action that is nearly one', { action: 'a.0' }, 'unknown action `a.0`'],
    ['no propensity', { p: null }, '`p` is missing'],
    ['a propensity of NaN', { p: Number.NaN }, '`p` is missing'],
    ['a propensity that is no number', { p: 'often' }, '`p` is not a finite number'],
    ['a propensity of 0', { p: 0 }, '`p` is outside (0, 1]'],
    ['a propensity above 1', { p: 1.5 }, '`p` is outside (0, 1]'],
    ['a propensity above 1 by more than 32 bits round', { p: 1.000001 }, '`p` is outside (0, 1]'],
    ['a negative propensity', { p: -0.1 }, '`p` is outside (0, 1]'],
    ['no reward', { r: null }, '`r` is missing'],
    ['an infinite reward', { r: Infinity }, '`r` is not a finite number'],
    ['a reward that is no number', { r: 'much' }, '`r` is not a finite number'],
    ['a score that is missing', { score: null }, '`score` is missing'],
    ['a score that is no number', { score: 'high' }, '`score` is not a finite number'],
    ['a key that is missing', { slot: null }, '`slot` is missing'],
  ])('leaves out and names a row with %s', async (_, bad, reason) => {
    const { kept, leftOut } = await read([{}, bad, {}])
    expect(kept).toEqual([0, 2])
    expect(leftOut.rows).toEqual([{ row: 1, reason }])
    expect([...leftOut.bad]).toEqual([[reason, 1]])
    expect(leftOut).toMatchObject({ met: 3, kept: 2 })
  })

  it.each([
    ['no set', { eligible: null }, '`eligible` is missing'],
    ['a set that is no JSON', { eligible: "['a']" }, '`eligible` is not a list of ids'],
    ['a set that is no list', { eligible: '{"a":1}' }, '`eligible` is not a list of ids'],
    ['a set of lists', { eligible: '[["a"]]' }, '`eligible` is not a list of ids'],
    ['a stranger in the set', { eligible: '["a","z"]' }, '`eligible` has the unknown action `z`'],
    ['an action twice', { eligible: '["a","b","b"]' }, '`eligible` has the action `b` twice'],
    ['a set without the action', { eligible: '["b"]' }, 'the action is not among those of `eligible`'],
    ['no propensities', { ps: '' }, '`ps` is missing'],
    ['propensities that are no numbers', { ps: '["0.5","0.5"]' }, '`ps` is not a list of numbers'],
    ['too many propensities', { ps: '[0.5,0.25,0.25]' }, '`ps` does not have one number for each eligible action'],
    ['a negative propensity', { ps: '[1.5,-0.5]' }, '`ps` has a number that is not in [0, 1]'],
    ['propensities that sum to 1.1', { ps: '[0.5,0.6]' }, '`ps` does not sum to 1'],
    ['another propensity', { ps: '[0.4,0.6]' }, "the action's entry of `ps` is not its propensity"],
  ])('leaves out and names a row with %s', async (_, bad, reason) => {
    const { kept, leftOut, values } = await read([{}, bad, {}], SETS)
    expect(kept).toEqual([0, 2])
    expect(leftOut.rows).toEqual([{ row: 1, reason }])
    expect(values).toEqual([
      [Int32Array.of(0, 1), Float64Array.of(0.5, 0.5)],
      [Int32Array.of(0, 1), Float64Array.of(0.5, 0.5)],
    ])
  })

  it('keeps the number of every row and the index of its action', async () => {
    const { kept, actions } = await read([{ action: 'b' }, {}, { p: 0 }, { action: 'b' }])
    expect(kept).toEqual([0, 1, 3])
    expect(actions).toEqual([1, 0, 1])
  })

  it('takes a propensity that is above 1 by the rounding of 32 bits for 1', async () => {
    const { propensities, leftOut } = await read([{}, { p: 1 + 2 ** -23 }, { p: 1 }])
    expect(propensities).toEqual([0.5, 1, 1])
    expect(badRowCount(leftOut)).toBe(0)
  })

  it('reads no propensity where there is none', async () => {
    const { propensities, kept } = await read([{ p: null }, { p: 7 }, {}], { propensity: undefined })
    expect(propensities).toEqual([1, 1, 1])
    expect(kept).toEqual([0, 1, 2])
  })

  it('gives the default to a reward that is missing, and to none that is no number', async () => {
    const reward = { ...LAYOUT.reward, default: 0 }
    const { rewards, leftOut } = await read([{}, { r: null }, { r: Number.NaN }, { r: 'much' }], { reward })
    expect(rewards).toEqual([1, 0, 0])
    expect([...leftOut.bad.keys()]).toEqual(['`r` is not a finite number'])
  })

  it('turns a cost, and no 0 into −0; the default is a reward', async () => {
    const reward = { ...LAYOUT.reward, cost: true, default: 2 }
    const { rewards } = await read([{ r: -1 }, { r: 0 }, { r: 3 }, { r: null }], { reward })
    expect(rewards).toEqual([1, 0, -3, 2])
    expect(Object.is(rewards[1], 0)).toBe(true)
  })

  it('counts a reward above the cap as the cap, and says how many there are, and what that takes away', async () => {
    const reward = { ...LAYOUT.reward, cap: 10 }
    const { rewards, leftOut } = await read([{ r: 70 }, { r: 10 }, { r: -20 }, { r: 30, p: 0 }, { r: 40 }], { reward })
    expect(rewards).toEqual([10, 10, -20, 10])
    expect(leftOut.capped).toEqual({ cap: 10, rows: 2, reward: 90, total: 100 })
    expect(readingNotes(leftOut)).toEqual([
      'reward.cap: 2 rewards above 10 count as 10, which takes away 90 % of all reward',
    ])
  })

  it('caps what a cost comes to, and the shares by what rows stand for', async () => {
    const reward = { ...LAYOUT.reward, cost: true, cap: 10 }
    const kept = { column: 'kept', type: 'logProbability' } as const
    const { rewards, leftOut } = await read([{ r: -20, kept: 0.5 }, { r: -5 }, { r: -3 }], { reward, kept })
    expect(rewards).toEqual([10, 5, 3])
    expect(readingNotes(leftOut)).toContain(
      'reward.cap: 1 reward above 10 counts as 10, which takes away 42 % of all reward',
    )
  })

  it.each([
    ['logProbability', [1, 0.1, 0.5, 1 + 2 ** -23], [1, 10, 2, 1]],
    ['dropProbability', [0, 0.75, 0.5, 0], [1, 4, 2, 1]],
  ] as const)('lets a row stand for as many decisions as its %s says', async (type, probabilities, expected) => {
    const kept = { column: 'kept', type }
    const { standsFor, leftOut } = await read(
      probabilities.map(p => ({ kept: p })),
      { kept },
    )
    expect(standsFor).toEqual(expected)
    expect(readingNotes(leftOut)).toEqual(['2 rows were kept with a probability below 1: each weighs 1/probability'])
  })

  it.each([
    ['logProbability', 0, '`kept` is outside (0, 1]'],
    ['logProbability', 1.1, '`kept` is outside (0, 1]'],
    ['logProbability', null, '`kept` is missing'],
    ['dropProbability', 1, '`kept` is outside [0, 1)'],
    ['dropProbability', -0.1, '`kept` is outside [0, 1)'],
    ['dropProbability', 'no', '`kept` is not a finite number'],
  ] as const)('finds fault with a %s of %s', async (type, value, reason) => {
    const { kept, leftOut } = await read([{ kept: 0.5 }, { kept: value }], { kept: { column: 'kept', type } })
    expect(kept).toEqual([0])
    expect(leftOut.rows).toEqual([{ row: 1, reason }])
  })

  it('hands on what readers make of good rows, and the columns of these rows', async () => {
    const even: RowReader<string> = {
      requests: [{ column: 'score', type: 'number' }],
      bind:
        ([score]) =>
        (i, { action }) => {
          const value = (score as NumberColumn).values[i]
          return value % 2 === 0 ? `${action}:${value}` : new RowFault('the score is odd')
        },
    }
    const rows = [{ score: 2 }, { score: 3 }, { score: 4, action: 'b' }, { score: 6, p: 0 }, { score: 8 }]
    const { values, kept, leftOut } = await read(rows, { columns: [{ column: 'slot', type: 'key' }, even] })
    expect(values).toEqual([['0:2'], ['1:4'], ['0:8']])
    expect(kept).toEqual([0, 2, 4])
    expect(leftOut.rows.map(({ reason }) => reason)).toEqual(['the score is odd', '`p` is outside (0, 1]'])
  })

  it('asks no reader about rows that the policy did not serve', async () => {
    const never: RowReader<never> = {
      requests: [],
      bind: () => () => {
        throw new Error('asked')
      },
    }
    const { leftOut } = await read([{}, {}], { servedBy: 'slot', columns: [never] })
    expect(readingNotes(leftOut)).toEqual(['2 rows served by left, not by the policy, left out'])
  })

  it('counts all bad rows and names ten', async () => {
    const rows = Array.from({ length: 15 }, (_, i) => (i < 12 ? { p: 2 } : i === 12 ? { action: 'z' } : {}))
    const { kept, leftOut } = await read(rows)
    expect(kept).toEqual([13, 14])
    expect(badRowCount(leftOut)).toBe(13)
    const failed = judgeBadRows(leftOut, tablesOf(rows), LAYOUT.source, { quality: { badRows: 'fail' } } as DatasetSpec)
    await expect(failed).rejects.toMatchObject({
      message: [
        'the log has 13 bad rows (12 × `p` is outside (0, 1]; 1 × unknown action `z`)',
        ...Array.from({ length: 10 }, (_, i) => `  memory:${i + 1}: \`p\` is outside (0, 1]`),
        '  and 3 more',
      ].join('\n'),
      hint: 'mend the rows, or set `quality.badRows: drop` in the Dataset to leave them out',
    })
    expect(
      await judgeBadRows(leftOut, tablesOf(rows), LAYOUT.source, { quality: { badRows: 'drop' } } as DatasetSpec),
    ).toEqual([
      `13 bad rows dropped: ${[1, 2, 3].map(n => `memory:${n}: \`p\` is outside (0, 1]`).join('; ')}; and 10 more`,
    ])
  })

  it('does not advise to drop rows for their outcome', async () => {
    const { leftOut } = await read([{ r: null }, {}])
    const choice = 'an absent reward is a choice: `spec.reward.default` says what it counts as'
    expect(badRowsError('log', leftOut, []).hint).toBe(choice)
    expect(
      await judgeBadRows(leftOut, tablesOf([]), LAYOUT.source, { quality: { badRows: 'drop' } } as DatasetSpec),
    ).toEqual(['1 bad row dropped: memory:1: `r` is missing', `1 of them for want of a reward: ${choice}`])
  })

  it('counts what is no row, with its place', async () => {
    const fault: SourceFault = { reason: '3 fields of 4', place: 'l.csv:7', rows: 2 }
    const tables: Tables = {
      ...tablesOf([]),
      async *read(source, requests, options) {
        options?.onFault?.(fault)
        yield* tablesOf([{}, { p: 0 }]).read(source, requests)
      },
    }
    const { leftOut } = await read([], {}, tables)
    expect(badRowCount(leftOut)).toBe(3)
    expect(await judgeBadRows(leftOut, tables, LAYOUT.source, { quality: { badRows: 'drop' } } as DatasetSpec)).toEqual(
      ['3 bad rows dropped: l.csv:7: 3 fields of 4; memory:2: `p` is outside (0, 1]; and 1 more'],
    )
  })

  it('keeps few reasons, whatever rows say', async () => {
    const { leftOut } = await read(Array.from({ length: 500 }, (_, i) => ({ action: `z${i}` })))
    expect(badRowCount(leftOut)).toBe(500)
    expect(leftOut.bad.size).toBe(101)
    expect(badRowsError('log', leftOut, []).message).toMatch(
      /^the log has 500 bad rows \(400 × other reasons; 1 × .*; …\)/,
    )
  })
})
