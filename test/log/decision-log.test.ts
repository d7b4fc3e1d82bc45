import { describe, expect, it } from 'vitest'
import {
  badRowCount,
  badRowsError,
  type LogLayout,
  nothingLeftOut,
  readDecisionLog,
} from '../../src/log/decision-log.ts'
import { memoryTables } from '../evaluate/support/memory-tables.ts'

const LAYOUT: LogLayout = {
  source: { format: 'csv', paths: ['memory'] },
  action: 'action',
  propensity: 'p',
  reward: 'r',
  columns: [
    { column: 'score', type: 'number' },
    { column: 'slot', type: 'key' },
  ],
}
const GOOD = { action: 'a', p: 0.5, r: 1, score: 2, slot: 'left' }

async function read(rows: readonly Partial<Record<keyof typeof GOOD, string | number | null>>[], chunkRows = 2) {
  const all = rows.map(row => ({ ...GOOD, ...row }))
  const column = (name: keyof typeof GOOD) => all.map(row => row[name])
  const memory = {
    action: column('action'),
    p: column('p'),
    r: column('r'),
    score: column('score'),
    slot: column('slot'),
  }
  const leftOut = nothingLeftOut()
  const kept: number[] = []
  const actions: number[] = []
  for await (const log of readDecisionLog(memoryTables({ memory }, chunkRows), LAYOUT, ['a', 'b'], leftOut)) {
    kept.push(...log.row.subarray(0, log.rows))
    actions.push(...log.action.subarray(0, log.rows))
  }
  return { kept, actions, leftOut }
}

describe('reading a decision log', () => {
  it.each([
    ['no action', { action: null }, '`action` is missing'],
    ['an unknown action', { action: 'z' }, 'unknown action `z`'],
    ['a propensity that is no number', { p: 'often' }, '`p` is missing or not a finite number'],
    ['a propensity of 0', { p: 0 }, '`p` is outside (0, 1]'],
    ['a propensity above 1', { p: 1.5 }, '`p` is outside (0, 1]'],
    ['a negative propensity', { p: -0.1 }, '`p` is outside (0, 1]'],
    ['no reward', { r: null }, '`r` is missing or not a finite number'],
    ['an infinite reward', { r: Infinity }, '`r` is missing or not a finite number'],
    ['a score that is missing', { score: null }, '`score` is missing or not a finite number'],
    ['a key that is missing', { slot: null }, '`slot` is missing'],
  ])('leaves out and names a row with %s', async (_, bad, reason) => {
    const { kept, leftOut } = await read([{}, bad, {}])
    expect(kept).toEqual([0, 2])
    expect(leftOut.examples).toEqual([{ row: 2, reason }])
    expect([...leftOut.bad]).toEqual([[reason, 1]])
  })

  it('keeps the number of every row and the index of its action', async () => {
    const { kept, actions } = await read([{ action: 'b' }, {}, { p: 0 }, { action: 'b' }])
    expect(kept).toEqual([0, 1, 3])
    expect(actions).toEqual([1, 0, 1])
  })

  it('counts all bad rows and names ten', async () => {
    const { kept, leftOut } = await read(
      Array.from({ length: 15 }, (_, i) => (i < 12 ? { p: 2 } : i === 12 ? { action: 'z' } : {})),
    )
    expect(kept).toEqual([13, 14])
    expect(badRowCount(leftOut)).toBe(13)
    expect(badRowsError(leftOut).message).toBe(
      [
        'the log has 13 bad rows (12 × `p` is outside (0, 1]; 1 × unknown action `z`)',
        ...Array.from({ length: 10 }, (_, i) => `  row ${i + 1}: \`p\` is outside (0, 1]`),
        '  and 3 more',
      ].join('\n'),
    )
  })
})
