import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { GRAPH_RESULT_SCHEMA } from '../generated/names.ts'
import { around, graphOf } from '../repo/graph.ts'
import type { GraphNode, GraphResult } from '../results.ts'
import { graphMermaid, graphText } from '../ui/graph.ts'
import { openRepository } from './opening/repository.ts'

const FORMATS = ['text', 'mermaid'] as const

interface Options {
  readonly name: string | undefined
  readonly format: (typeof FORMATS)[number]
}

interface Drawn {
  readonly result: GraphResult
  readonly format: Options['format']
}

export const graphCommand = defineCommand<Options, Drawn>({
  declare: command =>
    command
      .argument(
        '[name]',
        'a resource: what it needs, and what needs it; default: all. `policy/shop-offer` tells kinds apart',
      )
      .addOption(command.createOption('--format <format>', 'how to draw it; default: text').choices(FORMATS))
      .addHelpText(
        'after',
        '\nAn edge leads from a resource to one that it names. GitHub draws mermaid in a fenced block of that language.\n\nexit codes: 0 drawn, 1 a file has errors, so that something may be missing, 3 usage',
      ),

  options: ([name], flags) => ({ name, format: (flags['format'] as Options['format'] | undefined) ?? 'text' }),

  async run({ name, format }, host) {
    const { repository } = await openRepository(host)
    const whole = graphOf(repository)
    const about = name === undefined ? [] : named(name, whole.nodes)
    const { nodes, edges } = name === undefined ? whole : around(whole, about)
    const errors = repository.diagnostics.filter(({ severity }) => severity === 'error').length
    return { result: { schema: GRAPH_RESULT_SCHEMA, about, nodes, edges, errors }, format }
  },

  text: ({ result, format }, context) => (format === 'mermaid' ? graphMermaid(result) : graphText(result, context)),
  json: ({ result }) => result,
  exitCode: ({ result }) => (result.errors > 0 ? ExitCode.no : ExitCode.done),
})

/** Ids of all that are called so: by name alone, by kind and name, of a Deployment also by environment and name. */
function named(word: string, nodes: readonly GraphNode[]): string[] {
  const found = nodes.filter(node => callings(node).includes(word)).map(({ id }) => id)
  if (found.length > 0) return found
  throw new UsageError(`no resource \`${word}\``, {
    hint: didYouMean(word, [...new Set(nodes.flatMap(callings))]) ?? '`dap list` shows all that there are',
  })
}

function callings({ id, kind, name, environment }: GraphNode): string[] {
  return [id, name, `${kind.toLowerCase()}/${name}`, ...(environment === null ? [] : [`${environment}/${name}`])]
}
