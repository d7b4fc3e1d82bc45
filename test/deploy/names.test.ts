import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bundleObject, deployedModelId, endpointId, labelValue, modelId } from '../../src/deploy/names.ts'

const names = fc.stringMatching(/^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/)

it('ids have the form that Vertex AI asks for, whatever the names', () => {
  fc.assert(
    fc.property(names, names, names, fc.string(), (project, environment, deployment, text) => {
      expect(endpointId(project, environment, deployment)).toMatch(/^dap-[a-z0-9-]{1,50}-[0-9a-f]{8}$/)
      expect(modelId(project, environment, deployment)).toMatch(/^[a-z][a-z0-9_-]{0,62}$/)
      expect(deployedModelId(text)).toMatch(/^[1-9]\d{9}$/)
      expect(labelValue(text)).toMatch(/^[a-z0-9_-]{0,63}$/)
    }),
  )
})

it('ids are apart wherever project, environment or deployment differ, also where cleaning makes them alike', () => {
  const ids = [
    endpointId('games', 'prod', 'shop-offer'),
    endpointId('games', 'prod', 'shop_offer'),
    endpointId('games', 'staging', 'shop-offer'),
    endpointId('other', 'prod', 'shop-offer'),
    endpointId('games', 'prod', `${'a'.repeat(60)}b`),
    endpointId('games', 'prod', `${'a'.repeat(60)}c`),
  ]
  expect(new Set(ids).size).toBe(6)
  expect(ids[0]).toBe('dap-shop-offer-420ecb48')
})

it('a bundle is named after its content', () => {
  expect(bundleObject('shop-offer', `sha256:0123456789ab${'c'.repeat(52)}`)).toBe(
    'dap/bundles/shop-offer-0123456789ab/bundle.json',
  )
})
