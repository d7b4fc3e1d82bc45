import { describe, expect, it } from 'vitest'
import type { DeploymentStatus, LiveModel, LockResult, StatusResult } from '../../src/results.ts'
import { locksText, statusText } from '../../src/ui/status.ts'
import { createStyle } from '../../src/ui/style.ts'
import { expectPublished, publishedValidator } from '../support/published.ts'
import { foreign, NEW, OLD, orphaned } from './plan-samples.ts'

const context = { style: createStyle(false), columns: 140 }
const HEX = '91b0c3d4e5f60718293a4b5c6d7e8f90'

const model = (displayName: string, overrides: Partial<LiveModel> = {}): LiveModel => ({
  id: NEW,
  displayName,
  version: '3',
  role: 'stable',
  traffic: 100,
  machineType: 'n2-standard-2',
  minReplicas: 2,
  maxReplicas: 10,
  available: 2,
  warmUntil: null,
  idle: false,
  ...overrides,
})

const deployment = (name: string, overrides: Partial<DeploymentStatus> = {}): DeploymentStatus => ({
  deployment: name,
  endpoint: `dap-${name}-3fa9c1d2`,
  state: 'synced',
  reason: null,
  git: HEX,
  applied: { digest: HEX, commit: null },
  live: [model(`${name}-91b0c3d4e5f6`)],
  drift: [],
  lock: null,
  ...overrides,
})

const status = (deployments: readonly DeploymentStatus[], overrides: Partial<StatusResult> = {}): StatusResult => ({
  schema: 'dap.status/v1',
  environment: 'prod',
  commit: { id: '4be1c02d77aa0123456789abcdef0123456789ab', dirty: true },
  deployments,
  orphans: [],
  foreign: [],
  notes: [],
  synced: deployments.every(({ state }) => state === 'synced'),
  ...overrides,
})

const everything = status(
  [
    deployment('home-order', {
      live: [
        model('home-order-91b0c3d4e5f6'),
        model('home-order-3fa9c1d2e4b5', {
          id: OLD,
          role: 'previous',
          traffic: 0,
          available: null,
          minReplicas: 1,
          maxReplicas: 1,
          warmUntil: '2026-12-02T12:00:00.000Z',
          idle: true,
        }),
      ],
    }),
    deployment('level-picker', {
      state: 'drifted',
      reason: 'somebody has moved resources.maxReplicas',
      drift: [{ field: 'resources.maxReplicas', git: '10', applied: '10', live: '20', overwrites: true }],
      lock: { run: '9f3a0b1c', owner: 'job-771', expires: '2026-12-01T12:15:00.000Z', expired: false },
    }),
    deployment('shop-offer', { state: 'absent', reason: 'there is no endpoint yet', applied: null, live: [] }),
  ],
  { orphans: orphaned.slice(1), foreign },
)

describe('a status', () => {
  it('shows what runs, what costs money without traffic, and why something is not as Git says', () => {
    expect(`\n${statusText(everything, context)}\n`).toMatchInlineSnapshot(`
      "
      prod against commit 4be1c02d77aa with uncommitted changes

         deployment    state    version                    role      traffic  replicas      machine
      =  home-order    synced   home-order-91b0c3d4e5f6    stable      100 %  2 of 2 to 10  n2-standard-2
                                home-order-3fa9c1d2e4b5    previous      0 %  1             n2-standard-2  idle, warm until 2026-12-02 12:00 UTC
      !  level-picker  drifted  level-picker-91b0c3d4e5f6  stable      100 %  2 of 2 to 10  n2-standard-2
      +  shop-offer    absent   nothing runs

      ! level-picker  somebody has moved resources.maxReplicas
        drift                  Git  last applied  live
        resources.maxReplicas  10   10            20
        locked by run 9f3a0b1c (job-771) until 2026-12-01 12:15 UTC

      + shop-offer  there is no endpoint yet

      orphans, which no Deployment in Git declares
        = model dap-older-offer-bb22cc33 (staging/older-offer)  \`--prune\` deletes it

      of other repositories, under the same names: not touched
        = endpoint dap-shop-offer-07e354bd (shop-offer)  of project shop, projectId s5p99qts43rwvwch
        = endpoint 4711 (staging/level-picker)  of project games, which has no projectId
        hint: \`dap adopt ID --override-owner PROJECT_ID\` takes one over

      1 synced, 1 drifted, 1 absent, 1 orphan; \`dap plan --env prod\` says what would set it right
      "
    `)
  })

  it('is short where everything is as Git says', () => {
    const [, , , , , last] = statusText(status([deployment('a')], { commit: null }), context).split('\n')
    expect(last).toBe('Everything runs as Git says: 1 deployment.')
  })
})

it('a status of nothing but orphans says so', () => {
  const last = (orphans: StatusResult['orphans'], synced: boolean) =>
    statusText(status([], { orphans, synced }), context).split('\n').at(-1)
  expect(last(orphaned.slice(0, 1), false)).toBe('1 orphan; `dap plan --env prod` says what would set it right')
  expect(last(orphaned.slice(1), true)).toBe('Git has no Deployment for prod.')
})

describe('locks', () => {
  const locks = (overrides: Partial<LockResult> = {}): LockResult => ({
    schema: 'dap.lock/v1',
    command: 'ls',
    environment: 'prod',
    locks: [
      {
        deployment: 'old-offer',
        endpoint: 'dap-old-offer-aa11bb22',
        run: '00ff00ff',
        owner: 'ann-at-mac',
        expires: '2026-12-01T09:00:00.000Z',
        expired: true,
      },
      {
        deployment: 'shop-offer',
        endpoint: 'dap-shop-offer-3fa9c1d2',
        run: '9f3a0b1c',
        owner: 'job-771',
        expires: '2026-12-01T12:15:00.000Z',
        expired: false,
      },
    ],
    ...overrides,
  })

  it('are listed with who holds them and until when', () => {
    expect(`\n${locksText(locks(), context)}\n`).toMatchInlineSnapshot(`
      "
      deployment  run       owner       expires
      old-offer   00ff00ff  ann-at-mac  2026-12-01 09:00 UTC  expired: the next run takes it over
      shop-offer  9f3a0b1c  job-771     2026-12-01 12:15 UTC
      "
    `)
    expect(locksText(locks({ locks: [] }), context)).toBe('no deployment of prod is locked')
  })

  it('are named when they are broken', () => {
    const broken = locks({ command: 'break', locks: locks().locks.slice(1) })
    expect(locksText(broken, context)).toBe('broke the lock of shop-offer: run 9f3a0b1c of job-771')
  })

  it('and statuses have the shapes of their schemas', () => {
    expectPublished('lock-result', locks())
    expectPublished('status-result', everything)
    expect(publishedValidator('status-result')({ ...everything, extra: 1 })).toBe(false)
  })
})
