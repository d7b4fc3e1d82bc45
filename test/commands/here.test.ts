import { describe, expect, it } from 'vitest'
import type { HereResult } from '../../src/results.ts'
import { expectPublished } from '../support/published.ts'
import { resource } from '../support/repository.ts'
import { dap, repository } from '../support/run-dap.ts'
import { read } from './support.ts'

const PROJECT = { 'dap.yaml': resource('Project', 'shop', '{}') }

const nextOf = async (files: Readonly<Record<string, string>>) => {
  const result: HereResult = JSON.parse((await dap('--json', files)).stdout)
  expectPublished('here-result', result)
  return result.next[0].command
}

async function made(template: string): Promise<Readonly<Record<string, string>>> {
  const { files } = await dap(`init . --template ${template}`)
  return files
}

describe('dap alone', () => {
  it('says where you are, what is here and what next, on stdout, in a dozen lines of 80 columns', async () => {
    const { dap } = repository(await made('contextual-bandit'), { branch: 'main' })
    const session = await dap('')
    expect(read(session)).toMatchInlineSnapshot(`
      "exit 0
      repo  /repo  on branch main
      2 environments, 2 policies, 1 scenario,
      2 datasets, 1 evaluation, 2 deployments
      all valid

      next  dap simulate quiet-week --record  play the policies, and keep the result
            dap help                          every command
      "
    `)
    const lines = session.stdout.split('\n')
    expect(lines.length).toBeLessThanOrEqual(12)
    expect(lines.filter(line => line.length > 80)).toEqual([])
  })

  it('says how a repository is made where there is none', async () => {
    expect(read(await dap(''))).toMatchInlineSnapshot(`
      "exit 0
      no repository here: there is no \`dap.yaml\` in /repo or above it

      next  dap init shop --template bandit  make a repository in the folder \`shop\`
            dap help                         every command
      "
    `)
    expect(await nextOf({})).toBe('dap init shop --template bandit')
  })

  it('asks for what is wrong before anything else, and counts it, which is no failure of its own', async () => {
    expect(
      read(
        await dap('', {
          ...PROJECT,
          'policies/a.yaml': resource('Policy', 'offer', 'actions: 3'),
          'policies/b.yaml': '',
        }),
      ),
    ).toMatchInlineSnapshot(`
      "exit 0
      shop  /repo
      1 policy
      2 errors, 1 warning

      next  dap validate  show 2 errors
            dap help      every command
      "
    `)
  })

  it('counts what is wrong with a rule about plans, and so do list, graph and doctor', async () => {
    const files = { ...PROJECT, 'rules/no-delete.cel': "change.knd == 'delete'" }
    expect((await dap('', files)).stdout).toContain('show 1 error')
    expect(await nextOf(files)).toBe('dap validate')
    for (const command of ['list', 'graph']) expect(await dap(command, files)).toMatchObject({ code: 1 })
    expect((await dap('list', files)).stdout).toContain('1 error: `dap validate` shows')
    expect((await dap('doctor --offline', files)).stdout).toMatch(/failed +repository +1 error\n/)
  })

  it('leads from an empty repository to a deployment, each step being one that works', async () => {
    const shop = repository(PROJECT)
    const steps: string[] = []
    for (;;) {
      const { next }: HereResult = JSON.parse((await shop.dap('--json')).stdout)
      steps.push(next[0].command)
      if (!/^dap (new|simulate) /.test(next[0].command)) break
      expect(await shop.dap(next[0].command.slice('dap '.length))).toMatchObject({ code: 0 })
    }
    expect(steps).toEqual(['dap new policy offer', 'dap new scenario week', 'dap simulate week --record', 'dap serve'])
    const evidence = { 'evidence/scenario-quiet-week.json': '', 'evidence/evaluation-next-offer.json': '' }
    const files = await made('contextual-bandit')
    expect(await nextOf(files)).toBe('dap simulate quiet-week --record')
    const simulated = { ...files, 'evidence/scenario-quiet-week.json': '' }
    expect(await nextOf(simulated)).toBe('dap evaluate next-offer --record')
    expect(await nextOf({ ...files, ...evidence })).toBe('dap plan --env local')
  })

  it('takes the options of every command, and no others', async () => {
    const { stdout } = await dap('-C shop', { 'shop/dap.yaml': PROJECT['dap.yaml'] })
    expect(stdout).toContain('/repo/shop')
    expect(await dap('--bogus')).toMatchObject({
      code: 3,
      stdout: '',
      stderr: 'error: unknown option `--bogus`\nhint: dap --help\n',
    })
  })
})
