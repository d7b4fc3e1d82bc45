import { describe, expect, it } from 'vitest'
import type { WorldSpec } from '../../src/kinds.ts'
import type { Context } from '../../src/policy/policy.ts'
import type { Fields } from '../../src/policy/world-fields.ts'
import type { World } from '../../src/simulate/world.ts'
import { createWorld, WORLDS } from '../../src/simulate/worlds/worlds.ts'
import { worldContract } from '../contracts/world.ts'
import { samplesOf } from '../support/definitions.ts'

const fields: Fields = {
  level: { type: 'integer', minimum: 1 },
  paying: { type: 'boolean' },
  platform: { type: 'string', enum: ['ios', 'android'] },
  taste: { type: 'array', items: { type: 'number' }, minItems: 3, maxItems: 3 },
}
const newcomer: Context = { level: 1, paying: false, platform: 'ios', taste: [0.5, -1, 2] }
const veteran: Context = { level: 80, paying: true, platform: 'android', taste: [0, 0.25, -0.5] }
const contexts = [newcomer, veteran]

const weighed = {
  intercept: 0.5,
  weights: { level: 0.01, paying: -0.2, platform: { android: 0.3 }, taste: [1, 0.5, 0.25] },
}

for (const definition of WORLDS) {
  // What a catalogue offers, and promises, is in a file of its own.
  if (definition.terms === undefined) continue
  for (const spec of samplesOf<WorldSpec>(definition, { [definition.terms]: { a: 0.02, b: 0.5, c: 1 } })) {
    worldContract(JSON.stringify(spec), () => createWorld(spec, fields), contexts, definition.rewards)
  }
}
worldContract(
  'linear',
  () => createWorld({ type: 'linear', noise: 0.7, means: { a: 3, b: 'ctx.paying ? 1.5 : -1.5', c: weighed } }, fields),
  contexts,
)
worldContract(
  'logistic',
  () => createWorld({ type: 'logistic', logits: { a: -3, b: 'ctx.level / 40', c: weighed } }, fields),
  contexts,
)

function means(world: World, context: Context): number[] {
  const out = new Float64Array(world.actions.length)
  world.means(context, out, 0)
  return [...out]
}

describe('the terms of a world', () => {
  it('are a number, a CEL expression, or an intercept and weights', () => {
    const terms = { constant: 0.25, rule: "ctx.platform == 'ios' ? 1.0 : 2.0", weighed }
    const world = createWorld({ type: 'linear', noise: 1, means: terms }, fields)
    expect(world.actions).toEqual(['constant', 'rule', 'weighed'])
    expect(means(world, newcomer)).toEqual([0.25, 1, 0.5 + 0.01 + (0.5 - 0.5 + 0.5)])
    expect(means(world, veteran)).toEqual([0.25, 2, expect.closeTo(0.5 + 0.8 - 0.2 + 0.3 + 0.125 - 0.125, 12)])
  })

  it('go through the logistic function in a logistic world', () => {
    const world = createWorld({ type: 'logistic', logits: { a: 0, b: Math.log(3) } }, fields)
    expect(means(world, newcomer)).toEqual([0.5, expect.closeTo(0.75, 14)])
  })

  it('stop the simulation, with the context, where they are not finite', () => {
    const world = createWorld({ type: 'linear', noise: 1, means: { a: '1.0 / (double(ctx.level) - 1.0)' } }, fields)
    expect(means(world, veteran)).toEqual([1 / 79])
    expect(() => means(world, newcomer)).toThrow(/action `a`.*"level":1/)
  })

  it.each([
    ['a field that nobody has', { intercept: 0, weights: { age: 1 } }, /weighs `age`/],
    ['a number for an enum', { intercept: 0, weights: { platform: 1 } }, /`platform`.*does not fit/],
    ['a vector that is too short', { intercept: 0, weights: { taste: [1, 2] } }, /`taste`.*does not fit/],
    ['an expression that does not type-check', 'ctx.platform + 1.0', /expression for action `a`/],
  ])('are refused for %s', (_, term, message) => {
    expect(() => createWorld({ type: 'linear', noise: 1, means: { a: term } }, fields)).toThrow(message)
  })
})
