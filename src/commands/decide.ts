import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import { DapError, ExitCode, UsageError } from '../errors.ts'
import { DECIDE_RESULT_SCHEMA } from '../generated/names.ts'
import type { Host } from '../host.ts'
import type { ReplayResult } from '../log/records/replay.ts'
import { decide } from '../policy/decide.ts'
import { type DecideResult, explain } from '../policy/explanation.ts'
import type { Policy } from '../policy/policy.ts'
import { isOffered, isSet, type Pool } from '../policy/pool.ts'
import { decideText, replayText } from '../ui/decide.ts'
import { timestamp } from './arguments.ts'
import { replayLog } from './decide/replay.ts'
import { createModelShelf } from './opening/model-shelf.ts'
import { loadPolicy, usualSnapshot } from './opening/policies.ts'
import { dataFile, type Opened, openRepository, requireResource } from './opening/repository.ts'

type Options =
  | {
      readonly policy: string | undefined
      readonly context: unknown
      readonly actions: unknown
      readonly exclude: readonly string[] | undefined
      /** Milliseconds since 1970; absent: now. */
      readonly at: number | undefined
      readonly id: string | undefined
      readonly snapshot: string | undefined
      readonly migrate: boolean
      readonly explain: boolean
    }
  | {
      readonly replay: readonly string[]
      readonly policy: string | undefined
      readonly id: string | undefined
      readonly snapshot: string | undefined
    }

type Result = DecideResult | ReplayResult

