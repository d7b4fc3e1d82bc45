/** `dap` alone. */
import { defineCommand } from '../../command.ts'
import { evidenceCommand } from '../../deploy/wanted/evidence.ts'
import { ExitCode } from '../../errors.ts'
import { HERE_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { KINDS, type Kind } from '../../kinds.ts'
import type { Repository } from '../../repo/resource.ts'
import type { HereResult, NextCommand } from '../../results.ts'
import { hereText } from '../../ui/here.ts'
import { plural } from '../../ui/numbers.ts'
import { isRecorded } from '../evidence/evidence.ts'
import { findRoot, type Opened, openRepository } from '../opening/repository.ts'
import { faultsOf } from '../opening/rules.ts'

interface Found {
  readonly result: HereResult
  readonly cwd: string
}

export const hereCommand = defineCommand<undefined, Found>({
  declare: command => void command,
  options: () => undefined,

  async run(_, host) {
    const { cwd } = host
    const root = await findRoot(host)
    const branch = await host.branch(cwd)
    if (root === undefined) {
      const next = [{ command: 'dap init shop --template bandit', why: 'make a repository in the folder `shop`' }]
      const nothing = { root: null, project: null, branch, kinds: [], errors: 0, warnings: 0, next }
      return { result: { schema: HERE_RESULT_SCHEMA, ...nothing }, cwd }
    }
    const opened = await openRepository(host, root)
    const { repository } = opened
    const diagnostics = await faultsOf(host, opened)
    const errors = diagnostics.filter(({ severity }) => severity === 'error').length
    const counts = countsOf(repository)
    const result: HereResult = {
      schema: HERE_RESULT_SCHEMA,
      root,
      project: repository.all('Project')[0]?.name ?? null,
      branch,
      kinds: [...counts].map(([kind, count]) => ({ kind, count })),
      errors,
      warnings: diagnostics.length - errors,
      next:
        errors > 0 ? [{ command: 'dap validate', why: `show ${plural(errors, 'error')}` }] : await nextOf(host, opened),
    }
    return { result, cwd }
  },

  text: ({ result, cwd }, context) => hereText(result, cwd, context),
  json: ({ result }) => result,
  exitCode: () => ExitCode.done,
})

function countsOf({ resources, misshapen }: Repository): Map<Kind, number> {
  const all = [...resources, ...misshapen].map(({ kind }) => kind)
  const counted = KINDS.map(kind => [kind, all.filter(each => each === kind).length] as const)
  return new Map(counted.filter(([kind, count]) => kind !== 'Project' && count > 0))
}

/** Of a repository without errors: the first thing that has not been done yet, from a policy to a deployment. */
async function nextOf(host: Host, { root, repository }: Opened): Promise<NextCommand[]> {
  const [policies, scenarios, evaluations, deployments] = (
    ['Policy', 'Scenario', 'Evaluation', 'Deployment'] as const
  ).map(kind => repository.all(kind).map(({ name }) => name))
  if (policies.length === 0) return [{ command: 'dap new policy offer', why: 'add a first policy, valid at once' }]
  if (scenarios.length === 0)
    return [{ command: 'dap new scenario week', why: 'add a simulated world to try policies in' }]
  const asked = [
    ...scenarios.map(name => ({ kind: 'scenario', name }) as const),
    ...evaluations.map(name => ({ kind: 'evaluation', name }) as const),
  ]
  for (const { kind, name } of asked) {
    if (await isRecorded(host, root, { kind, name })) continue
    const why =
      kind === 'scenario'
        ? 'play the policies, and keep the result'
        : 'judge the policies on the log, and keep the result'
    return [{ command: evidenceCommand(kind, name), why }]
  }
  const serve = { command: 'dap serve', why: 'answer decisions on this machine' }
  if (deployments.length === 0) return [serve]
  const environments = repository.all('Deployment').map(({ spec }) => spec.environment)
  const environment = environments.find(each => each === 'local') ?? environments[0]
  return [{ command: `dap plan --env ${environment}`, why: 'see what a deploy would do' }, serve]
}
