import { resolve } from 'node:path'
import { defineCommand } from '../../command.ts'
import { didYouMean } from '../../diagnostics.ts'
import { DapError, ExitCode, UsageError } from '../../errors.ts'
import { FAULTS_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { faultsText, type WaitingFault } from '../../ui/emulator.ts'
import { readJson } from '../opening/policies.ts'
import { DEFAULT_PORT } from './options.ts'

const VERBS = { add: 'POST', list: 'GET', clear: 'DELETE' } as const

interface Options {
  readonly what: keyof typeof VERBS
  /** Of `add`: one fault, or several. */
  readonly fault: unknown
}

const EXAMPLE = '{"on": "DeployModel", "fault": "readiness"}'

export const emulatorFaultCommand = defineCommand<Options, { readonly faults: readonly WaitingFault[] }>({
  declare(command) {
    command
      .argument('<what>', 'add, list or clear')
      .argument('[json]', 'of add: a fault as JSON, or a file of one or of a list')
      .addHelpText(
        'after',
        `
Lets calls of the emulator at $DAP_VERTEX_ENDPOINT (default: port ${DEFAULT_PORT} of this machine) go wrong. docs/emulator.md lists the faults.

exit codes: 0 done, 1 no such fault, 3 usage, 5 no emulator there`,
      )
  },

  async options([what, json], _flags, host) {
    if (!(what in VERBS)) {
      const hint = didYouMean(what, Object.keys(VERBS))
      throw new UsageError(`\`${what}\` is none of ${Object.keys(VERBS).join(', ')}`, { hint })
    }
    if ((what === 'add') !== (json !== undefined))
      throw new UsageError(what === 'add' ? 'which fault?' : `\`${what}\` takes nothing more`, {
        hint: `dap emulator fault add '${EXAMPLE}'`,
      })
    return { what: what as Options['what'], fault: json === undefined ? undefined : await faultOf(host, json) }
  },

  async run({ what, fault }, host) {
    await ask(host, VERBS[what], fault)
    return (await ask(host, 'GET')) as { readonly faults: readonly WaitingFault[] }
  },

  text: ({ faults }) => faultsText(faults),
  json: ({ faults }) => ({ schema: FAULTS_RESULT_SCHEMA, faults }),
  exitCode: () => ExitCode.done,
})

async function faultOf(host: Host, text: string): Promise<unknown> {
  if (!/^\s*[[{]/.test(text)) return readJson(host, resolve(host.cwd, text))
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UsageError(`the fault is not JSON: ${(cause as Error).message}`, { hint: EXAMPLE, cause })
  }
}

async function ask(host: Host, method: string, body?: unknown): Promise<unknown> {
  const url = (host.environment('DAP_VERTEX_ENDPOINT') ?? `http://127.0.0.1:${DEFAULT_PORT}`).replace(/\/$/, '')
  let response: Response
  try {
    response = await fetch(`${url}/admin/faults`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (cause) {
    throw new DapError(`no emulator answers at ${url}`, {
      hint: '`dap emulator` starts it',
      exitCode: ExitCode.remote,
      cause,
    })
  }
  const answer = (await response.json().catch(() => ({}))) as { readonly error?: { readonly message?: string } }
  if (response.ok) return answer
  throw new DapError(answer.error?.message ?? `${url} answers ${response.status}: it is no emulator of dap`)
}
