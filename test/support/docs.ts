import { put } from './disk.ts'
import { dapIn } from './run-dap.ts'

/** A fenced block of a page: a file that it gives, or a session at a terminal. */
export interface Block {
  /** `yaml`, `csv`, `console`, … */
  readonly language: string
  /** The rest of the line that opens it: the path of a file. */
  readonly path: string
  readonly text: string
  /** Number of the line that opens it, from 1. */
  readonly line: number
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  for (const found of markdown.matchAll(/^```(\w+) ?(.*)\n((?:.*\n)*?)```$/gm)) {
    const line = markdown.slice(0, found.index).split('\n').length
    blocks.push({ language: found[1], path: found[2], text: found[3], line })
  }
  return blocks
}

/** Makes the files of the blocks and runs their sessions, in their order; each session as it really goes. */
export async function* play(blocks: readonly Block[], folder: string): AsyncGenerator<{ block: Block; real: string }> {
  for (const block of blocks) {
    if (block.language === 'console') yield { block, real: await session(block.text, folder) }
    else if (block.path !== '') await put(folder, block.path, block.text)
  }
}

/** The commands of a session, after each what it prints. */
async function session(text: string, folder: string): Promise<string> {
  const parts: string[] = []
  for (const [command] of text.matchAll(/^\$ dap(?: .*)?$/gm)) {
    const words = [...command.slice('$ dap'.length).matchAll(/'([^']*)'|(\S+)/g)].map(word => word[1] ?? word[2])
    const { stdout, stderr } = await dapIn(folder, ...words)
    parts.push(`${command}\n${stdout}${stderr}`)
  }
  return parts.join('\n')
}

/** Is a session as it is shown, where a line `…` stands for any number of lines? */
export function isShown(real: string, shown: string): boolean {
  const pattern = shown
    .split('…\n')
    .map(piece => piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('(?:.*\\n)*')
  return new RegExp(`^${pattern}$`).test(real)
}
