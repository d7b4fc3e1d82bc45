import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import type { SnapshotShowResult } from '../../policy/snapshot-describe.ts'
import { snapshotDescriptionText } from '../../ui/snapshot.ts'
import { describedSnapshot } from './file.ts'

export const snapshotShowCommand = defineCommand<
  { readonly file: string; readonly names?: string },
  SnapshotShowResult
>({
  declare: command =>
    command
      .argument('<file>', 'a snapshot, as `dap train` writes it')
      .option('--names <file>', 'what `dap train --json` printed, which knows what slots of hashes are called')
      .addHelpText(
        'after',
        '\nA width is a standard error in units of the noise of the reward: it halves when four times as much is known.\n\nexit codes: 0 shown, 1 this is no snapshot',
      ),
  options: ([file], flags) => ({ file, ...(flags as { readonly names?: string }) }),
  run: ({ file, names }, host) => describedSnapshot(host, file, names),
  text: snapshotDescriptionText,
  json: result => result,
  exitCode: () => ExitCode.done,
})
