import { resolve } from 'node:path'
import { defineCommand, type ProgressEvent } from '../command.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { evaluate } from '../evaluate/evaluate.ts'
import type { EvaluationPlan } from '../evaluate/evaluation-plan.ts'
import { TRAINING_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host, TablesOptions } from '../host.ts'
import { groupsOf } from '../log/tables.ts'
import { LEARNERS, learnerOf } from '../policy/algorithm.ts'
import type { LearnerState } from '../policy/learner.ts'
import { isList } from '../policy/lists/slots.ts'
import { type SnapshotData, snapshotDigest, snapshotText, takeSnapshot } from '../policy/snapshot.ts'
import type { Resource } from '../repo/resource.ts'
import type { TrainingResult } from '../results.ts'
import type { Fold, Weights } from '../train/fold.ts'
import { type Training, train } from '../train/train.ts'
import { trainingText } from '../ui/train.ts'
import { oneOf, share, timestamp, wholeNumber } from './arguments.ts'
import { createRuntimes } from './opening/model-shelf.ts'
import { type LoadedPolicy, loadPolicy, publishSnapshot, snapshotPath } from './opening/policies.ts'
import { displayPath, type Opened, openRepository, requireResource, requireValid } from './opening/repository.ts'
import { openDataset } from './reading/dataset.ts'
import { declareTablesOptions, tablesOptions, watched } from './reading/tables-options.ts'

interface Options {
  readonly policy: string | undefined
  readonly dataset?: string
  /** Milliseconds since 1970. */
  readonly until?: number
  readonly out?: string
  readonly against?: string
  readonly start?: string
  readonly weights: Weights
  /** Share of the units. */
  readonly holdout: number
  readonly workers?: number
  readonly tables: TablesOptions
}

