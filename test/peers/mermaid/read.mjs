/** Reads a flowchart on stdin with the parser that GitHub draws by, and prints what it understood. It wants a browser's document. */
import { text } from 'node:stream/consumers'
import { JSDOM } from 'jsdom'

const { window } = new JSDOM('')
globalThis.window = window
globalThis.document = window.document
const { default: mermaid } = await import('mermaid')

const chart = await text(process.stdin)
await mermaid.parse(chart)
const { db } = await mermaid.mermaidAPI.getDiagramFromText(chart)
const nodes = [...db.getVertices().values()].map(({ id, text, classes }) => ({ id, text, classes }))
console.log(JSON.stringify({ nodes, edges: db.getEdges().map(({ start, end }) => [start, end]) }))
