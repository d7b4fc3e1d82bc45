import { defineCommand } from '../command.ts'
import { didYouMean } from '../diagnostics.ts'
import { ExitCode, UsageError } from '../errors.ts'
import { GRAPH_RESULT_SCHEMA } from '../generated/names.ts'
import { kindWord } from '../kind-word.ts'
import { around, graphOf } from '../repo/graph.ts'
import type { GraphNode, GraphResult } from '../results.ts'
import { graphMermaid, graphText } from '../ui/graph.ts'
import { openRepository } from './opening/repository.ts'
import { faultsOf } from './opening/rules.ts'

interface Options {
  readonly name: string | undefined
  readonly mermaid: boolean
}

interface Drawn {
  readonly result: GraphResult
  readonly mermaid: boolean
}

export const graphCommand = defineCommand<Options, Drawn>({
  declare: command =>
    command
      .argument(
        '[name]',
        'a resource: what it needs, and what needs it; default: all. `policy/shop-offer` tells kinds apart',
      )
      .option('--mermaid', 'as mermaid, for a page that draws it')
      .addHelpText(
        'after',
        '\nAn edge leads from a resource to one that it names. GitHub draws mermaid in a fenced block of that language.\n\nexit codes: 0 drawn, 1 a file has errors, so that something may be missing, 3 usage',
      ),

  options: ([name], flags) => ({ name, mermaid: flags['mermaid'] === true }),

  async run({ name, mermaid }, host) {
    const opened = await openRepository(host)
    const { repository } = opened
    const whole = graphOf(repository)
    const about = name === undefined ? [] : named(name, whole.nodes)
    const { nodes, edges } = name === undefined ? whole : around(whole, about)
    const errors = (await faultsOf(host, opened)).filter(({ severity }) => severity === 'error').length
    return { result: { schema: GRAPH_RESULT_SCHEMA, about, nodes, edges, errors }, mermaid }
  },

  text: ({ result, mermaid }, context) => (mermaid ? graphMermaid(result) : graphText(result, context)),
  verbatim: ({ mermaid }) => mermaid,
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
  return [id, name, `${kindWord(kind)}/${name}`, ...(environment === null ? [] : [`${environment}/${name}`])]
}
