import { describe, expect, it } from 'vitest'
import { targetOf } from '../../../src/deploy/wanted/desired.ts'
import { SPEC, wanted } from '../support.ts'

describe('what Git says of a deployment', () => {
  it('is resolved to the last field that will be written', () => {
    expect(wanted()).toMatchInlineSnapshot(`
      {
        "bundle": {
          "digest": "sha256:9785e9bb98a286d4f3a588837d1ff02a04df7c3fb23d708bff08707084be2b32",
          "object": "dap/bundles/shop-offer-9785e9bb98a2/bundle.json",
        },
        "deployed": {
          "displayName": "shop-offer-722318d661d6",
          "id": "5221561219",
          "machineType": "n2-standard-2",
          "serviceAccount": null,
        },
        "deployment": "shop-offer",
        "digest": "44b695801c50f4513e5777e8efc5b90d",
        "endpoint": {
          "dedicated": true,
          "description": "Managed by dap: deployment shop-offer of games, environment prod.",
          "displayName": "shop-offer",
          "id": "dap-shop-offer-ab4ca260",
          "requestLog": null,
        },
        "model": {
          "args": [
            "--log",
            "stdout",
          ],
          "artifact": "gs://games-dap/dap/bundles/shop-offer-9785e9bb98a2",
          "description": "Policy shop-offer, served by dap",
          "digest": "4a91e5d3bb3dd5adb3d41fac79c1534c",
          "displayName": "shop-offer",
          "healthRoute": "/readyz",
          "id": "dap-shop-offer-ab4ca260",
          "image": "europe-west1-docker.pkg.dev/games-ml-prod/dap/server@sha256:5555555555555555555555555555555555555555555555555555555555555555",
          "port": 8080,
          "predictRoute": "/predict",
        },
        "policy": {
          "digest": "sha256:de5f2cbf4c10a0d146f2a671aac363e8640fefc469ad42ac25364f19e4bc194f",
          "name": "shop-offer",
          "snapshot": null,
        },
        "rollout": {
          "gates": [
            {
              "max": 0.01,
              "metric": "errorRate",
            },
          ],
          "onFailure": "rollback",
          "rollbackWindowMs": 86400000,
          "steps": [
            {
              "holdMs": 600000,
              "percent": 10,
            },
            {
              "holdMs": 1800000,
              "percent": 50,
            },
            {
              "holdMs": 0,
              "percent": 100,
            },
          ],
        },
        "scale": {
          "maxReplicas": 10,
          "minReplicas": 2,
          "targetCpu": 60,
        },
      }
    `)
  })

  it('gets another deployed model for what cannot change in place, and keeps it for what can', () => {
    const before = wanted()
    const same = [
      wanted({ resources: { ...SPEC.resources, minReplicas: 3 } }),
      wanted({ description: 'Offers' }),
      wanted({ requestLog: { sample: 0.1, table: 'bq://games.logs.offers' } }),
    ]
    for (const each of same) {
      expect(each.deployed.id).toBe(before.deployed.id)
      expect(each.digest).not.toBe(before.digest)
    }
    const other = [
      wanted({ policy: 'second' }),
      wanted({ snapshot: 'learnt' }),
      wanted({ resources: { ...SPEC.resources, machineType: 'n2-standard-4' } }),
    ]
    for (const each of other) expect(each.deployed.id).not.toBe(before.deployed.id)
    expect(other[2].model.digest).toBe(before.model.digest)
    expect(wanted({ rollout: { ...SPEC.rollout, rollbackWindow: '1h' } }).digest).toBe(before.digest)
  })

  it('takes shares of traffic for whole percents', () => {
    const steps = [0.07, 0.28, 0.29, 0.57, 1].map(traffic => ({ traffic }))
    const percents = wanted({ rollout: { ...SPEC.rollout, steps } }).rollout.steps.map(step => step.percent)
    expect(percents).toEqual([7, 28, 29, 57, 100])
  })
})

it('an emulator needs no project, no bucket and no image', () => {
  const target = targetOf(
    { name: 'games', id: 'q7m2vx4t9kd3hs8w' },
    { name: 'local', spec: { target: 'emulator', protect: [], prices: {} } },
  )
  expect(target.place).toEqual({ target: 'emulator', project: 'dap-local', region: 'us-central1', bucket: 'dap-local' })
  expect(target.image).toMatch(/^dap\/server@sha256:0{64}$/)
})
