import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DecisionRecord, RewardRecord } from '../../src/log/records/records.ts'
import { offerWeek } from '../support/offer-week.ts'
import { resource } from '../support/repository.ts'
import { dapIn } from '../support/run-dap.ts'

/** A log of 1,000 decisions, and what a server may have written beside its own: all that one replica, or one clock, cannot know. */
const REPOSITORY = {
  ...offerWeek(),
  'datasets/week.yaml': resource('Dataset', 'week', 'files: [logs]\nformat: dap\nactions: { policy: offer }'),
  'evaluations/week.yaml': resource(
    'Evaluation',
    'week',
    'dataset: week\ncandidates: [{ name: uniform, uniform: true }]',
  ),
}

const UNTIL = '--until 2036-01-01T00:00:00Z'

describe('records that are not used', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dap-unused-'))
    for (const [path, text] of Object.entries(REPOSITORY)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    expect(await dapIn(folder, 'simulate', '--log', 'logs/a.jsonl')).toMatchObject({ code: 0 })
    const log = join(folder, 'logs', 'a.jsonl')
    const records: (DecisionRecord | RewardRecord)[] = readFileSync(log, 'utf8')
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    const decisions = records.filter((each): each is DecisionRecord => 'slots' in each)
    const rewardOf = ({ decisionId }: DecisionRecord) =>
      records.find((each): each is RewardRecord => 'rewardId' in each && each.decisionId === decisionId) as RewardRecord
    const earlier = ({ ts }: DecisionRecord, ms: number) => new Date(Date.parse(ts) - ms).toISOString()
    const [again, conflict, retried, another, huge, early, tooEarly] = decisions
    const more = [
      again,
      { ...conflict, logProbability: 0.5 },
      { ...rewardOf(retried), ts: earlier(retried, -60_000) },
      { ...rewardOf(another), value: 1 - (rewardOf(another).value as number) },
      { ...rewardOf(huge), rewardId: 'huge', value: 1000 },
      { ...rewardOf(early), rewardId: 'early', ts: earlier(early, 5000) },
      { ...rewardOf(tooEarly), rewardId: 'too-early', ts: earlier(tooEarly, 5001) },
      { ...rewardOf(huge), rewardId: 'orphan', decisionId: 'nobody' },
      { ...rewardOf(huge), rewardId: 'click', name: 'click', value: 7 },
    ]
    writeFileSync(join(folder, 'logs', 'b.jsonl'), more.map(each => `${JSON.stringify(each)}\n`).join(''))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('are warnings of the check', async () => {
    const { code, stdout, stderr } = await dapIn(folder, 'log', 'check', 'logs')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.split('\n\nwarning')[0]).toMatchInlineSnapshot(`
      "2 files: 999 decisions, 1,004 rewards

      1,000 joined to their decisions, 3 that cannot be used, 1 orphan (0.0999 %)

      fault            severity  records
      repeated         warning         1
      conflict         warning         2
      reward-repeated  warning         1
      reward-conflict  warning         2
      range            warning         1
      early            warning         1
      too-early        warning         1
      orphan           warning         1"
    `)
    expect(stdout).toContain('\n\nthe log passes\n')
  })

  it('are left out by evaluate and by train, and both say so', async () => {
    const evaluated = await dapIn(folder, 'evaluate', 'week', '--json')
    const { notes } = JSON.parse(evaluated.stdout).dataset
    expect(notes).toMatchInlineSnapshot(`
      [
        "1 decision logged again under the same id, counted once",
        "2 records of decisions in conflict with another one of the same id, left out",
        "1 reward logged again, counted once",
        "2 rewards in conflict with another one of the same id, left out",
        "1 reward outside the range that the policy declares, left out",
        "1 reward more than 5 s earlier than the decision, left out",
        "1 reward up to 5 s earlier than the decision, taken to have come with it",
        "3 decisions for which a reward came that cannot be used, left out",
        "1 reward of another name, left out",
        "1 reward for no decision of this log, left out",
      ]
    `)
    const trained = await dapIn(folder, 'train', 'offer', ...UNTIL.split(' '), '--json')
    expect(trained.code).toBe(0)
    for (const note of notes.slice(0, 8)) expect(JSON.parse(trained.stdout).dataset.notes).toContain(note)
  })
})
