import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decision, reward } from '../../log/support.ts'
import { onDisk, put, writeParquet } from '../../support/disk.ts'
import { examplePolicy } from '../../support/policies.ts'
import { resource } from '../../support/repository.ts'
import { dapIn } from '../../support/run-dap.ts'

const PROJECT = resource('Project', 'shop', 'defaults: { seed: 1 }')
const policy = (name: string) => examplePolicy(1).replace('name: offer-1', `name: ${name}`)
const line = (record: object) => `${JSON.stringify(record)}\n`

/** Moves a file, and leaves a relative link to it in its place. */
async function movedAway(folder: string, path: string, to: string): Promise<void> {
  await mkdir(dirname(join(folder, to)), { recursive: true })
  await rename(join(folder, path), join(folder, to))
  await symlink(relative(dirname(join(folder, path)), join(folder, to)), join(folder, path))
}

const stdout = async (folder: string, ...words: string[]) => (await dapIn(folder, ...words)).stdout

describe('resources behind links', () => {
  it('are read as those that are in their folders, and once', async () => {
    const folder = await onDisk({
      'dap.yaml': PROJECT,
      'policies/a.yaml': policy('a'),
      'policies/team/b.yaml': policy('b'),
      'shared/c.yaml': policy('c'),
    })
    await movedAway(folder, 'policies/a.yaml', 'shared/a.yaml')
    await movedAway(folder, 'policies/team', 'teams/b')
    await symlink('../shared', join(folder, 'policies/shared'))
    expect(await stdout(folder, 'validate')).toBe('4 files checked: all valid\n')
    expect(await stdout(folder, 'validate', 'policies')).toBe('3 files checked: all valid\n')
    for (const path of [
      'policies/a.yaml',
      'shared/a.yaml',
      'policies/team',
      'teams/b/b.yaml',
      'policies/shared/c.yaml',
    ]) {
      expect(await stdout(folder, 'validate', path)).toBe('1 file checked: all valid\n')
    }
    expect(await stdout(join(folder, 'policies'), 'validate', '../policies/shared/c.yaml')).toBe(
      '1 file checked: all valid\n',
    )
    await symlink('..', join(folder, 'policies/shared/up'))
    expect(await stdout(folder, 'validate')).toBe('4 files checked: all valid\n')
    await put(folder, 'shared/a.yaml', 'kind: Nonsense')
    expect(await stdout(folder, 'validate', 'policies/a.yaml')).toContain('policies/a.yaml:1:1: error')
  })

  it('may be all of a folder, and dap.yaml, as in a volume of Kubernetes', async () => {
    const folder = await onDisk({ '..2026/dap.yaml': PROJECT, '..2026/offer.yaml': policy('offer') })
    await symlink('..2026', join(folder, '..data'))
    await mkdir(join(folder, 'policies'))
    await symlink('..data/dap.yaml', join(folder, 'dap.yaml'))
    await symlink('../..data/offer.yaml', join(folder, 'policies/offer.yaml'))
    expect(await stdout(folder, 'validate')).toBe('2 files checked: all valid\n')
    await symlink('..data', join(folder, 'scenarios'))
    expect(await stdout(folder, 'validate', 'scenarios')).toBe('2 files checked: all valid\n')
  })

  it('that are not there, or not in the repository, are errors with the name of the link', async () => {
    const folder = await onDisk({
      'repo/dap.yaml': PROJECT,
      'repo/policies/a.yaml': policy('a'),
      'else/x.yaml': 'secret: 1',
    })
    const root = join(folder, 'repo')
    await symlink('none.yaml', join(root, 'policies/b.yaml'))
    await symlink('c.yaml', join(root, 'policies/c.yaml'))
    await symlink('../../else', join(root, 'policies/else'))
    await symlink('../../else/x.yaml', join(root, 'policies/x.yaml'))
    await symlink('../else', join(root, 'scenarios'))
    await symlink('nowhere', join(root, 'datasets'))
    await symlink('README.md', join(root, 'policies/NOTES.md'))
    const { code, stdout } = await dapIn(root, 'validate')
    expect(code).toBe(1)
    expect(stdout.replaceAll(folder, '')).toMatchInlineSnapshot(`
      "policies/b.yaml: error: the link cannot be followed: there is nothing where it leads [file]
        hint: mend the link, or remove it

      policies/c.yaml: error: the link cannot be followed: its links go round in a circle [file]
        hint: mend the link, or remove it

      policies/else: error: the link leads out, to \`/else\` [file]
        hint: links are followed inside the repository and below the \`dataRoots\` of dap.yaml that DAP_DATA_ROOTS confirms

      policies/x.yaml: error: the link leads out, to \`/else/x.yaml\` [file]
        hint: links are followed inside the repository and below the \`dataRoots\` of dap.yaml that DAP_DATA_ROOTS confirms

      scenarios: error: the link leads out, to \`/else\` [file]
        hint: links are followed inside the repository and below the \`dataRoots\` of dap.yaml that DAP_DATA_ROOTS confirms

      datasets: error: the link cannot be followed: there is nothing where it leads [file]
        hint: mend the link, or remove it

      8 files checked: 6 errors
      "
    `)
    expect(await dapIn(root, 'validate', 'policies/b.yaml')).toMatchObject({ code: 1 })
    expect(await dapIn(root, 'validate', 'policies/x.yaml')).toMatchObject({ code: 1 })
  })

  it('do not make dap.yaml one of another place', async () => {
    const folder = await onDisk({ 'repo/policies/a.yaml': policy('a'), secret: 'token: abc\n' })
    await symlink('../secret', join(folder, 'repo/dap.yaml'))
    const { code, stdout } = await dapIn(join(folder, 'repo'), 'validate')
    expect(code).toBe(1)
    expect(stdout).toContain('dap.yaml: error: the link leads out, to')
    expect(stdout).not.toContain('abc')
  })
})

