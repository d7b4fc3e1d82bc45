import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectPublished } from '../support/published.ts'
import { PACKAGE_ROOT } from '../support/run-dap.ts'

const bin = join(PACKAGE_ROOT, 'bin', 'dap.js')

function dap(cwd: string, ...args: string[]) {
  return execa(process.execPath, [bin, ...args], { cwd, reject: false, stdin: 'ignore' })
}

async function repository(template: string): Promise<string> {
  const folder = join(await mkdtemp(join(tmpdir(), 'dap-e2e-')), 'shop')
  const made = await dap(tmpdir(), 'init', folder, '--template', template)
  expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  return folder
}

function conforms(result: string, schema: string): void {
  expectPublished(`${schema}-result`, JSON.parse(result))
}

describe.each([
  { template: 'bandit', files: 10, evaluation: 'next-offer', scenario: 'quiet-week' },
  { template: 'contextual-bandit', files: 10, evaluation: 'next-offer', scenario: 'quiet-week' },
  { template: 'personalisation', files: 12, evaluation: 'next-levels', scenario: 'new-season' },
  { template: 'recommendation', files: 10, evaluation: 'home-rows', scenario: 'evening' },
])('a repository made from the template $template', ({ template, files, evaluation, scenario }) => {
  let folder = ''
  beforeAll(async () => {
    folder = await repository(template)
  })

  it('is valid', async () => {
    const { exitCode, stdout, stderr } = await dap(folder, 'validate')
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 0,
      stdout: `${files} files checked: all valid`,
      stderr: '',
    })
    conforms((await dap(folder, 'validate', '--json')).stdout, 'validation')
  })

  it('simulates, meets its expectations, and gives the same bytes for the same seed', async () => {
    const text = await dap(folder, 'simulate', '--replications', template.includes('bandit') ? '40' : '10')
    expect(text).toMatchObject({ exitCode: 0, stderr: '' })
    expect(text.stdout).toContain('2 expectations passed')
    const short = ['--replications', '3', '--horizon', '500', '--json']
    const first = await dap(folder, 'simulate', ...short)
    conforms(first.stdout, 'simulations')
    conforms((await dap(folder, 'simulate', scenario, ...short)).stdout, 'simulation')
    expect((await dap(folder, 'simulate', ...short)).stdout).toBe(first.stdout)
    expect((await dap(folder, 'simulate', ...short, '--seed', '8')).stdout).not.toBe(first.stdout)
  })

  it('evaluates and passes its gates', async () => {
    const text = await dap(folder, 'evaluate')
    expect(text).toMatchObject({ exitCode: 0, stderr: '' })
    expect(text.stdout).toContain('2 gates passed')
    conforms((await dap(folder, 'evaluate', '--json')).stdout, 'evaluations')
    conforms((await dap(folder, 'evaluate', evaluation, '--json')).stdout, 'evaluation')
  })

  it('takes one new resource of each kind, all valid at once', async () => {
    for (const kind of ['policy', 'scenario', 'dataset', 'evaluation', 'environment', 'deployment']) {
      expect(await dap(folder, 'new', kind, 'another')).toMatchObject({ exitCode: 0, stderr: '' })
    }
    // The data of a new Dataset is still to come.
    const validated = await dap(folder, 'validate')
    expect(validated.exitCode).toBe(0)
    expect(validated.stdout).toMatch(
      /warning: there is no data file `data\/another.csv` [\s\S]*files checked: 1 warning$/,
    )
    expect(await dap(folder, 'simulate', 'another')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await dap(folder, 'new', 'policy', 'another')).toMatchObject({ exitCode: 1 })
  })
})

describe('the log of the template recommendation', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await repository('recommendation')
  })

  it('is one that dap would have written', async () => {
    expect(await dap(folder, 'log', 'check', 'data')).toMatchObject({ exitCode: 0, stderr: '' })
  })

  it('taught the snapshot that lies beside it, as its README says', async () => {
    const snapshot = async () => {
      const { dap: _, ...learnt } = JSON.parse(await readFile(join(folder, 'snapshots', 'home-row.json'), 'utf8'))
      return learnt
    }
    const before = await snapshot()
    const line = /^ {4}dap (train .*?) +#/m.exec(await readFile(join(folder, 'README.md'), 'utf8'))?.[1] ?? ''
    const trained = await dap(folder, ...line.split(' '))
    expect(trained).toMatchObject({ exitCode: 0, stderr: '' })
    expect(trained.stdout).toContain('the new snapshot earns more than the log did')
    expect(await snapshot(), 'scripts/template-data.ts makes both anew').toEqual(before)
  })
})

