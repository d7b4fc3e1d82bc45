/** Which resource names which. */

import { kindWord } from '../kind-word.ts'
import { KINDS } from '../kinds.ts'
import type { GraphEdge, GraphNode } from '../results.ts'
import { referencesOf } from './references.ts'
import type { Repository, Resource } from './resource.ts'

export interface Graph {
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** Of a whole repository: an edge from whoever names another to that other, and a node for names that nothing has. */
export function graphOf(repository: Repository): Graph {
  const nodes = new Map<string, GraphNode>()
  const edges = new Map<string, GraphEdge>()
  const add = (node: Omit<GraphNode, 'id'>) => {
    const id = idOf(node)
    if (!nodes.has(id)) nodes.set(id, { id, ...node })
    return id
  }
  // A name is that of the first resource that has it, as everywhere.
  const drawn = repository.resources.filter(({ kind }) => kind !== 'Project')
  for (const resource of drawn)
    add({ ...about(resource), state: repository.errorsOf(resource) > 0 ? 'faulty' : 'found' })
  for (const { kind, name, environment = null, file } of repository.misshapen) {
    if (name !== undefined && kind !== 'Project') add({ kind, name, environment, file, state: 'faulty' })
  }
  for (const resource of drawn) {
    const from = idOf(about(resource))
    for (const { kind, name, builtIn } of referencesOf(resource)) {
      if (builtIn.includes(name)) continue
      const to = add({ kind, name, environment: null, file: null, state: 'missing' })
      edges.set(`${from} ${to}`, { from, to })
    }
  }
  const sorted = [...nodes.values()].sort(
    (a, b) => KINDS.indexOf(b.kind) - KINDS.indexOf(a.kind) || (a.id < b.id ? -1 : 1),
  )
  const place = new Map(sorted.map(({ id }, i) => [id, i]))
  return { nodes: sorted, edges: [...edges.values()].sort((a, b) => place.get(a.from)! - place.get(b.from)!) }
}

function about({ kind, name, file, spec }: Resource): Omit<GraphNode, 'id' | 'state'> {
  return { kind, name, environment: kind === 'Deployment' ? (spec as { environment: string }).environment : null, file }
}

const idOf = ({ kind, name, environment }: Pick<GraphNode, 'kind' | 'name' | 'environment'>) =>
  [kindWord(kind), ...(environment === null ? [] : [environment]), name].join('/')

/** What some nodes need, what needs them, and what lies between. */
export function around({ nodes, edges }: Graph, ids: readonly string[]): Graph {
  const below = reached(ids, edges, 'from', 'to')
  const above = reached(ids, edges, 'to', 'from')
  const kept = edges.filter(({ from, to }) => (below.has(from) && below.has(to)) || (above.has(from) && above.has(to)))
  return { nodes: nodes.filter(({ id }) => below.has(id) || above.has(id)), edges: kept }
}

function reached(ids: readonly string[], edges: readonly GraphEdge[], here: 'from' | 'to', there: 'from' | 'to') {
  const found = new Set(ids)
  for (const id of found) for (const edge of edges) if (edge[here] === id) found.add(edge[there])
  return found
}
