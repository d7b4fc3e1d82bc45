import { describe, expect, it } from 'vitest'
import { decision, reward } from '../log/support.ts'
import { offerWeek } from '../support/offer-week.ts'
import { expectPublished } from '../support/published.ts'
import { dap } from '../support/run-dap.ts'

const REPOSITORY = offerWeek(['uniform'])

function conforms(result: string, name: string): void {
  expectPublished(`${name}-result`, JSON.parse(result))
}

const lines = (records: readonly object[]) => records.map(record => `${JSON.stringify(record)}\n`).join('')

describe('log tail --policy', () => {
  const tail = (policy: string, files: Record<string, string> = REPOSITORY) =>
    dap(`log tail --no-follow --policy ${policy} log.jsonl`, {
      ...files,
      'log.jsonl': lines([decision('d', [0.5, 0.5])]),
    })

  it('warns of one that the repository does not have, and shows what there is all the same', async () => {
    const warning = 'warning: the repository has no policy'
    expect(await tail('ofer')).toMatchObject({ code: 0, stderr: `${warning} \`ofer\`: did you mean \`offer\`?\n` })
    const gone = await tail('shop-offer')
    expect(gone.stderr).toBe(`${warning} \`shop-offer\`: \`dap list policies\` names those that there are\n`)
    expect(gone.stdout).toContain('  d  ')
  })

  it('says nothing of one that is there or may be, nor where there is no repository', async () => {
    const torn = { ...REPOSITORY, 'policies/torn.yaml': 'kind: Policy\nmetadata: { name: torn }\nspec: [' }
    expect(
      [await tail('offer'), await tail('torn', torn), await tail('offer', {})].map(({ stderr }) => stderr),
    ).toEqual(['', '', ''])
  })
})

describe('simulate --log', () => {
  it("writes the log of the scenario's first policy beside the result, and check and stats pass it", async () => {
    const made = await dap('simulate --log logs/week.jsonl', REPOSITORY)
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(made.stdout).toContain('\n\n1,000 decisions of offer, with their rewards, in logs/week.jsonl\n')
    expect(Object.keys(made.files)).toContain('logs/week.jsonl')
    expect(Object.keys(made.files)).not.toContain('logs/week.jsonl.partial')
    const checked = await dap('log check logs', made.files)
    expect(checked).toMatchObject({ code: 0, stderr: '' })
    expect(checked.stdout).toMatchInlineSnapshot(`
      "1 file: 1,000 decisions, 1,000 rewards

      1,000 joined to their decisions

      the log passes
      "
    `)
    expect(checked.events.at(-1)).toEqual({ type: 'progress', unit: 'records', done: 2000 })
    const stats = await dap('log stats logs', made.files)
    expect(stats).toMatchObject({ code: 0, stderr: '' })
    expect(stats.stdout).toMatchInlineSnapshot(`
      "1 file: 1,000 decisions, 1,000 rewards

      policy  digest        snapshot  served by  mode    decisions
      offer   51dcd36b1752  learning  policy     online      1,000

      offer 51dcd36b1752: 100 units (as good as 90.6 of equal size; the largest has 1.9 % of the decisions), rewards came for 100 % of the decisions, mean of purchase 0.281 (1,000), latency p50 0 ms, p99 0 ms

      action  chosen  expected        z       p  rewards came for
      none       146     148.2  -0.2972  0.7789             100 %
      gold       854     851.8  +0.2972  0.7789             100 %

      test               found                   z       p
      mean 1/propensity  1.973 for 1.914   +0.5113  0.5974
      uniformity of u    distance 0.02202            0.773

      4 tests: each raises a false alarm, a p below 0.0005, in one right log of 2,000
      no alarm
      "
    `)
    conforms((await dap('log check logs --json', made.files)).stdout, 'log-check')
    conforms((await dap('log stats logs --json', made.files)).stdout, 'log-stats')
  })

  it('changes nothing in the result', async () => {
    const plain = await dap('simulate --json', REPOSITORY)
    expect((await dap('simulate --json --log week.jsonl --log-policy offer', REPOSITORY)).stdout).toBe(plain.stdout)
  })

  it('refuses a policy that is not played', async () => {
    expect(await dap('simulate --log week.jsonl --log-policy uniform', REPOSITORY)).toMatchObject({
      code: 3,
      stderr: 'error: the scenario `week` plays no policy `uniform`\nhint: one of `offer`\n',
    })
    expect(await dap('simulate --log-policy offer', REPOSITORY)).toMatchObject({ code: 3 })
  })
})

