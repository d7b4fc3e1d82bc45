import { describe, expect, it } from 'vitest'
import type { DatasetSpec, MappingSpec } from '../../../src/kinds.ts'
import { logColumns, logLayout, logSource, type OpenDataset } from '../../../src/log/rows/layout.ts'
import { createRequests } from '../../../src/log/rows/row-reader.ts'

const MAPPING: MappingSpec = { action: 'a', propensity: 'p', reward: 'r', context: {} }

function open(
  mapping: Partial<MappingSpec>,
  spec: Partial<DatasetSpec> = {},
  more: Partial<OpenDataset> = {},
): OpenDataset {
  return {
    name: 'log',
    paths: ['/data/l.csv'],
    spec: {
      files: ['l.csv'],
      format: 'csv',
      mapping: { ...MAPPING, ...mapping },
      propensity: 'logged',
      reward: {},
      quality: { badRows: 'fail' },
      ...spec,
    },
    ...more,
  }
}

const KNOWN = ['a', 'p', 'r', 'c', 'o.p', '', 'id']

describe('the columns of a mapped log', () => {
  it.each(['c.User.name', 'c[0]', 'o.p.q', ''])('can be found at `%s`', name => {
    expect(logColumns(open({ action: name }), KNOWN).action).toBe(name)
  })

  it.each(['b', 'cc.x', '.x', '[0]'])('cannot at `%s`', name => {
    expect(() => logColumns(open({ action: name }), KNOWN)).toThrow(
      `the log has no column \`${name}\` (mapping.action)`,
    )
  })

  it('say what was meant', () => {
    expect(() => logColumns(open({ propensity: 'rr' }), ['a', 'r'])).toThrow(
      expect.objectContaining({ hint: 'did you mean `r`?' }),
    )
  })

  it('have propensities unless it is said that there are none', () => {
    expect(logColumns(open({ propensity: undefined }, { propensity: 'unknown' }), KNOWN).propensity).toBeUndefined()
    expect(() => logColumns(open({ propensity: undefined }), KNOWN)).toThrow('needs `spec.mapping.propensity`')
  })

  it('have a reward: of the row, of a decision of many rows, of other files; or its negative', () => {
    const rewardOf = (...args: Parameters<typeof open>) => logColumns(open(...args), KNOWN).reward
    expect(rewardOf({})).toEqual({ request: { column: 'r', type: 'number' }, name: 'r', cost: false })
    expect(rewardOf({ decisionId: 'id' }).request.type).toBe('reward')
    expect(rewardOf({ reward: undefined, cost: 'r' }, { reward: { default: 0 } })).toMatchObject({
      cost: true,
      default: 0,
    })
    const rewards = { files: ['r.csv'], mapping: { decisionId: 'id', reward: 'clicked' } }
    expect(rewardOf({ reward: undefined, decisionId: 'id' }, { rewards })).toMatchObject({
      request: { type: 'reward' },
      name: 'clicked',
    })
    const greatest = () => rewardOf({ reward: undefined, cost: 'r' }, {}, { join: { aggregate: 'max' } })
    expect(greatest).toThrow('cannot be had of costs')
  })

  it('are read with the lists of propensities, whatever else is', () => {
    const dataset = open({ eligible: 'c.e', propensities: 'c.p', dropProbability: 'p' })
    const columns = logColumns(dataset, KNOWN)
    const requests = createRequests()
    const layout = logLayout(logSource(dataset), columns, requests)
    expect(layout).toMatchObject({
      eligible: 'c.e',
      kept: { column: 'p', type: 'dropProbability' },
      servedBy: undefined,
    })
    expect(layout.columns).toEqual([columns.propensities])
  })
})

describe('the source of a log', () => {
  it('is its files', () => {
    const partitions = new Map([['day', ['1']]])
    expect(logSource(open({}, {}, { root: '/data', partitions, join: { default: 0 } }))).toEqual({
      format: 'csv',
      paths: ['/data/l.csv'],
      root: '/data',
      named: ['a', 'p', 'r'],
      partitions,
    })
  })

  it('has one row a decision, where there is an id', () => {
    const mapping = {
      decisionId: 'id',
      slot: 's',
      ts: 't',
      rewardId: 'rid',
      eligible: 'e',
      context: { level: 'c.level', other: 'a' },
    }
    const source = logSource(open(mapping, {}, { join: { aggregate: 'sum', default: 0 } }))
    expect(source.once).toEqual({
      decisionId: 'id',
      slot: 's',
      same: ['a', 'p', 't', 'e', 'c.level'],
      reward: 'r',
      rewardId: 'rid',
    })
    expect(source.join).toEqual({ aggregate: 'sum', ts: 't' })
  })

  it('may have rewards in files of their own', () => {
    const rewards = {
      files: ['r.parquet'],
      format: 'parquet',
      mapping: { decisionId: 'd', reward: 'v', ts: 'at' },
    } as const
    const dataset = open(
      { reward: undefined, decisionId: 'id', ts: 't' },
      { rewards },
      { root: '/data', rewards: { paths: ['/data/r.parquet'] }, join: { wait: 1000, until: 5 } },
    )
    expect(logSource(dataset)).toMatchObject({
      once: { decisionId: 'id', same: ['a', 'p', 't'] },
      join: {
        wait: 1000,
        until: 5,
        ts: 't',
        rewards: {
          decisionId: 'd',
          reward: 'v',
          ts: 'at',
          source: { format: 'parquet', paths: ['/data/r.parquet'], root: '/data' },
        },
      },
    })
  })

  it('joins as it is told, where it is of format dap', () => {
    const dataset = open(
      {},
      { format: 'dap', mapping: undefined },
      { join: { name: 'buy', aggregate: 'max', default: 3 } },
    )
    expect(logSource(dataset)).toMatchObject({ join: { name: 'buy', aggregate: 'max' } })
    expect(logColumns(dataset, []).reward.default).toBe(3)
    expect(logColumns({ ...dataset, join: undefined }, []).reward.default).toBe(0)
  })
})
