import type { ClickSpec, PolicySpec, WorldSpec } from '../../kinds.ts'
import { isList } from '../../policy/lists/slots.ts'
import { fieldsOfActions, listed } from '../../policy/pool.ts'
import { clickModelOf } from '../../simulate/clicks/clicks.ts'
import { clickOf, WORLDS } from '../../simulate/worlds/worlds.ts'
import type { Fault } from '../fault.ts'
import { semantic } from './common.ts'

interface Played {
  readonly name: string
  /** Its place in `spec.policies`. */
  readonly at: number
  readonly spec: PolicySpec
}

/** Lists are played where it is said how people click in them. */
export function* clickRules(world: WorldSpec, played: readonly Played[]): Generator<Fault> {
  const click = clickOf(world)
  if (click !== undefined) yield* modelRules(click, played)
  else {
    for (const { name, at, spec } of played) {
      if (!isList(spec)) continue
      const message = `\`${name}\` decides lists, and the world does not say how people click in them`
      yield semantic(['spec', 'policies', at], message, listHint(world))
    }
  }
}

function listHint({ type }: WorldSpec): string {
  const able = WORLDS.filter(({ options }) => 'click' in options).map(world => world.type)
  const add = 'add a click model to the world, such as `click: { type: pbm, examination: [1, 0.6, 0.4] }`'
  return able.includes(type) ? add : `play it in a ${able.join(' or ')} world, with a click model`
}

function* modelRules(click: ClickSpec, played: readonly Played[]): Generator<Fault> {
  const path = ['spec', 'world', 'click']
  for (const { option, message, hint } of clickModelOf(click).misfits?.(click) ?? [])
    yield semantic([...path, option], message, hint)
  if (played.length === 0) {
    const hint = 'name a policy in `policies`: baselines make lists of as many slots as the first one'
    yield semantic(path, 'nobody says how many slots a list has', hint)
  }
  if (click.type !== 'list-wise') return
  for (const { name, spec } of played) {
    const { actions } = spec
    if (Object.hasOwn(fieldsOfActions(actions), click.same)) continue
    const lacking = listed(actions).find(({ features = {} }) => !Object.hasOwn(features, click.same))
    const whose = lacking === undefined ? `the actions of \`${name}\`` : `the action \`${lacking.id}\` of \`${name}\``
    const message = `nothing says what \`${click.same}\` is of ${whose}`
    yield semantic([...path, 'same'], message, `name a feature that all actions have, or add \`${click.same}\` to them`)
    return
  }
}
