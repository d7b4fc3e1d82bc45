import { describe, expect, it } from 'vitest'
import { actionFinder, sortedActions, undeclaredActions, wholeNumber } from '../../../src/log/rows/actions.ts'
import { parseIds } from '../../../src/log/rows/eligible.ts'
import { observedActions } from '../../../src/log/rows/observed-actions.ts'
import { memoryTables } from '../../evaluate/support/memory-tables.ts'

describe('a cell', () => {
  it.each([
    ['3.0', '3'],
    ['-2.00', '-2'],
    ['0.0', '0'],
    ['-0.0', '0'],
    ['10.0', '10'],
    ['3.10', '3.10'],
    ['03.0', '03.0'],
    ['3.', '3.'],
    ['1e1', '1e1'],
    ['1_000.0', '1_000.0'],
    ['v1.0', 'v1.0'],
  ])('%s is the number %s', (cell, number) => expect(wholeNumber(cell)).toBe(number))

  it('names the action of its very text, and the whole number where there is none', () => {
    const find = actionFinder(['3', '3.1', '4.0', '5.0', '5'])
    expect(['3', '3.0', '3.10', '3.1', '4.0', '4', '5.0', '5', '5.00'].map(find)).toEqual([0, 0, -1, 1, 2, -1, 3, 4, 4])
  })
})

describe('actions that nobody declared', () => {
  it('are the whole numbers of the log, but for texts that a candidate names', () => {
    expect(undeclaredActions([], ['1.0', '2.0', '1', '2.5'])).toEqual(['1', '2', '2.5'])
    expect(undeclaredActions(['2.0'], ['1.0', '2.0', '1'])).toEqual(['1', '2.0'])
    expect(sortedActions(['10', '9', '10'])).toEqual(['9', '10'])
  })

  it('are those of the log and of its eligible sets', async () => {
    const memory = {
      action: ['a', 'b', null],
      eligible: ['["a","c"]', 'no list', '[3.0, 3.10, 9007199254740993, "d"]'],
    }
    const layout = { source: { format: 'csv', paths: ['memory'] }, action: 'action', eligible: 'eligible' } as const
    const { cells, met } = await observedActions(memoryTables({ memory }, 2), layout)
    expect(met).toBe(3)
    expect([...cells].sort()).toEqual(['3.0', '3.10', '9007199254740993', 'a', 'b', 'c', 'd'])
  })
})

describe('a list of ids', () => {
  it.each([
    ['["a", 1, -2]', ['a', '1', '-2']],
    ['[3.0]', ['3']],
    ['[3.10]', ['3.10']],
    ['[12345678901234567890]', ['12345678901234567890']],
    ['[]', []],
    ['', undefined],
    ['null', undefined],
    ['[null]', undefined],
    ['[true]', undefined],
    ['"a"', undefined],
  ])('%s', (json, ids) => expect(parseIds(json)).toEqual(ids))
})
