import { relative, resolve } from 'node:path'
import { defineCommand } from '../command.ts'
import type { Plan } from '../deploy/wanted/plan.ts'
import { planFile } from '../deploy/wanted/plan-file.ts'
import { ExitCode } from '../errors.ts'
import { planText } from '../ui/plan.ts'
import { planMarkdown } from '../ui/plan-markdown.ts'
import { planReport } from '../ui/plan-report.ts'
import { declarePlan, type PlanOptions, planOptions } from './deploying/plan-options.ts'
import { planEnvironment } from './deploying/planning.ts'

interface Options extends PlanOptions {
  readonly out?: string
  readonly exitCode: boolean
}

interface Made {
  readonly plan: Plan
  /** The absolute folder that files are relative to. */
  readonly folder: string
  /** Deployment → the file that declares it. */
  readonly files: ReadonlyMap<string, string>
  /** The file that it was written to. */
  readonly written?: string
  readonly exitCode: boolean
}

export const planCommand = defineCommand<Options, Made>({
  declare: command =>
    declarePlan(command)
      .option('--out <file>', 'keep the plan, for `dap deploy FILE` and `dap plan show FILE`')
      .option('--exit-code', 'end with 2 where there is something to do')
      .addHelpText(
        'after',
        '\nCompares Git with the cloud, and changes nothing: by list calls, and a look into the bundle of what is to be replaced.\n\nexit codes: 0 planned, 1 it cannot be applied as it is, 2 something to do (--exit-code), 3 usage, 5 the cloud said no',
      ),

  options: (_, flags) => ({
    ...planOptions(flags),
    ...(flags['out'] === undefined ? {} : { out: flags['out'] as string }),
    exitCode: flags['exitCode'] === true,
  }),

  async run({ out, exitCode, ...options }, host, report) {
    const { plan, deployments, environment } = await planEnvironment(host, options, report)
    const files = new Map(deployments.map(({ resource }) => [resource.name, resource.file]))
    const made = { plan, exitCode, folder: environment.opened.root, files }
    if (out === undefined) return made
    const path = resolve(host.cwd, out)
    await host.files.write(path, planFile(plan))
    return { ...made, written: relative(host.cwd, path) }
  },

  text({ plan, written }, context) {
    const text = planText(plan, context)
    return written === undefined ? text : `${text.trimEnd()}\n\nkept in ${written}: dap deploy ${written}`
  },
  json: ({ plan }) => plan,
  exitCode: ({ plan, exitCode }) => (isBlocked(plan) ? ExitCode.no : exitCode ? planExitCode(plan) : ExitCode.done),
  report: ({ plan, folder, files }) => planReport(plan, folder, deployment => files.get(deployment)),
  markdown: ({ plan }) => planMarkdown(plan),
})

export const isBlocked = ({ deployments, rules = [] }: Plan) =>
  deployments.some(({ blocked }) => blocked.length > 0) || rules.some(({ level }) => level === 'block')

/** 2 where there is something to do or something that somebody else has moved. */
export function planExitCode({ deployments, orphans }: Plan): ExitCode {
  const open = deployments.some(({ changes, drift }) => changes.length > 0 || drift.length > 0)
  return open || orphans.some(({ changes }) => changes.length > 0) ? ExitCode.changes : ExitCode.done
}
