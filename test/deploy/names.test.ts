import fc from 'fast-check'
import { expect, it } from 'vitest'
import { labelValue } from '../../src/adapters/vertex/labels.ts'
import { bundleObject, deployedModelId, endpointId, formerId, modelId } from '../../src/deploy/names.ts'

const names = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/)

it('ids have the form that Vertex AI asks for, whatever the names', () => {
  fc.assert(
    fc.property(names, names, names, fc.string(), (owner, environment, deployment, text) => {
      const identity = { owner, environment, deployment }
      expect(endpointId(identity)).toMatch(/^dap-[a-z0-9-]{1,50}-[0-9a-f]{8}$/)
      expect(endpointId(identity, 'numeric')).toMatch(/^[1-9]\d{9}$/)
      expect(modelId(identity)).toMatch(/^[a-z][a-z0-9_-]{0,62}$/)
      expect(deployedModelId(text)).toMatch(/^[1-9]\d{9}$/)
      expect(labelValue(text)).toMatch(/^[a-z0-9_-]{0,63}$/)
    }),
  )
})

it.each(['named', 'numeric'] as const)(
  '%s ids are apart wherever owner, environment or deployment differ, also where cleaning makes them alike',
  form => {
    const id = (owner: string, environment: string, deployment: string) =>
      endpointId({ owner, environment, deployment }, form)
    const ids = [
      id('q7m2vx4t9kd3hs8w', 'prod', 'shop-offer'),
      id('q7m2vx4t9kd3hs8w', 'prod', 'shop_offer'),
      id('q7m2vx4t9kd3hs8w', 'staging', 'shop-offer'),
      id('0000000000000000', 'prod', 'shop-offer'),
      id('q7m2vx4t9kd3hs8w', 'prod', `${'a'.repeat(60)}b`),
      id('q7m2vx4t9kd3hs8w', 'prod', `${'a'.repeat(60)}c`),
    ]
    expect(new Set(ids).size).toBe(6)
  },
)

it('what is there already keeps the id that it was given before repositories had ids', () => {
  expect(formerId('games', 'prod', 'shop-offer')).toBe('dap-shop-offer-420ecb48')
})

it('a bundle is named after its content', () => {
  expect(bundleObject('shop-offer', `sha256:0123456789ab${'c'.repeat(52)}`)).toBe(
    'dap/bundles/shop-offer-0123456789ab/bundle.json',
  )
})
