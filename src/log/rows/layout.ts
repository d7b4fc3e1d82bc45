import { DapError } from '../../errors.ts'
import type { DatasetSpec } from '../../kinds.ts'
import type { Policy } from '../../policy/policy.ts'
import { isOffered } from '../../policy/pool.ts'
import type { UnitKind } from '../../policy/snapshot-format.ts'
import {
  columnHint,
  type OneRow,
  type RewardJoin,
  type RowPart,
  type TableSource,
  type Tables,
  type UnitColumn,
} from '../tables.ts'
import type { DatasetActions } from './actions.ts'
import { propensitiesReader } from './eligible.ts'
import { type KeptColumn, type LogLayout, namedColumns, type RewardLayout } from './log-columns.ts'
import type { JoinPlan } from './reward-join.ts'
import type { Requests, RowReader } from './row-reader.ts'

/** A Dataset with everything it names already resolved. */
export interface OpenDataset extends DatasetActions {
  readonly name: string
  /** Absolute paths of the files that `spec.files` comes to, in their order. */
  readonly paths: readonly string[]
  /** Messages name files relative to this folder where they are in it; absolute. */
  readonly root?: string
  /** Column → its value for each of `paths`, of folders called `key=value`. */
  readonly partitions?: ReadonlyMap<string, readonly string[]>
  /** The same of the files of `spec.rewards`. */
  readonly rewards?: Pick<OpenDataset, 'paths' | 'partitions'>
  /** Do requests bring the actions of the policy that `spec.actions` names? */
  readonly offered?: boolean
  /** The most slots that a decision of the policy that `spec.actions` names has, where its decisions are lists. */
  readonly slots?: number
  /** How rewards join; default: they are summed, and a reward that is not there is 0 in a `dap` log, in others a fault. */
  readonly join?: JoinPlan
}

/**
 * The files of a Dataset and how their lines become decisions; `part`: some of the rows alone; `also`: columns that are used though the
 * Dataset does not name them, so that the rows of one decision must agree in them, too.
 */
export function logSource(
  { spec, paths, root, partitions, rewards, join }: OpenDataset,
  part?: RowPart,
  also: readonly string[] = [],
): TableSource {
  const { format, csv, mapping } = spec
  const { default: _, ...how } = join ?? {}
  const once = onceOf(spec, also)
  const named = namedColumns(spec.mapping)
  const own: RewardJoin['rewards'] = spec.rewards &&
    rewards && {
      ...spec.rewards.mapping,
      source: {
        format: spec.rewards.format ?? format,
        csv: spec.rewards.csv ?? ((spec.rewards.format ?? format) === format ? csv : undefined),
        root,
        named: Object.values(spec.rewards.mapping),
        ...rewards,
      },
    }
  const ts = format === 'dap' ? undefined : mapping?.ts
  const joins = own !== undefined || Object.keys(how).length > 0
  return {
    format,
    paths,
    root,
    csv,
    named,
    partitions,
    part,
    once,
    policies: spec.policies,
    join: joins ? { ...how, ts, rewards: own } : undefined,
  }
}

/** A log whose columns are known: what to read, and where in it is what. */
export interface OpenLog {
  readonly source: TableSource
  readonly columns: LogColumns
}

/**
 * Opens the log of a Dataset for whoever asks what these policies do on it; `needed`: columns that are used besides theirs and the
 * Dataset's. Throws a DapError for files that cannot be used, or have no such columns.
 */
export async function openLog(
  tables: Pick<Tables, 'columns'>,
  dataset: OpenDataset,
  policies: readonly Pick<Policy, 'spec'>[],
  { part, needed = [] }: { readonly part?: RowPart; readonly needed?: readonly string[] } = {},
): Promise<OpenLog> {
  const { spec } = dataset
  const contexts = contextNames(spec, policies)
  const known = await tables.columns(logSource(dataset), [...namedColumns(spec.mapping), ...contexts, ...needed])
  const columns = logColumns(dataset, known, requireOffered(dataset, policies))
  const also = contexts.filter(name => known.includes(name))
  return { source: logSource(dataset, part, also), columns }
}

/** Did requests bring the actions of the log? Those who are asked about it must all agree. */
function requireOffered(
  { name, spec, offered = false }: OpenDataset,
  policies: readonly Pick<Policy, 'spec'>[],
): boolean {
  const those = policies.map(policy => isOffered(policy.spec.actions))
  if (!offered && !those.includes(true)) return false
  if (those.includes(false) || (spec.actions !== undefined && !offered)) {
    throw new DapError(
      `the actions of Dataset \`${name}\` are the requests' own for one policy, and a list for another`,
      {
        hint: 'a policy whose actions are listed, and one whose requests bring them, cannot be judged on one log',
      },
    )
  }
  if (spec.format === 'dap') return true
  throw new DapError(`a log of format ${spec.format} does not say which actions requests brought`, {
    hint: 'read the decision log of dap itself, `format: dap`',
  })
}

