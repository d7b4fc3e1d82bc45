import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import { diffSnapshots, type SnapshotDiffResult } from '../../policy/snapshot-diff.ts'
import { snapshotDiffText } from '../../ui/snapshot.ts'
import { describedSnapshot } from './file.ts'

interface Options {
  readonly before: string
  readonly after: string
}

export const snapshotDiffCommand = defineCommand<Options, SnapshotDiffResult>({
  declare: command =>
    command
      .argument('<before>', 'a snapshot')
      .argument('<after>', 'another one')
      .addHelpText('after', '\nexit codes: 0 compared, whatever the difference; 1 one of them is no snapshot'),
  options: ([before, after]) => ({ before, after }),
  run: async ({ before, after }, host) =>
    diffSnapshots(await describedSnapshot(host, before), await describedSnapshot(host, after)),
  text: snapshotDiffText,
  json: result => result,
  exitCode: () => ExitCode.done,
})
