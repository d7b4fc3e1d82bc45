import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'

/**
 * A newcomer's learner, exploration, world and estimator: one file and one line each, in a copy of the project, and every place knows them.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'dap-extension-'))
const repository = join(copy, 'repository')

const ADDED = {
  'src/policy/learners': [
    'median',
    `import type { LearnerDefinition } from '../learner.ts'
import { stateCounts } from './state.ts'

/** Counts of rewards and how many of them were not 0, squeezed by a prior weight; the context is ignored. */
export const median: LearnerDefinition<{ type: 'median'; weight: number }> = {
  type: 'median',
  order: 25,
  description: 'A throw-away learner.',
  options: { weight: { type: 'number', description: 'What pulls values to 0.', minimum: 0, default: 1, examples: [2] } },
  learns: true,
  rewards: 'unit',
  gives: ['counts'],
  create({ weight }, actions) {
    const counts = new Float64Array(actions.length)
    const sums = new Float64Array(actions.length)
    const value = new Float64Array(actions.length)
    const learner = {
      count: 0,
      counts,
      value,
      width: new Float64Array(actions.length),
      predict() {},
      learn(action: number, _x: Float64Array, reward: number) {
        if (!(reward >= 0 && reward <= 1)) throw new RangeError('median: not in [0, 1]')
        counts[action]++
        sums[action] += reward
        learner.count++
        value[action] = sums[action] / (counts[action] + weight)
      },
      draw: () => 0,
      posterior: () => undefined,
      state: () => ({ counts: [...counts], sums: [...sums] }),
      restore(state: Readonly<Record<string, number | readonly number[]>>) {
        const [n, s] = [stateCounts(state, 'counts', actions.length), stateCounts(state, 'sums', actions.length)]
        counts.set(n)
        sums.set(s)
        learner.count = counts.reduce((sum, each) => sum + each, 0)
        for (let a = 0; a < counts.length; a++) value[a] = counts[a] === 0 ? 0 : sums[a] / (counts[a] + weight)
      },
    }
    return learner
  },
  sums: (_spec, actions) => ({
    width: 1,
    add(sums, at, _x, reward, weight) {
      sums[at] += weight * reward
    },
    state: (counts, sum) => ({ counts: [...counts], sums: Array.from({ length: actions }, (_, a) => sum(a, 0)) }),
  }),
  carry: state => state,
}
`,
  ],
  'src/policy/explorations': [
    'counting',
    `import type { ExplorationDefinition } from '../exploration.ts'

/** Uniform over the actions that have been learnt least. */
export const counting: ExplorationDefinition = {
  type: 'counting',
  order: 60,
  description: 'A throw-away exploration.',
  options: {},
  needs: ['counts'],
  rewards: 'any',
  names: { median: { name: 'Least Known First', paper: 'Nobody 2026' } },
  create() {
    const least = (counts: Float64Array, eligible: Int32Array, count: number) => {
      const some = eligible.slice(0, count)
      const fewest = some.reduce((n, a) => Math.min(n, counts[a]), Infinity)
      return some.filter(a => counts[a] === fewest)
    }
    return {
      sample({ counts }, eligible, count, rng) {
        const some = least(counts!, eligible, count)
        return some[Math.floor(rng.uniform() * some.length)]
      },
      probabilities({ counts }, eligible, count, out) {
        const some = least(counts!, eligible, count)
        out.fill(0)
        for (const a of some) out[a] = 1 / some.length
      },
    }
  },
}
`,
  ],
  'src/simulate/worlds': [
    'alternating',
    `import type { WorldDefinition } from '../world.ts'
import { termsOption } from './options.ts'

/** Every other action answers with the mean itself, the others with 0 or 1. */
export const alternating: WorldDefinition<{ type: 'alternating'; means: Readonly<Record<string, number>> }> = {
  type: 'alternating',
  order: 40,
  description: 'A throw-away world.',
  options: { means: termsOption('Action → mean.', { type: 'number', minimum: 0, maximum: 1 }, { a: 0.5 }) },
  required: ['means'],
  terms: 'means',
  rewards: 'unit',
  create({ means }) {
    const actions = Object.keys(means)
    return {
      actions,
      contextual: false,
      means: (_, out, offset) => out.set(Object.values(means), offset),
      chance: rng => rng.uniform(),
      reward: (action, mean, chance) => (action % 2 === 0 ? mean : chance < mean ? 1 : 0),
    }
  },
}
`,
  ],
  'src/evaluate/estimators': [
    'plain',
    `import type { EstimatorType } from './estimator.ts'