/** Which rows of a mapped log are one decision. */
function onceOf({ mapping, rewards, format }: DatasetSpec, also: readonly string[]): OneRow | undefined {
  if (format === 'dap' || mapping?.decisionId === undefined) return undefined
  const { decisionId, slot, context, reward, cost, rewardId, ...same } = mapping
  const columns = [...Object.values(same), ...Object.values(context), ...also]
  return {
    decisionId,
    slot,
    same: [...new Set(columns)].filter(
      column => column !== undefined && ![decisionId, slot, reward, cost, rewardId].includes(column),
    ),
    ...(rewards === undefined ? { reward: reward ?? cost, rewardId } : {}),
  }
}

/** Fields of these policies' contexts that the Dataset does not map: columns of their own names are read. */
function contextNames({ mapping }: DatasetSpec, policies: readonly Pick<Policy, 'spec'>[]): string[] {
  const names = policies.flatMap(({ spec }) => Object.keys(spec.context))
  return [...new Set(names)].filter(name => mapping?.context[name] === undefined)
}

/** Names of the log's columns, found and checked. */
export interface LogColumns {
  readonly action: string
  /** Undefined: the log has none. */
  readonly propensity: string | undefined
  readonly reward: RewardLayout
  readonly kept: KeptColumn | undefined
  readonly slot: string | undefined
  readonly unit: string | undefined
  readonly decisionId: string | undefined
  readonly ts: string | undefined
  /** JSON lists of the ids that could be chosen; their propensities, read and checked. */
  readonly eligible: string | undefined
  readonly propensities: RowReader<Float64Array> | undefined
  /** Only in logs of decisions: who served, and the whole context as JSON. */
  readonly decision:
    | {
        readonly servedBy: string
        readonly context: string
        /** What was known of the action that was taken, as JSON. */
        readonly actionFeatures: string
        /** The slots of a list and how they were drawn, as JSON; null of a decision for one action. */
        readonly list: string
        /** The ids of the actions that could be chosen, as JSON, in the order of the propensities. */
        readonly eligible: string
        /** The digest of the Model that was asked and what it said, as JSON; null of a decision that asked none. */
        readonly model: string
      }
    | undefined
  /** The actions that each request brought, as JSON; their places among the eligible ones are then the actions of the log. */
  readonly offered: string | undefined
  /** The column that a name of a specification stands for: `slot`, or a column's own name. Throws a DapError if there is none. */
  resolve(name: string): string
  /** The column of a context field, if the log has one. */
  contextColumn(field: string): string | undefined
}

/** `known` are the names of the columns that the files have. */
export function logColumns(
  { spec, join }: Pick<OpenDataset, 'spec' | 'join'>,
  known: readonly string[],
  offered = false,
): LogColumns {
  return spec.format === 'dap' ? decisionColumns(spec, join, known, offered) : mappedColumns(spec, join, known)
}

function decisionColumns(
  spec: DatasetSpec,
  join: JoinPlan | undefined,
  known: readonly string[],
  offered: boolean,
): LogColumns {
  return {
    action: offered ? 'place' : 'action',
    propensity: 'propensity',
    reward: {
      request: { column: 'reward', type: 'reward' },
      name: 'reward',
      cost: false,
      default: join?.default ?? spec.reward.default ?? 0,
      cap: spec.reward.cap,
    },
    kept: { column: 'logProbability', type: 'logProbability' },
    slot: undefined,
    unit: 'unit',
    decisionId: 'decisionId',
    ts: 'ts',
    eligible: offered ? 'places' : 'eligible',
    propensities: propensitiesReader('propensities'),
    decision: {
      servedBy: 'servedBy',
      context: 'context',
      actionFeatures: 'actionFeatures',
      list: 'list',
      eligible: 'eligible',
      model: 'model',
    },
    offered: offered ? 'offered' : undefined,
    resolve: name => (known.includes(name) ? name : `context.${name}`),
    contextColumn: field => `context.${field}`,
  }
}