describe('a snapshot in its usual place', () => {
  it('may be a link, but not to another place', async () => {
    const folder = await onDisk({
      'repo/dap.yaml': PROJECT,
      'repo/policies/a.yaml': policy('a'),
      'secret.json': 'token',
    })
    await mkdir(join(folder, 'repo/snapshots'))
    await symlink('../../secret.json', join(folder, 'repo/snapshots/a.json'))
    expect(await dapIn(join(folder, 'repo'), 'decide', 'a', '--context', '{}')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`snapshots/a.json` is outside the repository'),
    })
  })
})

describe('a folder of the Project', () => {
  it('that is a file is an error', async () => {
    const project = PROJECT.replace('defaults: { seed: 1 }', 'folders: [policies/a.yaml, none]')
    const { code, stdout } = await dapIn(
      await onDisk({ 'dap.yaml': project, 'policies/a.yaml': policy('a') }),
      'validate',
    )
    expect(code).toBe(1)
    expect(stdout).toContain('policies/a.yaml: error: it is no folder, and `spec.folders` of dap.yaml lists it')
  })
})

describe('what is passed over', () => {
  it('is said, where it may be meant to be read', async () => {
    const folder = await onDisk({
      'dap.yaml': PROJECT,
      'policies/A.YAML': policy('a'),
      'policies/b.Yml': policy('b'),
      'policies/.c.yaml': policy('c'),
      'policies/.d/e.yml': policy('d'),
      'policies/f.json': '{}',
      'policies/g.yaml': '',
      'policies/h.yaml': '# all of it\n',
      'policies/README.md': '',
      'policies/.gitkeep': '',
      'policies/._a.yaml': '',
      'policies/node_modules/x.yaml': 'x',
    })
    const { code, stdout } = await dapIn(folder, 'validate')
    expect(code).toBe(0)
    expect(stdout).toMatchInlineSnapshot(`
      "policies/g.yaml: warning: nothing is in the file: it is empty, or all of it is commented out [file]
        hint: remove it, if nothing is meant to be in it

      policies/h.yaml: warning: nothing is in the file: it is empty, or all of it is commented out [file]
        hint: remove it, if nothing is meant to be in it

      policies/.c.yaml: warning: what is called \`.c.yaml\` is passed over [file]
        hint: resources are in files called .yaml or .yml, whose names and folders do not begin with a dot

      policies/.d/e.yml: warning: what is called \`.d\` is passed over [file]
        hint: resources are in files called .yaml or .yml, whose names and folders do not begin with a dot

      policies/f.json: warning: JSON is passed over [file]
        hint: resources are in files called .yaml or .yml, whose names and folders do not begin with a dot

      5 files checked: 5 warnings
      "
    `)
    expect((await dapIn(folder, 'validate', 'policies/.d', 'policies')).code).toBe(3)
  })

  it('is nothing in the root, unless it says what a resource says', async () => {
    const all = {
      'dap.yaml': PROJECT.replace('defaults: { seed: 1 }', 'folders: [., ./policies, .]'),
      'policies/a.yaml': policy('a'),
      'package.json': '{ "name": "x" }',
      '.github/workflows/ci.yaml': 'on: push',
      '.git/x.yaml': policy('git'),
      '.pre-commit-config.yaml': 'repos: []',
    }
    expect(await stdout(await onDisk(all), 'validate')).toBe('2 files checked: all valid\n')
    const more = { ...all, 'b.json': JSON.stringify({ apiVersion: 'dap/v1', kind: 'Policy' }), '.c.yaml': policy('c') }
    expect((await stdout(await onDisk(more), 'validate')).match(/^\S+: warning: .*/gm)).toEqual([
      '.c.yaml: warning: what is called `.c.yaml` is passed over [file]',
      'b.json: warning: JSON is passed over [file]',
    ])
  })
})