export const trainCommand = defineCommand<Options, TrainingResult>({
  declare(command) {
    command
      .argument('[policy]', 'name of a Policy; may be left out when there is only one')
      .option('--dataset <name>', 'the Dataset to learn from; may be left out when there is only one')
      .option(
        '--until <time>',
        'leave out decisions whose wait was not over then; default: now. What a learner forgets is counted from then',
        timestamp('--until'),
      )
      .option(
        '--out <file>',
        'where the snapshot goes; default: snapshots/POLICY.json, and snapshots/POLICY/DIGEST.json for replay',
      )
      .option('--against <file>', 'the snapshot to compare with; default: the one that is replaced')
      .option('--start <file>', 'the snapshot where a fit in passes starts; default: from nothing')
      .option(
        '--weights <how>',
        'what a row counts: none (1, the default) or inverse-propensity (1/propensity)',
        oneOf<Weights>('--weights', ['none', 'inverse-propensity']),
      )
      .option('--holdout <share>', 'of the units, not learnt but judged on; default: 0.2', share('--holdout'))
      .option('--workers <n>', 'threads to learn in; default: as many as are of use', wholeNumber('workers', 1))
    declareTablesOptions(command).addHelpText(
      'after',
      '\nThe same log gives the same snapshot, byte for byte, from any number of workers. The same units are held out\nevery time, and the snapshot says which, so that `dap evaluate` judges it, and this command compares it with the old\none, on units that neither has learnt. The snapshot is written\neven if it is not worth more: `dap evaluate`, with gates, is what stops a deployment.\n\nexit codes: 0 done, 1 the log has bad rows or does not fit the policy, 3 usage',
    )
  },

  options: async ([policy], flags, host) => ({
    weights: 'none',
    holdout: 0.2,
    ...(flags as Pick<Options, 'dataset' | 'until' | 'out' | 'against' | 'start' | 'workers'>),
    policy,
    tables: await tablesOptions(flags, host),
  }),

  async run(options, host, report) {
    const opened = await openRepository(host)
    const resource = requireResource(opened, 'Policy', options.policy)
    requireValid(opened, [resource.file])
    const { name, spec } = resource
    const until = options.until ?? host.now()
    const dataset = await openDataset(host, opened, options.dataset, { until, reward: spec.reward })
    if (options.until !== undefined && dataset.join?.wait === undefined) {
      throw new UsageError(`--until leaves out decisions whose wait is not over, and \`${dataset.name}\` has none`, {
        hint: 'say `reward.wait` in the Dataset',
      })
    }
    const path = options.out === undefined ? snapshotPath(opened, name) : resolve(host.cwd, options.out)
    const start = await startOf(host, opened, resource, options.start)
    const old = await oldPolicy(host, opened, name, options.against, path)

    const tables = await host.tables({ ...options.tables, ...watched(report) })
    const heldOut = groupsOf(options.holdout)
    // Where contexts are learnt from, a row is much work.
    const threads = learnerOf(spec.algorithm.learner).features === undefined ? 1 : host.cores
    const training = await train(
      { policy: resource, dataset, weights: options.weights, heldOut, until: options.until, start: start?.state },
      tables,
      await foldOf(host, options.workers ?? threads),
      progress(report),
      host.signal,
    )
    const { rows, learntFrom } = training
    // Now is no part of what was learnt where it left nothing out: the same log makes the same bytes.
    const dated = options.until !== undefined || training.waiting > 0
    const { name: source, digest } = dataset
    const data: SnapshotData = {
      ...{ dataset: source, digest, rows, ...learntFrom },
      ...(dated ? { until: new Date(until).toISOString() } : {}),
    }
    const notes = [...training.notes, ...old.notes]
    const incomparable = old.loaded && incomparability(old.loaded.learntFrom ?? null, data)
    if (incomparable !== undefined) notes.push(notCompared(incomparable))
    const compared = incomparable === undefined ? old.loaded : undefined
    const runtimes = createRuntimes(host, opened)
    const judging = { ...estimation(name, dataset, training, data, compared), openRuntime: runtimes.open }
    const estimates =
      training.heldOut === 0
        ? null
        : await evaluate(judging, tables, progress(report), host.signal).finally(runtimes.close)

    await dataset.requireUnchanged()
    const snapshot = takeSnapshot(training.policy, { dap: host.version, data })
    if (options.out === undefined) await publishSnapshot(host, opened.root, name, snapshot)
    else await host.files.write(path, snapshotText(snapshot))
    return {
      schema: TRAINING_RESULT_SCHEMA,
      policy: name,
      snapshot: { path: displayPath(host.cwd, path), digest: snapshotDigest(snapshot) },
      weights: options.weights,
      dataset: {
        name: dataset.name,
        digest: dataset.digest,
        rows,
        heldOut: training.heldOut,
        dropped: training.dropped,
        from: learntFrom.from,
        to: learntFrom.to,
        notes,
      },
      learnt: training.learnt,
      ...(training.fit === undefined ? {} : { fit: { ...training.fit, start: start?.digest ?? null } }),
      ...(training.hashing === undefined ? {} : { hashing: training.hashing }),
      estimates,
    }
  },

  text: trainingText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** Where the fit starts, of a learner that passes over the rows; undefined where that is nowhere. */
async function startOf(
  host: Host,
  opened: Opened,
  { name, spec }: Resource<'Policy'>,
  file: string | undefined,
): Promise<{ readonly state: LearnerState; readonly digest: string | null } | undefined> {
  if (file === undefined) return undefined
  const { type, passes } = learnerOf(spec.algorithm.learner)
  if (passes === undefined) {
    const fitted = LEARNERS.filter(each => each.passes !== undefined).map(each => `\`${each.type}\``)
    throw new UsageError(`--start is where a fit in passes starts, and \`${type}\` is made of sums`, {
      hint: `take it out; it is for ${fitted.join(' and ')}`,
    })
  }
  const { policy, snapshot } = await loadPolicy(host, opened, name, { snapshot: resolve(host.cwd, file) })
  return { state: policy.learner.state(), digest: snapshot }
}

/** What the snapshot is compared with: the one that was asked for must load, the one that is replaced may be unfit by now. */
async function oldPolicy(
  host: Host,
  opened: Opened,
  name: string,
  against: string | undefined,
  replaced: string,
): Promise<{ readonly loaded?: LoadedPolicy; readonly notes: readonly string[] }> {
  if (against !== undefined) {
    return { loaded: await loadPolicy(host, opened, name, { snapshot: resolve(host.cwd, against) }), notes: [] }
  }
  if (!(await host.files.exists(replaced))) return { notes: [] }
  try {
    return { loaded: await loadPolicy(host, opened, name, { snapshot: replaced }), notes: [] }
  } catch (error) {
    if (!(error instanceof DapError)) throw error
    return { notes: [notCompared(error.message)] }
  }
}

const notCompared = (why: string): string => `not compared with the snapshot that was there: ${why}`

/** Why there are no units that neither the old snapshot nor the new one has learnt, as far as they say it; undefined where there may be. */
function incomparability(old: SnapshotData | null, { heldOut, from = '' }: SnapshotData): string | undefined {
  if (old?.heldOut === undefined) return 'what it learnt from is not known'
  if (old.to !== undefined && old.to < from) return undefined
  if (old.heldOut.groups === 0) return 'it held nothing out, so there are no units that neither has learnt'
  return old.heldOut.by === heldOut?.by
    ? undefined
    : `it held out groups of ${old.heldOut.by}s, and the new one of ${heldOut?.by}s`
}

/** How the new policy is judged: on the units that it has not learnt, beside the old one and what the log's earned. */
function estimation(
  name: string,
  dataset: EvaluationPlan['dataset'],
  { policy, heldOutPart }: Training,
  learntFrom: SnapshotData,
  old: LoadedPolicy | undefined,
): EvaluationPlan {
  return {
    name,
    dataset: { ...dataset, part: heldOutPart },
    spec: {
      dataset: dataset.name,
      candidates: [
        { name: 'new', policy: name },
        ...(old === undefined ? [] : [{ name: 'old', policy: name }]),
        { name: 'logging', logging: true },
      ],
      estimators: estimatorsFor(policy, dataset),
      rewardModel: {
        type: 'tabular',
        by: isList(policy.spec) ? ['action', 'slot'] : ['action'],
        prior: 10,
        crossFit: { folds: 2 },
      },
      interval: { method: 'cressie-read', level: 0.95 },
      gates: [],
    },
    policies: new Map([['new', policy], ...(old === undefined ? [] : [['old', old.policy] as const])]),
    learntFrom: new Map([
      ['new', learntFrom],
      ...(old?.learntFrom === undefined ? [] : [['old', old.learntFrom] as const]),
    ]),
    tables: new Map(),
  }
}

/** Lists have estimators of their own. */
function estimatorsFor(
  { spec }: Training['policy'],
  dataset: EvaluationPlan['dataset'],
): EvaluationPlan['spec']['estimators'] {
  if (isList(spec)) return ['snsips', 'cascade-dr', 'snrips']
  return dataset.spec.propensity === 'unknown' ? ['dm'] : ['ips', 'snips', 'dr']
}

/** Threads pay where a row is much work: reading the log, all that other learners wait for, is done here. */
async function foldOf(host: Host, workers: number): Promise<Fold | undefined> {
  return workers > 1 ? host.foldInWorkers?.(workers) : undefined
}

const progress = (report: (event: ProgressEvent) => void) => (rows: number) =>
  report({ type: 'progress', unit: 'rows', done: rows })
