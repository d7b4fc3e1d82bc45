import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli.ts'
import { COMMANDS } from '../../src/commands/registry.ts'
import { publishedValidator } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap } from '../support/run-dap.ts'

describe('the command line', () => {
  it('prints its version on stdout', async () => {
    expect(await dap('--version')).toMatchObject({ code: 0, stdout: '0.0.0-test\n', stderr: '' })
  })

  it('lists the commands on --help', async () => {
    const help = await dap('--help')
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toContain('  validate   ')
  })

  it('guesses what a mistyped command meant', async () => {
    expect(await dap('validat')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: 'error: unknown command `validat`\nhint: did you mean `validate`?\n',
    })
  })

  it('guesses what a mistyped option meant', async () => {
    expect(await dap('simulate --sed 3')).toMatchObject({
      code: 3,
      stderr: 'error: unknown option `--sed`\nhint: did you mean `--seed`?\n',
    })
  })

  it('refuses an option that is no number, and an argument too many', async () => {
    expect((await dap('simulate --seed x')).stderr).toBe('error: --seed takes a whole number of at least 0, got `x`\n')
    expect(await dap('explain a b')).toMatchObject({ code: 3 })
  })

  it('shows the help of one command', async () => {
    const { code, stdout } = await dap('validate --help')
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: dap validate [options] [paths...]')
    expect((await dap('help validate')).stdout).toBe(stdout)
  })

  it('takes the options of every command before its name, too', async () => {
    const files = { 'shop/dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }') }
    const expected = { code: 0, stdout: '1 file checked: all valid\n' }
    expect(await dap('-C shop validate', files)).toMatchObject(expected)
    expect(await dap('--no-color --json-file out -C shop validate', files)).toMatchObject(expected)
    expect(await dap('validate -C shop', files)).toMatchObject(expected)
  })

  it('says how to make a repository where there is none', async () => {
    expect(await dap('validate')).toMatchObject({
      code: 3,
      stdout: '',
      stderr:
        'error: no `dap.yaml` in this folder or above it\nhint: `dap init DIR` makes a config repository; -C DIR names one\n',
    })
  })
})

describe('an error', () => {
  const conforms = publishedValidator('error-result')

  it.each(COMMANDS)(
    'of $name is a result under --json and --json-file, and the same text on stderr',
    async ({ name }) => {
      const { code, stdout, stderr, files } = await dap(`${name} --no-such-option --json --json-file out.jsonl`)
      const result = JSON.parse(stdout)
      expect(conforms(result)).toBe(true)
      expect(result).toMatchObject({ exitCode: 3, message: 'unknown option `--no-such-option`' })
      expect({ code, stderr }).toEqual({ code: 3, stderr: `error: ${result.message}\nhint: ${result.hint}\n` })
      expect(JSON.parse(files['out.jsonl'])).toEqual({ type: 'result', exitCode: 3, result })
    },
  )

  it('is a result before there is a command, too', async () => {
    for (const line of ['validat --json', '--json --json-file=out.jsonl validat']) {
      expect(JSON.parse((await dap(line)).stdout)).toMatchObject({ exitCode: 3, hint: 'did you mean `validate`?' })
    }
    expect((await dap('validat')).stdout).toBe('')
    expect((await dap('emulator exec -- cmd --json')).stdout).toBe('')
  })

  it('over files that have errors says which', async () => {
    const files = {
      'dap.yaml': resource('Project', 'shop', 'defaults: { seed: 1 }'),
      'policies/offer.yaml': 'apiVersion: dap/v1\nkind: Policy\nmetadata: { name: offer }\n',
      'policies/other.yaml': 'x: [',
    }
    const { code, stdout } = await dap('bundle offer --json', files)
    const result = JSON.parse(stdout)
    expect(conforms(result)).toBe(true)
    expect({ code, result }).toMatchObject({
      code: 1,
      result: {
        exitCode: 1,
        message: '`policies/offer.yaml` has errors',
        diagnostics: [{ file: 'policies/offer.yaml', line: 1, message: '`spec` is missing' }],
      },
    })
    expect(result.diagnostics).toHaveLength(1)
  })

  it('that is a bug has its trace on stderr alone', async () => {
    const written: { out: string[]; err: string[] } = { out: [], err: [] }
    const code = await runCli(['validate', '--json'], {
      version: '1.2.3',
      streams: {
        out: text => void written.out.push(text),
        err: text => void written.err.push(text),
        columns: () => Number.POSITIVE_INFINITY,
      },
      host: () => Promise.reject(new TypeError('boom')),
      progress: () => ({ report() {}, stop() {} }),
    })
    expect(code).toBe(70)
    expect(conforms(JSON.parse(written.out.join('')))).toBe(true)
    expect(JSON.parse(written.out.join(''))).toMatchObject({
      exitCode: 70,
      message: 'this is a bug in dap 1.2.3: boom',
    })
    expect(written.err.join('')).toMatch(
      /^TypeError: boom\n {4}at .*\n\nerror: this is a bug in dap 1.2.3: boom\nhint: please report it/s,
    )
  })
})