describe('log check', () => {
  it('shows what is wrong, where, and what to do about it', async () => {
    const good = decision('d1', [0.5, 0.5])
    const log = lines([good, { ...good, decisionId: 'd2' }, reward('d1'), reward('d9'), { schema: 'x' }])
    const session = await dap('log check day.jsonl night', {
      'day.jsonl': log,
      'night/1.jsonl': `${log.slice(0, 100)}`,
      'night/notes.txt': 'x',
    })
    expect(session).toMatchObject({ code: 1, stderr: '' })
    expect(session.stdout).toMatchInlineSnapshot(`
      "2 files: 2 decisions, 2 rewards

      1 joined to their decisions, 1 orphan (50 %)

      fault   severity  records
      torn    warning         1
      schema  error           1
      u       error           1
      orphan  warning         1

      warning torn
        night/1.jsonl:1: is the last line, and cut off
        hint: a writer was killed here; everything before it is whole

      error schema
        day.jsonl:5: has the schema of something else; known are dap.decision/v1, dap.decision/v2, dap.reward/v1
        hint: only records of these two schemas belong into the log; keep other files elsewhere

      error u
        day.jsonl:2: u is 0.6979559759244469, and 0.7951795955035542 by salt, decision and slot
        hint: the salt, the id or u were changed after the draw

      warning orphan
        day.jsonl:4: the decision of this reward is not in the log
        hint: their decisions are in other files, or were never logged; until then these rewards count for nothing

      the log does not pass
      "
    `)
  })

  it('compares decisions with the policy of the repository', async () => {
    const { files } = await dap('simulate --log week.jsonl', REPOSITORY)
    const changed = files['week.jsonl'].replaceAll('"level":', '"levels":')
    const { code, stdout } = await dap('log check week.jsonl --json', { ...files, 'week.jsonl': changed })
    expect(code).toBe(1)
    expect(JSON.parse(stdout).faults).toMatchObject([{ code: 'context', count: 1000 }])
    conforms(stdout, 'log-check')
  })

  it('reads a file once, however often it is named', async () => {
    const log = lines([decision('d1', [1])])
    const { stdout } = await dap('log check a a/1.jsonl --json', { 'a/1.jsonl': log })
    expect(JSON.parse(stdout)).toMatchObject({ files: 1, decisions: 1, faults: [] })
  })

  it('needs files', async () => {
    expect(await dap('log check')).toMatchObject({ code: 3 })
    expect(await dap('log check nowhere')).toMatchObject({
      code: 3,
      stderr: 'error: no such file or folder: `nowhere`\n',
    })
    expect(await dap('log check a', { 'a/b.csv': '' })).toMatchObject({ code: 3 })
  })

  it('lets no file write to the terminal', async () => {
    const { stdout } = await dap('log check a.jsonl', { 'a.jsonl': '{"schema":"\\u001b[2J"}\n{}\n' })
    expect(stdout).not.toContain('\u001b')
  })
})

describe('log stats', () => {
  it('says which test fails, and exits with 1', async () => {
    const records = Array.from({ length: 3000 }, (_, i) => {
      const record = decision(`d${i}`, [0.5, 0.5])
      const [slot] = record.slots
      const p = slot.action === 'a' ? 0.6 : 0.4
      return { ...record, slots: [{ ...slot, propensity: p, propensities: [0.6, 0.4] }] }
    })
    const session = await dap('log stats day.jsonl', { 'day.jsonl': `${lines(records)}{"torn` })
    expect(session.code).toBe(1)
    expect(session.stdout).toMatchInlineSnapshot(`
      "1 file: 3,000 decisions, 0 rewards

      policy      digest  snapshot  served by  mode    decisions
      shop-offer  test    none      policy     online      3,000

      shop-offer test: 3,000 units, rewards came for 0 % of the decisions, latency p50 0.1 ms, p99 0.1 ms

      action  chosen  expected       z         p  rewards came for
      a        1,466     1,800  -12.45  1.47e-34               0 %
      b        1,534     1,200  +12.45  1.47e-34               0 %

      test               found                  z         p
      mean 1/propensity  2.093 for 2       +12.45  1.47e-34
      uniformity of u    distance 0.01751             0.314

      1 line left out: \`dap log check\` says why

      4 tests: each raises a false alarm, a p below 0.0005, in one right log of 2,000
      alarm shop-offer test: propensity of \`a\`, p = 1.47e-34
        hint: it was not drawn as often as its propensities say, or its records were lost; \`dap log check\` finds which draws do not recompute
      alarm shop-offer test: propensity of \`b\`, p = 1.47e-34
        hint: it was not drawn as often as its propensities say, or its records were lost; \`dap log check\` finds which draws do not recompute
      alarm shop-offer test: inverse-propensity, p = 1.47e-34
        hint: the logged vector is not the one that was drawn from: another snapshot, before eligibility, or not drawn at all
      3 alarms
      "
    `)
    conforms((await dap('log stats day.jsonl --json', { 'day.jsonl': lines(records) })).stdout, 'log-stats')
  })

  it('does not pass a log without one valid decision, nor does the check', async () => {
    const { runtime: _, ...policy } = decision('d1', [0.5, 0.5]).policy
    const unusable = Array.from({ length: 300 }, (_, i) => ({ ...decision(`d${i}`, [0.5, 0.5]), policy }))
    for (const text of ['', lines([reward('d1')]), lines(unusable)]) {
      const stats = await dap('log stats day.jsonl', { 'day.jsonl': text })
      expect(stats).toMatchObject({ code: 1, stderr: '' })
      expect(stats.stdout).toMatch(/\n\nno valid decision in the log: nothing was tested\n$/)
      const check = await dap('log check day.jsonl', { 'day.jsonl': text })
      expect(check).toMatchObject({ code: 1, stderr: '' })
      expect(check.stdout).toMatch(/\n\nno valid decision in the log\n\nthe log does not pass\n$/)
      for (const name of ['check', 'stats']) {
        const { stdout } = await dap(`log ${name} day.jsonl --json`, { 'day.jsonl': text })
        expect(JSON.parse(stdout)).toMatchObject({ decisions: 0, passed: false })
        conforms(stdout, `log-${name}`)
      }
    }
  })
})
