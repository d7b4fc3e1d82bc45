import type { TextContext } from '../command.ts'
import { kindWord } from '../kind-word.ts'
import type { GraphEdge, GraphNode, GraphResult } from '../results.ts'
import { cleaned } from './cloud.ts'
import { plural } from './numbers.ts'
import type { Style } from './style.ts'

/** Trees: of everything from what nothing needs; of a name what it needs, and what needs it. */
export function graphText(untrusted: GraphResult, { style }: TextContext): string {
  const { about, nodes, edges, errors } = cleaned(untrusted)
  const blocks = about.length === 0 ? wholeBlocks(nodes, edges, style) : aboutBlocks(about, nodes, edges, style)
  if (blocks.length === 0) blocks.push('nothing is here; `dap new KIND NAME` adds a resource')
  if (errors > 0)
    blocks.push(style.red(`${plural(errors, 'error')}: \`dap validate\` shows ${errors === 1 ? 'it' : 'them'}`))
  return blocks.join('\n\n')
}

function wholeBlocks(nodes: readonly GraphNode[], edges: readonly GraphEdge[], style: Style): string[] {
  const needed = new Set(edges.map(({ to }) => to))
  const tree = createTree(nodes, edges, 'needs', style)
  return nodes.filter(({ id }) => !needed.has(id)).map(({ id }) => [tree.title(id), ...tree.below(id)].join('\n'))
}

function aboutBlocks(
  about: readonly string[],
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  style: Style,
): string[] {
  return about.map(id => {
    const needs = createTree(nodes, edges, 'needs', style)
    const needed = createTree(nodes, edges, 'needed by', style)
    const part = (title: string, lines: readonly string[]) =>
      lines.length === 0 ? `${title} nothing` : [title, ...lines].join('\n')
    const file = nodes.find(node => node.id === id)?.file
    return [
      `${needs.title(id)}${file === null || file === undefined ? '' : style.dim(`  ${file}`)}`,
      part('needs', needs.below(id)),
      part('needed by', needed.below(id)),
    ].join('\n')
  })
}

/** Draws what hangs below a node. What hangs below a node that was drawn before is not drawn again. */
function createTree(
  nodes: readonly GraphNode[],
  edges: readonly GraphEdge[],
  direction: 'needs' | 'needed by',
  style: Style,
) {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) {
    const [here, there] = direction === 'needs' ? [from, to] : [to, from]
    next.set(here, [...(next.get(here) ?? []), there])
  }
  const drawn = new Set<string>()
  const title = (id: string) => {
    const { kind, name, environment, state } = byId.get(id)!
    const called = `${style.dim(kindWord(kind))} ${environment === null ? name : `${environment}/${name}`}`
    return state === 'found' ? called : `${called}  ${style.red(state === 'missing' ? 'missing' : 'has errors')}`
  }
  const below = (id: string, indent = ''): string[] => {
    const children = next.get(id) ?? []
    drawn.add(id)
    return children.flatMap((child, i) => {
      const [branch, stem] = i === children.length - 1 ? ['└─ ', '   '] : ['├─ ', '│  ']
      const again = drawn.has(child) && next.has(child)
      const line = `${indent}${branch}${title(child)}`
      return again ? [`${line}  ${style.dim('as above')}`] : [line, ...below(child, indent + stem)]
    })
  }
  return { title, below }
}

/** A flowchart as mermaid reads it, without a fence. */
export function graphMermaid(untrusted: GraphResult): string {
  const { about, nodes, edges } = cleaned(untrusted)
  const place = new Map(nodes.map(({ id }, i) => [id, `n${i}`]))
  const label = ({ kind, name, environment, state }: GraphNode) =>
    [
      kindWord(kind),
      environment === null ? name : `${environment}/${name}`,
      ...(state === 'found' ? [] : [state === 'missing' ? 'missing' : 'has errors']),
    ]
      .map(mermaidText)
      .join('<br/>')
  const marked = (title: string, which: (node: GraphNode) => boolean, look: string) => {
    const ids = nodes.filter(which).map(({ id }) => place.get(id))
    return ids.length === 0 ? [] : [`  classDef ${title} ${look}`, `  class ${ids.join(',')} ${title}`]
  }
  return [
    'flowchart LR',
    ...nodes.map(node => `  ${place.get(node.id)}["${label(node)}"]`),
    ...edges.map(({ from, to }) => `  ${place.get(from)} --> ${place.get(to)}`),
    ...marked('asked', ({ id }) => about.includes(id), 'stroke-width:3px'),
    ...marked('wrong', ({ state }) => state !== 'found', 'stroke:#d1242f,stroke-dasharray:4'),
  ].join('\n')
}

/** Whatever could mean something in a label, to mermaid or to a browser, as the number of its character. */
const mermaidText = (text: string) => text.replace(/[^\p{L}\p{N} ./_-]/gu, found => `#${found.codePointAt(0)};`)
