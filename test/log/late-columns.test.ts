import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTables } from '../../src/adapters/duckdb/duckdb.ts'
import { evaluate } from '../../src/evaluate/evaluate.ts'
import { plan } from '../evaluate/support/plan.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dap-late-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function file(name: string, lines: readonly unknown[]): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, lines.map(line => `${JSON.stringify(line)}\n`).join(''))
  return path
}

/** A log of JSON lines whose rewards are mentioned where there are any: in the last line alone. */
const rows = (count: number, last: Record<string, unknown>) =>
  Array.from({ length: count }, (_, i) => ({ action: 'a', propensity: 1, ...(i === count - 1 ? last : {}) }))

describe('a column of JSON lines', () => {
  it('is there when only the last of many lines has it', async () => {
    const path = await file('late.jsonl', rows(30_000, { reward: 1 }))
    const dataset = { format: 'jsonl', reward: { default: 0 } } as const
    const result = await evaluate(plan({ paths: [path], dataset }), openTables())
    expect(result.dataset).toMatchObject({ rows: 30_000, meanReward: 1 / 30_000 })
  })

  it('is there when only the last line has what a path leads into', async () => {
    const path = await file('path.jsonl', rows(30_000, { o: [{ v: 2 }] }))
    const dataset = { format: 'jsonl', reward: { default: 0 } } as const
    const result = await evaluate(plan({ paths: [path], dataset, mapping: { reward: 'o[0].v' } }), openTables())
    expect(result.dataset.meanReward).toBe(2 / 30_000)
  })

  it('is missed where no line has it', async () => {
    const path = await file('none.jsonl', rows(3, {}))
    const dataset = { format: 'jsonl', reward: { default: 0 } } as const
    await expect(evaluate(plan({ paths: [path], dataset }), openTables())).rejects.toThrow(
      'the log has no column `reward` (mapping.reward)',
    )
  })

  it('is missed in a file of rewards, too, instead of being taken for no rewards', async () => {
    const decisions = await file('decisions.jsonl', [{ id: 'd', action: 'a', propensity: 1 }])
    const rewards = await file('rewards.jsonl', [{ id: 'd', value: 1 }])
    const withFiles = (reward: string) => {
      const { dataset, ...rest } = plan({
        paths: [decisions],
        dataset: {
          format: 'jsonl',
          rewards: { files: ['rewards.jsonl'], mapping: { decisionId: 'id', reward } },
          reward: { default: 0 },
        },
        mapping: { decisionId: 'id', reward: undefined },
      })
      return evaluate({ ...rest, dataset: { ...dataset, rewards: { paths: [rewards] } } }, openTables())
    }
    expect((await withFiles('value')).dataset.meanReward).toBe(1)
    await expect(withFiles('valu')).rejects.toMatchObject({
      message: `no column \`valu\` in \`${rewards}\``,
      hint: 'did you mean `value`?',
    })
  })
})
