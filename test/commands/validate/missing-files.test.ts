import { describe, expect, it } from 'vitest'
import type { ValidationResult } from '../../../src/generated/types.ts'
import { resource } from '../../support/repository.ts'
import { repository } from '../../support/run-dap.ts'

const PROJECT = { 'dap.yaml': resource('Project', 'shop', 'projectId: 0a1b2c3d\ndataRoots: [../store]') }
const MAPPING = 'mapping: { action: a, propensity: p, reward: r }'
const dataset = (files: string, rest = `format: csv\n${MAPPING}`) => ({
  'datasets/log.yaml': resource('Dataset', 'log', `files: ${files}\n${rest}`),
})
const POLICY = {
  'policies/offer.yaml': resource(
    'Policy',
    'offer',
    'actions: [{ id: a }, { id: b }]\nalgorithm: { learner: { type: mean }, exploration: { type: thompson } }\nguardrails: { minProbability: 0.05 }',
  ),
}

async function said(files: Readonly<Record<string, string>>, line = 'validate --json') {
  const { code, stdout } = await repository({ ...PROJECT, ...files }).dap(line)
  const { diagnostics, errors } = JSON.parse(stdout) as ValidationResult
  expect({ code, errors }).toEqual({ code: 0, errors: 0 })
  return diagnostics.map(
    ({ file, line, column, severity, message }) => `${file}:${line}:${column} ${severity} ${message}`,
  )
}

describe('a file that a resource names', () => {
  it.each([
    [
      'of data',
      dataset('[data/a.csv, data/b.csv]'),
      ['datasets/log.yaml:5:23 warning there is no data file `data/b.csv`'],
    ],
    [
      'of data, by a glob',
      dataset('["data/*.csv", "data/*.tsv"]'),
      ['datasets/log.yaml:5:25 warning `data/*.tsv` matches no file'],
    ],
    ['of data, in a folder', dataset('[data, old]'), ['datasets/log.yaml:5:17 warning there is no data file `old`']],
    [
      'of rewards',
      dataset(
        '[data/a.csv]',
        'format: csv\nmapping: { action: a, propensity: p, decisionId: i }\nrewards: { files: [data/r.csv], mapping: { decisionId: i, reward: r } }\nreward: { aggregate: sum }',
      ),
      ['datasets/log.yaml:8:22 warning there is no data file `data/r.csv`'],
    ],
    [
      'of a snapshot that is deployed',
      {
        ...POLICY,
        'environments/local.yaml': resource('Environment', 'local', 'target: emulator'),
        'deployments/d.yaml': resource(
          'Deployment',
          'd',
          'environment: local\npolicy: offer\nsnapshot: snapshots/offer.json',
        ),
      },
      ['deployments/d.yaml:7:13 warning there is no snapshot `snapshots/offer.json`'],
    ],
    [
      'of a candidate',
      {
        ...POLICY,
        ...dataset('[data/a.csv]'),
        'evaluations/e.yaml': resource(
          'Evaluation',
          'e',
          'dataset: log\nestimators: [ips]\ncandidates:\n  - { name: old, policy: offer, snapshot: old.json }\n  - { name: table, table: { file: t.csv, by: [a] } }',
        ),
      },
      [
        'evaluations/e.yaml:8:45 warning there is no snapshot `old.json`',
        'evaluations/e.yaml:9:37 warning there is no table `t.csv`',
      ],
    ],
  ])('%s is looked for, and not being there is a warning', async (_, files, warnings) => {
    expect(await said({ 'data/a.csv': 'a,p,r\n', ...files })).toEqual(warnings)
  })

  it('is not looked for where nothing may be read, nor among the logs that dap writes later', async () => {
    expect(await said(dataset('[../store/a.csv]'))).toEqual([])
    expect(await said(dataset('[logs]', 'format: dap'))).toEqual([])
  })

  it('is told of in the order of files and lines, and of the files alone that were asked for', async () => {
    const files = { ...dataset('[x.csv, y.csv]'), 'policies/empty.yaml': '', 'datasets/a.yaml': '' }
    const all = await said(files)
    expect(all).toEqual(all.toSorted())
    expect(all).toHaveLength(4)
    expect(await said(files, 'validate --json policies')).toEqual([expect.stringContaining('policies/empty.yaml')])
  })
})
