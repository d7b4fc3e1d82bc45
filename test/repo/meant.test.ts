import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EXPLORATIONS, explorationOf, goesWith, LEARNERS, learnerOf, PAIRS } from '../../src/policy/algorithm.ts'
import { milliseconds } from '../../src/policy/duration.ts'
import { meant } from '../../src/repo/meant.ts'
import { machineTypeHint } from '../../src/repo/rules/machine-types.ts'
import { algorithmCalled, synonym } from '../../src/repo/synonyms.ts'

const DURATION = /^[0-9]{1,9}(ms|s|m|h|d)$/
const duration = { sample: '72h', allows: (value: unknown) => DURATION.test(String(value)) }
const share = { share: true, allows: (value: unknown) => typeof value === 'number' && value > 0 && value <= 1 }
const number = { allows: (value: unknown) => typeof value === 'number' }
const truth = { allows: (value: unknown) => typeof value === 'boolean' }
const name = { sample: 'shop-offer', allows: (value: unknown) => /^[a-z][a-z0-9-]+$/.test(String(value)) }
const time = { sample: '2026-01-01T00:00:00Z', allows: (value: unknown) => /Z$/.test(String(value)) }

describe('meant', () => {
  it.each([
    ['24 hours', duration, '24h'],
    ['24', duration, '24h'],
    ['1.5 h', duration, '90m'],
    ['1h 30min', duration, '90m'],
    ['1 hour and 30 minutes', duration, '90m'],
    ['PT24H', duration, '24h'],
    ['P1DT12H', duration, '36h'],
    ['2 weeks', duration, '14d'],
    ['500 msec', duration, '500ms'],
    ['1 month', duration, undefined],
    ['P1M', duration, undefined],
    ['soon', duration, undefined],
    ['5%', share, 0.05],
    ['5 percent', share, 0.05],
    ['0,05', share, 0.05],
    ['5', share, 0.05],
    ['100', share, 1],
    ['1.5', share, undefined],
    ['500', share, undefined],
    ['10_000', number, 10_000],
    ['10,000', number, 10_000],
    ['10k', number, 10_000],
    ['1,5', number, 1.5],
    ['ten', number, undefined],
    ['yes', truth, true],
    ['off', truth, false],
    ['Lives Refill', name, 'lives-refill'],
    ['Übung_1', { ...name, sample: 'Europe/Berlin' }, undefined],
    ['2026-03-01', time, '2026-03-01T00:00:00Z'],
    ['2026-03-01 12:30', time, '2026-03-01T12:30Z'],
  ])('of `%s`', (text, wanted, value) => {
    expect(meant(text, true, wanted)?.value).toBe(value)
  })

  it('of a duration in words is as long', () => {
    const units = { ms: 'milliseconds', s: 'sec', m: 'minutes', h: 'hrs', d: 'days' }
    const given = fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom('ms', 's', 'm', 'h', 'd'))
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 3 }), parts => {
        const text = parts.map(([count, unit]) => `${count} ${units[unit as keyof typeof units]}`).join(', ')
        const total = parts.reduce((sum, [count, unit]) => sum + milliseconds(`${count}${unit}`), 0)
        const read = meant(text, true, { ...duration, allows: () => true })?.value
        expect(milliseconds(String(read))).toBe(total)
      }),
    )
  })

  it('is nothing that is not allowed, and takes no time, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300, unit: fc.constantFrom(...'0159,._ %hmdPT-aZ') }), text => {
        for (const wanted of [duration, share, number, name, time]) {
          const reading = meant(text, true, wanted)
          if (reading !== undefined) expect(wanted.allows(reading.value)).toBe(true)
        }
      }),
    )
  })
})

describe('a name of the field', () => {
  it.each(PAIRS.flatMap(({ name }) => (name === undefined ? [] : [name.name])))('is known: %s', name => {
    const { learner, exploration } = algorithmCalled(name) ?? {}
    expect(goesWith(explorationOf({ type: exploration as never }), learnerOf({ type: learner as never }))).toBe(true)
  })

  it.each([
    ['linucb', 'ucb'],
    ['LinTS', 'thompson'],
    ['ucb1', 'ucb'],
    ['thompson-sampling', 'thompson'],
    ['epsilon_greedy', 'epsilon-greedy'],
    ['ε-greedy', 'epsilon-greedy'],
    ['exp3', 'softmax'],
    ['nonsense', undefined],
  ])('as an exploration: %s', (word, type) => {
    const types = EXPLORATIONS.map(each => each.type)
    expect(synonym(word, types)?.value ?? types.find(each => each === word.replaceAll('_', '-'))).toBe(type)
  })

  it('is only ever one of the values that are allowed', () => {
    const types = LEARNERS.map(each => each.type)
    for (const word of ['gcp', 'tsv', 'float', 'random', 'linucb', 'ips', 'toString', 'constructor', '__proto__', '']) {
      expect([undefined, ...types]).toContain(synonym(word, types)?.value)
    }
  })
})

describe('a machine type', () => {
  it.each([
    ['n2-standard-2', undefined],
    ['n2-standrad-2', 'did you mean `n2-standard-2`?'],
    ['n2standard-2', 'did you mean `n2-standard-2`?'],
    ['e2-highmen-4', 'did you mean `e2-highmem-4`?'],
    ['c2-standard-5', '`c2-standard` comes with 4, 8, 16, 30, 60'],
    ['t2d-standrd-2', 'did you mean `t2d-standard-2`?'],
    ['n9-standard-8', undefined],
    ['m1-megamem-96', undefined],
    ['constructor-standard-8', undefined],
    ['n2-constructor-8', undefined],
  ])('%s', (type, hint) => {
    expect(machineTypeHint(type)).toBe(hint)
  })
})
