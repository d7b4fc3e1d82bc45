import { Writable } from 'node:stream'
import { renderToString } from 'ink'
import { describe, expect, it, vi } from 'vitest'
import type { DeployEvent } from '../../src/deploy/doing/events.ts'
import { fold, NOTHING_YET } from '../../src/ui/live/deploy-state.ts'
import { Deploy, mountDeploy } from '../../src/ui/live/deploy-view.tsx'
import { canaryEvents, gates, planned, say, start } from './deploy-samples.ts'

// In CI ink draws once, at the end; dap shows no view there at all.
vi.hoisted(() => {
  for (const name of Object.keys(process.env))
    if (/^(CI|CONTINUOUS_INTEGRATION)$|^CI_/.test(name)) delete process.env[name]
})

/** A second between two events; the picture is of a minute after the last. */
function picture(events: readonly DeployEvent[], { rows = 40, columns = 110 } = {}): string {
  const view = events.reduce((view, event, i) => fold(view, event, i * 1000), NOTHING_YET)
  const now = (events.length - 1) * 1000 + 60_000
  return `\n${renderToString(<Deploy view={view} now={now} rows={rows} />, { columns })}\n`
}

const lines = (text: string) => text.split('\n').slice(1, -1)

describe('the live view of a deploy', () => {
  it('shows the stage that the cloud is at, and how long it takes', () => {
    expect(picture(canaryEvents.slice(0, 5))).toMatchInlineSnapshot(`
      "
      shop-offer
        ▸ deploy shop-offer-91b0c3d4e5f6 without traffic  1m 2s  Adding nodes to cluster
          move 10 % of traffic to shop-offer-91b0c3d4e5f6
          hold 10m
          move all traffic to shop-offer-91b0c3d4e5f6
          promote shop-offer-91b0c3d4e5f6
      "
    `)
  })

  it('shows a hold with the time left, its gates and the split of traffic', () => {
    expect(picture(canaryEvents.slice(0, 14))).toMatchInlineSnapshot(`
      "
      shop-offer
        ✓ deploy shop-offer-91b0c3d4e5f6 without traffic
        ✓ move 10 % of traffic to shop-offer-91b0c3d4e5f6
        ▸ hold 10m  4m left
          errorRate   inconclusive  0.3 % of 640 requests, 1 % is allowed
          latencyP99  inconclusive  0.9 % of 640 requests too slow, 1 % is allowed
          move all traffic to shop-offer-91b0c3d4e5f6
          promote shop-offer-91b0c3d4e5f6
        traffic  ██░░░░░░░░░░░░░░░░░░░░░░  █ 10 % shop-offer-91b0c3d4e5f6  ░ 90 % shop-offer-3fa9c1d2e4b5
      "
    `)
  })

  it('counts no hold below nothing', () => {
    const held = [planned, start(2), { event: 'gates', step: 0, leftMs: 1000, gates: gates(0) } as const]
    expect(picture(held.map(event => say(event)))).toMatchInlineSnapshot(`
      "
      shop-offer
        ▸ hold 10m
          errorRate   inconclusive  no requests yet
          latencyP99  inconclusive  no requests yet
          deploy shop-offer-91b0c3d4e5f6 without traffic
          move 10 % of traffic to shop-offer-91b0c3d4e5f6
          move all traffic to shop-offer-91b0c3d4e5f6
          promote shop-offer-91b0c3d4e5f6
      "
    `)
  })

  it('leaves a last picture of what was done', () => {
    expect(picture(canaryEvents)).toMatchInlineSnapshot(`
      "
      ✓ shop-offer applied
        ✓ deploy shop-offer-91b0c3d4e5f6 without traffic
        ✓ move 10 % of traffic to shop-offer-91b0c3d4e5f6
        ✓ hold 10m
        ✓ move all traffic to shop-offer-91b0c3d4e5f6
        ✓ promote shop-offer-91b0c3d4e5f6
        traffic  ████████████████████████  █ 100 % shop-offer-91b0c3d4e5f6
      "
    `)
  })

  it('marks where it stopped, and why', () => {
    const events = [
      ...canaryEvents.slice(0, 14),
      say({ event: 'finished', state: 'paused', reason: 'too few requests' }),
    ]
    expect(picture(events)).toMatchInlineSnapshot(`
      "
      ! shop-offer paused: too few requests
        ✓ deploy shop-offer-91b0c3d4e5f6 without traffic
        ✓ move 10 % of traffic to shop-offer-91b0c3d4e5f6
        ! hold 10m
          errorRate   inconclusive  0.3 % of 640 requests, 1 % is allowed
          latencyP99  inconclusive  0.9 % of 640 requests too slow, 1 % is allowed
        traffic  ██░░░░░░░░░░░░░░░░░░░░░░  █ 10 % shop-offer-91b0c3d4e5f6  ░ 90 % shop-offer-3fa9c1d2e4b5
      "
    `)
  })

  it('shows that a call is tried again until it goes on', () => {
    expect(picture(canaryEvents.slice(0, 6))).toContain('getOperation again: UNAVAILABLE')
    expect(picture(canaryEvents.slice(0, 8))).not.toContain('again')
  })

  it('shows a change that was not planned', () => {
    const events = [say(planned), say({ event: 'started', change: -1, kind: 'mutate-model', title: 'scale it' })]
    expect(picture(events)).toContain('▸ scale it  1m')
  })

  it('folds what is done and what waits where the screen is low', () => {
    const text = picture(canaryEvents.slice(0, 14), { rows: 8 })
    expect(lines(text).length).toBeLessThanOrEqual(8)
    expect(text).toMatchInlineSnapshot(`
      "
      shop-offer
        ✓ 2 changes
        ▸ hold 10m  4m left
          errorRate   inconclusive  0.3 % of 640 requests, 1 % is allowed
          latencyP99  inconclusive  0.9 % of 640 requests too slow, 1 % is allowed
          2 changes
        traffic  ██░░░░░░░░░░░░░░░░░░░░░░  █ 10 % shop-offer-91b0c3d4e5f6  ░ 90 % shop-offer-3fa9c1d2e4b5
      "
    `)
  })

  it('has a line for each that is at work, and never more lines than the screen', () => {
    const names = Array.from({ length: 60 }, (_, i) => `policy-${i}`)
    const events = names.flatMap((name, i) => [
      say(planned, name),
      say(start(0), name),
      ...(i < 40 ? [] : [say({ event: 'finished', state: 'applied', reason: null }, name)]),
    ])
    for (const rows of [3, 10, 41, 42, 59]) expect(lines(picture(events, { rows })).length).toBeLessThanOrEqual(rows)
    expect(picture(events, { rows: 5 })).toMatchInlineSnapshot(`
      "
      20 applied
      policy-0  0 of 5  deploy shop-offer-91b0c3d4e5f6 without traffic  3m 18s
      policy-1  0 of 5  deploy shop-offer-91b0c3d4e5f6 without traffic  3m 16s
      policy-2  0 of 5  deploy shop-offer-91b0c3d4e5f6 without traffic  3m 14s
      and 37 more
      "
    `)
  })

  it('cuts a long title rather than breaking its line', () => {
    for (const line of lines(picture(canaryEvents.slice(0, 14), { columns: 40 }))) {
      expect(line.length).toBeLessThanOrEqual(40)
    }
  })

  it('is wiped when it stops: the result says all of it', async () => {
    const written: string[] = []
    const screen = new Writable({
      write(chunk: Buffer, _, done) {
        written.push(chunk.toString())
        done()
      },
    })
    const view = mountDeploy(Object.assign(screen, { columns: 110, rows: 40, isTTY: true }) as never)
    for (const event of canaryEvents) view.update(event, 0)
    await expect.poll(() => written.join('')).toContain('shop-offer')
    view.stop()
    const all = written.join('')
    const last = all.lastIndexOf('shop-offer')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what wipes a line of the screen
    expect(all.slice(last)).toMatch(/\u001b\[\d*[JK]/)
  })
})
