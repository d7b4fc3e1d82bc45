import { Command } from 'commander'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { COMMANDS } from '../../src/commands/registry.ts'
import { onDisk } from '../support/disk.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap, dapIn } from '../support/run-dap.ts'

const POLICY = resource(
  'Policy',
  'offer',
  'actions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: beta }, exploration: { type: thompson } }',
)

let folder: string

beforeAll(async () => {
  folder = await onDisk({
    'dap.yaml': resource('Project', 'shop', '{}'),
    'policies/offer.yaml': POLICY,
    'policies/other.yaml': resource('Policy', 'other-offer', 'actions: 3'),
    'policies/evil.yaml': resource('Policy', '"$(touch evil)"', 'actions: 3'),
    'policies/broken.yaml': 'kind: [\n',
    'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
    'environments/prod.yaml': resource('Environment', 'prod', 'target: vertex'),
    'scenarios/offer.yaml': resource('Scenario', 'offer', 'policies: [offer]'),
  })
})

/** What comes for the last word, as a shell would see it. */
async function completed(...words: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await dapIn(folder, '__complete', '--', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.split('\t')[0]]))
}

describe('completion', () => {
  it('knows every command, by its first word and by its second', async () => {
    const firsts = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0])), 'help']
    expect((await completed('')).sort()).toEqual(firsts.sort())
    for (const { name } of COMMANDS) {
      const words = name.split(' ')
      expect(await completed(...words)).toContain(words.at(-1))
    }
    expect(await completed('log', '')).toEqual(expect.arrayContaining(['check', 'stats']))
    expect(await completed('plan', '')).toEqual(['show'])
  })

  it('knows every option of every command, the choices of those that have some, and no option twice', async () => {
    for (const { name, load } of COMMANDS) {
      const command = new Command(name)
      ;(await load()).declare(command)
      const words = name.split(' ')
      const known = await completed(...words, '--')
      expect(known).toEqual(expect.arrayContaining(command.options.map(({ long }) => long!)))
      expect(known).toEqual(expect.arrayContaining(['--json', '--directory']))
      for (const { long, argChoices } of command.options) {
        if (argChoices === undefined) continue
        expect(await completed(...words, long!, '')).toEqual(argChoices)
        expect(await completed(...words, `${long}=`)).toEqual(argChoices.map(each => `${long}=${each}`))
        // As bash takes a word apart.
        expect(await completed(...words, long!, '=', argChoices[0])).toEqual(argChoices.slice(0, 1))
        expect(await completed(...words, long!, '=')).toEqual(argChoices)
      }
    }
    expect(await completed('simulate', '--record', '--rec')).toEqual([])
  })

  it('knows names of the kind that an argument or an option is called after, of files with errors too', async () => {
    expect(await completed('decide', '')).toEqual(['offer', 'other-offer'])
    expect(await completed('decide', 'other')).toEqual(['other-offer'])
    expect(await completed('simulate', '--seed', '3', '')).toEqual(['offer'])
    expect(await completed('simulate', 'offer', '')).toEqual([])
    expect(await completed('plan', '--env', '')).toEqual(['local', 'prod'])
    expect(await completed('graph', '')).toEqual(['local', 'offer', 'other-offer', 'prod'])
    expect(await completed('list', 'pol')).toEqual(['policy'])
    expect((await dapIn(folder, '__complete', '--', 'graph', 'offer')).stdout).toBe('offer\tpolicy, scenario\n')
  })

  it('knows formats, environments of a promotion, topics, and the commands that there is help for', async () => {
    expect(await completed('validate', '--format', '')).toContain('sarif')
    expect(await completed('list', '--format', '')).toEqual(['text', 'json'])
    expect(await completed('validate', '--format=ju')).toEqual(['--format=junit'])
    expect(await completed('promote', 'offer', '--from', 'l')).toEqual(['local'])
    expect(await completed('promote', 'offer', '--to', '')).toEqual(['local', 'prod'])
    expect(await completed('explain', 'linu')).toEqual(['linucb', 'linucb-hybrid'])
    expect(await completed('explain', 'Pol')).toEqual(['Policy'])
    expect(await completed('explain', 'pol')).toEqual([])
    expect(await completed('promote', 'offer', '--from=p')).toEqual(['--from=prod'])
    expect(await completed('help', 'si')).toEqual(['simulate'])
  })

  it('leaves files to the shell, and says nothing where there is no repository', async () => {
    expect(await completed('validate', '')).toEqual([])
    expect(await completed('-C', '')).toEqual([])
    expect(await completed('-C', 'policies', 'decide', '')).toEqual(['offer', 'other-offer'])
    expect(await completed('emulator', 'exec', '--', 'pl')).toEqual([])
    expect(await dap('__complete -- decide o')).toMatchObject({ code: 0, stdout: '', stderr: '' })
  })

  it('never says an error, and nothing that a shell would act on, whatever was typed', async () => {
    const words = [
      '',
      '-',
      '--',
      '=',
      '--env',
      '--format',
      '--json-file',
      '-C',
      '..',
      'graph',
      'log',
      'new',
      'nowhere',
      '\u0000',
      '$(x)',
    ]
    const word = fc.constantFrom(...words, ...COMMANDS.flatMap(({ name }) => name.split(' ')))
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 5 }), async typed => {
        for (const found of await completed(...typed)) expect(found).toMatch(/^[\w=-]+$/)
      }),
      { numRuns: 200 },
    )
  })

  it('prints a script for each shell, and no others', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      expect((await dap(`completion ${shell}`)).stdout).toContain('__complete --')
      expectPublished('completion-result', JSON.parse((await dap(`completion ${shell} --json`)).stdout))
    }
    expect(await dap('completion zs')).toMatchObject({
      code: 3,
      stderr: 'error: no completion for `zs`\nhint: did you mean `zsh`?\n',
    })
  })
})
