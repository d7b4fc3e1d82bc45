import { expect, it } from 'vitest'
import { checkEvidence, type OtherFormat, type Wanted } from '../../../src/deploy/wanted/evidence.ts'
import { overlapOf, vcpusOf } from '../../../src/deploy/wanted/overlap.ts'
import type { Evidence, Figure, Input } from '../../../src/results.ts'
import { NOW, wanted } from '../support.ts'

const LIFT: Figure = { quantity: 'lift', estimator: 'dr', verdict: 'ok', value: 0.02, lower: 0.01, upper: 0.03 }
const INPUTS: readonly Input[] = [
  { kind: 'evaluation', name: 'next-offer', digest: 'sha256:evaluation' },
  { kind: 'dataset', name: 'log', digest: 'sha256:dataset' },
  { kind: 'data', name: 'log', digest: 'sha256:data' },
  { kind: 'policy', name: 'shop-offer', digest: 'sha256:policy' },
  { kind: 'snapshot', name: 's.json', candidate: 'new', digest: 'sha256:bytes' },
  { kind: 'policy', name: 'other', digest: 'sha256:other' },
  { kind: 'table', name: 'tables/a.csv', candidate: 'hand', digest: 'sha256:table' },
  { kind: 'table', name: 'tables/a.csv', candidate: 'foot', digest: 'sha256:table' },
]
const EVALUATION: Evidence = {
  schema: 'dap.evidence/v2',
  kind: 'evaluation',
  name: 'next-offer',
  inputs: INPUTS,
  policies: [
    { name: 'shop-offer', digest: 'sha256:policy', snapshot: 'sha256:snapshot', figure: LIFT },
    { name: 'other', digest: 'sha256:other', snapshot: null, figure: null },
  ],
  passed: true,
  failed: [],
  dap: '1.0.0',
  digest: 'sha256:evidence',
  at: new Date(NOW - 6 * 86_400_000).toISOString(),
  seal: 'sha256:seal',
}
const SCENARIO: Evidence = {
  ...EVALUATION,
  kind: 'scenario',
  name: 'quiet-week',
  inputs: [
    { kind: 'scenario', name: 'quiet-week', digest: 'sha256:scenario' },
    { kind: 'policy', name: 'shop-offer', digest: 'sha256:policy' },
  ],
  policies: [{ name: 'shop-offer', digest: 'sha256:policy', snapshot: null, figure: null }],
}
const POLICY = { name: 'shop-offer', digest: 'sha256:policy', snapshot: 'sha256:snapshot' }

function check(
  given: Evidence | OtherFormat | undefined,
  { inputs = given && 'inputs' in given ? given.inputs : [], policy = POLICY }: Partial<Wanted> = {},
  maxAge?: string,
) {
  const scenario = given !== undefined && 'kind' in given && given.kind === 'scenario'
  const required = scenario ? { scenario: 'quiet-week', maxAge } : { evaluation: 'next-offer', maxAge }
  return checkEvidence(required, given, { inputs, policy }, NOW)
}

/** The inputs of the evaluation, one of which has another digest now. */
const changed = (at: number, digest: string | null = 'sha256:new') => ({
  inputs: INPUTS.map((input, i) => (i === at ? { ...input, digest } : input)),
})
const recordedAt = (ms: number) => ({ ...EVALUATION, at: new Date(NOW + ms).toISOString() })

