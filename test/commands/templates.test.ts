import { load } from 'js-yaml'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadRepository } from '../../src/repo/repository.ts'
import type { Repository } from '../../src/repo/resource.ts'
import { planMarkdown } from '../../src/ui/plan-markdown.ts'
import { dap } from '../support/run-dap.ts'
import { plan } from '../ui/plan-samples.ts'

const TEMPLATES = ['bandit', 'contextual-bandit', 'personalisation', 'recommendation'] as const

/** What each has to check. */
const FILES = { bandit: 10, 'contextual-bandit': 10, personalisation: 12, recommendation: 10 } as const

const made = async (template: string) => (await dap(`init . --name shop --template ${template}`)).files

interface Job {
  readonly permissions: Readonly<Record<string, string>>
  readonly concurrency?: { readonly group: string; readonly 'cancel-in-progress': boolean }
  readonly steps: readonly { readonly run?: string; readonly uses?: string }[]
}

describe.each(TEMPLATES)('a repository made from the template %s', template => {
  let files: Readonly<Record<string, string>> = {}
  let repository: Repository
  let jobs: Readonly<Record<'check' | 'plan' | 'comment' | 'approved' | 'deploy', Job>>
  beforeAll(async () => {
    files = await made(template)
    const sources = Object.entries(files).filter(([path]) => /^(dap|[\w-]+\/.*)\.yaml$/.test(path))
    repository = await loadRepository(sources.map(([path, text]) => ({ path, text })))
    jobs = (load(files['.github/workflows/dap.yaml']) as { jobs: typeof jobs }).jobs
  })

  const deployment = (environment: string) =>
    repository.all('Deployment').find(({ spec }) => spec.environment === environment)!

  it('has no fault and no warning', async () => {
    const stdout = `${FILES[template]} files checked: all valid\n`
    expect(await dap('validate', files)).toMatchObject({ code: 0, stdout })
  })

  it('deploys to the emulator at once: no evidence to make, no gate to wait for', () => {
    expect(repository.get('Environment', 'local')?.spec.target).toBe('emulator')
    expect(deployment('local').spec).toMatchObject({ evidence: [], rollout: { gates: [] } })
  })

  it('records in CI all the evidence that production asks for, and whatever is added, and keeps it out of Git', () => {
    expect(deployment('prod').spec.evidence).toHaveLength(2)
    const runs = jobs.check.steps.flatMap(
      ({ run }) => /^npx --no-install dap (.*?) --format/.exec(run ?? '')?.[1] ?? [],
    )
    expect(runs).toEqual(['validate', 'simulate --record', 'evaluate --record'])
    expect(files['.gitignore'].split('\n')).toEqual(
      expect.arrayContaining(['evidence/', 'plan.json', 'plan.md', 'reports/', '.dap/journal/']),
    )
  })

  it('lets nothing of the repository run beside a token that writes, and asks for no more than a job needs', () => {
    const permissions = Object.entries(jobs).map(([name, job]) => [name, job.permissions])
    expect(Object.fromEntries(permissions)).toEqual({
      check: { contents: 'read' },
      plan: { contents: 'read', 'id-token': 'write' },
      comment: { 'pull-requests': 'write' },
      approved: { actions: 'read', contents: 'read', 'pull-requests': 'read' },
      deploy: { contents: 'read', 'id-token': 'write' },
    })
    for (const name of ['comment', 'approved'] as const) {
      const runs = jobs[name].steps.map(({ run = '' }) => run).join('\n')
      expect(runs).not.toMatch(/\b(npm|npx|dap (?!plan prod))\b/)
      expect(jobs[name].steps.some(({ uses = '' }) => uses.startsWith('actions/checkout'))).toBe(false)
    }
  })

  it('comments under the marker that the comment begins with', async () => {
    const [marker] = planMarkdown(plan([])).split('\n')
    const [{ run = '' }] = jobs.comment.steps.filter(step => step.run !== undefined)
    expect(run).toContain(`startswith("${marker}")`)
    const gitlab = await dap(`init . --name shop --ci gitlab --template ${template}`)
    expect(gitlab.files['.gitlab-ci.yml']).toContain(`startsWith('${marker}')`)
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
    for (const { steps } of Object.values(jobs)) {
      const runs = steps.flatMap(({ run }) => run ?? [])
      const first = runs.findIndex(run => run.includes('npx'))
      expect(runs.slice(0, Math.max(0, first))).toEqual(first === -1 ? [] : ['npm ci --ignore-scripts'])
    }
  })
})

it('templates share what is not about their decisions', async () => {
  const [one, other] = await Promise.all(TEMPLATES.map(made))
  const shared = Object.keys(one).filter(path =>
    /^(deployments|environments|README|CODEOWNERS|\.git|\.docker|\.pre|Docker|package|vendor)/.test(path),
  )
  expect(shared.length).toBeGreaterThan(6)
  for (const path of shared) expect(other[path], path).toBe(one[path])
})

describe('init --ci', () => {
  const ci = async (words: string) =>
    Object.keys((await dap(`init . --name shop --template bandit ${words}`)).files).filter(path =>
      /^\.git(hub|lab)/.test(path),
    )

  it('makes the pipeline of one system, or of none', async () => {
    expect(await ci('')).toEqual(['.github/workflows/dap.yaml'])
    expect(await ci('--ci github')).toEqual(['.github/workflows/dap.yaml'])
    expect(await ci('--ci gitlab')).toEqual(['.gitlab-ci.yml'])
    expect(await ci('--ci none')).toEqual([])
  })

  it('knows no other', async () => {
    expect(await dap('init . --name shop --template bandit --ci gitlabs')).toMatchObject({
      code: 3,
      stderr: 'error: unknown CI system `gitlabs`\nhint: did you mean `gitlab`?\n',
      files: {},
    })
  })
})
