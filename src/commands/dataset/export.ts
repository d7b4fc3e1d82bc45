import { extname, resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { DATASET_EXPORT_RESULT_SCHEMA, EXPORTED_FEATURES_SCHEMA } from '../../generated/names.ts'
import type { TablesOptions } from '../../host.ts'
import type { FeatureSpec, ModelInput, PolicySpec } from '../../kinds.ts'
import { groupsOf } from '../../log/tables.ts'
import { learnerOf } from '../../policy/algorithm.ts'
import { defaultFeatures, isHash } from '../../policy/features.ts'
import { featuresDigest } from '../../policy/features-digest.ts'
import { isList } from '../../policy/lists/slots.ts'
import { seesActions } from '../../policy/model-outputs.ts'
import type { Resource } from '../../repo/resource.ts'
import { inputRules } from '../../repo/rules/features.ts'
import type { DatasetExportResult, ExportedFeatures, ExportedInput } from '../../results.ts'
import { exportedColumns, exportedInputs, exportRows } from '../../train/export.ts'
import type { TrainingPlan } from '../../train/train.ts'
import { datasetExportText } from '../../ui/dataset-export.ts'
import { share, timestamp } from '../arguments.ts'
import { displayPath, type Opened, openRepository, requireResource, requireValid } from '../opening/repository.ts'
import { openDataset } from '../reading/dataset.ts'
import { declareTablesOptions, tablesOptions, watched } from '../reading/tables-options.ts'

interface Options {
  readonly dataset: string | undefined
  readonly policy?: string
  readonly model?: string
  readonly features: boolean
  readonly out: string
  /** Milliseconds since 1970. */
  readonly until?: number
  /** Share of the units. */
  readonly holdout: number
  readonly tables: TablesOptions
}

/** How the file's name may end. */
const EXTENSIONS: readonly string[] = ['', '.parquet', '.pq']

/** More features a row are no table. */
const MOST_FEATURES = 10_000

export const datasetExportCommand = defineCommand<Options, DatasetExportResult>({
  declare(command) {
    command
      .argument('[dataset]', 'name of a Dataset; may be left out when there is only one')
      .option('--policy <name>', 'the Policy whose rows they are; may be left out when there is only one')
      .option('--features', 'with what goes into its Model of each, or would go into a first one: its own features')
      .option('--model <name>', 'with what goes into this Model of each, whether or not the policy asks it')
      .option('-o, --out <file>', 'the Parquet file to write')
      .option('--until <time>', 'leave out decisions whose wait was not over then; default: now', timestamp('--until'))
      .option(
        '--holdout <share>',
        'leave out the units that `dap train --holdout` holds out; default: 0',
        share('--holdout'),
      )
    declareTablesOptions(command).addHelpText(
      'after',
      "\nThe rows are those that `dap train` learns, in their order: eligible decisions of the policy's actions, with their\nrewards joined. Columns: decisionId, ts, action, propensity, reward, weight (how many decisions a row stands for), and\na list for each input of a model. What the lists are is in FILE.features.json, and in the file's metadata under the key\n`dap`. The same log gives the same bytes.\n\nexit codes: 0 written, 1 the log has bad rows or does not fit the policy, 3 usage",
    )
  },

  async options([dataset], flags, host) {
    const { out, ...given } = flags as Partial<
      Pick<Options, 'policy' | 'model' | 'features' | 'out' | 'until' | 'holdout'>
    >
    if (out === undefined)
      throw new UsageError('nothing says which file is to be written', { hint: '--out FILE.parquet' })
    return {
      features: given.model !== undefined,
      holdout: 0,
      ...given,
      out,
      dataset,
      tables: await tablesOptions(flags, host),
    }
  },

  async run(options, host, report) {
    const opened = await openRepository(host)
    const resource = policyOf(opened, options)
    requireValid(opened, [resource.file])
    const { name, spec, digest } = resource
    const path = resolve(host.cwd, options.out)
    if (await host.files.isFolder(path)) {
      throw new UsageError(`\`${options.out}\` is a folder`, { hint: '--out takes the name of the file' })
    }
    const { inputs, model, policy } = wantedOf(opened, resource, options)
    const until = options.until ?? host.now()
    const dataset = await openDataset(host, opened, options.dataset, { until, reward: spec.reward })
    if (options.until !== undefined && dataset.join?.wait === undefined) {
      throw new UsageError(`--until leaves out decisions whose wait is not over, and \`${dataset.name}\` has none`, {
        hint: 'say `reward.wait` in the Dataset',
      })
    }
    const read = [...dataset.paths, ...(dataset.rewards?.paths ?? [])]
    if (read.includes(path)) {
      throw new UsageError(`\`${options.out}\` is a file of Dataset \`${dataset.name}\``, {
        hint: 'write to another one',
      })
    }
    const extension = extname(options.out)
    if (!EXTENSIONS.includes(extension.toLowerCase())) {
      throw new UsageError(`what is written is Parquet, and \`${options.out}\` ends in \`${extension}\``, {
        hint: `--out ${options.out.slice(0, options.out.length - extension.length)}.parquet`,
      })
    }

    const columns = exportedColumns(inputs)
    const about: Omit<ExportedFeatures, 'rows'> = {
      schema: EXPORTED_FEATURES_SCHEMA,
      digest: featuresDigest(
        inputs,
        inputs.map(({ components }) => ({ names: components })),
      ),
      inputs,
      policy: { name, digest },
      dataset: { name: dataset.name, digest: `sha256:${dataset.digest}` },
    }
    const beside = `${path.slice(0, path.length - extension.length)}.features.json`
    const writer = await host.writeTable(path, columns, { dap: JSON.stringify(about) }, options.tables)
    try {
      const { rows, heldOut, dropped, learntFrom, notes } = await exportRows(
        { policy, dataset, weights: 'none', heldOut: groupsOf(options.holdout) },
        await host.tables({ ...options.tables, ...watched(report) }),
        writer,
        inputs,
        done => report({ type: 'progress', unit: 'rows', done }),
        host.signal,
      )
      await dataset.requireUnchanged()
      const bytes = await writer.finish(host.signal)
      if (options.features) await host.files.write(beside, `${JSON.stringify({ ...about, rows }, null, 2)}\n`)
      return {
        schema: DATASET_EXPORT_RESULT_SCHEMA,
        policy: name,
        dataset: {
          ...{ name: dataset.name, digest: dataset.digest, rows, heldOut, dropped },
          ...{ from: learntFrom.from, to: learntFrom.to, notes: [...notes, ...alike(inputs)] },
        },
        file: { path: displayPath(host.cwd, path), digest: `sha256:${await host.files.digest(path)}`, bytes },
        columns: columns.map(column => column.name),
        ...(options.features
          ? { features: { path: displayPath(host.cwd, beside), digest: about.digest, inputs, model } }
          : {}),
      }
    } finally {
      writer.discard()
    }
  },

  text: datasetExportText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** Rows that no action tells apart. */
const alike = (inputs: readonly ExportedInput[]): readonly string[] =>
  inputs.length === 0 || seesActions({ inputs })
    ? []
    : ['nothing of the features differs between actions: a model of them scores all alike, or has an output for each']

/** What goes into a model, of whom, and whose decisions are its rows. */
interface Wanted {
  /** None where no features are asked for. */
  readonly inputs: readonly ExportedInput[]
  /** The Model that says so; undefined where the policy's own features do. */
  readonly model?: string
  /** What learns, or looks on. */
  readonly policy: TrainingPlan['policy']
}

function wantedOf(opened: Opened, policy: Resource<'Policy'>, { features, model }: Options): Wanted {
  if (!features) return { inputs: [], policy }
  const { name, spec } = policy
  if (isList(spec)) {
    throw new DapError(`policy \`${name}\` decides lists, whose rewards are of slots, and no input of a model is`, {
      hint: 'without --features the decisions are written alone',
    })
  }
  if (model === undefined && spec.scorer === undefined) {
    return {
      inputs: measured(spec, name, [{ name: OWN_INPUT, dtype: 'float32', features: ownFeatures(policy) }]),
      policy,
    }
  }
  const { name: named, inputs } =
    model === undefined ? spec.scorer! : { name: model, inputs: requireResource(opened, 'Model', model).spec.inputs }
  for (const input of inputs) {
    for (const { message, hint, severity } of inputRules(spec, input.features)) {
      if (severity === 'warning') continue
      throw new DapError(
        `input \`${input.name}\` of the Model \`${named}\` cannot be made by policy \`${name}\`: ${message}`,
        {
          hint: hint ?? '--policy names another policy',
        },
      )
    }
  }
  // What the policy itself learns of these rows is nothing to the Model.
  const looksOn = { ...spec, algorithm: { learner: { type: 'uniform' as const } } }
  return { inputs: measured(spec, name, inputs), model: named, policy: { ...policy, spec: looksOn } }
}

/** What a policy's own features are called as an input of a model that does not exist yet. */
const OWN_INPUT = 'x'

/** Those that a policy lists, or that its learner looks at. */
function ownFeatures({ name, spec }: Resource<'Policy'>): readonly FeatureSpec[] {
  const { context, features, algorithm } = spec
  const { learner } = algorithm
  const looks = learnerOf(learner).features?.(learner)
  const own = features ?? (looks === undefined ? [] : defaultFeatures(context))
  if (looks?.hashed === true || own.some(isHash)) {
    throw new DapError(`the features of policy \`${name}\` are hashes, of which a row has a few among very many`, {
      hint: 'a Model says what goes into it: name it by --model; without --features the decisions are written alone',
    })
  }
  if (own.length > 0) return own
  throw new DapError(`policy \`${name}\` has no features: its learner \`${learner.type}\` looks at none`, {
    hint: 'list `features` in the policy, or name a Model by --model; without --features the decisions are written alone',
  })
}

/** The inputs, where a table can have as many numbers. */
function measured(spec: PolicySpec, policy: string, inputs: readonly ModelInput[]): readonly ExportedInput[] {
  const exported = exportedInputs(spec, inputs)
  const numbers = exported.reduce((sum, { components }) => sum + components.length, 0)
  if (numbers <= MOST_FEATURES) return exported
  throw new DapError(
    `policy \`${policy}\` has ${numbers} features, more than the ${MOST_FEATURES} that a row can have`,
    {
      hint: 'without --features the decisions are written alone',
    },
  )
}

/** The policy whose decisions are wanted: where none is named, the one that asks the Model. */
function policyOf(opened: Opened, { policy, model }: Options): Resource<'Policy'> {
  const asking = opened.repository.all('Policy').filter(({ spec }) => spec.scorer?.name === model)
  const one = policy === undefined && model !== undefined && asking.length === 1
  return one ? asking[0] : requireResource(opened, 'Policy', policy)
}
