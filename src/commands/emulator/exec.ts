import { constants } from 'node:os'
import { delimiter } from 'node:path'
import { execa } from 'execa'
import { defineCommand } from '../../command.ts'
import { launcherFolder } from '../../emulator/launcher.ts'
import { DapError, type ExitCode, UsageError } from '../../errors.ts'
import { EMULATOR_EXEC_RESULT_SCHEMA } from '../../generated/names.ts'
import type { Host } from '../../host.ts'
import { dapBin, declareEmulatorOptions, type EmulatorChoice, emulatorChoice, openEmulator } from './options.ts'

interface Options extends EmulatorChoice {
  readonly words: readonly string[]
}

export const emulatorExecCommand = defineCommand<Options, { readonly exitCode: number }>({
  declare(command) {
    command.argument('<command...>', 'what to run, with its arguments').passThroughOptions()
    declareEmulatorOptions(command)
    command.addHelpText(
      'after',
      "\nStarts an emulator on a free port, runs the command with this dap as `dap` and with the variables that lead it there, and stops: dap,\nand Google's own clients in any language, unchanged. HTTPS goes to the emulator alone. The exit code is the command's.",
    )
  },

  options(words, flags) {
    if (words.length === 0) throw new UsageError('what should be run?', { hint: 'dap emulator exec -- dap deploy' })
    return { ...emulatorChoice(flags), words }
  },

  async run({ words, ...choice }, host) {
    const emulator = await openEmulator(host, 0, choice)
    try {
      const bin = await launcherFolder(emulator.data, dapBin(host))
      const path = [bin, host.environment('PATH')].filter(Boolean).join(delimiter)
      return { exitCode: await runWith(words, { ...emulator.clients.variables, PATH: path }, host) }
    } finally {
      await emulator.stop()
    }
  },

  text: () => '',
  json: ({ exitCode }) => ({ schema: EMULATOR_EXEC_RESULT_SCHEMA, exitCode }),
  exitCode: result => result.exitCode as ExitCode,
})

/** The command's exit code, or what a shell makes of the signal that ended it. */
async function runWith(
  [file, ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  host: Host,
): Promise<number> {
  const child = execa(file, words, { cwd: host.cwd, env, stdio: 'inherit', reject: false })
  // Ctrl-C on a terminal reaches the command by itself, and twice would kill it.
  const signals = (['SIGTERM', 'SIGINT'] as const).filter(name => name === 'SIGTERM' || process.stdin.isTTY !== true)
  const forward = (signal: NodeJS.Signals) => void child.kill(signal)
  for (const signal of signals) process.on(signal, forward)
  try {
    const { exitCode, signal, cause } = await child
    if (exitCode !== undefined) return exitCode
    if (signal !== undefined) return 128 + (constants.signals[signal as NodeJS.Signals] ?? 0)
    const { code, message = 'it did not start' } = (cause ?? {}) as Partial<NodeJS.ErrnoException>
    if (code === 'ENOENT') {
      throw new DapError(`there is no command \`${file}\``, {
        hint: "it is looked for as a shell would, from this folder; what a shell reads goes through one: `sh -c '…'`",
        cause,
      })
    }
    throw new DapError(`cannot run \`${file}\`: ${message}`, { cause })
  } finally {
    for (const signal of signals) process.off(signal, forward)
  }
}
