import { defineCommand } from '../../command.ts'
import { ExitCode } from '../../errors.ts'
import { createLogStats, type LogStatsResult } from '../../log/stats/stats.ts'
import { logStatsText } from '../../ui/log-stats.ts'
import { LOG_PATHS, readLogs } from '../reading/log-files.ts'

interface Options {
  readonly paths: readonly string[]
}

export const logStatsCommand = defineCommand<Options, LogStatsResult>({
  declare: command =>
    command
      .argument('<paths...>', LOG_PATHS)
      .addHelpText(
        'after',
        '\nWhat no single record can show: whether actions were drawn with the probabilities that were logged, whether\nthe draws are uniform, whether the rewards of one action go missing. `dap log check` looks at each record.\n\nexit codes: 0 no alarm, 1 alarms or no valid decision, 3 usage',
      ),

  options: paths => ({ paths }),

  async run({ paths }, host, report) {
    const stats = createLogStats()
    await readLogs(host, paths, stats, report)
    return stats.finish()
  },

  text: logStatsText,
  json: result => result,
  exitCode: ({ passed }) => (passed ? ExitCode.done : ExitCode.no),
})
