import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import type { SnapshotShowResult } from '../../policy/snapshot-describe.ts'
import { snapshotDescriptionText } from '../../ui/snapshot.ts'
import { describedSnapshot } from './file.ts'

export const snapshotShowCommand = defineCommand<{ readonly file: string }, SnapshotShowResult>({
  declare: command =>
    command
      .argument('<file>', 'a snapshot, as `dap train` writes it')
      .addHelpText(
        'after',
        '\nA width is a standard error in units of the noise of the reward: it halves when four times as much is known.\n\nexit codes: 0 shown, 1 this is no snapshot',
      ),
  options: ([file]) => ({ file }),
  run: ({ file }, host) => describedSnapshot(host, file),
  text: snapshotDescriptionText,
  json: result => result,
  exitCode: () => ExitCode.done,
})
