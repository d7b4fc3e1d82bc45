import { resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import type { Plan } from '../../deploy/wanted/plan.ts'
import { readPlan } from '../../deploy/wanted/plan-file.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { planText } from '../../ui/plan.ts'
import { planMarkdown } from '../../ui/plan-markdown.ts'
import { readJson } from '../opening/policies.ts'
import { planExitCode } from '../plan.ts'

const FORMATS = ['text', 'json', 'markdown'] as const

interface Options {
  readonly file: string
  readonly format: (typeof FORMATS)[number]
  readonly exitCode: boolean
}

interface Shown extends Options {
  readonly plan: Plan
}

export const planShowCommand = defineCommand<Options, Shown>({
  declare: command =>
    command
      .argument('<file>', 'what `dap plan --out` wrote')
      .option(
        '--format <format>',
        'text, json or markdown, the comment of a pull request; default: text; not with --json',
      )
      .option('--exit-code', 'end with 2 where there is something to do')
      .addHelpText(
        'after',
        '\nAsks no cloud and no repository, and shows stale plans, too.\n\nexit codes: 0 shown, 1 it is no plan, 2 something to do (--exit-code), 3 usage',
      ),

  options([file], { format = 'text', exitCode }) {
    const known = FORMATS.find(each => each === format)
    if (known === undefined) throw new UsageError(`no format \`${format}\``, { hint: `one of ${FORMATS.join(', ')}` })
    return { file, format: known, exitCode: exitCode === true }
  },

  run: async (options, host) => ({ ...options, plan: await loadPlan(host, options.file) }),

  text({ plan, format }, context) {
    if (format === 'json') return JSON.stringify(plan, null, 2)
    return format === 'markdown' ? planMarkdown(plan) : planText(plan, context)
  },
  verbatim: ({ format }) => format !== 'text',
  json: ({ plan }) => plan,
  exitCode: ({ plan, exitCode }) => (exitCode ? planExitCode(plan) : ExitCode.done),
})

/** The plan of a file; a DapError where it is none. */
export async function loadPlan(host: Host, path: string): Promise<Plan> {
  const read = readPlan(await readJson(host, resolve(host.cwd, path)))
  if ('plan' in read) return read.plan
  throw new DapError(`\`${path}\` is no plan: ${read.faults.join('; ')}`, {
    hint: '`dap plan --out plan.json` writes one',
  })
}
