import { defineCommand } from '../command.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { EXPLANATION_RESULT_SCHEMA } from '../generated/names.ts'
import { type Explanation, explain } from '../repo/explain.ts'
import { explanationText } from '../ui/explain.ts'

interface Options {
  readonly path: string
}

export const explainCommand = defineCommand<Options, Explanation>({
  declare: command =>
    command
      .argument('<path>', 'KIND or KIND.path.to.field')
      .addHelpText('after', '\nfor example: dap explain Policy.spec.algorithm.learner'),
  options: ([path]) => ({ path }),
  async run({ path }) {
    const explained = explain(path)
    if ('explanation' in explained) return explained.explanation
    throw new UsageError(explained.message, { hint: explained.hint })
  },
  text: explanationText,
  json: explanation => ({ schema: EXPLANATION_RESULT_SCHEMA, ...explanation }),
  exitCode: () => ExitCode.done,
})
