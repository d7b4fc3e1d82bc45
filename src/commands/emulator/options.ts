import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import { dapServers } from '../../emulator/plane/model-servers.ts'
import { RpcError } from '../../emulator/ports.ts'
import { TIMING, type Timing } from '../../emulator/vertex/world.ts'
import { type ClientFiles, writeClientFiles } from '../../emulator/wire/client-files.ts'
import { DapError, UsageError } from '../../errors.ts'
import type { Host } from '../../host.ts'
import { wholeNumber } from '../arguments.ts'
import { readJson } from '../opening/policies.ts'

export const DEFAULT_PORT = 8790

export interface EmulatorChoice {
  /** Undefined: a temporary folder. */
  readonly data: string | undefined
  readonly seed: number
  /** Undefined: a deploy takes about a second. */
  readonly stageMs: number | undefined
  /** A file of faults that wait from the start. */
  readonly faults: string | undefined
}

export function declareEmulatorOptions(command: Command): void {
  command
    .option('--data <dir>', 'keep everything here; default: a temporary folder, removed in the end')
    .option('--seed <n>', 'of the draws by traffic split, and of ids; default: 0', wholeNumber('seed', 0))
    .option('--fast', 'operations take no time, the start of a server excepted')
    .option(
      '--stage-ms <n>',
      'ms of each stage of an operation, of which a deploy has seven',
      wholeNumber('stage-ms', 0),
    )
    .option('--faults <file>', 'JSON of one fault, or of a list, as `dap emulator fault add` takes it')
}

export function emulatorChoice(flags: Readonly<Record<string, unknown>>): EmulatorChoice {
  const { data, seed = 0, fast, stageMs, faults } = flags as Partial<EmulatorChoice> & { readonly fast?: boolean }
  if (fast && stageMs !== undefined) throw new UsageError('--fast is --stage-ms 0', { hint: 'give one of them' })
  return { data, seed, stageMs: fast ? 0 : stageMs, faults }
}

export interface OpenEmulator extends Emulator {
  /** What Google's other clients need, who take the emulator for Google's cloud. */
  readonly clients: ClientFiles
}

/** An emulator whose deployed models are real servers of this dap. */
export async function openEmulator(host: Host, port: number, choice: EmulatorChoice): Promise<OpenEmulator> {
  const { data, seed, stageMs, faults } = choice
  const waiting = faults === undefined ? [] : [await readJson(host, resolve(host.cwd, faults))].flat()
  const log = (line: string) => void host.output.err(`${line}\n`)
  const emulator = await startEmulator({
    port,
    seed,
    log,
    ...(data === undefined ? {} : { data: resolve(host.cwd, data) }),
    ...(stageMs === undefined ? {} : { timing: evenly(stageMs) }),
    servers: place => dapServers({ bin: dapBin(host), storage: place.url, data: place.data, log }),
  }).catch(unusable)
  try {
    for (const fault of waiting) emulator.faults.add(fault)
    return { ...emulator, clients: await writeClientFiles(emulator, emulatorVariables(emulator.url)) }
  } catch (error) {
    await emulator.stop()
    if (error instanceof RpcError) throw new DapError(error.message, { hint: `it is in \`${faults}\``, cause: error })
    return unusable(error)
  }
}

/** A folder that cannot be written is nobody's bug. */
function unusable(error: unknown): never {
  const { path, syscall, code } = error as NodeJS.ErrnoException
  if (path === undefined || syscall === undefined) throw error
  throw new DapError(`the emulator cannot write \`${path}\` (${code})`, {
    hint: '--data takes another folder',
    cause: error,
  })
}

export const dapBin = (host: Host) => join(host.packageRoot, 'bin', 'dap.js')

/** The two variables that lead dap, and Google's clients as far as they can be told to do without TLS, to an emulator. */
export const emulatorVariables = (url: string) => ({ DAP_VERTEX_ENDPOINT: url, STORAGE_EMULATOR_HOST: url })

const evenly = (ms: number) => Object.fromEntries(Object.keys(TIMING).map(stage => [stage, ms])) as unknown as Timing