describe('a path of which nothing is checked', () => {
  it('is said by its name, also beside others', async () => {
    const folder = await onDisk({
      'dap.yaml': PROJECT,
      'policies/a.yaml': policy('a'),
      'staging/x.yaml': 'kind: Nonsense',
      'policies/.b.yaml': '',
      'policies/c.json': '{}',
      'empty/README.md': '',
    })
    for (const path of ['staging/x.yaml', 'staging', 'policies/.b.yaml', 'policies/c.json', 'empty']) {
      for (const words of [[path], [path, 'policies'], ['policies/a.yaml', path]]) {
        expect(await dapIn(folder, 'validate', ...words)).toMatchObject({
          code: 3,
          stdout: '',
          stderr: expect.stringContaining(`error: nothing was checked in \`${path}\`\nhint: `),
        })
      }
    }
    expect((await dapIn(folder, 'validate', 'staging', 'empty')).stderr).toContain('in `staging`, `empty`')
    const outside = await onDisk({ 'a.yaml': policy('a'), 'empty/README.md': '' })
    expect(await dapIn(outside, 'validate', 'a.yaml', 'empty')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('there is no YAML file in `empty`'),
    })
  })

  it('is said of logs, too', async () => {
    const folder = await onDisk({ 'logs/a.jsonl': line(decision('d1', [0.5, 0.5])), 'empty/README.md': '' })
    expect(await dapIn(folder, 'log', 'check', 'logs', 'empty')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('below `empty`'),
    })
  })
})

describe('logs behind links', () => {
  const records = { 'logs/d.jsonl': line(decision('d1', [0.5, 0.5])), 'logs/r.jsonl': line(reward('d1')) }

  it('are read, once each, wherever below the repository or the given folders they are', async () => {
    const folder = await onDisk(records)
    await movedAway(folder, 'logs/r.jsonl', 'logs/.annex/objects/r')
    await symlink('d.jsonl', join(folder, 'logs/again.jsonl'))
    await symlink('.', join(folder, 'logs/self'))
    expect(await stdout(folder, 'log', 'check', 'logs')).toContain('2 files: 1 decision, 1 reward')
    const apart = await onDisk(records)
    await movedAway(apart, 'logs/r.jsonl', 'store/r.jsonl')
    const refused = await dapIn(apart, 'log', 'check', 'logs')
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('`logs/r.jsonl` cannot be read: the link leads out'),
    })
    expect(await stdout(apart, 'log', 'check', 'logs', 'store')).toContain('2 files: 1 decision, 1 reward')
    const confirmed = { folder: apart, environment: { DAP_DATA_ROOTS: 'store' } }
    expect((await dapIn(confirmed, 'log', 'check', 'logs')).stdout).toContain('2 files: 1 decision, 1 reward')
    await writeFile(join(apart, 'dap.yaml'), PROJECT)
    expect(await stdout(apart, 'log', 'check', 'logs')).toContain('2 files: 1 decision, 1 reward')
  })

  it('are read by DuckDB, of every format', async () => {
    const rows = "SELECT 'a' AS action, 0.5 AS p, 1 AS r"
    const folder = await onDisk({
      'dap.yaml': PROJECT,
      'data/csv/x.csv': 'action,p,r\na,0.5,1\nb,0.5,0\n',
      'data/jsonl/x.jsonl': '{"action":"a","p":0.5,"r":1}\n{"action":"b","p":0.5,"r":0}\n',
      ...Object.fromEntries(
        ['csv', 'jsonl', 'parquet'].flatMap(format => [
          [
            `datasets/${format}.yaml`,
            resource(
              'Dataset',
              format,
              `files: [data/${format}]\nformat: ${format}\nmapping: { action: action, propensity: p, reward: r }`,
            ),
          ],
          [
            `evaluations/${format}.yaml`,
            resource(
              'Evaluation',
              format,
              `dataset: ${format}\nestimators: [ips]\ncandidates: [{ name: b, fixed: b }]`,
            ),
          ],
        ]),
      ),
    })
    await writeParquet(join(folder, 'data/parquet/x.parquet'), `${rows} UNION ALL SELECT 'b', 0.5, 0`)
    for (const format of ['csv', 'jsonl', 'parquet']) {
      await movedAway(folder, `data/${format}/x.${format}`, `.store/${format}`)
      const { stdout: text } = await dapIn(folder, 'evaluate', format, '--json')
      expect(JSON.parse(text).dataset).toMatchObject({ rows: 2 })
    }
  })
})
