import { describe, expect, it } from 'vitest'
import type { PolicySpec } from '../../../src/kinds.ts'
import { type ContextSource, contextReader } from '../../../src/log/rows/context-reader.ts'
import { RowFault } from '../../../src/log/rows/row-reader.ts'
import type { Column } from '../../../src/log/tables.ts'
import { createPolicy } from '../../../src/policy/policy.ts'

const SPEC: PolicySpec = {
  context: {
    level: { type: 'number', default: 7 },
    spend: { type: 'number' },
    vip: { type: 'boolean', default: false },
    platform: { type: 'string', enum: ['ios', 'android', '2'], default: 'ios' },
    name: { type: 'string', default: 'nobody' },
    taste: { type: 'array', items: { type: 'number' }, minItems: 2, maxItems: 2, default: [0, 0] },
  },
  features: [{ field: 'spend', transform: 'log1p' }],
  actions: [{ id: 'a' }, { id: 'b' }],
  decision: { type: 'single' },
  mode: 'online',
  algorithm: { learner: { type: 'linear', l2: 1, intercept: true }, exploration: { type: 'greedy', ties: 'first' } },
  guardrails: { minProbability: 0.1 },
  reward: { name: 'click', type: 'binary', wait: '1h', default: 0 },
}
const DEFAULTS = { level: 7, spend: 1, vip: false, platform: 'ios', name: 'nobody', taste: [0, 0] }
const DECISION = { row: 1, action: 0, propensity: 1, eligible: Int32Array.of(0, 1) }

function read(source: ContextSource, columns: readonly Column[]): unknown {
  const found = contextReader(createPolicy('pol', SPEC, ''), source).bind(columns)(0, DECISION)
  return found instanceof RowFault ? found.reason : found
}

const number = (value: number): Column => ({ type: 'number', values: Float64Array.of(value) })
const text = (value: string | null): Column => ({ type: 'text', values: [value] })
const ofColumn = (field: string, column: Column) =>
  read({ columns: new Map([['spend', 's'], ...(field === 'spend' ? [] : [[field, 'c'] as const])]) }, [
    ...(field === 'spend' ? [] : [number(1)]),
    column,
  ])
const misfit = (reason: string) => `the context does not fit policy \`pol\`: ${reason}`

describe('a context in columns', () => {
  it.each([
    ['level', number(3), 3],
    ['level', number(Number.NaN), 7],
    ['vip', text('True'), true],
    ['vip', text('TRUE'), true],
    ['vip', text('1'), true],
    ['vip', text('1.0'), true],
    ['vip', text('false'), false],
    ['vip', text('0.0'), false],
    ['vip', text('nan'), false],
    ['vip', text(''), false],
    ['vip', text(null), false],
    ['platform', text('android'), 'android'],
    ['platform', text('2.0'), '2'],
    ['platform', text('NaN'), 'ios'],
    ['platform', text(''), 'ios'],
    ['platform', text(null), 'ios'],
    ['name', text(''), ''],
    ['name', text('NaN'), 'NaN'],
    ['name', text(null), 'nobody'],
    ['taste', text('[1, 2]'), [1, 2]],
    ['taste', text('NaN'), [0, 0]],
    ['taste', text(null), [0, 0]],
  ])('reads %s of %j', (field, column, value) => {
    expect(ofColumn(field, column)).toEqual({ ...DEFAULTS, [field]: value })
  })

  it.each([
    ['spend', number(Number.NaN), '`spend` is missing and has no default'],
    ['spend', number(Infinity), '`spend` must be a finite number'],
    ['spend', number(-1), '`spend` must be above -1 for `log1p`'],
    ['vip', text('perhaps'), '`vip` must be a boolean, not a string'],
    ['platform', text('web'), '`platform` must be one of ios, android, 2'],
    ['taste', text('[1'), '`taste` must be a list of numbers, not a string'],
  ])('finds fault with %s of %j', (field, column, reason) => {
    expect(ofColumn(field, column)).toBe(misfit(reason))
  })
})

describe('a context as JSON', () => {
  const json = (value: string | null) => read({ json: 'context' }, [text(value)])

  it('takes null for a field that is not there, and leaves out what the policy does not know', () => {
    expect(json('{"spend":1,"level":null,"platform":null,"more":1}')).toEqual(DEFAULTS)
  })

  it.each([
    ['{"level":1}', '`spend` is missing and has no default'],
    [null, '`spend` is missing and has no default'],
    ['[1]', 'it is not an object'],
    ['{', 'it is not an object'],
  ])('finds fault with %s', (value, reason) => expect(json(value)).toBe(misfit(reason)))
})
