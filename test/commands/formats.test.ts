import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { COMMANDS } from '../../src/commands/registry.ts'
import { sarifFaults } from '../support/reports.ts'
import { resource } from '../support/repository.ts'
import { dap, dapIn, repository } from '../support/run-dap.ts'

const PROJECT = resource('Project', 'shop', 'defaults: { seed: 1 }')
const BROKEN = { 'dap.yaml': PROJECT, 'policies/a.yaml': 'apiVersion: dap/v1\nkind: Polcy\n' }

describe('--format', () => {
  it('goes to stdout and to files at once, in any order, and the text is printed where nothing else is', async () => {
    const one = await dap('validate --format sarif=out.sarif --format github --format junit=out.xml', BROKEN)
    expect(one).toMatchObject({ code: 1, stderr: '' })
    expect(one.stdout).toMatchInlineSnapshot(`
      "::error file=policies/a.yaml,line=2,endLine=2,col=7,endColumn=12,title=dap%3A schema::\`kind\` must be one of \`Project\`, \`Environment\`, \`ActionSet\`, \`Model\`, \`Policy\`, \`Scenario\`, \`Dataset\`, \`Evaluation\`, \`Deployment\`, got the string \`Polcy\`%0Ahint: did you mean \`Policy\`?
      ::notice title=dap validate::2 files checked: 1 error
      "
    `)
    expect(sarifFaults(JSON.parse(one.files['out.sarif']))).toEqual([])
    expect(one.files['out.xml']).toContain('<testsuites name="dap validate" tests="2" failures="1" errors="0">')
    const text = await dap('validate', BROKEN)
    expect((await dap('validate --format markdown=a.md', BROKEN)).stdout).toBe(text.stdout)
    expect((await dap('validate --format text', BROKEN)).stdout).toBe(text.stdout)
    expect((await dap('validate --format text=a.txt --json', BROKEN)).files['a.txt']).toBe(text.stdout)
  })

  it('json is what --json is', async () => {
    const { stdout } = await dap('validate --json', BROKEN)
    expect((await dap('validate --format json', BROKEN)).stdout).toBe(stdout)
    expect((await dap('--format json validate', BROKEN)).stdout).toBe(stdout)
    expect((await dap('validate --format=json=out.json', BROKEN)).files['out.json']).toBe(stdout)
  })

  it('names files from the root of the Git repository, in which that of dap may be a folder', async () => {
    const below = Object.fromEntries(Object.entries(BROKEN).map(([path, text]) => [`config/${path}`, text]))
    const at = async (files: Record<string, string>) =>
      (await dap('validate -C config --format github --format sarif=out.sarif', files)).stdout.split(',')[0]
    expect(await at(below)).toBe('::error file=policies/a.yaml')
    expect(await at({ ...below, '.git/HEAD': '' })).toBe('::error file=config/policies/a.yaml')
  })

  it('has `-` for stdout, and makes no file that is called so', async () => {
    const { stdout, files } = await dap('validate --format github=-', BROKEN)
    expect(stdout).toBe((await dap('validate --format github', BROKEN)).stdout)
    expect(Object.keys(files)).not.toContain('-')
    expect(await dap('validate --format sarif=- --format github', BROKEN)).toMatchObject({ code: 3 })
  })

  it.each([
    ['--format josn', 'no format `josn`', 'did you mean `json`?'],
    ['--format html', 'no format `html`', 'one of text, json, sarif, junit, github, markdown'],
    ['--format sarif,junit', 'no format `sarif,junit`', 'one at a time: --format sarif=out.sarif --format github'],
    ['--format sarif=', '--format sarif= names no file', '--format sarif=FILE'],
    [
      '--format sarif --format junit',
      'both `sarif` and `junit` would go to stdout',
      'give one a file: --format junit=FILE',
    ],
    ['--json --format text', 'both `json` and `text` would go to stdout', 'give one a file: --format text=FILE'],
    ['--format json --json', '`json` twice would go to stdout', 'give one a file: --format json=FILE'],
    ['--format sarif=a --format junit=./a', 'both `sarif` and `junit` would go to `a`', 'give each a file of its own'],
    [
      '--format sarif=a --json-file ./a',
      '--format sarif and --json-file would both go to `a`',
      'give each a file of its own',
    ],
    ['--format sarif=x/a', '--format sarif: there is no folder `x`', 'make it first, or mend the path'],
    ['--format sarif=policies', '--format sarif: `policies` is there, and is no file', '--format sarif=FILE'],
  ])('refuses %s', async (words, message, hint) => {
    const { code, stderr } = await dap(`validate ${words}`, BROKEN)
    expect({ code, stderr }).toEqual({ code: 3, stderr: `error: ${message}\nhint: ${hint}\n` })
  })

  it.runIf(process.platform !== 'win32')('never takes the place of what is no file, such as a pipe', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dap-formats-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const pipe = join(folder, 'pipe')
    execFileSync('mkfifo', [pipe])
    for (const words of [[], ['--strict']]) {
      expect(await dapIn(folder, 'validate', ...words, `--format=junit=${pipe}`)).toMatchObject({ code: 3 })
      expect((await stat(pipe)).isFIFO()).toBe(true)
    }
  })

  it('is refused by a command that finds no cases, but for text and JSON', async () => {
    for (const { name, load } of COMMANDS) {
      const gives = (await load()).report !== undefined
      expect([name, gives]).toEqual([name, GIVING.includes(name)])
    }
    const { code, stderr } = await dap('explain Policy --format sarif')
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr: 'error: `dap explain` gives no sarif\nhint: one of text, json\n',
    })
    expect((await dap('explain Policy --format json')).stdout).toBe((await dap('explain Policy --json')).stdout)
  })

  it('is written when the command ends in an error, too: the faults of files where that is why, else the error', async () => {
    const files = {
      ...BROKEN,
      'scenarios/s.yaml': 'apiVersion: dap/v1\nkind: Scenario\nmetadata: { name: s }\nspec: {}\n',
    }
    const faulty = await dap('simulate s --format sarif=out.sarif --format junit --format markdown=out.md', files)
    expect(faulty).toMatchObject({ code: 1, stderr: expect.stringContaining('error: `scenarios/s.yaml` has errors') })
    expect(faulty.stdout).toContain('<testcase name="scenarios/s.yaml" classname="simulate">\n      <failure message=')
    const sarif = JSON.parse(faulty.files['out.sarif'])
    expect(sarifFaults(sarif)).toEqual([])
    expect(sarif.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('scenarios/s.yaml')
    expect(faulty.files['out.md']).toContain('### dap simulate: `scenarios/s.yaml` has errors')

    const unknown = await dap('validate --strict --format sarif=out.sarif --format junit', files)
    expect(unknown).toMatchObject({ code: 3, stdout: expect.stringContaining('<error message="unknown option') })
    const [run] = JSON.parse(unknown.files['out.sarif']).runs
    expect(run.invocations[0]).toMatchObject({
      executionSuccessful: false,
      toolExecutionNotifications: [{ level: 'error' }],
    })
    // Of what is asked for as much as can be understood.
    expect((await dap('validate --format junit --format josn', files)).stdout).toContain('<error message="no format')
  })

  it('replaces the file of an earlier run, and leaves it where another format cannot be had', async () => {
    const made = repository(BROKEN)
    await made.dap('validate --format junit=out.xml')
    const before = made.read('out.xml')
    made.write('policies/a.yaml', resource('Policy', 'a', ''))
    await made.dap('validate --format junit=out.xml')
    expect(made.read('out.xml')).not.toBe(before)
  })
})

const GIVING = ['validate', 'simulate', 'evaluate', 'log check', 'plan', 'plan show']