function mappedColumns(spec: DatasetSpec, join: JoinPlan | undefined, known: readonly string[]): LogColumns {
  const { mapping } = spec
  if (mapping === undefined) throw new DapError(`a Dataset of format ${spec.format} needs \`spec.mapping\``)
  const names = new Set(known)
  // A path into a column, `c.User.name` or `o[0].v`, is for whoever reads it to follow.
  const has = (column: string) =>
    names.has(column) ||
    known.some(name => name !== '' && column.startsWith(name) && '.['.includes(column[name.length]))
  function required(column: string, role: string): string {
    if (has(column)) return column
    throw new DapError(`the log has no column \`${column}\` (${role})`, {
      hint: columnHint(column, known, namedColumns(mapping)),
    })
  }
  const optional = (role: 'slot' | 'unit' | 'decisionId' | 'ts' | 'eligible' | 'propensities' | 'logProbability') => {
    const column = mapping[role]
    return column === undefined ? undefined : required(column, `mapping.${role}`)
  }
  const propensities = optional('propensities')
  return {
    action: required(mapping.action, 'mapping.action'),
    propensity: propensityOf(),
    reward: rewardOf(),
    kept: keptOf(),
    slot: optional('slot'),
    unit: optional('unit'),
    decisionId: optional('decisionId'),
    ts: optional('ts'),
    eligible: optional('eligible'),
    propensities: propensities === undefined ? undefined : propensitiesReader(propensities),
    decision: undefined,
    offered: undefined,
    resolve(name) {
      if (name === 'slot' && mapping.slot !== undefined) return mapping.slot
      return required(name, 'named by the Evaluation')
    },
    contextColumn(field) {
      const mapped = mapping.context[field]
      if (mapped !== undefined) return required(mapped, `mapping.context.${field}`)
      return names.has(field) ? field : undefined
    },
  }

  function propensityOf(): string | undefined {
    if (spec.propensity === 'unknown') return undefined
    if (mapping?.propensity !== undefined) return required(mapping.propensity, 'mapping.propensity')
    throw new DapError('the Dataset needs `spec.mapping.propensity`', {
      hint: '`spec.propensity: unknown` says that the log has none',
    })
  }

  function rewardOf(): RewardLayout {
    const { cap } = spec.reward
    const absent = join?.default ?? spec.reward.default
    if (spec.rewards !== undefined) {
      const name = spec.rewards.mapping.reward
      return { request: { column: name, type: 'reward' }, name, cost: false, default: absent, cap }
    }
    const cost = mapping?.cost !== undefined
    const name = mapping?.cost ?? mapping?.reward
    if (name === undefined) throw new DapError('the Dataset needs `spec.mapping.reward` or `spec.mapping.cost`')
    const column = required(name, cost ? 'mapping.cost' : 'mapping.reward')
    if (cost && join?.aggregate === 'max') {
      throw new DapError('`spec.reward.aggregate: max` cannot be had of costs: the greatest reward is the least cost', {
        hint: 'bring the costs of a decision together before they are read',
      })
    }
    const type = mapping?.decisionId === undefined ? 'number' : 'reward'
    return { request: { column, type }, name, cost, default: absent, cap }
  }

  function keptOf(): KeptColumn | undefined {
    const logProbability = optional('logProbability')
    if (logProbability !== undefined) return { column: logProbability, type: 'logProbability' }
    if (mapping?.dropProbability === undefined) return undefined
    return { column: required(mapping.dropProbability, 'mapping.dropProbability'), type: 'dropProbability' }
  }
}

/** By which column the rows of a log are told apart into units: their own, or where there is none, the decision's id. */
export function unitColumn({ unit, decisionId }: LogColumns): UnitColumn | undefined {
  const [column, otherwise] = [unit, decisionId].filter(name => name !== undefined)
  if (column === undefined) return undefined
  return otherwise === undefined ? { column } : { column, otherwise }
}

/** What that column is; without one, rows are told apart by their numbers. */
export function unitKind({ unit, decisionId }: LogColumns): UnitKind {
  return unit !== undefined ? 'unit' : decisionId !== undefined ? 'decision' : 'row'
}

/**
 * The layout of a log of which `requests` are read besides. In a mapped log, lists of propensities are read in any case, so that
 * the same rows are bad whatever is made of the log; the records of a `dap` log have been checked before.
 */
export function logLayout(source: TableSource, columns: LogColumns, requests: Requests): LogLayout {
  const { action, propensity, reward, kept, eligible, propensities, decision } = columns
  if (decision === undefined && propensities !== undefined) requests.add(propensities)
  const servedBy = decision?.servedBy
  return { source, action, propensity, reward, kept, eligible, servedBy, columns: requests.list }
}
