import { describe, expect, it } from 'vitest'
import type { DeployEvent } from '../../src/deploy/doing/events.ts'
import type { DeploymentOutcome, DeployResult } from '../../src/results.ts'
import { deployLine, deployText } from '../../src/ui/deploy.ts'
import { createProgress } from '../../src/ui/live/progress.ts'
import { createStyle } from '../../src/ui/style.ts'
import { publishedValidator } from '../support/published.ts'
import { canaryEvents } from './deploy-samples.ts'
import { NEW, OLD } from './plan-samples.ts'

const outcome = (deployment: string, overrides: Partial<DeploymentOutcome> = {}): DeploymentOutcome => ({
  deployment,
  endpoint: `dap-${deployment}-3fa9c1d2`,
  state: 'unchanged',
  reason: null,
  hint: null,
  changes: [],
  traffic: { [NEW]: 100 },
  names: { [NEW]: `${deployment}-91b0c3d4e5f6`, [OLD]: `${deployment}-3fa9c1d2e4b5` },
  ...overrides,
})

const result = (deployments: readonly DeploymentOutcome[], overrides: Partial<DeployResult> = {}): DeployResult => ({
  schema: 'dap.deploy/v1',
  command: 'deploy',
  environment: 'prod',
  run: '9f3a0b1c',
  plan: null,
  deployments,
  passed: deployments.every(({ state }) => state === 'applied' || state === 'unchanged'),
  ...overrides,
})

const text = (...args: Parameters<typeof result>) =>
  `\n${deployText(result(...args), { style: createStyle(false), columns: 100 })}\n`

const deployed = outcome('shop-offer', {
  state: 'applied',
  changes: [
    { title: 'upload a version of model dap-shop-offer-3fa9c1d2', operation: 'operations/1', ms: 41_000 },
    { title: 'deploy shop-offer-91b0c3d4e5f6 without traffic', operation: 'operations/2', ms: 664_000 },
    { title: 'move all traffic to shop-offer-91b0c3d4e5f6', operation: null, ms: 212 },
  ],
})

describe('what a deploy came to', () => {
  it('says what was done, how long it took and where traffic is', () => {
    expect(text([outcome('a-policy'), deployed])).toMatchInlineSnapshot(`
      "
      ✓ shop-offer  applied
        upload a version of model dap-shop-offer-3fa9c1d2  41s
        deploy shop-offer-91b0c3d4e5f6 without traffic     11m 4s
        move all traffic to shop-offer-91b0c3d4e5f6        212ms
        traffic  100 % shop-offer-91b0c3d4e5f6

      1 applied, 1 unchanged
      "
    `)
  })

  it('says what to type next, for every state that is not done', () => {
    const states = ['rolling', 'paused', 'rolled-back', 'held', 'failed', 'conflict', 'interrupted'] as const
    expect(
      text(states.map(state => outcome(state, { state, traffic: {}, reason: 'so it is' }))),
    ).toMatchInlineSnapshot(`
      "
      → rolling  rolling out: so it is
        next: \`dap deploy --env prod --only rolling --step\` goes on

      ! paused  paused: so it is
        next: \`dap deploy --env prod --only paused --resume\` looks again, \`--skip-gates\` goes on without, \`dap rollback paused --env prod\` goes back

      ← rolled-back  rolled back: so it is
        next: revert the change in Git, or mend it; \`dap deploy --env prod --only rolled-back --release-hold\` brings the same version back

      ← held  on hold: so it is
        next: revert the change in Git, or mend it; \`dap deploy --env prod --only held --release-hold\` brings the same version back

      ✗ failed  failed: so it is
        next: \`dap deploy --env prod --only failed\` tries again

      ! conflict  in conflict: so it is
        next: \`dap status --env prod\` says what is there now; then \`dap deploy --env prod --only conflict\`

      ! interrupted  interrupted: so it is
        next: \`dap deploy --env prod --only interrupted --resume\` goes on

      1 rolling out, 1 paused, 1 rolled back, 1 on hold, 1 failed, 1 in conflict, 1 interrupted
      "
    `)
  })

  it('prefers the hint that the run gave', () => {
    expect(text([outcome('x', { state: 'conflict', hint: '`dap lock break x`' })])).toContain(
      'hint: `dap lock break x`',
    )
  })

  it('says what to type next after other commands', () => {
    const failed = [outcome('x', { state: 'failed' })]
    expect(text(failed, { command: 'gc' })).toContain('next: `dap gc --env prod` tries again')
    expect(text(failed, { command: 'destroy' })).toContain('next: `dap destroy x --env prod` tries again')
  })

  it('is one line where nothing was to be done', () => {
    expect(text([outcome('a'), outcome('b')])).toBe('\n2 unchanged\n')
    expect(text([])).toBe('\nNothing to do.\n')
  })

  it('has the shape of its schema', () => {
    const validate = publishedValidator('deploy-result')
    validate(
      result([outcome('a'), deployed, outcome('b', { state: 'paused', reason: 'r', hint: 'h', names: undefined })]),
    )
    expect(validate.errors).toBeNull()
    expect(validate({ ...result([]), extra: 1 })).toBe(false)
  })
})

