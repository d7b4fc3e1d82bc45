import { resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import type { Plan } from '../../deploy/wanted/plan.ts'
import { readPlan } from '../../deploy/wanted/plan-file.ts'
import { DapError, ExitCode } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { planText } from '../../ui/plan.ts'
import { planMarkdown } from '../../ui/plan-markdown.ts'
import { planReport } from '../../ui/plan-report.ts'
import { readJson } from '../opening/policies.ts'
import { planExitCode } from '../plan.ts'

interface Options {
  readonly file: string
  readonly exitCode: boolean
}

interface Shown extends Options {
  /** What the file's path is relative to. */
  readonly folder: string
  readonly plan: Plan
}

export const planShowCommand = defineCommand<Options, Shown>({
  declare: command =>
    command
      .argument('<file>', 'what `dap plan --out` wrote')
      .option('--exit-code', 'end with 2 where there is something to do')
      .addHelpText(
        'after',
        '\nAsks no cloud and no repository, and shows stale plans, too.\n\nexit codes: 0 shown, 1 it is no plan, 2 something to do (--exit-code), 3 usage',
      ),

  options: ([file], { exitCode }) => ({ file, exitCode: exitCode === true }),

  run: async (options, host) => ({ ...options, folder: host.cwd, plan: await loadPlan(host, options.file) }),

  text: ({ plan }, context) => planText(plan, context),
  json: ({ plan }) => plan,
  exitCode: ({ plan, exitCode }) => (exitCode ? planExitCode(plan) : ExitCode.done),
  report: ({ plan, file, folder }) => planReport(plan, folder, () => file),
  markdown: ({ plan }) => planMarkdown(plan),
})

/** The plan of a file; a DapError where it is none. */
export async function loadPlan(host: Host, path: string): Promise<Plan> {
  const read = readPlan(await readJson(host, resolve(host.cwd, path)))
  if ('plan' in read) return read.plan
  throw new DapError(`\`${path}\` is no plan: ${read.faults.join('; ')}`, {
    hint: '`dap plan --out plan.json` writes one',
  })
}
