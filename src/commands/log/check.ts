import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { createLogCheck, type FileErrors, type KnownPolicy, type LogCheckResult } from '../../log/check/check.ts'
import { milliseconds } from '../../policy/duration.ts'
import { createPolicy } from '../../policy/policy.ts'
import { logCheckText } from '../../ui/log-check.ts'
import { logReport } from '../../ui/log-report.ts'
import { findRoot, openRepository } from '../opening/repository.ts'
import { LOG_PATHS, readLogs } from '../reading/log-files.ts'

interface Options {
  readonly paths: readonly string[]
}

interface Checked {
  readonly result: LogCheckResult
  /** The absolute folder that files are relative to. */
  readonly folder: string
  readonly files: readonly string[]
  readonly errors: FileErrors
}

export const logCheckCommand = defineCommand<Options, Checked>({
  declare: command =>
    command
      .argument('<paths...>', LOG_PATHS)
      .addHelpText(
        'after',
        '\nEvery record is checked, and nothing is believed: its shape, that the logged probabilities are what the\naction was drawn from, that the draw recomputes, that rewards find their decisions. Inside a repository,\ndecisions of its policies as they are now are also checked against them.\n\nexit codes: 0 no errors (warnings allowed), 1 errors or no valid decision, 3 usage',
      ),

  options: paths => ({ paths }),

  async run({ paths }, host, report) {
    const check = createLogCheck(await knownPolicies(host))
    const files = await readLogs(host, paths, check, report)
    return { result: check.finish(), folder: host.cwd, files, errors: check.errors }
  },

  text: ({ result }, context) => logCheckText(result, context),
  json: ({ result }) => result,
  exitCode: ({ result: { passed } }) => (passed ? ExitCode.done : ExitCode.no),
  report: ({ result, folder, files, errors }) => logReport(result, folder, files, errors),
})

/** The policies of the repository around the working folder, by digest; none where there is no repository. */
async function knownPolicies(host: Host): Promise<Map<string, KnownPolicy>> {
  const root = await findRoot(host)
  if (root === undefined) return new Map()
  const { repository } = await openRepository(host, root)
  return new Map(
    repository.all('Policy').map(({ name, spec, digest }) => {
      const policy = createPolicy(name, spec, digest)
      return [digest, { policy, wait: milliseconds(spec.reward.wait) }]
    }),
  )
}
