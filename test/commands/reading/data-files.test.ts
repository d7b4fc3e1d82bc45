import { mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeFiles } from '../../../src/adapters/node/files.ts'
import { openRepository } from '../../../src/commands/opening/repository.ts'
import { type DataFiles, findDataFiles } from '../../../src/commands/reading/data-files.ts'
import { datasetFiles } from '../../../src/commands/reading/dataset.ts'
import { readGlob } from '../../../src/commands/reading/glob.ts'
import type { Host } from '../../../src/host.ts'
import type { DatasetSpec } from '../../../src/kinds.ts'
import { memoryFiles } from '../../support/memory-files.ts'
import { resource } from '../../support/repository.ts'

/** A repository in memory at `/repo` with these files; what the function says of them, with paths relative to the repository. */
async function found(
  paths: readonly string[],
  entries: readonly string[],
  format: DatasetSpec['format'] = 'csv',
): Promise<{ paths: string[]; partitions?: Record<string, readonly string[]> } | string> {
  const host = hostOf(Object.fromEntries(paths.map(path => [path, path])))
  try {
    return shown(await findDataFiles(host, await openRepository(host), entries, format))
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string }
    return `${message} | ${hint}`
  }
}

const PROJECT = resource('Project', 'x', 'dataRoots: [/data]')

function hostOf(files: Readonly<Record<string, string>>, confirmed = '/data'): Host {
  const all = { 'dap.yaml': PROJECT, ...files }
  const absolute = Object.entries(all).map(([path, text]) => [path.startsWith('/') ? path : `/repo/${path}`, text])
  return {
    cwd: '/repo',
    files: memoryFiles(Object.fromEntries(absolute), { prefix: '/nowhere', files: nodeFiles() }),
    environment: (name: string) => (name === 'DAP_DATA_ROOTS' ? confirmed : undefined),
  } as unknown as Host
}

const shown = ({ paths, partitions }: DataFiles) => ({
  paths: paths.map(path => path.replace('/repo/', '')),
  ...(partitions === undefined ? {} : { partitions: Object.fromEntries(partitions) }),
})

describe('a glob', () => {
  const matching = (pattern: string, ...paths: readonly string[]) => paths.filter(readGlob(pattern)!.matches)

  it('is taken apart at its first wildcard', () => {
    expect(readGlob('data/a.csv')).toBeUndefined()
    expect(['*.csv', './x/*', '/data/**', 'a/b-?/c'].map(path => readGlob(path)?.folder)).toEqual([
      '.',
      './x',
      '/data',
      'a',
    ])
  })

  it.each([
    ['*', ['a', '.a', '_a', '_k=1', 'a/b'], ['a', '_k=1']],
    ['_*', ['a', '.a', '_a'], ['_a']],
    ['*.csv', ['a.csv', 'acsv', 'a.csv.gz', 'a/b.csv'], ['a.csv']],
    ['a?c', ['abc', 'ac', 'a😀c', 'a/c'], ['abc', 'a😀c']],
    ['[a-c]x[!0-9]', ['axa', 'dxa', 'cx9', 'cx-'], ['axa', 'cx-']],
    ['[^a]', ['a', 'b', '^'], ['b', '^']],
    ['[]', ['[]', ''], ['[]']],
    ['a[\\^]', ['a\\', 'a^', 'ab'], ['a\\', 'a^']],
    ['**', ['a', 'a/b/c', 'a/_b/c', '_a', '.a/b'], ['a', 'a/b/c']],
    ['**/x.csv', ['x.csv', 'a/x.csv', 'a/b/x.csv', 'a/_b/x.csv', 'x.csv/y'], ['x.csv', 'a/x.csv', 'a/b/x.csv']],
    ['a*/**/b*', ['a/b', 'a1/2/3/b4', 'c/b', 'a/c'], ['a/b', 'a1/2/3/b4']],
    ['day=*/x(1).csv', ['day=1/x(1).csv', 'day=/x(1).csv', 'day=1/x1.csv'], ['day=1/x(1).csv', 'day=/x(1).csv']],
  ])('%s', (pattern, paths, expected) => {
    expect(matching(pattern, ...paths)).toEqual(expected)
  })

  it('says which range falls', () => {
    expect(() => readGlob('[z-a].csv')).toThrow('`[z-a].csv` is no pattern of names')
  })
})