describe('the built binary', () => {
  it('works below the root, and on another folder by -C', async () => {
    const folder = await repository('bandit')
    expect((await dap(join(folder, 'policies'), 'validate')).stdout).toContain('all valid')
    expect((await dap(tmpdir(), 'validate', '-C', folder)).stdout).toContain('all valid')
    expect(await dap(tmpdir(), 'validate', '-C', join(folder, 'nowhere'))).toMatchObject({ exitCode: 3 })
  })

  it('writes events and the result to --json-file beside the text', async () => {
    const folder = await repository('bandit')
    const { stdout } = await dap(folder, 'simulate', '--replications', '10', '--json-file', 'events.ndjson')
    expect(stdout).toContain('quiet-week')
    const lines = (await readFile(join(folder, 'events.ndjson'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.at(-1)).toMatchObject({
      type: 'result',
      exitCode: 0,
      result: { schema: 'dap.simulations/v1', results: [{ replications: 10 }] },
    })
    expect(lines.slice(0, -1).every(line => line.type === 'progress')).toBe(true)
  })

  it('ends with its own code, and without a word, when nobody reads on', async () => {
    const folder = await repository('bandit')
    const piped = (command: string) =>
      execa(
        'sh',
        [
          '-c',
          `{ "$0" "$@"; echo $? >code; } 2>stderr | ${command}`,
          process.execPath,
          bin,
          'schema',
          'Policy',
          '--json',
        ],
        {
          cwd: folder,
        },
      )
    for (const reader of ['true', 'head -c 1']) {
      await piped(reader)
      expect(readFileSync(join(folder, 'stderr'), 'utf8')).toBe('')
      expect(readFileSync(join(folder, 'code'), 'utf8')).toBe('0\n')
    }
  })

  it.runIf(existsSync('/dev/full'))('says in one line that a result cannot be written', async () => {
    const folder = await repository('bandit')
    const full = (...words: string[]) =>
      execa('sh', ['-c', `"$0" "$@" >/dev/full`, process.execPath, bin, ...words], { cwd: folder, reject: false })
    const line = 'error: the result cannot be written to stdout (ENOSPC)'
    expect(await full('validate')).toMatchObject({ exitCode: 1, stderr: line })
    expect(await full('--help')).toMatchObject({ exitCode: 1, stderr: line })
    expect(await dap(folder, 'validate', '--json-file', '/dev/full')).toMatchObject({
      exitCode: 1,
      stderr: 'error: cannot write `/dev/full`: the disk is full',
    })
    const deaf = await execa('sh', ['-c', '"$0" "$@" 2>/dev/full', process.execPath, bin, 'validat'], { reject: false })
    expect(deaf).toMatchObject({ exitCode: 3, stderr: '' })
  })

  it('gives the same bytes from one worker and from three', async () => {
    const folder = await repository('contextual-bandit')
    const args = ['simulate', '--replications', '7', '--horizon', '500', '--json', '--workers']
    const one = await dap(folder, ...args, '1')
    expect(one.stdout).toContain('"replications": 7')
    expect((await dap(folder, ...args, '3')).stdout).toBe(one.stdout)
  })

  it('says what went wrong in a worker as it would without', async () => {
    const folder = await repository('contextual-bandit')
    const scenario = join(folder, 'scenarios', 'quiet-week.yaml')
    const text = await readFile(scenario, 'utf8')
    await writeFile(
      scenario,
      text.replace('"ctx.spend30d >= 5.0 ? -0.5 : -4.0"', '"double(1 / (ctx.level - ctx.level))"'),
    )
    const one = await dap(folder, 'simulate', '--workers', '1')
    expect(one).toMatchObject({ exitCode: 1, stdout: '' })
    expect(one.stderr).toMatch(/^error: .*has no value/)
    expect(await dap(folder, 'simulate', '--workers', '2')).toMatchObject({ exitCode: 1, stderr: one.stderr })
  })

  it('stops at the first Ctrl-C with 130 and says so', async () => {
    const folder = await repository('bandit')
    const says = `process.on('newListener', name => name === 'SIGINT' && setImmediate(() => console.error('hears')))`
    const running = execa(
      process.execPath,
      ['--import', `data:text/javascript,${says}`, bin, 'simulate', '--replications', '1000000'],
      { cwd: folder, reject: false },
    )
    await once(running.stderr, 'data')
    // In the middle of it, on most machines; on none does it end before.
    setTimeout(() => running.kill('SIGINT'), 500)
    const { exitCode, stdout, stderr } = await running
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 130, stdout: '', stderr: 'hears\ninterrupted' })
  })

  it('overwrites nothing on init, and leaves nothing half-written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-e2e-'))
    await mkdir(join(folder, 'policies'))
    await writeFile(join(folder, 'policies', 'shop-offer.yaml'), 'mine')
    const { exitCode, stderr } = await dap(folder, 'init', '--template', 'bandit')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('is in the way: `policies/shop-offer.yaml`')
    expect(existsSync(join(folder, 'dap.yaml'))).toBe(false)
    expect(await readFile(join(folder, 'policies', 'shop-offer.yaml'), 'utf8')).toBe('mine')
  })

  it('asks for the template only on a terminal; elsewhere its absence is a usage error', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-e2e-'))
    expect(await dap(folder, 'init')).toMatchObject({
      exitCode: 3,
      stderr:
        'error: which template?\nhint: --template bandit or --template contextual-bandit or --template personalisation or --template recommendation',
    })
  })

  it('reads no data file that a link leads out of the repository', async () => {
    const folder = await repository('bandit')
    const outside = await mkdtemp(join(tmpdir(), 'dap-outside-'))
    await writeFile(join(outside, 'secret.csv'), 'offer,propensity,purchase\nnone,1,0\n')
    await symlink(join(outside, 'secret.csv'), join(folder, 'data', 'linked.csv'))
    const dataset = join(folder, 'datasets', 'last-month.yaml')
    await writeFile(dataset, (await readFile(dataset, 'utf8')).replace('decisions.csv', 'linked.csv'))
    const { exitCode, stderr } = await dap(folder, 'evaluate')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('data file `data/linked.csv` is outside the repository')
  })
})
