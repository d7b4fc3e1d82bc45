import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadRepository } from '../../src/repo/repository.ts'
import type { Repository } from '../../src/repo/resource.ts'
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
      'evaluation' in each
        ? `npx --no-install dap evaluate ${each.evaluation} --record`
        : `npx --no-install dap simulate ${each.scenario} --record`,
    )
    expect(recorded).toHaveLength(2)
    expect(jobs.check.steps.map(({ run }) => run)).toEqual(expect.arrayContaining(recorded))
    expect(files['.gitignore'].split('\n')).toEqual(expect.arrayContaining(['evidence/', 'plan.json', '.dap/journal/']))
  })

  it('deploys with an identity of its own, one run at a time, and never stops one half-way', () => {
    expect(jobs.deploy.permissions['id-token']).toBe('write')
    expect(jobs.deploy.concurrency).toEqual({ group: 'dap-prod', 'cancel-in-progress': false })
    const runs = jobs.deploy.steps.map(({ run = '' }) => run)
    expect(runs.filter(run => /dap (plan|simulate|evaluate)/.test(run))).toEqual([])
    expect(runs.some(run => run.startsWith('npx --no-install dap deploy plan.json'))).toBe(true)
  })
})

/** Where npm is told to fetch something that it may choose: by npx on its way, or by a name instead of the lock file. */
const FETCHES = /\bnpx (?!--no-install\b)[^\n`]*|\bnpm (?:i|install|add|update|exec|x|init|create)\b[^\n`]*/g

describe.each(TEMPLATES)('the dap of a repository made from the template %s', template => {
  let files: Readonly<Record<string, string>> = {}
  beforeAll(async () => {
    files = await made(template)
  })

  it('is pinned by name, version and content, and says so', async () => {
    const tarball = 'vendor/dap-platform-dap-0.0.0-test.tgz'
    const said = `\`package.json\` pins @dap-platform/dap 0.0.0-test as the tarball \`${tarball}\`: nothing says that this dap came from a registry`
    expect((await dap(`init . --name shop --template ${template}`)).stdout).toContain(said)
    expect(files[tarball]).toBe('a tarball')
    expect(JSON.parse(files['package.json']).dependencies).toEqual({ '@dap-platform/dap': `file:${tarball}` })
    expect(JSON.parse(files['package-lock.json']).packages['node_modules/@dap-platform/dap']).toMatchObject({
      resolved: `file:${tarball}`,
      integrity: 'sha512-dap',
    })
  })

  it('is never installed, or run, by a name that a registry could answer to', () => {
    const fetches = Object.entries(files).flatMap(([path, text]) => (text.match(FETCHES) ?? []).map(run => [path, run]))
    expect(fetches).toEqual([['README.md', 'npm install --save-exact PACKAGE']])
    for (const path of ['.github/workflows/dap.yaml', '.pre-commit-config.yaml'])
      expect(files[path]).toContain('npx --no-install dap')
    expect(files['Dockerfile']).toMatch(/^RUN npm ci --ignore-scripts /m)
  })

  it('is installed at the start of every job, before anything runs it', () => {
    const { jobs } = load(files['.github/workflows/dap.yaml']) as { jobs: Record<string, Job> }
    for (const { steps } of Object.values(jobs))
      expect(steps.find(({ run }) => run !== undefined)?.run).toBe('npm ci --ignore-scripts')
  })
})

it('templates share what is not about their decisions', async () => {
  const [one, other] = await Promise.all(TEMPLATES.map(made))
  const shared = Object.keys(one).filter(path =>
    /^(deployments|environments|\.github|README|CODEOWNERS|\.git|\.docker|\.pre|Docker|package|vendor)/.test(path),
  )
  expect(shared.length).toBeGreaterThan(6)
  for (const path of shared) expect(other[path], path).toBe(one[path])
})