describe('the files of a Dataset', () => {
  const FILES = [
    'data/b.csv',
    'data/a/z.csv.gz',
    'data/a.tsv',
    'data/_SUCCESS',
    'data/_old.csv',
    'data/.hidden/x.csv',
    'data/node_modules/x.csv',
    'data/a/z.jsonl',
    'data/a-b/y.ndjson.gz',
    'evidence/e.csv',
    'x[1].csv',
  ]

  it('of a folder are those of the format, by path', async () => {
    expect(await found(FILES, ['data'])).toEqual({ paths: ['data/a.tsv', 'data/a/z.csv.gz', 'data/b.csv'] })
    expect(await found(FILES, ['data'], 'dap')).toEqual({ paths: ['data/a-b/y.ndjson.gz', 'data/a/z.jsonl'] })
    expect(await found(FILES, ['.'])).toMatchObject({
      paths: ['data/a.tsv', 'data/a/z.csv.gz', 'data/b.csv', 'x[1].csv'],
    })
  })

  it('are read once each, in the order of the entries', async () => {
    expect(await found(FILES, ['data/b.csv', 'data/*.csv', 'data/**/*.gz', 'data'])).toEqual({
      paths: ['data/b.csv', 'data/a-b/y.ndjson.gz', 'data/a/z.csv.gz', 'data/a.tsv'],
    })
    expect(await found(FILES, ['data/a*'])).toEqual({ paths: ['data/a.tsv', 'data/a/z.csv.gz'] })
  })

  it('are the file of that very name where there is one', async () => {
    expect(await found([...FILES, 'x1.csv'], ['x[1].csv'])).toEqual({ paths: ['x[1].csv'] })
    expect(await found(['x1.csv'], ['x[1].csv'])).toEqual({ paths: ['x1.csv'] })
    expect(await found(FILES, ['data/_old.csv', 'evidence/e.csv', 'evidence/*.csv'])).toEqual({
      paths: ['data/_old.csv', 'evidence/e.csv'],
    })
  })

  it('may lie below a data root, and nowhere else', async () => {
    expect(await found(['/data/x/1.csv', '/data/2.csv'], ['/data/**/*.csv'])).toEqual({
      paths: ['/data/2.csv', '/data/x/1.csv'],
    })
    expect(await found(['/else/1.csv'], ['/else/*.csv'])).toContain('outside the repository')
    expect(await found(['/else/1.csv'], ['../else/*.csv'])).toContain('outside the repository')
  })

  it('are there', async () => {
    expect(await found(FILES, ['data', 'c.csv'])).toMatchInlineSnapshot(
      `"data file \`c.csv\` does not exist | paths are relative to the folder of dap.yaml"`,
    )
    expect(await found(FILES, ['data/*.parquet'], 'parquet')).toMatchInlineSnapshot(
      `"\`data/*.parquet\` matches no file | \`*\` is part of one name, \`**\` any number of folders; paths are relative to the folder of dap.yaml"`,
    )
    expect(await found(FILES, ['none/*.csv'])).toMatchInlineSnapshot(
      `"\`none/*.csv\` matches no file | \`*\` is part of one name, \`**\` any number of folders; paths are relative to the folder of dap.yaml"`,
    )
    expect(await found(FILES, ['data'], 'parquet')).toMatchInlineSnapshot(
      `"the folder \`data\` has no file of the format parquet | a folder stands for the files below it whose names end in \`.parquet\` and do not begin with \`.\` or \`_\`"`,
    )
  })
})

