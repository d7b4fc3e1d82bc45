import { extname, resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { DATASET_EXPORT_RESULT_SCHEMA } from '../../generated/names.ts'
import type { TablesOptions } from '../../host.ts'
import { groupsOf } from '../../log/tables.ts'
import type { Features } from '../../policy/features.ts'
import { createPolicy } from '../../policy/policy.ts'
import type { DatasetExportResult } from '../../results.ts'
import { exportedColumns, exportRows, MOST_FEATURES } from '../../train/export.ts'
import { datasetExportText } from '../../ui/dataset-export.ts'
import { share, timestamp } from '../arguments.ts'
import { displayPath, openRepository, requireResource, requireValid } from '../opening/repository.ts'
import { openDataset } from '../reading/dataset.ts'
import { declareTablesOptions, tablesOptions, watched } from '../reading/tables-options.ts'

interface Options {
  readonly dataset: string | undefined
  readonly policy?: string
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

export const datasetExportCommand = defineCommand<Options, DatasetExportResult>({
  declare(command) {
    command
      .argument('[dataset]', 'name of a Dataset; may be left out when there is only one')
      .option('--policy <name>', 'the Policy whose rows they are; may be left out when there is only one')
      .option('--features', 'with what its learner sees of each, as a list of 32-bit numbers')
      .option('-o, --out <file>', 'the Parquet file to write')
      .option('--until <time>', 'leave out decisions whose wait was not over then; default: now', timestamp('--until'))
      .option(
        '--holdout <share>',
        'leave out the units that `dap train --holdout` holds out; default: 0',
        share('--holdout'),
      )
    declareTablesOptions(command).addHelpText(
      'after',
      "\nThe rows are those that `dap train` learns, in their order: eligible decisions of the policy's actions, with their\nrewards joined. Columns: decisionId, ts, action, propensity, reward, weight (how many decisions a row stands for), and\nfeatures, whose names are in the file's metadata under the key `dap`, and in --json. The same log gives the same bytes.\n\nexit codes: 0 written, 1 the log has bad rows or does not fit the policy, 3 usage",
    )
  },

  async options([dataset], flags, host) {
    const { out, ...given } = flags as Partial<Pick<Options, 'policy' | 'features' | 'out' | 'until' | 'holdout'>>
    if (out === undefined)
      throw new UsageError('nothing says which file is to be written', { hint: '--out FILE.parquet' })
    return { features: false, holdout: 0, ...given, out, dataset, tables: await tablesOptions(flags, host) }
  },

  async run(options, host, report) {
    const opened = await openRepository(host)
    const resource = requireResource(opened, 'Policy', options.policy)
    requireValid(opened, [resource.file])
    const { name, spec, digest } = resource
    const path = resolve(host.cwd, options.out)
    if (await host.files.isFolder(path)) {
      throw new UsageError(`\`${options.out}\` is a folder`, { hint: '--out takes the name of the file' })
    }
    const names = options.features ? featuresOf(createPolicy(name, spec, digest).features, name, spec) : []
    const until = options.until ?? host.now()
    const dataset = await openDataset(host, opened, options.dataset, { until, reward: spec.reward })
    if (options.until !== undefined && dataset.join?.wait === undefined) {
      throw new UsageError(`--until leaves out decisions whose wait is not over, and \`${dataset.name}\` has none`, {
        hint: 'say `reward.wait` in the Dataset',
      })
    }
    if ([...dataset.paths, ...(dataset.rewards?.paths ?? [])].includes(path)) {
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

    const columns = exportedColumns(names.length)
    const about = {
      dataset: { name: dataset.name, digest: dataset.digest },
      policy: { name, digest },
      features: names,
    }
    const writer = await host.writeTable(path, columns, { dap: JSON.stringify(about) }, options.tables)
    try {
      const { rows, heldOut, dropped, learntFrom, notes } = await exportRows(
        { policy: resource, dataset, weights: 'none', heldOut: groupsOf(options.holdout) },
        await host.tables({ ...options.tables, ...watched(report) }),
        writer,
        names.length,
        done => report({ type: 'progress', unit: 'rows', done }),
        host.signal,
      )
      await dataset.requireUnchanged()
      const bytes = await writer.finish(host.signal)
      return {
        schema: DATASET_EXPORT_RESULT_SCHEMA,
        policy: name,
        dataset: {
          ...{ name: dataset.name, digest: dataset.digest, rows, heldOut, dropped },
          ...{ from: learntFrom.from, to: learntFrom.to, notes },
        },
        file: { path: displayPath(host.cwd, path), digest: `sha256:${await host.files.digest(path)}`, bytes },
        columns: columns.map(column => column.name),
        features: names,
      }
    } finally {
      writer.discard()
    }
  },

  text: datasetExportText,
  json: result => result,
  exitCode: () => ExitCode.done,
})

/** The names, where there are any and a table can have as many. */
function featuresOf(
  { names, hashing }: Features,
  policy: string,
  { algorithm }: { readonly algorithm: { readonly learner: { readonly type: string } } },
): readonly string[] {
  if (names.length === 0) {
    throw new DapError(
      `policy \`${policy}\` has no features: its learner \`${algorithm.learner.type}\` looks at none`,
      {
        hint: 'without --features the decisions are written alone',
      },
    )
  }
  if (hashing !== undefined) {
    throw new DapError(`the features of policy \`${policy}\` are hashes, of which a row has a few among very many`, {
      hint: 'without --features the decisions are written alone; a policy with the learner `linear` has columns',
    })
  }
  if (names.length <= MOST_FEATURES) return names
  throw new DapError(
    `policy \`${policy}\` has ${names.length} features, more than the ${MOST_FEATURES} that a row can have`,
    {
      hint: 'without --features the decisions are written alone',
    },
  )
}