export const decideCommand = defineCommand<Options, Result>({
  declare: command =>
    command
      .argument('[policy]', 'name of a Policy; may be left out when there is only one')
      .option('--context <json>', 'the context, as JSON, or @FILE with it (@-: stdin)')
      .option(
        '--actions <json>',
        'what can be chosen, where requests bring the actions: a JSON list, or @FILE with it (@-: stdin)',
      )
      .option('--exclude <ids...>', 'actions that must not be taken, whoever chooses')
      .option(
        '--at <time>',
        'when it is decided, which the dates of an ActionSet are about; default: now',
        timestamp('--at'),
      )
      .option('--id <id>', 'the decision id, which the draw depends on; default: a new one')
      .option('--snapshot <file>', 'what has been learnt; default: snapshots/POLICY.json, if there is one')
      .option('--migrate', 'take a snapshot whose actions have changed since')
      .option('--explain', 'say why: rules, values, probabilities before and after the floor, the draw')
      .option('--replay <files...>', 'recompute logged decisions (files or folders): the one named by --id, or all')
      .addHelpText(
        'after',
        '\nNothing is logged. --replay looks for the snapshot that a record names in snapshots/, bundles/ and --snapshot,\nand compares bit for bit.\n\nexit codes: 0 decided, or everything comes out the same; 1 the context does not fit, or something does not; 3 usage',
      ),

  async options([policy], flags, host) {
    const path = (name: string) => (flags[name] === undefined ? undefined : resolve(host.cwd, flags[name] as string))
    const shared = { policy, id: flags['id'] as string | undefined, snapshot: path('snapshot') }
    const replay = flags['replay'] as readonly string[] | undefined
    if (replay !== undefined) {
      const wrong = ['context', 'actions', 'exclude', 'at', 'explain', 'migrate'].find(
        name => flags[name] !== undefined,
      )
      if (wrong !== undefined) throw new UsageError(`--${wrong} makes no sense with --replay`)
      return { ...shared, replay: replay.map(file => resolve(host.cwd, file)) }
    }
    if (flags['context'] === undefined) {
      throw new UsageError('--context is missing', { hint: '--context \'{"level": 30}\', or --context @FILE' })
    }
    if (flags['context'] === STDIN && flags['actions'] === STDIN) {
      throw new UsageError('--context and --actions cannot both be read from stdin', {
        hint: 'give one of them as @FILE',
      })
    }
    return {
      ...shared,
      context: await readJson(host, flags['context'] as string, '--context', '{"level": 30}'),
      actions:
        flags['actions'] === undefined
          ? undefined
          : await readJson(host, flags['actions'] as string, '--actions', '[{"id": "level-7"}]'),
      exclude: flags['exclude'] as readonly string[] | undefined,
      at: flags['at'] as number | undefined,
      migrate: flags['migrate'] === true,
      explain: flags['explain'] === true,
    }
  },

  async run(options, host, report) {
    const opened = await openRepository(host)
    if ('replay' in options) return replayLog(host, opened, options, report)
    const { name, spec } = requireResource(opened, 'Policy', options.policy)
    if (options.at !== undefined && !isSet(spec.actions)) {
      throw new UsageError(
        `--at is a time that the dates of an ActionSet are about, and policy \`${name}\` has no set`,
        {
          hint: 'take out --at',
        },
      )
    }
    const snapshot = options.snapshot ?? (await usualSnapshot(host, opened, name))
    const served = await loadPolicy(host, opened, name, { snapshot, migrate: options.migrate })
    const { context, actions, exclude, at = host.now() } = options
    const pool = served.policy.offer({ actions, exclude, at })
    if ('faults' in pool) {
      const faults = pool.faults.map(({ pointer, message }) => `\`${pointer}\` ${message}`)
      throw new DapError(`the actions do not fit policy \`${name}\`:\n  ${faults.join('\n  ')}`, {
        hint: offerHint(served.policy),
      })
    }
    const asked = await askedOnce(host, opened, served.policy, context, pool)
    const decision = decide(served.policy, { decisionId: options.id ?? randomUUID(), context, pool: asked })
    if ('faults' in decision) {
      const faults = decision.faults.map(({ pointer, message }) => `\`${pointer || '/'}\` ${message}`)
      const fields = Object.keys(served.policy.spec.context)
      throw new DapError(`the context does not fit policy \`${name}\`:\n  ${faults.join('\n  ')}`, {
        hint: `its fields are ${fields.join(', ') || 'none'}`,
      })
    }
    return {
      schema: DECIDE_RESULT_SCHEMA,
      ...decision,
      policy: { ...decision.policy, snapshot: served.snapshot },
      ...(options.explain ? { explanation: explain(served.policy, decision, asked) } : {}),
    }
  },

  text: (result, context) => ('replayed' in result ? replayText(result, context) : decideText(result, context)),
  json: result => result,
  exitCode: result => ('replayed' in result && !result.passed ? ExitCode.no : ExitCode.done),
})

/** The pool of one decision with what the policy's Model says, where it has one; a context that does not fit is for the decision to refuse. */
async function askedOnce(host: Host, opened: Opened, policy: Policy, context: unknown, pool: Pool): Promise<Pool> {
  const checked = policy.context(context)
  if (policy.spec.scorer === undefined || 'faults' in checked) return pool
  const model = await createModelShelf(host).open(policy, file => dataFile(host, opened, file))
  const asked = await model?.ask(checked.context, pool, Number.POSITIVE_INFINITY)
  await model?.close()
  return asked?.pool ?? pool
}

/** What to write at --actions. */
function offerHint({ spec: { actions } }: Policy): string {
  if (!isOffered(actions)) return 'take out --actions'
  const features = Object.keys(actions.features)
  return `--actions takes a list of {"id": …, "features": {…}}; the features are ${features.join(', ') || 'none'}`
}

/** In place of a file. */
const STDIN = '@-'

async function readJson(host: Host, given: string, option: string, example: string): Promise<unknown> {
  const text =
    given === STDIN
      ? await host.input()
      : given.startsWith('@')
        ? await host.files.read(resolve(host.cwd, given.slice(1)))
        : given
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`${option} is not JSON: ${(cause as Error).message}`, {
      hint: `quote it for the shell: ${option} '${example}'`,
    })
  }
}