describe('folders called key=value', () => {
  const FILES = [
    'logs/day=2026-11-22/shop=a%2Fb/x.parquet',
    'logs/day=2026-11-23/shop=__HIVE_DEFAULT_PARTITION__/x.parquet',
  ]
  const partitions = { day: ['2026-11-22', '2026-11-23'], shop: ['a/b', ''] }

  it('are columns, below a folder and in a glob', async () => {
    expect(await found(FILES, ['logs'], 'parquet')).toEqual({ paths: FILES, partitions })
    expect(await found(FILES, ['logs/day=*/*/x.parquet'], 'parquet')).toEqual({ paths: FILES, partitions })
    expect(await found(FILES, ['logs/day=*'], 'parquet')).toEqual({ paths: FILES, partitions })
    expect(await found(FILES, ['logs/day=2026-11-22'], 'parquet')).toEqual({
      paths: FILES.slice(0, 1),
      partitions: { shop: ['a/b'] },
    })
    expect(await found(FILES, ['logs/day=2026-11-22/**/x.parquet'], 'parquet')).toMatchObject({
      partitions: { shop: ['a/b'] },
    })
  })

  it('are not, above the folder, of a named file, and of the format dap', async () => {
    expect(await found(FILES, [FILES[0]], 'parquet')).toEqual({ paths: FILES.slice(0, 1) })
    expect(await found(['k=1/a.jsonl', 'b.jsonl'], ['.'], 'dap')).toEqual({ paths: ['b.jsonl', 'k=1/a.jsonl'] })
  })

  it('have the same keys everywhere', async () => {
    expect(await found(['l/a=1/x.csv', 'l/a=1/b=2/x.csv'], ['l'])).toMatchInlineSnapshot(
      `"files of one log are partitioned differently: \`l/a=1/b=2/x.csv\` by \`a\`, \`b\`, \`l/a=1/x.csv\` by \`a\` | name the folder above all folders called \`key=value\`, or give each kind of files its own Dataset"`,
    )
    expect(await found(['l/a=1/x.csv', 'y.csv'], ['l', 'y.csv'])).toMatchInlineSnapshot(
      `"files of one log are partitioned differently: \`l/a=1/x.csv\` by \`a\`, \`y.csv\` by nothing | name the folder above all folders called \`key=value\`, or give each kind of files its own Dataset"`,
    )
    expect(await found(['l/a=1/b=%/x.csv', 'l/b=2/a=3/x.csv'], ['l'])).toEqual({
      paths: ['l/a=1/b=%/x.csv', 'l/b=2/a=3/x.csv'],
      partitions: { a: ['1', '3'], b: ['%', '2'] },
    })
  })
})

describe('the digest of a Dataset', () => {
  const digest = async (files: Readonly<Record<string, string>>, spec: Partial<DatasetSpec> & { files: string[] }) => {
    const host = hostOf(files)
    return (await datasetFiles(host, await openRepository(host), { format: 'csv', ...spec } as DatasetSpec)).digest
  }

  it('is of what is in the files and in the names of partitions, wherever they are', async () => {
    const one = await digest({ 'l/k=1/a.csv': 'a', 'l/k=2/b.csv': 'b' }, { files: ['l'] })
    expect(await digest({ 'm/k=1/c.csv': 'a', 'm/k=2/d.csv': 'b' }, { files: ['m/*'] })).toBe(one)
    expect(await digest({ 'l/k=1/a.csv': 'a', 'l/k=3/b.csv': 'b' }, { files: ['l'] })).not.toBe(one)
    expect(await digest({ 'l/k=1/a.csv': 'a', 'l/k=2/b.csv': 'c' }, { files: ['l'] })).not.toBe(one)
  })

  it('is of the rewards, too', async () => {
    const files = { 'd.csv': 'd', 'r.csv': 'r', 's.csv': 's' }
    const mapping = { decisionId: 'id', reward: 'r' }
    const all = await Promise.all([
      digest(files, { files: ['d.csv', 'r.csv'] }),
      digest(files, { files: ['d.csv'], rewards: { files: ['r.csv'], mapping } }),
      digest(files, { files: ['d.csv'], rewards: { files: ['s.csv'], mapping } }),
    ])
    expect(new Set(all).size).toBe(3)
  })
})

