import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { COMPLETION_RESULT_SCHEMA } from '../generated/names.ts'
import type { CompletionResult } from '../results.ts'
import { SCRIPTS } from './completion/scripts.ts'

const SHELLS = ['bash', 'zsh', 'fish'] as const

type Shell = (typeof SHELLS)[number]

export const completionCommand = defineCommand<Shell, CompletionResult>({
  declare: command =>
    command.addArgument(command.createArgument('<shell>', 'which one').choices(SHELLS)).addHelpText(
      'after',
      `
Commands, options, their values, and the names of what is in the repository.

  bash   echo 'source <(dap completion bash)' >> ~/.bashrc
  zsh    dap completion zsh > "\${fpath[1]}/_dap"    (before compinit)
  fish   dap completion fish > ~/.config/fish/completions/dap.fish

exit codes: 0 printed, 3 usage`,
    ),

  options([word]) {
    const shell = SHELLS.find(each => each === word)
    if (shell !== undefined) return shell
    throw new UsageError(`no completion for \`${word}\``, {
      hint: didYouMean(word, SHELLS) ?? `one of ${SHELLS.join(', ')}`,
    })
  },

  run: async shell => ({ schema: COMPLETION_RESULT_SCHEMA, shell, script: SCRIPTS[shell] }),
  text: ({ script }) => script,
  json: result => result,
  exitCode: () => ExitCode.done,
})
