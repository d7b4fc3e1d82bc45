/** What `dap graph --mermaid` prints, read by mermaid's own parser. */
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { describe, expect, it } from 'vitest'
import type { GraphResult } from '../../src/results.ts'
import { graphMermaid } from '../../src/ui/graph.ts'
import { dap } from '../support/run-dap.ts'
import { cachedFor } from './cache.ts'
import { needs } from './needs.ts'

const HERE = new URL('./mermaid/', import.meta.url).pathname

async function parser(): Promise<string> {
  const lock = await readFile(join(HERE, 'package-lock.json'), 'utf8')
  return cachedFor(lock, async cwd => {
    for (const name of ['package.json', 'package-lock.json']) await cp(join(HERE, name), join(cwd, name))
    await execa('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd })
  })
}

interface Chart {
  readonly nodes: readonly { readonly id: string; readonly text: string; readonly classes: readonly string[] }[]
  readonly edges: readonly (readonly [string, string])[]
}

async function read(folder: string, chart: string): Promise<Chart> {
  // Beside the packages that it imports.
  await cp(join(HERE, 'read.mjs'), join(folder, 'read.mjs'))
  const { stdout } = await execa(process.execPath, ['read.mjs'], { cwd: folder, input: chart })
  return JSON.parse(stdout)
}

/** Codes of characters as mermaid keeps them until it draws. */
const decoded = (text: string) =>
  text
    .replaceAll('<br>', '/')
    .replaceAll('<br/>', '/')
    .replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)))

describe('mermaid', () => {
  it('reads the graph of a repository as it was meant: every node, every edge, every mark', async context => {
    const folder = await needs(context, parser)
    const { files } = await dap('init . --template contextual-bandit')
    const graph: GraphResult = JSON.parse((await dap('graph shop-offer --json', files)).stdout)
    const { nodes, edges } = await read(folder, (await dap('graph shop-offer --mermaid', files)).stdout)
    expect(nodes.map(({ text }) => decoded(text)).sort()).toEqual(graph.nodes.map(({ id }) => id).sort())
    expect(edges).toHaveLength(graph.edges.length)
    expect(nodes.filter(({ classes }) => classes.includes('asked'))).toHaveLength(graph.about.length)
  })

  it('reads any name as text, whatever is in it', async context => {
    const folder = await needs(context, parser)
    const names = [
      '"] --> x["',
      '<script>alert(1)</script>',
      'end',
      'a;b',
      '#quot;',
      '`**bold**`',
      'é 日本',
      '%% no comment',
      'click n0 "x"',
    ]
    const node = { kind: 'Policy', environment: null, file: null, state: 'missing' } as const
    const nodes = names.map(name => ({ ...node, id: `policy/${name}`, name }))
    const edges = nodes.slice(1).map(({ id }) => ({ from: nodes[0].id, to: id }))
    const chart = graphMermaid({ schema: 'dap.graph/v1', about: [], nodes, edges, errors: 0 })
    const found = await read(folder, chart)
    expect(found.nodes.map(({ text }) => decoded(text))).toEqual(names.map(name => `policy/${name}/missing`))
    expect(found.edges).toHaveLength(edges.length)
  })
})