describe('a data root', () => {
  const files = (confirmed: string) => {
    const host = hostOf({ '/data/x/1.csv': '', 'a.csv': '' }, confirmed)
    return async (entry: string) => shown(await findDataFiles(host, await openRepository(host), [entry], 'csv')).paths
  }

  it('is read where whoever runs dap confirms it, or a folder that it is in', async () => {
    for (const confirmed of ['/data', '/data/', '/other:/data', '../data']) {
      expect(await files(confirmed)('/data/x')).toEqual(['/data/x/1.csv'])
    }
  })

  it('is not read because dap.yaml says so', async () => {
    for (const confirmed of ['', '/dat', '/data/x/y', 'data', ':']) {
      for (const entry of ['/data/x/1.csv', '/data', '/data/**/*.csv', '../data/x/1.csv']) {
        await expect(files(confirmed)(entry)).rejects.toMatchObject({
          exitCode: 3,
          message: expect.stringContaining('is outside the repository, in `/data`, which nobody has confirmed'),
          hint: expect.stringContaining('DAP_DATA_ROOTS=/data'),
        })
      }
    }
    expect(await files('')('a.csv')).toEqual(['a.csv'])
  })
})

describe('links', () => {
  async function linked(dataRoots = '[]') {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'dap-')))
    const root = join(folder, 'repo')
    for (const path of ['repo/data', 'repo/more', 'else']) await mkdir(join(folder, path), { recursive: true })
    for (const path of ['repo/dap.yaml', 'repo/more/m.csv', 'else/e.csv']) {
      const project = resource('Project', 'x', `dataRoots: ${dataRoots}`)
      await writeFile(join(folder, path), path.endsWith('yaml') ? project : '')
    }
    const files = async (entry: string, confirmed = '') => {
      const host = { cwd: root, files: nodeFiles(), environment: () => confirmed } as unknown as Host
      const { paths } = await findDataFiles(host, await openRepository(host), [entry], 'csv')
      return paths.map(path => path.slice(root.length + 1))
    }
    return { folder, root, files, link: (to: string, path: string) => symlink(join(folder, to), join(root, path)) }
  }

  it('are followed, and name what they lead to', async () => {
    const { files, link } = await linked()
    await link('repo/more', 'inside')
    await link('repo/more/m.csv', 'data/l.csv')
    await link('repo/more', 'data/day=1')
    expect(await files('inside/*.csv')).toEqual(['inside/m.csv'])
    expect(await files('data/l.csv')).toEqual(['data/l.csv'])
    expect(await files('data')).toEqual(['data/day=1/m.csv'])
    expect(await files('data/day=*/m.csv')).toEqual(['data/day=1/m.csv'])
    expect(await files('**/*.csv')).toEqual(['more/m.csv'])
  })

  it('that lead out or nowhere are an error where they may lead to data, and nothing where they do not', async () => {
    const { files, link } = await linked()
    await link('else', 'data/out')
    await expect(files('data')).rejects.toThrow('`data/out` cannot be read: the link leads out, to')
    await expect(files('data/**')).rejects.toThrow('the link leads out')
    await expect(files('data/*/*.csv')).rejects.toThrow('the link leads out')
    await expect(files('data/out/*.csv')).rejects.toThrow('is outside the repository')
    await expect(files('data/*.csv')).rejects.toThrow('matches no file')
    await link('else/e.csv', 'more/e.csv')
    await link('else/none.csv', 'more/none.csv')
    await link('else/none', 'more/none.md')
    await expect(files('more/e.csv')).rejects.toThrow('is outside the repository')
    await expect(files('more')).rejects.toThrow('`more/e.csv` cannot be read: the link leads out, to')
    await expect(files('more/n*.csv')).rejects.toThrow('cannot be followed: there is nothing where it leads')
    expect(await files('more/m*')).toEqual(['more/m.csv'])
  })

  it('may lead below a confirmed data root', async () => {
    const { files, link } = await linked('[../else]')
    await link('else', 'data/out')
    await link('else/e.csv', 'more/e.csv')
    expect(await files('data', '../else')).toEqual(['data/out/e.csv'])
    expect(await files('more/e.csv', '../else')).toEqual(['more/e.csv'])
    await expect(files('data')).rejects.toThrow('the link leads out')
    await expect(files('more/e.csv')).rejects.toThrow('which nobody has confirmed')
  })
})