describe('the lines that CI gets', () => {
  it('are one for everything that matters, and none for what only goes on', () => {
    expect(`\n${canaryEvents.flatMap(event => deployLine(event) ?? []).join('\n')}\n`).toMatchInlineSnapshot(`
      "
      shop-offer: 5 changes
      shop-offer: deploy shop-offer-91b0c3d4e5f6 without traffic
      shop-offer:   operation projects/1/locations/europe-west1/endpoints/dap-shop-offer-3fa9c1d2/operations/1000
      shop-offer:   Adding nodes to cluster
      shop-offer:   getOperation again, attempt 2: UNAVAILABLE
      shop-offer:   Starting model server
      shop-offer: move 10 % of traffic to shop-offer-91b0c3d4e5f6
      shop-offer:   traffic is 90 % shop-offer-3fa9c1d2e4b5, 10 % shop-offer-91b0c3d4e5f6
      shop-offer: hold 10m
      shop-offer:   errorRate pass: 0.3 % of 1,204 requests, 1 % is allowed; latencyP99 inconclusive: 0.9 % of 1,204 requests too slow, 1 % is allowed
      shop-offer: move all traffic to shop-offer-91b0c3d4e5f6
      shop-offer:   traffic is 100 % shop-offer-91b0c3d4e5f6
      shop-offer: promote shop-offer-91b0c3d4e5f6
      shop-offer:   the old version is warm until 2026-12-02T12:00:00.000Z
      shop-offer: applied
      "
    `)
  })

  it('have no way to break a line or to command a terminal', () => {
    const event: DeployEvent = { type: 'deploy', deployment: 'a', event: 'note', text: 'x\n\u001b[2Jy' }
    expect(deployLine(event)).toBe('a:   x \\u001b[2Jy')
  })

  it('go to stderr as they come where no live view can be drawn; progress does not', async () => {
    const written: string[] = []
    const progress = createProgress({ interactive: false, color: false, columns: 80 }, text => written.push(text))
    progress.report({ type: 'progress', unit: 'rows', done: 1 })
    for (const event of canaryEvents.slice(0, 3)) progress.report(event)
    await progress.stop()
    expect(written).toEqual(['shop-offer: 5 changes\n', 'shop-offer: deploy shop-offer-91b0c3d4e5f6 without traffic\n'])
  })

  it.each([true, false])(
    'say why nothing happens while the cloud is asked again; a terminal: %s',
    async interactive => {
      const written: string[] = []
      const progress = createProgress({ interactive, color: false, columns: 80 }, text => written.push(text))
      const reason = 'RESOURCE_EXHAUSTED: quota\u001b[2J'
      progress.report({ type: 'retry', call: 'listEndpoints', attempt: 2, reason, ms: 12_345 })
      await progress.stop()
      expect(written).toEqual(['listEndpoints again in 12s, attempt 2: RESOURCE_EXHAUSTED: quota\\u001b[2J\n'])
    },
  )
})
