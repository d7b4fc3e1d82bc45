import { describe, expect, it } from 'vitest'
import { stream } from '../../src/math/rng.ts'
import { onDisk } from '../support/disk.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

const PROJECT = resource('Project', 'shop', 'defaults: { seed: 1 }')
const DATASET = resource(
  'Dataset',
  'log',
  'files: [data/log.csv]\nformat: csv\nmapping: { action: action, propensity: p, reward: r }',
)

const evaluation = (lines: string) =>
  resource('Evaluation', 'next', `dataset: log\nestimators: [ips, snips]\ncandidates:\n${lines}`)

/** 2,000 decisions, uniform over two actions of means 0.2 and 0.4; `rare` is never taken. */
function log(): string[] {
  const rng = stream(1, 'test')
  return [
    'action,p,r',
    ...Array.from({ length: 2000 }, () => {
      const action = rng.uniform() < 0.5 ? 'a' : 'b'
      return `${action},0.5,${rng.uniform() < (action === 'a' ? 0.2 : 0.4) ? 1 : 0}`
    }),
  ]
}

describe('evaluate', () => {
  it('shows estimates with intervals, and passes the gates that hold', async () => {
    const session = await evaluate({
      'evaluations/next.yaml': `${evaluation('  - { name: b, fixed: b }')}  gates:\n    - { id: better, expr: "candidate('b').estimate('snips').lift.lower > 0.0" }\n`,
      'data/log.csv': log().join('\n'),
    })
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(session.stdout).toMatchInlineSnapshot(`
      "next on log: 2,000 rows, mean reward 0.299

      candidate  verdict  estimator   value  95 % interval        lift  95 % interval        sample size  largest weight
      b          ok       ips         0.402  [0.3724, 0.4342]   +0.103  [+0.08417, +0.1236]          997               2
                 ok       snips      0.4032  [0.3724, 0.4342]  +0.1042  [+0.08417, +0.1236]

      actions were not declared: the 2 seen in the log or named by candidates are taken for all
      the log has no units: rows are taken for independent of each other

      passed  better
      1 gate passed
      "
    `)
  })

  it('shows no number of a refused candidate, keeps it in the JSON, and fails every gate that uses it', async () => {
    const files = {
      'evaluations/next.yaml': `${evaluation('  - { name: rare, table: { file: rare.csv, by: [] } }')}  gates:\n    - { id: any, expr: "candidate('rare').estimate('ips').value > -1.0" }\n`,
      'datasets/log.yaml': DATASET.replace('format: csv', 'format: csv\n  actions: [a, b, rare]'),
      'rare.csv': 'action,probability\nrare,0.9\nb,0.1\n',
      'data/log.csv': log().join('\n'),
    }
    const session = await evaluate(files)
    expect(session.code).toBe(1)
    expect(session.stdout).toMatchInlineSnapshot(`
      "next on log: 2,000 rows, mean reward 0.299

      candidate  verdict  estimator  value  95 % interval  lift  95 % interval  sample size  largest weight
      rare       refuse                                                                 997             0.2

      \`rare\`: what its table was made from is not said (\`learntFrom\`): taken for other decisions
      the log has no units: rows are taken for independent of each other
      rare: refuse, 90 % of the candidate's probability is on actions that the log never took

      failed  any
              candidate('rare').estimate('ips').value > -1.0
              candidate \`rare\` is refused: 90 % of the candidate's probability is on actions that the log never took
      1 of 1 gate failed
      "
    `)
    const result = JSON.parse((await evaluate(files, 'next', '--json')).stdout)
    expect(result.candidates[0]).toMatchObject({ verdict: 'refuse' })
    expect(result.candidates[0].estimates[0].value).toBeGreaterThan(0)
  })

  it('refuses a log with bad rows, names the first ten by their lines, and drops them when told to', async () => {
    const rows = log()
    rows[3] = 'a,0,1'
    rows[7] = 'a,x,1'
    rows[9] = 'b,0.5,'
    const files = { 'evaluations/next.yaml': evaluation('  - { name: b, fixed: b }'), 'data/log.csv': rows.join('\n') }
    const session = await evaluate(files)
    expect(session).toMatchObject({ code: 1, stdout: '' })
    expect(session.stderr).toMatchInlineSnapshot(`
      "error: the log has 3 bad rows (1 × \`p\` is not a finite number; 1 × \`p\` is outside (0, 1]; 1 × \`r\` is missing)
        data/log.csv:4: \`p\` is outside (0, 1]
        data/log.csv:8: \`p\` is not a finite number
        data/log.csv:10: \`r\` is missing
      hint: an absent reward is a choice: \`spec.reward.default\` says what it counts as
      "
    `)
    const dropping = {
      ...files,
      'datasets/log.yaml': DATASET.replace('format: csv', 'format: csv\n  quality: { badRows: drop }'),
    }
    expect(await evaluate(dropping)).toMatchObject({ code: 0, stdout: expect.stringContaining('3 bad rows dropped') })
  })

  it('caps rewards of log and candidates where the Dataset says so, and says how many', async () => {
    const money = log().map((line, i) => (i % 100 === 1 ? line.replace(/[01]$/, '50') : line))
    const session = await evaluate({
      'evaluations/next.yaml': evaluation('  - { name: b, fixed: b }'),
      'datasets/log.yaml': `${DATASET.trimEnd()}\n  reward: { minimum: 0, cap: 2 }\n`,
      'data/log.csv': money.join('\n'),
    })
    expect(session).toMatchObject({ code: 0, stderr: '' })
    expect(session.stdout).toMatchInlineSnapshot(`
      "next on log: 2,000 rows, mean reward 0.3165

      candidate  verdict  estimator   value  95 % interval         lift  95 % interval       sample size  largest weight
      b          ok       ips          0.41  [0.3796, 0.4442]   +0.0935  [+0.0731, +0.1158]          997               2
                 ok       snips      0.4112  [0.3796, 0.4442]  +0.09473  [+0.0731, +0.1158]

      actions were not declared: the 2 seen in the log or named by candidates are taken for all
      reward.cap: 20 rewards above 2 count as 2, which takes away 60 % of all reward
      the log has no units: rows are taken for independent of each other
      "
    `)
  })

  it('says which column is missing, and guesses which was meant', async () => {
    const { code, stderr } = await evaluate({
      'evaluations/next.yaml': evaluation('  - { name: b, fixed: b }'),
      'datasets/log.yaml': DATASET.replace('action: action', 'action: acton'),
      'data/log.csv': log().join('\n'),
    })
    expect(code).toBe(1)
    expect(stderr).toContain('acton')
    expect(stderr).toContain('did you mean `action`?')
  })

  it('says that a data file does not exist, or lies outside the repository', async () => {
    const files = { 'evaluations/next.yaml': evaluation('  - { name: b, fixed: b }') }
    expect((await evaluate(files)).stderr).toBe(
      'error: data file `data/log.csv` does not exist\nhint: paths are relative to the folder of dap.yaml\n',
    )
    const outside = { ...files, 'datasets/log.yaml': DATASET.replace('data/log.csv', '../log.csv') }
    expect((await evaluate(outside)).stderr).toContain('`datasets/log.yaml` has errors')
  })
})

/** `dap evaluate` over real files, which DuckDB needs. */
async function evaluate(files: Readonly<Record<string, string>>, ...flags: string[]) {
  const folder = await onDisk({ 'dap.yaml': PROJECT, 'datasets/log.yaml': DATASET, ...files })
  return dapIn(folder, 'evaluate', ...flags)
}
