import { defineCommand } from '../command.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { EMULATOR_RESULT_SCHEMA } from '../generated/names.ts'
import { emulatorText } from '../ui/emulator.ts'
import { wholeNumber } from './arguments.ts'
import {
  DEFAULT_PORT,
  declareEmulatorOptions,
  type EmulatorChoice,
  emulatorChoice,
  emulatorVariables,
  openEmulator,
} from './emulator/options.ts'

export const emulatorCommand = defineCommand<EmulatorChoice & { readonly port: number }, { readonly url: string }>({
  declare(command) {
    command.option('--port <n>', `0 takes any; default: ${DEFAULT_PORT}`, wholeNumber('port', 0))
    declareEmulatorOptions(command)
    command.addHelpText(
      'after',
      '\nEndpoints and models of Vertex AI over gRPC and REST, Cloud Storage and the metrics of predictions, on one port of this machine, with TLS\nand without. A deployed model is a real `dap serve`. Ctrl-C stops it. docs/emulator.md lists its rules, and how sure each one is.\n\nexit codes: 0 stopped, 1 it could not start, 3 usage',
    )
  },

  options(_, flags) {
    const { port = DEFAULT_PORT } = flags as { readonly port?: number }
    if (port > 65_535) throw new UsageError(`--port takes a number up to 65535, got ${port}`)
    return { ...emulatorChoice(flags), port }
  },

  async run({ port, ...choice }, host) {
    const emulator = await openEmulator(host, port, choice)
    const { url, clients } = emulator
    await host.output.err(`${emulatorText(url, choice.data, emulatorVariables(url), clients)}\n`)
    await new Promise<void>(done => {
      if (host.signal.aborted) done()
      else host.signal.addEventListener('abort', () => done(), { once: true })
    })
    await emulator.stop()
    return { url }
  },

  text: () => '',
  json: ({ url }) => ({ schema: EMULATOR_RESULT_SCHEMA, url }),
  exitCode: () => ExitCode.done,
})