it.each([
  ['as it was recorded', EVALUATION, {}, undefined, 'passed'],
  ['nothing', undefined, {}, undefined, 'missing: it has not been recorded'],
  ['another evaluation', EVALUATION, changed(0), undefined, 'stale: the evaluation has changed since'],
  ['another dataset', EVALUATION, changed(1), undefined, 'stale: dataset `log` has changed since'],
  ['other data', EVALUATION, changed(2), undefined, 'stale: the data of dataset `log` has changed since'],
  ['another policy', EVALUATION, changed(3), undefined, 'stale: policy `shop-offer` has changed since'],
  [
    'another snapshot',
    EVALUATION,
    changed(4),
    undefined,
    'stale: the snapshot `s.json` of candidate `new` has changed since',
  ],
  ['the policy of another candidate', EVALUATION, changed(5), undefined, 'stale: policy `other` has changed since'],
  [
    'a table, by whose it is',
    EVALUATION,
    changed(7),
    undefined,
    'stale: the table `tables/a.csv` of candidate `foot` has changed since',
  ],
  [
    'a table that is gone',
    EVALUATION,
    changed(6, null),
    undefined,
    'stale: the table `tables/a.csv` of candidate `hand` is gone, or cannot be read',
  ],
  [
    'an input that it does not name',
    { ...EVALUATION, inputs: INPUTS.slice(0, -1) },
    { inputs: INPUTS },
    undefined,
    'stale: it does not name the table `tables/a.csv` of candidate `foot`',
  ],
  [
    'all of it',
    EVALUATION,
    { inputs: INPUTS.map(input => ({ ...input, digest: 'sha256:new' })) },
    undefined,
    'stale: the evaluation has changed since; dataset `log` has changed since; the data of dataset `log` has changed since; policy `shop-offer` has changed since; the snapshot `s.json` of candidate `new` has changed since; and 3 more',
  ],
  [
    'a policy that is deployed with another snapshot',
    EVALUATION,
    { policy: { ...POLICY, snapshot: 'sha256:other' } },
    undefined,
    'stale: it is not about policy `shop-offer` with this snapshot',
  ],
  [
    'a policy that is judged with the snapshot of another',
    EVALUATION,
    { policy: { ...POLICY, name: 'other', digest: 'sha256:other' } },
    undefined,
    'stale: it is not about policy `other` with this snapshot',
  ],
  [
    'old, and of other data',
    EVALUATION,
    changed(2),
    '5d',
    'stale: the data of dataset `log` has changed since; it is older than 5d',
  ],
  ['young enough', EVALUATION, {}, '7d', 'passed'],
  ['of a clock that is a little ahead', recordedAt(5 * 60_000), {}, '7d', 'passed'],
  [
    'of the future',
    recordedAt(5 * 60_000 + 1),
    {},
    undefined,
    'stale: it says that it was recorded at 2026-11-23T12:05:00.001Z, which is yet to come',
  ],
  ['failed', { ...EVALUATION, passed: false, failed: ['no-loss'] }, {}, undefined, 'failed: it does not hold: no-loss'],
  [
    'failed, about something else',
    { ...EVALUATION, passed: false },
    changed(3),
    undefined,
    'stale: policy `shop-offer` has changed since',
  ],
  [
    'a scenario, whose policies learn for themselves',
    SCENARIO,
    { policy: { ...POLICY, snapshot: 'sha256:new' } },
    undefined,
    'passed',
  ],
  [
    'a scenario that plays another policy',
    SCENARIO,
    { policy: { ...POLICY, name: 'other', digest: 'sha256:other' } },
    undefined,
    'stale: it is not about policy `other`',
  ],
  [
    'a policy that is deployed without the snapshot',
    EVALUATION,
    { policy: { ...POLICY, snapshot: null } },
    undefined,
    'stale: it is not about policy `shop-offer` without a snapshot',
  ],
  [
    'another scenario',
    { ...SCENARIO, inputs: [{ ...SCENARIO.inputs[0], digest: 'sha256:old' }, SCENARIO.inputs[1]] },
    { inputs: SCENARIO.inputs },
    undefined,
    'stale: the scenario has changed since',
  ],
  [
    'what an older dap recorded',
    { schema: 'dap.evidence/v1' },
    {},
    undefined,
    'stale: another dap recorded it, as dap.evidence/v1; this one reads dap.evidence/v2, which names all inputs',
  ],
] as const)('evidence: %s', (_, given, change, maxAge, expected) => {
  const { state, reason } = check(given, change, maxAge)
  expect(reason ? `${state}: ${reason}` : state).toBe(expected)
})

it('evidence comes with the command that makes it', () => {
  expect(check(undefined).command).toBe('dap evaluate next-offer --record')
  expect(check(SCENARIO).command).toBe('dap simulate quiet-week --record')
})

it('evidence has the number of the policy that is deployed, unless it is about another state of things', () => {
  expect(check(EVALUATION).figure).toEqual(LIFT)
  expect(check({ ...EVALUATION, passed: false }).figure).toEqual(LIFT)
  const other = { name: 'other', digest: 'sha256:other', snapshot: null }
  expect(check(EVALUATION, { policy: other })).toMatchObject({ state: 'passed', figure: null })
  expect(check(EVALUATION, changed(2)).figure).toBeNull()
})

it.each([
  ['n2-standard-4', 4],
  ['e2-highmem-8', 8],
  ['c3-standard-22-lssd', 22],
  ['n2-custom-6-20480', 6],
  ['e2-medium', 2],
  ['a2-highgpu-1g', null],
  ['mystery', null],
])('%s has %s vCPUs', (type, cpus) => {
  expect(vcpusOf(type)).toBe(cpus)
})

it('two versions at a time cost what the second one adds, from the first step to the end of the rollback window', () => {
  // 10 + 30 minutes of holds and 24 hours: 24 2/3 h × 0.11 × 2 to 10 replicas
  const overlap = overlapOf(wanted(), { 'n2-standard-2': 0.11 })
  expect(overlap).toMatchObject({ vcpus: 20, minReplicas: 2, maxReplicas: 10, ms: 88_800_000 })
  expect(overlap.cost!.least).toBeCloseTo((0.11 * 2 * 74) / 3, 10)
  expect(overlap.cost!.most).toBeCloseTo((0.11 * 10 * 74) / 3, 10)
  expect(overlapOf(wanted(), {}).cost).toBeNull()
})
