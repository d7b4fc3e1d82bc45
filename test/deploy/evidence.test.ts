import { expect, it } from 'vitest'
import { checkEvidence, type EvidenceInputs } from '../../src/deploy/evidence.ts'
import { overlapOf, vcpusOf } from '../../src/deploy/overlap.ts'
import type { Evidence } from '../../src/results.ts'
import { NOW, wanted } from './support.ts'

const EVALUATION: Evidence = {
  schema: 'dap.evidence/v1',
  kind: 'evaluation',
  name: 'next-offer',
  resource: 'sha256:evaluation',
  policies: [
    { name: 'shop-offer', digest: 'sha256:policy', snapshot: 'sha256:snapshot' },
    { name: 'other', digest: 'sha256:other', snapshot: null },
  ],
  dataset: 'sha256:data',
  passed: true,
  failed: [],
  at: new Date(NOW - 6 * 86_400_000).toISOString(),
  dap: '1.0.0',
  digest: 'sha256:evidence',
}
const SCENARIO: Evidence = { ...EVALUATION, kind: 'scenario', name: 'quiet-week', dataset: null, resource: 'sha256:s' }
const NOW_EVALUATION = {
  resource: 'sha256:evaluation',
  policy: 'sha256:policy',
  snapshot: 'sha256:snapshot',
  dataset: 'sha256:data',
}
const NOW_SCENARIO = { ...NOW_EVALUATION, resource: 'sha256:s', dataset: null }

function check(given: Evidence | undefined, change: Partial<EvidenceInputs> = {}, maxAge?: string): string {
  const scenario = given?.kind === 'scenario'
  const required = scenario ? { scenario: 'quiet-week', maxAge } : { evaluation: 'next-offer', maxAge }
  const current = { ...(scenario ? NOW_SCENARIO : NOW_EVALUATION), ...change }
  const [{ state, reason }] = checkEvidence(
    [required],
    () => given,
    () => current,
    NOW,
  )
  return reason ? `${state}: ${reason}` : state
}

it.each([
  ['as it was recorded', EVALUATION, {}, undefined, 'passed'],
  ['nothing', undefined, {}, undefined, 'missing: it has not been recorded'],
  ['another policy', EVALUATION, { policy: 'sha256:new' }, undefined, 'stale: the policy has changed since'],
  ['another snapshot', EVALUATION, { snapshot: null }, undefined, 'stale: the snapshot has changed since'],
  [
    'a policy judged with the snapshot of another',
    EVALUATION,
    { policy: 'sha256:other' },
    undefined,
    'stale: the snapshot has changed since',
  ],
  ['another evaluation', EVALUATION, { resource: 'sha256:e2' }, undefined, 'stale: the evaluation has changed since'],
  ['other data', EVALUATION, { dataset: 'sha256:d2' }, undefined, 'stale: the data has changed since'],
  [
    'old, and of other data',
    EVALUATION,
    { dataset: 'x' },
    '5d',
    'stale: the data has changed since; it is older than 5d',
  ],
  ['young enough', EVALUATION, {}, '7d', 'passed'],
  ['failed', { ...EVALUATION, passed: false, failed: ['no-loss'] }, {}, undefined, 'failed: it does not hold: no-loss'],
  [
    'failed, about something else',
    { ...EVALUATION, passed: false },
    { policy: 'x' },
    undefined,
    'stale: the policy has changed since',
  ],
  ['a scenario, whose policies learn for themselves', SCENARIO, { snapshot: 'sha256:new' }, undefined, 'passed'],
  ['another scenario', SCENARIO, { resource: 'sha256:s2' }, undefined, 'stale: the scenario has changed since'],
] as const)('evidence: %s', (_, given, change, maxAge, expected) => {
  expect(check(given, change, maxAge)).toBe(expected)
})

it('evidence comes with the command that makes it', () => {
  const states = checkEvidence(
    [{ evaluation: 'next-offer' }, { scenario: 'quiet-week' }],
    () => undefined,
    () => NOW_SCENARIO,
    NOW,
  )
  expect(states.map(({ command }) => command)).toEqual([
    'dap evaluate next-offer --record',
    'dap simulate quiet-week --record',
  ])
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
