import { describe, expect, it } from 'vitest'
import { resource } from '../../support/repository.ts'
import { repository } from '../../support/run-dap.ts'

const FILES = {
  'dap.yaml': resource('Project', 'shop', 'projectId: 0a1b2c3d'),
  'policies/offer.yaml': resource(
    'Policy',
    'offer',
    'context: {}\nactions: [{ id: none }, { id: gold }]\nalgorithm: { learner: { type: mean }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.05 }',
  ),
  'scenarios/week.yaml': resource(
    'Scenario',
    'week',
    'world: { type: bernoulli, means: { none: 0.1, gold: 0.6 } }\npolicies: [offer, uniform]\nhorizon: 20\nreplications: 2',
  ),
  'datasets/log.yaml': resource('Dataset', 'log', 'files: [logs]\nformat: dap\nactions: { policy: offer }'),
  'evaluations/new.yaml': resource(
    'Evaluation',
    'new',
    'dataset: log\ncandidates: [{ name: new, policy: offer }]\nestimators: [ips]',
  ),
  'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
  'deployments/local/offer.yaml': resource('Deployment', 'offer', 'environment: local\npolicy: offer'),
}

/** Every command that opens a repository and needs a file of this kind, without a name of it and with one. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'dap.yaml': [
    'simulate',
    'evaluate',
    'train',
    'decide --context {}',
    'bundle',
    'plan',
    'status',
    'deploy --yes',
    'serve --port 0',
  ],
  'policies/offer.yaml': [
    'simulate',
    'simulate week',
    'evaluate',
    'evaluate new',
    'train',
    'decide --context {}',
    'decide offer --context {}',
    'bundle',
    'bundle offer',
    'plan',
    'plan --only offer',
    'status',
    'deploy --yes',
    'deploy --only offer --yes',
    'serve --port 0',
  ],
  'scenarios/week.yaml': ['simulate', 'simulate week', 'plan', 'serve --port 0'],
  'datasets/log.yaml': ['evaluate', 'evaluate new', 'train'],
  'evaluations/new.yaml': ['evaluate', 'evaluate new'],
  'environments/local.yaml': ['plan', 'plan --env local', 'status', 'deploy --yes'],
  'deployments/local/offer.yaml': ['plan', 'plan --only offer', 'status', 'deploy --yes', 'deploy --only offer --yes'],
}

/** Ways to break a file; what it declares is known in the last alone. */
const BREAKS: readonly (readonly [string, (text: string) => string])[] = [
  ['is no YAML', text => text.replace('spec:', 'spec: [')],
  ['has a tab', text => text.replace('spec:\n  ', 'spec:\n\t')],
  ['is of no kind', text => text.replace(/kind: (\w)/, 'kind: X$1')],
  ['has an unknown key', text => text.replace('spec:\n', 'spec:\n  unknown: 1\n')],
]

describe.each(Object.entries(COMMANDS))('where %s is broken', (file, lines) => {
  const cases = lines.flatMap(line => BREAKS.map(([how, broken]) => [line, how, broken] as const))
  it.each(cases)('dap %s shows the fault of a file that %s', async (line, _, broken) => {
    const right = FILES[file as keyof typeof FILES]
    expect(broken(right)).not.toBe(right)
    const files = { ...FILES, [file]: broken(right) }
    const { code, stdout, stderr } = await repository(files).dap(line)
    expect({ line, code, stdout }).toEqual({ line, code: 1, stdout: '' })
    const place = file.replaceAll('.', '\\.')
    expect(stderr).toMatch(new RegExp(`^${place}:\\d+:\\d+: error: .*\\n( +\\d* │.*\\n)+ {2}hint: .*\\n`))
    expect(stderr).toMatch(new RegExp(`\\n\\nerror: \`${place}\` has errors\\nhint: dap validate ${place}\\n$`))
  })
})
