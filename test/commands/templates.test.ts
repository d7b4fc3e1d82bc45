import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadRepository, type Repository } from '../../src/repo/repository.ts'
import { dap } from '../support/run-dap.ts'

const TEMPLATES = ['bandit', 'contextual-bandit'] as const

const made = async (template: string) => (await dap(`init . --name shop --template ${template}`)).files

interface Job {
  readonly permissions: Readonly<Record<string, string>>
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean }
  readonly steps: readonly { readonly run?: string }[]
}

describe.each(TEMPLATES)('a repository made from the template %s', template => {
  let files: Readonly<Record<string, string>> = {}
  let repository: Repository
  let jobs: Readonly<Record<'check' | 'deploy', Job>>
  beforeAll(async () => {
    files = await made(template)
    const sources = Object.entries(files).filter(([path]) => /^(dap|\w+\/.*)\.yaml$/.test(path))
    repository = await loadRepository(sources.map(([path, text]) => ({ path, text })))
    jobs = (load(files['.github/workflows/dap.yaml']) as { jobs: typeof jobs }).jobs
  })

  const deployment = (environment: string) =>
    repository.all('Deployment').find(({ spec }) => spec.environment === environment)!

  it('has no fault and no warning', async () => {
    expect(await dap('validate', files)).toMatchObject({ code: 0, stdout: '10 files checked: all valid\n' })
  })

  it('deploys to the emulator at once: no evidence to make, no gate to wait for', () => {
    expect(repository.get('Environment', 'local')?.spec.target).toBe('emulator')
    expect(deployment('local').spec).toMatchObject({ evidence: [], rollout: { gates: [] } })
  })

  it('records in CI all the evidence that production asks for, and keeps it out of Git', () => {
    const recorded = deployment('prod').spec.evidence.map(each =>
      'evaluation' in each ? `dap evaluate ${each.evaluation} --record` : `dap simulate ${each.scenario} --record`,
    )
    expect(recorded).toHaveLength(2)
    expect(jobs.check.steps.map(({ run }) => run)).toEqual(expect.arrayContaining(recorded))
    expect(files['.gitignore'].split('\n')).toEqual(expect.arrayContaining(['evidence/', 'plan.json', '.dap/journal/']))
  })

  it('deploys with an identity of its own, one run at a time, and never stops one half-way', () => {
    expect(jobs.deploy.permissions['id-token']).toBe('write')
    expect(jobs.deploy.concurrency).toEqual({ group: 'dap-prod', 'cancel-in-progress': false })
    const runs = jobs.deploy.steps.map(({ run = '' }) => run)
    expect(runs.filter(run => /^dap (plan|simulate|evaluate)/.test(run))).toEqual([])
    expect(runs.some(run => run.startsWith('dap deploy plan.json'))).toBe(true)
  })
})

it('templates share what is not about their decisions', async () => {
  const [one, other] = await Promise.all(TEMPLATES.map(made))
  const shared = Object.keys(one).filter(path =>
    /^(deployments|environments|\.github|README|CODEOWNERS|\.git)/.test(path),
  )
  expect(shared.length).toBeGreaterThan(6)
  for (const path of shared) expect(other[path], path).toBe(one[path])
})
