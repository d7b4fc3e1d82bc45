import type { CsvSpec, DatasetSpec, MappingSpec } from '../../kinds.ts'
import type { Fault, Path } from '../fault.ts'
import type { Lookup, Resource } from '../resource.ts'
import { list } from '../schema.ts'
import { filePath, semantic } from './common.ts'

export function* datasetRules({ spec }: Resource<'Dataset'>, repository: Lookup): Generator<Fault> {
  const { files, format, mapping, rewards, csv, actions, reward } = spec
  for (const [i, file] of files.entries()) yield* filePath(file, ['spec', 'files', i], repository)
  for (const [i, file] of (rewards?.files ?? []).entries()) {
    yield* filePath(file, ['spec', 'rewards', 'files', i], repository)
  }
  if (csv !== undefined) yield* csvRules(csv, format, ['spec', 'csv'])
  if (rewards?.csv !== undefined) yield* csvRules(rewards.csv, rewards.format ?? format, ['spec', 'rewards', 'csv'])
  if (format === 'dap') yield* ownLogRules(spec)
  else if (mapping === undefined) {
    const hint = 'it names the columns of `action`, `propensity` and `reward` at least'
    yield semantic(['spec', 'format'], `the format \`${format}\` needs a \`mapping\``, hint)
  } else yield* mappedLogRules(spec, mapping)
  if (actions !== undefined && 'range' in actions && actions.range[0] > actions.range[1]) {
    yield semantic(
      ['spec', 'actions', 'range'],
      `the range ${actions.range.join(' to ')} is not ascending`,
      `write \`range: [${actions.range.toReversed().join(', ')}]\``,
    )
  }
  if (reward.minimum! >= reward.maximum!) {
    yield semantic(
      ['spec', 'reward', 'minimum'],
      `\`minimum\` ${reward.minimum} is not less than \`maximum\` ${reward.maximum}`,
      'swap them, or correct one of them',
    )
  }
  if (reward.cap! <= reward.minimum!) {
    yield semantic(
      ['spec', 'reward', 'cap'],
      `\`cap\` ${reward.cap} is not more than \`minimum\` ${reward.minimum}`,
      'take out `cap`, or correct one of them',
    )
  }
  if (reward.cap! > reward.maximum!) {
    const hint = 'no reward is above `maximum`: take out `cap`, or correct one of them'
    yield semantic(['spec', 'reward', 'cap'], `\`cap\` ${reward.cap} is more than \`maximum\` ${reward.maximum}`, hint)
  }
}

/** A fault of a key that should not be there, or not with that of another. */
function key(path: Path, message: string, hint: string): Fault {
  return { ...semantic(path, message, hint), on: 'key' }
}

/** What dap writes says all by itself. */
function* ownLogRules({ mapping, rewards, propensity }: DatasetSpec): Generator<Fault> {
  if (mapping !== undefined) {
    yield key(
      ['spec', 'mapping'],
      'the format `dap` names its fields itself: it takes no `mapping`',
      'take out `mapping`',
    )
  }
  if (rewards !== undefined) {
    const hint = 'name the files of its rewards among `files`'
    yield key(['spec', 'rewards'], 'the format `dap` has records of rewards: it takes no `rewards`', hint)
  }
  if (propensity === 'unknown') {
    yield key(
      ['spec', 'propensity'],
      'the format `dap` logs its propensities: they cannot be unknown',
      'take out `propensity`',
    )
  }
}

function* mappedLogRules(spec: DatasetSpec, mapping: MappingSpec): Generator<Fault> {
  if (spec.policies !== undefined) {
    const hint = 'take out `policies`, and name files of those decisions alone'
    yield key(['spec', 'policies'], 'a mapped log does not say which policy decided: it takes no `policies`', hint)
  }
  const at = (name: keyof MappingSpec): Path => ['spec', 'mapping', name]
  yield* propensityRules(spec, mapping, at)
  yield* rewardRules(spec, mapping, at)
  yield* joinRules(spec, mapping)
}

function* propensityRules(
  { propensity: known, actions }: DatasetSpec,
  mapping: MappingSpec,
  at: (name: keyof MappingSpec) => Path,
): Generator<Fault> {
  const { propensity, propensities, eligible, logProbability, dropProbability } = mapping
  if (known === 'unknown') {
    for (const name of ['propensity', 'propensities'] as const) {
      if (mapping[name] === undefined) continue
      const hint = `take out \`${name}\`, or \`propensity: unknown\``
      yield key(at(name), `\`propensity: unknown\` says that the log has none, but \`${name}\` names them`, hint)
    }
  } else if (propensity === undefined) {
    const hint = 'if the log has none: `propensity: unknown` beside `mapping`, for which `dm` is the only estimator'
    yield key(['spec', 'mapping'], 'no column of the `propensity` is named', hint)
  }
  if (propensities !== undefined && eligible === undefined && actions === undefined) {
    const hint = 'name the column of the lists of ids at `eligible`, or list the actions at `spec.actions`'
    yield key(at('propensities'), '`propensities` are in the order of actions that nothing says', hint)
  }
  if (logProbability !== undefined && dropProbability !== undefined) {
    const message = '`logProbability` and `dropProbability` say the same, 1 minus each other: only one can be meant'
    yield key(at('dropProbability'), message, 'take one of them out')
  }
  if (propensity !== COOKED) return
  for (const name of ['logProbability', 'dropProbability'] as const) {
    if (mapping[name] === undefined) continue
    const hint = 'name the propensity itself: `propensity: p[0]`'
    yield key(at(name), `\`${COOKED}\` has it in already: it would count twice`, hint)
  }
}

