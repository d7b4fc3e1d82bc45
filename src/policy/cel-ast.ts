import type { ASTNode } from '@marcbachmann/cel-js'

/** A node of a parsed CEL expression. */
export type Node = ASTNode

export function children(node: Node): readonly Node[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'list':
      return node.args
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

/** The value of a literal. */
export function literal(node: Node): unknown {
  return node.op === 'value' ? node.args : undefined
}

/** The name in `variable.name` or `variable['name']`. */
export function field(node: Node, variable: string): string | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined
  const [operand, key] = node.args
  if (operand.op !== 'id' || operand.args !== variable) return undefined
  const name = typeof key === 'string' ? key : literal(key)
  return typeof name === 'string' ? name : undefined
}

/** The node as it was written. */
export function source(node: Node): string {
  return node.input.slice(node.start, node.end)
}

/** A text that means the same as the node, whose own may lack parentheses at its ends. */
export function written(node: Node): string {
  const all = (nodes: readonly Node[]) => nodes.map(written).join(', ')
  switch (node.op) {
    case 'value':
    case 'id':
      return source(node)
    case '.':
    case '.?':
      return `${written(node.args[0])}.${node.args[1]}`
    case '[]':
    case '[?]':
      return `${written(node.args[0])}[${written(node.args[1])}]`
    case 'call':
      return `${node.args[0]}(${all(node.args[1])})`
    case 'rcall':
      return `${written(node.args[1])}.${node.args[0]}(${all(node.args[2])})`
    case 'list':
      return `[${all(node.args)}]`
    case 'map':
      return `{${node.args.map(([key, value]) => `${written(key)}: ${written(value)}`).join(', ')}}`
    case '!_':
    case '-_':
      return `(${node.op[0]}${written(node.args)})`
    case '?:':
      return `(${written(node.args[0])} ? ${written(node.args[1])} : ${written(node.args[2])})`
    default:
      return `(${written(node.args[0])} ${node.op} ${written(node.args[1])})`
  }
}

/** The first result of `visit` that is not undefined, over a node and all that is in it. */
export function find<T>(node: Node, visit: (node: Node) => T | undefined): T | undefined {
  const own = visit(node)
  if (own !== undefined) return own
  for (const child of children(node)) {
    const found = find(child, visit)
    if (found !== undefined) return found
  }
  return undefined
}

/** Names in a hint, the first eight. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(name => `\`${name}\``)
  return names.length > 8 ? `${shown.join(', ')}, …` : shown.join(', ')
}
