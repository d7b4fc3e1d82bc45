import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { EXPLANATION_RESULT_SCHEMA, TOPIC_RESULT_SCHEMA, TOPICS_RESULT_SCHEMA } from '../generated/names.ts'
import { type Explanation, explain } from '../repo/explain.ts'
import { listTopics, type Topic, topicNames, topicOf } from '../repo/topics.ts'
import { explanationText, topicsText, topicText } from '../ui/explain.ts'

interface Options {
  /** Absent: what there is. */
  readonly word?: string
}

type Explained = { readonly explanation: Explanation } | { readonly topic: Topic } | ReturnType<typeof listTopics>

export const explainCommand = defineCommand<Options, Explained>({
  declare: command => command.argument('[topic]', 'KIND, KIND.path.to.field or a word; default: lists them'),
  options: ([word]) => ({ word }),
  async run({ word }) {
    if (word === undefined) return listTopics()
    const explained = explain(word)
    if ('explanation' in explained) return explained
    const topic = topicOf(word)
    if (topic !== undefined && !('message' in topic)) return topic
    // Of a path it is the field that is wrong.
    if (word.includes('.')) throw new UsageError(explained.message, { hint: explained.hint })
    throw new UsageError(`there is no kind or topic \`${word}\``, {
      hint: didYouMean(word, topicNames()) ?? '`dap explain` lists what there is',
    })
  },
  text(result, context) {
    if ('explanation' in result) return explanationText(result.explanation, context)
    return 'topic' in result ? topicText(result.topic, context) : topicsText(result, context)
  },
  json(result) {
    if ('explanation' in result) return { schema: EXPLANATION_RESULT_SCHEMA, ...result.explanation }
    if ('topic' in result) return { schema: TOPIC_RESULT_SCHEMA, ...result.topic }
    return { schema: TOPICS_RESULT_SCHEMA, ...result }
  },
  exitCode: () => ExitCode.done,
})