/** Vowpal Wabbit's probability · (1 − pdrop). */
const COOKED = '_label_probability'

function* rewardRules(
  { rewards, reward }: DatasetSpec,
  mapping: MappingSpec,
  at: (name: keyof MappingSpec) => Path,
): Generator<Fault> {
  const given = (['reward', 'cost'] as const).filter(name => mapping[name] !== undefined)
  if (rewards === undefined && given.length === 0) {
    const hint = '`mapping.reward` or `mapping.cost`, or `rewards` for files of their own'
    yield key(['spec', 'mapping'], 'nothing says where the rewards are', hint)
  }
  if (rewards === undefined && given.length === 2) {
    const message = 'a cost is the negative of a reward: only one of `reward` and `cost` can be meant'
    yield key(at('cost'), message, 'take one of them out')
  }
  if (rewards !== undefined) {
    for (const name of given) {
      const hint = `take out \`mapping.${name}\`, or \`rewards\``
      yield key(at(name), `the rewards are in files of their own, but \`${name}\` names a column`, hint)
    }
  }
  if (mapping.rewardId === undefined) return
  if (rewards !== undefined) {
    const hint = 'name their ids at `rewards.mapping.rewardId`'
    yield key(at('rewardId'), 'the rewards are in files of their own, but `rewardId` names a column', hint)
  } else if (mapping.decisionId === undefined || reward.aggregate === undefined) {
    const message = '`rewardId` tells rewards of one decision apart that `reward.aggregate` brings together'
    yield key(at('rewardId'), message, 'say `mapping.decisionId` and `reward.aggregate`, too')
  }
}

/** How rewards find their decisions: by which columns. */
function* joinRules({ rewards, reward }: DatasetSpec, mapping: MappingSpec): Generator<Fault> {
  const at = (name: keyof DatasetSpec['reward']): Path => ['spec', 'reward', name]
  if (reward.name !== undefined) {
    const hint = 'name the column of the one that is meant'
    yield key(at('name'), 'rewards have names in the format `dap` alone', hint)
  }
  if (rewards !== undefined && mapping.decisionId === undefined) {
    const hint = 'name the column of the id at `mapping.decisionId`'
    yield key(['spec', 'rewards'], '`rewards` join the decisions by an id that the mapping does not name', hint)
  }
  if (rewards !== undefined && (mapping.slot === undefined) !== (rewards.mapping.slot === undefined)) {
    const [has, lacks] = mapping.slot === undefined ? ['rewards', 'decisions'] : ['decisions', 'rewards']
    const hint = `name the column of the slot of the ${lacks}, or take out that of the ${has}`
    yield key(['spec', 'rewards', 'mapping'], `the ${has} have a \`slot\` and the ${lacks} have none`, hint)
  }
  if (reward.aggregate !== undefined && rewards === undefined && mapping.decisionId === undefined) {
    const hint = 'name the column of the id at `mapping.decisionId`'
    yield key(at('aggregate'), '`aggregate` brings rows of one decision together, and no id says which', hint)
  }
  if (reward.aggregate === 'max' && mapping.cost !== undefined) {
    const hint = 'bring the costs of a decision together before they are read, or declare another `aggregate`'
    yield semantic(at('aggregate'), '`max` cannot be had of costs: the greatest reward is the least cost', hint)
  }
  if (reward.wait === undefined) return
  const missing = [
    ...(mapping.ts === undefined ? ['mapping.ts'] : []),
    ...(rewards !== undefined && rewards.mapping.ts === undefined ? ['rewards.mapping.ts'] : []),
  ]
  if (missing.length > 0) {
    yield key(at('wait'), '`wait` is a time after the decision', `name the columns of times: ${list(missing)}`)
  }
}

function* csvRules(csv: CsvSpec, format: DatasetSpec['format'], path: Path): Generator<Fault> {
  if (format !== 'csv') {
    yield key(
      path,
      `\`csv\` says how CSV is written, but the format is \`${format}\``,
      'take out `csv`, or write `format: csv`',
    )
    return
  }
  for (const [first, second] of APART) {
    const character = csv[first]
    if (character === undefined || character === '' || character !== csv[second]) continue
    const hint = (first === 'decimal' ? DECIMAL_HINT[character] : undefined) ?? 'write another character at one of them'
    yield semantic([...path, first], `\`${first}\` and \`${second}\` cannot both be \`${character}\``, hint)
  }
  if (!isTimeZone(csv.timeZone)) {
    yield semantic(
      [...path, 'timeZone'],
      `there is no time zone \`${csv.timeZone}\``,
      'for example `Europe/Berlin`, or `UTC`',
    )
  }
}

/** Characters that would each be taken for the other; a quote and what escapes it may be one. */
const APART = [
  ['decimal', 'delimiter'],
  ['decimal', 'quote'],
  ['quote', 'delimiter'],
  ['escape', 'delimiter'],
  ['comment', 'delimiter'],
  ['comment', 'quote'],
] as const satisfies readonly (readonly [keyof CsvSpec, keyof CsvSpec])[]

const DECIMAL_HINT: Readonly<Record<string, string>> = {
  ',': 'where the decimal sign is a comma, fields are mostly set apart by `delimiter: ";"`',
  '.': 'give the `delimiter`, or `decimal: ","`',
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
