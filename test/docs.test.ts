import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blocksOf, isShown, play } from './support/docs.ts'
import { dapIn, PACKAGE_ROOT } from './support/run-dap.ts'

const PAGES = [
  'action-sets',
  'datasets',
  'decision-log',
  'formats',
  'learning',
  'lists',
  'models',
  'reading-an-evaluation',
  'simulating-lists',
  'terminal',
]

describe.each(PAGES)('docs/%s.md', page => {
  const read = async () => blocksOf(await readFile(join(PACKAGE_ROOT, 'docs', `${page}.md`), 'utf8'))

  it('gives every block a file or a session', async () => {
    const blocks = await read()
    expect(blocks.filter(({ language, path }) => (language === 'console') !== (path === ''))).toEqual([])
    expect(blocks.filter(({ language }) => language === 'console').length).toBeGreaterThan(0)
  })

  it('shows programs that the peers run', async () => {
    for (const { path, text } of (await read()).filter(({ language }) => language === 'python')) {
      expect(text).toBe(await readFile(join(PACKAGE_ROOT, 'test/peers/python', basename(path)), 'utf8'))
    }
  })

  it('shows what really comes of it, and files that are valid', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-docs-'))
    for await (const { block, real } of play(await read(), folder)) {
      if (!isShown(real, block.text)) expect(real, `line ${block.line}`).toBe(block.text)
    }
    expect(await dapIn(folder, 'validate')).toMatchObject({ code: 0, stdout: expect.stringContaining('all valid') })
  })
})