import { weight, weightedReward } from './series.ts'

export const plain: EstimatorType = {
  type: 'plain',
  order: 100,
  model: false,
  propensities: true,
  biased: false,
  create: name => ({ name, ratios: [{ over: weightedReward, under: weight }], constrained: weightedReward }),
}
`,
  ],
} as const

const FILES = {
  'dap.yaml': `apiVersion: dap/v1
kind: Project
metadata: { name: extended }
spec: {}
`,
  'policies/new.yaml': `apiVersion: dap/v1
kind: Policy
metadata: { name: new }
spec:
  context: {}
  actions: [{ id: a }, { id: b }]
  algorithm: { learner: { type: median }, exploration: { type: counting } }
  reward: { name: click, type: binary, wait: 1h }
---
apiVersion: dap/v1
kind: Scenario
metadata: { name: week }
spec:
  world: { type: alternating, means: { a: 0.25, b: 0.5 } }
  policies: [new, uniform]
  horizon: 200
  replications: 4
---
apiVersion: dap/v1
kind: Dataset
metadata: { name: log }
spec: { files: [log.csv], format: csv, mapping: { action: action, propensity: p, reward: r }, actions: [a, b] }
---
apiVersion: dap/v1
kind: Evaluation
metadata: { name: log }
spec: { dataset: log, candidates: [{ name: new, policy: new }], estimators: [plain, snips] }
`,
  'log.csv': `action,p,r\n${Array.from({ length: 200 }, (_, i) => `${'ab'[i % 2]},0.5,${i % 3 === 0 ? 1 : 0}`).join('\n')}\n`,
}

/** What a process of the copy printed, whatever its exit code. */
function run(program: string, args: readonly string[], cwd = copy): string {
  try {
    return execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    return `${stdout}${stderr}`
  }
}
/** The build says the version; here it is not built. */
const VERSION = "data:text/javascript,globalThis.DAP_VERSION='0.0.0'"
const dap = (...args: string[]) =>
  run(process.execPath, ['--import', VERSION, join(copy, 'src/main.ts'), ...args], repository)
const write = (path: string, text: string) => {
  mkdirSync(join(repository, path, '..'), { recursive: true })
  writeFileSync(join(repository, path), text)
}

beforeAll(() => {
  for (const path of [
    'src',
    'schemas',
    'scripts',
    'templates',
    'test',
    'README.md',
    'package.json',
    'vitest.config.ts',
    'tsconfig.json',
  ]) {
    cpSync(join(ROOT, path), join(copy, path), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  for (const [folder, [name, text]] of Object.entries(ADDED)) {
    writeFileSync(join(copy, folder, `${name}.ts`), text)
    appendFileSync(join(copy, folder, 'all.ts'), `export { ${name} } from './${name}.ts'\n`)
  }
  // The first step of the build.
  run(process.execPath, ['scripts/generate.ts'])
  for (const [path, text] of Object.entries(FILES)) write(path, text)
})

describe('a learner, an exploration, a world and an estimator of one file and one line each', () => {
  it('are known to the schemas and to the README', () => {
    const read = (path: string) => readFileSync(join(copy, path), 'utf8')
    for (const type of ['median', 'counting'])
      expect(read('schemas/policy.schema.json')).toContain(`"const": "${type}"`)
    expect(read('schemas/scenario.schema.json')).toContain('"const": "alternating"')
    expect(read('schemas/evaluation.schema.json')).toContain('"plain"')
    expect(read('README.md')).toMatch(/\| `median` \|.*Least Known First/)
  })

  it('have the types that the schemas say', () => {
    writeFileSync(join(copy, 'types.json'), JSON.stringify({ extends: './tsconfig.json', include: ['src', 'scripts'] }))
    expect(run(process.execPath, [join(copy, 'node_modules/.bin/tsc'), '-p', 'types.json'])).toBe('')
  })

  it('are valid in files, and taken for what was meant', () => {
    expect(dap('validate')).toContain('all valid')
    write(
      'policies/bad.yaml',
      FILES['policies/new.yaml'].split('---')[0].replace('new }', 'typo }').replace('counting', 'countin'),
    )
    expect(dap('validate', 'policies/bad.yaml')).toContain('did you mean `counting`?')
  })

  it('go with nothing that needs what they do not give', () => {
    const policy = FILES['policies/new.yaml'].split('---')[0].replace('new }', 'unfit }')
    write('policies/bad.yaml', policy.replace('counting', 'ucb'))
    const said = dap('validate', 'policies/bad.yaml')
    expect(said).toContain('`ucb` does not work over `median`')
    expect(said).toContain('use `counting`, or the learner `mean`')
    write('policies/bad.yaml', policy.replace('type: binary', 'type: number'))
    expect(dap('validate', 'policies/bad.yaml')).toContain('the learner `median` needs a binary reward')
    rmSync(join(repository, 'policies/bad.yaml'))
  })

  it('are explained', () => {
    expect(dap('explain', 'Policy.spec.algorithm')).toMatch(/counting +Least Known First \(Nobody 2026\)/)
    expect(dap('explain', 'Policy.spec.algorithm.learner.median.weight')).toContain('What pulls values to 0.')
    expect(dap('explain', 'Scenario.spec.world')).toContain('A throw-away world.')
  })

  it('play, judge and learn', () => {
    const played = JSON.parse(dap('simulate', 'week', '--json'))
    expect(played.policies[0].reward.mean).toBeGreaterThan(0.25)
    expect(played.policies[0].reward.mean).toBeLessThan(0.5)
    const judged = JSON.parse(dap('evaluate', 'log', '--json'))
    const [plain, snips] = judged.candidates[0].estimates
    expect(plain.estimator).toBe('plain')
    expect(plain.value).toBe(snips.value)
    const learnt = JSON.parse(dap('train', 'new', '--dataset', 'log', '--holdout', '0', '--json'))
    expect(learnt.dataset.rows).toBe(200)
    const shown = JSON.parse(dap('snapshot', 'show', 'snapshots/new.json', '--json'))
    expect(shown.learner).toEqual({ type: 'median', weight: 1 })
    expect(shown.actions.map(({ count }: { count: number }) => count)).toEqual([100, 100])
    expect(shown.actions[0].value).toBeCloseTo(34 / 101, 12)
  })

  it('are held to the contracts of their kinds', () => {
    const vitest = join(copy, 'node_modules/vitest/vitest.mjs')
    const files = ['test/policy/algorithms.test.ts', 'test/policy/statistics.test.ts', 'test/simulate/worlds.test.ts']
    run(process.execPath, [
      vitest,
      'run',
      ...[...files, 'test/evaluate/estimators.test.ts', 'test/scripts/compose.test.ts'],
      ...[
        '-t',
        'median|counting|alternating|estimator plain.*gives|what is made',
        '--reporter=json',
        '--outputFile=results.json',
      ],
    ])
    const { testResults } = JSON.parse(readFileSync(join(copy, 'results.json'), 'utf8'))
    const results: Result[] = testResults.flatMap(
      ({ assertionResults }: { assertionResults: Result[] }) => assertionResults,
    )
    const names = (wanted: string) => results.filter(({ status }) => status === wanted).map(({ fullName }) => fullName)
    expect(names('failed')).toEqual([])
    const passed = names('passed')
    for (const part of [
      '{"type":"median","weight":1} is a learner',
      '{"type":"counting"} over {"type":"median","weight":1}',
      'the statistics of median',
      '{"type":"alternating"',
      'estimator plain',
    ]) {
      expect(
        passed.filter(name => name.includes(part)),
        part,
      ).not.toEqual([])
    }
  })
})

interface Result {
  readonly status: string
  readonly fullName: string
}
