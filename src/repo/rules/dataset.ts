import type { Fault } from '../fault.ts'
import type { Lookup, Resource } from '../repository.ts'
import { filePath, reference, semantic } from './common.ts'

export function* datasetRules({ spec }: Resource<'Dataset'>, repository: Lookup): Generator<Fault> {
  const { files, format, mapping, actions, reward } = spec
  for (const [i, file] of files.entries()) yield* filePath(file, ['spec', 'files', i], repository)
  if (format !== 'dap' && mapping === undefined) {
    const hint = 'it names the columns of `action`, `propensity` and `reward` at least'
    yield { ...semantic(['spec', 'format'], `the format \`${format}\` needs a \`mapping\``, hint) }
  }
  if (format === 'dap' && mapping !== undefined) {
    yield {
      ...semantic(['spec', 'mapping'], 'the format `dap` names its fields itself: it takes no `mapping`'),
      on: 'key',
    }
  }
  if (format !== 'dap') {
    for (const key of ['name', 'wait', 'aggregate', 'default'] as const) {
      if (reward[key] === undefined) continue
      const message = `\`${key}\` says how the rewards of a \`dap\` log join: the format \`${format}\` has them joined`
      yield { ...semantic(['spec', 'reward', key], message), on: 'key' }
    }
  }
  if (actions !== undefined && 'range' in actions && actions.range[0] > actions.range[1]) {
    yield semantic(['spec', 'actions', 'range'], `the range ${actions.range.join(' to ')} is not ascending`)
  }
  if (actions !== undefined && 'policy' in actions) {
    yield* reference('Policy', actions.policy, ['spec', 'actions', 'policy'], repository)
  }
  if (reward.minimum! >= reward.maximum!) {
    yield semantic(
      ['spec', 'reward', 'minimum'],
      `\`minimum\` ${reward.minimum} is not less than \`maximum\` ${reward.maximum}`,
    )
  }
}
