import { DapError } from '../../errors.ts'
import type { WorldSpec } from '../../kinds.ts'
import { normal, uniformInt } from '../../math/distributions.ts'
import { exp } from '../../math/elementary.ts'
import { type Rng, stream } from '../../math/rng.ts'
import { compileContextRule } from '../../policy/cel.ts'
import type { Values } from '../../policy/feature-block.ts'
import { OF_ACTION } from '../../policy/features.ts'
import type { Context } from '../../policy/policy.ts'
import type { Pool } from '../../policy/pool.ts'
import { contextSampler } from '../population.ts'
import type { WorldDefinition } from '../world.ts'
import { binaryReward, CLICK } from './options.ts'

type Spec = Extract<WorldSpec, { type: 'catalogue' }>

const EVERY = { type: 'integer', minimum: 1, maximum: 1_000_000_000, examples: [1000] } as const

/**
 * Many items, of which each request brings a few, or those of a set, which are always the same. What they bring in a context is a logit: a term that is the same in every replication, and
 * effects that each replication draws anew, one number for each combination of values, as a random table of a generalised linear mixed model.
 */
export const catalogue: WorldDefinition<Spec> = {
  type: 'catalogue',
  order: 35,
  description:
    'Items of each request, out of many, or those of a set; reward = 1 with probability 1 / (1 + e^−logit), else 0.',
  options: {
    items: {
      type: 'integer',
      description: 'How many there are at a time; not of a set.',
      minimum: 1,
      maximum: 100_000,
      default: 200,
      examples: [200],
    },
    offered: {
      type: 'integer',
      description: 'How many of them a request brings, each as likely as any other; not of a set.',
      minimum: 1,
      maximum: 500,
      default: 10,
      examples: [10],
    },
    features: {
      type: 'object',
      description: 'Feature of an item → what its values are drawn from; not of a set, whose file says them.',
      propertyNames: { pattern: '^(?!(?:__proto__|id)$)[A-Za-z_][A-Za-z0-9_]{0,63}$' },
      additionalProperties: { $ref: '#/$defs/DistributionSpec' },
      maxProperties: 200,
      default: {},
      examples: [{ genre: { categorical: { puzzle: 0.5, card: 0.3, arcade: 0.2 } } }],
    },
    logit: {
      description: 'Log-odds of a reward before effects: a number, or a CEL expression over `ctx` and `action`.',
      oneOf: [{ type: 'number' }, { type: 'string', minLength: 1, maxLength: 2000 }],
      default: 0,
      examples: [-2.2, 'action.genre == ctx.taste ? -1.0 : -3.0'],
    },
    effects: {
      type: 'array',
      description:
        'Numbers that are added: one for each combination of values of these fields, drawn from N(0, sd²) in each replication.',
      items: {
        type: 'object',
        description: 'One table of numbers.',
        properties: {
          of: {
            type: 'array',
            description: 'Fields of the context, and `action.FIELD` or `action.id`, that have a table together.',
            items: { type: 'string', pattern: '^(action\\.)?(?!__proto__$)[A-Za-z_][A-Za-z0-9_]{0,63}$' },
            minItems: 1,
            maxItems: 4,
            uniqueItems: true,
            examples: [['platform', 'action.genre']],
          },
          sd: { type: 'number', description: 'Standard deviation of its numbers.', minimum: 0, examples: [0.7] },
        },
        required: ['of', 'sd'],
        additionalProperties: false,
      },
      maxItems: 100,
      default: [],
      examples: [[{ of: ['action.id'], sd: 0.35 }]],
    },
    renewal: {
      type: 'object',
      description: 'Items that are replaced by new ones; default: they stay. Not of a set.',
      properties: {
        every: { ...EVERY, description: 'After so many decisions, again and again.' },
        share: {
          type: 'number',
          description: 'The probability of each item to be replaced.',
          exclusiveMinimum: 0,
          maximum: 1,
          examples: [0.05],
        },
      },
      required: ['every', 'share'],
      additionalProperties: false,
      examples: [{ every: 1000, share: 0.05 }],
    },
    drift: {
      type: 'object',
      description: 'Effects that change; default: they stay.',
      properties: {
        every: { ...EVERY, description: 'After so many decisions, again and again.' },
        by: {
          type: 'number',
          description:
            'By how much, b: each number v becomes √(1 − b²) · v + b · N(0, sd²), so that effects stay as large as they are.',
          exclusiveMinimum: 0,
          maximum: 1,
          examples: [0.2],
        },
      },
      required: ['every', 'by'],
      additionalProperties: false,
      examples: [{ every: 1000, by: 0.2 }],
    },
    click: CLICK,
  },
  rewards: 'unit',
  create(spec, fields, offered, set) {
    const { items: count, offered: perRequest, features, logit, renewal, drift } = spec
    const known = { id: { type: 'string' } as const, ...offered }
    const draw = contextSampler(features, set === undefined ? offered : {}, new Set(), 'world.features')
    const base = typeof logit === 'number' ? () => logit : compileLogit(logit)
    const effects = spec.effects.map(({ of, sd }, e) => createEffect(e, of, sd))
    let key: { readonly seed: number; readonly replication: number } = { seed: 0, replication: 0 }
    let rng = stream(0)
    let renewing = stream(0)
    let made = 0
    let round = 0
    /** Of effects: how often they have changed. */
    let epoch = 0
    const items: Values[] = []
    const order = Int32Array.from({ length: count }, (_, i) => i)

    function compileLogit(expr: string) {
      const rule = compileContextRule(expr, fields, 'double', known)
      if (!('fault' in rule)) return rule.run
      throw new DapError(`the world's logit is wrong: ${rule.fault.message}`, { hint: rule.fault.hint })
    }

    function newItem(): Values {
      const number = made++
      const item = draw.blank()
      draw.fill(item, number, stream(key.seed, 'world', key.replication, 'item', number))
      return { ...item, id: `item-${number}` }
    }

    /** A table: its numbers are drawn when they are first met, each from a stream of its own. */
    function createEffect(e: number, of: readonly string[], sd: number) {
      const ofAction = of.map(name => (name.startsWith(OF_ACTION) ? name.slice(OF_ACTION.length) : undefined))
      const table = new Map<string, { value: number; epoch: number; readonly rng: Rng }>()
      return {
        clear: () => table.clear(),
        value(context: Context, action: Values): number {
          let text = ''
          for (let i = 0; i < of.length; i++) {
            const name = ofAction[i]
            text += `${name === undefined ? context[of[i]] : action[name]}\u0000`
          }
          let met = table.get(text)
          if (met === undefined) {
            const rng = stream(key.seed, 'world', key.replication, 'effect', e, text)
            met = { value: sd * normal(rng), epoch: 0, rng }
            table.set(text, met)
          }
          for (; met.epoch < epoch; met.epoch++) {
            const by = drift?.by ?? 0
            met.value = Math.sqrt(1 - by * by) * met.value + by * sd * normal(met.rng)
          }
          return met.value
        },
      }
    }

    return {
      actions: set?.ids ?? Array.from({ length: perRequest }, (_, i) => String(i)),
      contextual: true,
      offers: {
        start(seed, replication, requests) {
          key = { seed, replication }
          rng = stream(requests, 'world', replication, 'offer')
          renewing = stream(seed, 'world', replication, 'renewal')
          made = round = epoch = 0
          for (const effect of effects) effect.clear()
          for (let i = 0; set === undefined && i < count; i++) {
            items[i] = newItem()
            order[i] = i
          }
        },
        next(): Pool {
          if (round > 0 && renewal !== undefined && round % renewal.every === 0) {
            for (let i = 0; i < count; i++) if (renewing.uniform() < renewal.share) items[i] = newItem()
          }
          if (drift !== undefined) epoch = Math.floor(round / drift.every)
          round++
          if (set !== undefined) return set
          const values: Values[] = []
          for (let i = 0; i < perRequest; i++) {
            const j = i + uniformInt(rng, count - i)
            const chosen = order[j]
            order[j] = order[i]
            order[i] = chosen
            values.push(items[chosen])
          }
          return {
            lasting: false,
            ids: values.map(({ id }) => id as string),
            entries: values.map(({ id, ...features }) => ({ id: id as string, features })),
            values,
          }
        },
      },
      means(context, out, offset, pool) {
        if (pool === undefined) throw new RangeError('a catalogue offers items in every round')
        for (let a = 0; a < pool.values.length; a++) {
          const action = pool.values[a]
          let sum = base(context, action)
          for (const effect of effects) sum += effect.value(context, action)
          if (!Number.isFinite(sum)) {
            throw new DapError(`the world's logit of ${JSON.stringify(action)} is ${sum}`, {
              hint: "keep the world's terms finite for every context and item",
            })
          }
          out[offset + a] = 1 / (1 + exp(-sum))
        }
      },
      chance: rng => rng.uniform(),
      reward: binaryReward,
    }
  },
}
