import { describe, expect, it } from 'vitest'
import { emptyByChance, type PropensityTest, testPropensities } from '../../../src/evaluate/verdicts/propensity-test.ts'
import {
  addPropensities,
  createPropensitySums,
  type KnownChances,
  mergePropensities,
  type PropensitySums,
} from '../../../src/evaluate/weights/propensity-sums.ts'
import { type Rng, stream } from '../../../src/math/rng.ts'
import { draw, normalised as shares } from '../support/chances.ts'

/** A decision: among the actions of `set`, logged with `p`; the taken one at place `at`. */
interface Decision {
  readonly unit: number
  readonly set: Int32Array
  readonly p: Float64Array
  readonly at: number
  readonly slot?: number
  readonly h?: number
  readonly time?: number
}

interface Log {
  readonly actions: number
  readonly decisions: readonly Decision[]
}

const KNOWN = ['taken', 'eligible', 'every'] as const satisfies readonly KnownChances[]

function sumsOf({ actions, decisions }: Log, known: KnownChances, start = 0): PropensitySums {
  const first = decisions[0]
  const sums = createPropensitySums(actions, known, first.time === undefined ? 'row' : 'time')
  for (let from = 0; from < decisions.length; from += 700) {
    const rows = decisions.slice(from, from + 700)
    addPropensities(sums, {
      rows: rows.length,
      row: Float64Array.from(rows, (_, i) => start + from + i),
      action: Int32Array.from(rows, ({ set, at }) => set[at]),
      propensity: Float64Array.from(rows, ({ p, at }) => p[at]),
      group: Int32Array.from(rows, ({ unit }) => (Math.imul(unit + 1, 0x9e3779b1) >>> 16) & 0xffff),
      standsFor: first.h === undefined ? undefined : Float64Array.from(rows, ({ h = 1 }) => h),
      slot: first.slot === undefined ? undefined : Int32Array.from(rows, ({ slot = 0 }) => slot),
      time: Float64Array.from(rows, ({ time = 0 }) => time),
      eligible: rows.map(({ set }) => set),
      propensities: rows.map(({ p }) => p),
    })
  }
  return sums
}

const names = { actions: [...'abcdefghijklmnopqrstuvwxyz'] }
const judge = (log: Log, known: KnownChances): PropensityTest => testPropensities(sumsOf(log, known), names)

const normalised = (weights: readonly number[]) => Float64Array.from(shares(weights))
const range = (n: number) => Array.from({ length: n }, (_, i) => i)
const setOf = (n: number) => Int32Array.from(range(n))
const [two, three, eight] = [setOf(2), setOf(3), setOf(8)]
const half = normalised([1, 1])

/** Logs whose propensities are right. */
const RIGHT: Readonly<Record<string, (rng: Rng) => Log>> = {
  'of independent draws, with propensities of every size': rng => ({
    actions: 8,
    decisions: range(2000).map(unit => {
      const p = normalised(range(8).map(() => Math.exp(-9 * rng.uniform())))
      return { unit, set: eight, p, at: draw(rng, p) }
    }),
  }),
  'of 300 players with 40 decisions, drawn once a player': rng => {
    const mine = range(300).map(() => draw(rng, half))
    return {
      actions: 2,
      decisions: range(12_000).map(i => ({ unit: i % 300, set: two, p: half, at: mine[i % 300] })),
    }
  },
  'of players that come one after the other, drawn once a player': rng => {
    const p = normalised([50, 30, 10, 5, 3, 1, 0.5, 0.5])
    const mine = range(300).map(() => draw(rng, p))
    return {
      actions: 8,
      decisions: range(6000).map(i => ({ unit: Math.floor(i / 20), set: eight, p, at: mine[Math.floor(i / 20)] })),
    }
  },
  'of 20 players who mostly got the same, drawn once a player': rng => {
    const p = normalised([4, 1])
    const mine = range(20).map(() => draw(rng, p))
    return { actions: 2, decisions: range(2000).map(i => ({ unit: i % 20, set: two, p, at: mine[i % 20] })) }
  },
  'of players with chances of their own, drawn each time, in slots': rng => {
    const own = range(100).map(() => normalised(range(3).map(() => 0.05 + rng.uniform())))
    return {
      actions: 3,
      decisions: range(3000).map(i => {
        const unit = Math.floor(rng.uniform() * 100)
        return { unit, slot: i % 3, set: three, p: own[unit], at: draw(rng, own[unit]) }
      }),
    }
  },
  'of players some of whom play a thousand times as much, drawn once a player': rng => {
    const p = normalised([6, 3, 1])
    const mine = range(1000).map(() => draw(rng, p))
    return {
      actions: 3,
      decisions: range(4000).map(() => {
        const unit = Math.floor(Math.exp(Math.log(1000) * rng.uniform()) - 1)
        return { unit, set: three, p, at: mine[unit] }
      }),
    }
  },
  'of a policy that learns': rng => {
    const [wins, plays] = [
      [0, 0, 0],
      [1, 1, 1],
    ]
    return {
      actions: 3,
      decisions: range(3000).map(unit => {
        const learnt = normalised(wins.map((won, a) => Math.exp((8 * won) / plays[a])))
        const p = learnt.map(each => 0.01 + 0.97 * each)
        const at = draw(rng, p)
        plays[at]++
        if (rng.uniform() < 0.2 + 0.2 * at) wins[at]++
        return { unit, set: three, p, at }
      }),
    }
  },
  'of rows that stand for up to twenty': rng => ({
    actions: 3,
    decisions: range(4000).flatMap(unit => {
      const kept = rng.uniform() < 0.5 ? 1 : 0.05 + 0.5 * rng.uniform()
      const p = normalised([0.05 + rng.uniform(), 0.05 + rng.uniform(), 0.3])
      return rng.uniform() < kept ? [{ unit, h: 1 / kept, set: three, p, at: draw(rng, p) }] : []
    }),
  }),
  'of sets that change, half of the time without a choice': rng => ({
    actions: 8,
    decisions: range(3000).map(i => {
      const some = range(8).filter(() => rng.uniform() < 0.5)
      const set = Int32Array.from(some.length > 0 ? some : [i % 8])
      const best = Math.floor(rng.uniform() * set.length)
      const p =
        i % 2 === 0 ? Float64Array.from(set, (_, j) => (j === best ? 1 : 0)) : normalised([...set].map(a => 1 + a))
      return { unit: i % 500, set, p, at: draw(rng, p) }
    }),
  }),
}

describe('of 150 right logs', () => {
  it.each(Object.entries(RIGHT))('%s, hardly one is cautioned about and none refused', (_, world) => {
    const logs = range(150).map(seed => world(stream(seed, 'right')))
    const verdicts = KNOWN.flatMap(known => logs.map(log => judge(log, known).verdict))
    // 0.45 of 450, at most, are expected.
    expect(verdicts.filter(verdict => verdict !== 'ok').length).toBeLessThanOrEqual(2)
    expect(verdicts).not.toContain('refuse')
  })
})

/** Two actions, logged as equally likely; the first was, with this probability. */
const coins = (n: number, chance: (i: number) => number, more: (i: number) => Partial<Decision> = () => ({})) =>
  function* (): Generator<Log> {
    for (let seed = 0; ; seed++) {
      const rng = stream(seed, 'wrong')
      yield {
        actions: 2,
        decisions: range(n).map(i => ({
          unit: i,
          set: two,
          p: half,
          at: rng.uniform() < chance(i) ? 0 : 1,
          ...more(i),
        })),
      }
    }
  }

const share = (logs: Generator<Log>, known: KnownChances, verdicts: readonly string[]) =>
  range(40).filter(() => verdicts.includes(judge(logs.next().value, known).verdict)).length / 40

describe('a wrong log', () => {
  it.each(KNOWN)('of 500 decisions, 80/20 recorded as 50/50, is refused (%s)', known => {
    expect(share(coins(500, () => 0.8)(), known, ['refuse'])).toBe(1)
  })

  it.each(KNOWN)('of 10,000 decisions, 55/45 recorded as 50/50, is refused (%s)', known => {
    expect(share(coins(10_000, () => 0.55)(), known, ['refuse'])).toBe(1)
  })

  it.each(KNOWN)('that is off by 2 % shows in 10,000 decisions sometimes, in 100,000 always (%s)', known => {
    const some = share(coins(10_000, () => 0.52)(), known, ['caution'])
    expect(some).toBeGreaterThan(0.05)
    expect(some).toBeLessThan(0.95)
    expect(judge(coins(100_000, () => 0.52)().next().value, known).verdict).toBe('refuse')
  })

  it.each(KNOWN)('that is so in one slot alone is refused for it (%s)', known => {
    const logs = coins(
      6000,
      i => (i % 3 === 2 ? 0.65 : 0.5),
      i => ({ slot: i % 3 }),
    )
    expect(share(logs(), known, ['refuse'])).toBe(1)
    expect(judge(logs().next().value, known).reasons[0]).toContain('times its logged propensities in slot `2` (p = ')
  })

  it.each(KNOWN)('whose errors cancel over time is not `ok` (%s)', known => {
    const logs = coins(10_000, i => (i < 5000 ? 0.6 : 0.4))
    expect(share(logs(), known, ['caution', 'refuse'])).toBe(1)
    expect(judge(logs().next().value, known).reasons[0]).toMatch(/ in rows [\d,]+ to [\d,]+ \(p = /)
  })

  it.each(KNOWN)('of 300 players with 40 decisions, drawn once a player, is refused (%s)', known => {
    const rng = stream(1, 'players')
    const mine = range(300).map(() => (rng.uniform() < 0.8 ? 0 : 1))
    const decisions = range(12_000).map(i => ({ unit: i % 300, set: two, p: half, at: mine[i % 300] }))
    expect(judge({ actions: 2, decisions }, known).verdict).toBe('refuse')
  })

  it.each([
    ['taken', 'ok'],
    ['eligible', 'caution'],
    ['every', 'refuse'],
  ] as const)('in which an action came too seldom, known are chances of %s, is %s', (known, verdict) => {
    const rng = stream(1, 'seldom')
    const p = Float64Array.of(0.45, 0.33, 0.45)
    const decisions = range(3000).map(unit => ({ unit, set: three, p, at: draw(rng, [0.45, 0.1, 0.45]) }))
    expect(judge({ actions: 3, decisions }, known).verdict).toBe(verdict)
  })
})

describe('a log whose first of two actions comes more and more often', () => {
  const rng = stream(1, 'more often')
  const order = range(10_000)
    .map(unit => ({ unit, u: rng.uniform() }))
    .sort((one, other) => one.u - other.u)
  const rank = new Map(order.map(({ unit }, i) => [unit, i]))
  /** In so many of 10,000 decisions. */
  const judged = (often: number, known: KnownChances) => {
    const decisions = range(10_000).map(unit => {
      return { unit, set: two, p: half, at: (rank.get(unit) as number) < often ? 0 : 1 }
    })
    return judge({ actions: 2, decisions }, known)
  }
  const least = (known: KnownChances, of: (test: PropensityTest) => boolean) => {
    let [below, above] = [5000, 10_000]
    while (above - below > 1) {
      const middle = Math.floor((below + above) / 2)
      if (of(judged(middle, known))) above = middle
      else below = middle
    }
    return judged(above, known)
  }
  /** One decision more is a p some 10 % smaller. */
  const p = ({ reasons }: PropensityTest) => Number(/\(p = (.+)\)/.exec(reasons[0])?.[1])

  it.each(KNOWN)('is cautioned about from a p of 0.001, and refused from 1e-8 (%s)', known => {
    const cautioned = least(known, ({ verdict }) => verdict !== 'ok')
    expect(cautioned.verdict).toBe('caution')
    expect([0.0009, 0.001]).toContain(p(cautioned))
    expect([8e-9, 9e-9, 1e-8]).toContain(p(least(known, ({ verdict }) => verdict === 'refuse')))
  })
})

describe('an action that was certain, and was not taken all the same', () => {
  it('is named beside that which was taken instead', () => {
    const rng = stream(1, 'certain')
    const p = Float64Array.of(1, 1e-7)
    const decisions = range(3000).map(unit => ({ unit, set: two, p, at: draw(rng, [0.7, 0.3]) }))
    const { verdict, reasons } = judge({ actions: 2, decisions }, 'every')
    expect(verdict).toBe('refuse')
    expect(reasons).toHaveLength(2)
    expect(reasons.find(reason => reason.includes('`a`'))).toMatch(/^action `a` was taken as if with 0\.\d+ times its/)
  })
})

describe('an action whose chance was tiny where it was not taken', () => {
  it('is not missed where sets are known and propensities are not', () => {
    const rng = stream(1, 'greedy')
    const decisions = range(3000).map(unit => {
      const best = unit % 3
      const p = Float64Array.from(range(8), a => (a === best ? 0.993 : 0.001))
      return { unit, set: eight, p, at: draw(rng, p) }
    })
    for (const known of KNOWN) expect(judge({ actions: 8, decisions }, known).verdict).toBe('ok')
  })
})

describe('an action that was never taken', () => {
  it('is no fault of its propensities, unless they are all known', () => {
    const rng = stream(1, 'never')
    const p = Float64Array.of(0.45, 0.1, 0.45)
    const decisions = range(3000).map(unit => ({ unit, set: three, p, at: rng.uniform() < 0.5 ? 0 : 2 }))
    const [taken, eligible, every] = KNOWN.map(known => judge({ actions: 3, decisions }, known))
    expect([eligible, taken].map(({ reasons }) => reasons.filter(reason => reason.includes('`b`')))).toEqual([[], []])
    expect(every.verdict).toBe('refuse')
  })
})

describe('what is said', () => {
  it('is nothing of fewer than ten units, however many rows they have', () => {
    const decisions = range(900).map(i => ({ unit: i % 9, set: two, p: half, at: 0 }))
    expect(judge({ actions: 2, decisions }, 'every')).toEqual({
      verdict: 'ok',
      reasons: [],
      tests: 0,
      untested: 'the logged propensities cannot be tested: the decisions count as those of fewer than 10 units',
    })
  })

  it('is nothing of rounding', () => {
    const p = Float64Array.of(0.3333, 0.6667)
    const decisions = range(99_999).map(i => ({ unit: i, set: two, p, at: i % 3 === 0 ? 0 : 1 }))
    for (const known of KNOWN) expect(judge({ actions: 2, decisions }, known).verdict).toBe('ok')
  })

  it('names three actions, each by its worst sum', () => {
    const rng = stream(1, 'many')
    const p = normalised(range(8).map(() => 1))
    const decisions = range(20_000).map(unit => ({
      unit,
      set: eight,
      p,
      at: draw(rng, [0.3, 0.3, 0.3, 0.02, 0.02, 0.02, 0.02, 0.02]),
    }))
    const { reasons } = judge({ actions: 8, decisions }, 'every')
    expect(reasons).toHaveLength(4)
    expect(reasons[0]).toMatch(
      /^action `.` was taken as if with [\d.]+ times its logged propensities \(p = \de-\d+\): the logged propensities are wrong$/,
    )
    expect(reasons[3]).toBe('and 5 more actions')
  })

  it('says of times from which day to which', () => {
    const day = (i: number) => Date.UTC(2026, 10, 1 + Math.floor(i / 500), 12)
    const { reasons } = judge(
      coins(
        10_000,
        i => (i < 1000 ? 0.9 : 0.5),
        i => ({ time: day(i) }),
      )().next().value,
      'taken',
    )
    expect(reasons[0]).toContain(' between 2026-11-0')
  })
})

describe('sums', () => {
  it('are those of three rows by hand', () => {
    const decisions = [
      { unit: 0, set: two, p: half, at: 0, h: 1 },
      { unit: 1, set: two, p: Float64Array.of(0.2, 0.8), at: 0, h: 3 },
      { unit: 2, set: two, p: Float64Array.of(0.2, 0.8), at: 1, h: 1 },
    ]
    const total = (array: Float64Array, action: number) =>
      array.reduce((sum, each, i) => (i % 2 === action ? sum + each : sum), 0)
    const { times, maxStandsFor } = sumsOf({ actions: 2, decisions }, 'every')
    expect(maxStandsFor).toBe(3)
    expect(total(times.taken, 0)).toBeCloseTo(2 + 3 * 5, 12)
    expect(total(times.offered, 0)).toBeCloseTo(5, 12)
    expect(total(times.rows, 0)).toBe(2)
    expect(total(times.variance, 0)).toBeCloseTo(1 + 9 * 4 + 4, 12)
    expect(total(times.third, 0)).toBeCloseTo(0 + 27 * 12 + 12, 12)
    expect(total(times.chances, 1)).toBeCloseTo(0.5 + 0.8 + 0.8, 12)
    expect(total(times.square, 0)).toBeCloseTo(4 + 9 * 25, 12)
    expect(total(times.linear, 0)).toBeCloseTo(2 + 9 * 5, 12)
  })

  it('take the actions that were not taken for equally likely, where their propensities are not known', () => {
    const decisions = [
      { unit: 0, set: three, p: Float64Array.of(0.5, 0.3, 0.2), at: 0, h: 1 },
      { unit: 1, set: three, p: Float64Array.of(0.2, 0.1, 0.7), at: 0, h: 3 },
      { unit: 2, set: two, p: Float64Array.of(0.2, 0.8), at: 1, h: 1 },
    ]
    const { times } = sumsOf({ actions: 3, decisions }, 'eligible')
    const total = (array: Float64Array, action: number) =>
      array.reduce((sum, each, i) => (i % 3 === action ? sum + each : sum), 0)
    // h²(1/p − 1), with a p of 0.5, 0.2 and 0.2 of the first, 0.25, 0.4 and 0.8 of the second, 0.25 and 0.4 of the third.
    expect(total(times.variance, 0)).toBeCloseTo(1 + 9 * 4 + 4, 12)
    expect(total(times.variance, 1)).toBeCloseTo(3 + 9 * 1.5 + 0.25, 12)
    expect(total(times.variance, 2)).toBeCloseTo(3 + 9 * 1.5, 12)
    expect([0, 1, 2].map(action => total(times.offered, action))).toEqual([5, 5, 4])
    expect([0, 1, 2].map(action => total(times.chances, action))).toEqual([3, 3, 2])
  })

  it.each(KNOWN)('of parts add up, in whichever order they come (%s)', known => {
    const rng = stream(3, 'parts')
    const decisions = range(5000).map(i => {
      const p = normalised([1, 2, 5])
      return { unit: i % 90, slot: Math.floor(i / 1000), time: 1e12 + i * 1e7, set: three, p, at: draw(rng, p) }
    })
    const parts = [decisions.slice(0, 10), decisions.slice(10, 4000), decisions.slice(4000)].map(part =>
      sumsOf({ actions: 3, decisions: part }, known),
    )
    const whole = sumsOf({ actions: 3, decisions }, known)
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const merged = createPropensitySums(3, known, 'time')
      for (const part of order) mergePropensities(merged, parts[part])
      expect(merged.buckets).toEqual(whole.buckets)
      for (const places of ['times', 'slots'] as const) {
        for (const [name, sums] of Object.entries(whole[places])) {
          if (typeof sums === 'number') continue
          const found = merged[places][name as 'taken']
          expect(found.length, name).toBe(sums.length)
          const apart = found.reduce((most, each, i) => Math.max(most, Math.abs(each - sums[i]) || 0), 0)
          expect(apart, name).toBeLessThan(1e-6)
        }
      }
    }
  })

  it('stay as small as they must with a thousand actions, and do without slots that are too many', () => {
    const shape = (actions: number) => {
      const { groups, mostBuckets, times } = createPropensitySums(actions, 'every', 'row')
      expect(times.taken.length).toBe(actions * mostBuckets * groups)
      return { groups, mostBuckets }
    }
    expect(shape(256)).toEqual({ groups: 128, mostBuckets: 32 })
    expect(shape(1000)).toEqual({ groups: 32, mostBuckets: 32 })
    expect(shape(2048)).toEqual({ groups: 16, mostBuckets: 32 })
    expect(shape(10_000)).toEqual({ groups: 16, mostBuckets: 4 })
    expect(shape(32_768)).toEqual({ groups: 16, mostBuckets: 2 })
    const decisions = range(100).map(i => ({ unit: i, slot: i, set: two, p: half, at: i % 2 }))
    const many = sumsOf({ actions: 2, decisions }, 'taken')
    expect(many.tooManySlots).toBe(true)
    expect(emptyByChance(many)(0, 3)).toBeUndefined()
    expect(judge({ actions: 2, decisions }, 'taken').verdict).toBe('ok')
  })
})

describe('an action that was never taken in a slot', () => {
  /** `b` has probability 0.02, and none in slot 1, which has every `period`-th decision. */
  const log = (period: number, known: KnownChances) => {
    const rng = stream(5, 'slots')
    const decisions = range(5000).map(unit => {
      const slot = unit % period === 0 ? 1 : 0
      const p = slot === 1 ? Float64Array.of(1, 0) : Float64Array.of(0.98, 0.02)
      return { unit, slot, set: two, p, at: draw(rng, p) }
    })
    return emptyByChance(sumsOf({ actions: 2, decisions }, known))
  }

  it('is missed by chance in 50 decisions, and not in 1,000', () => {
    expect(log(100, 'taken')(1, 1)).toBe(true)
    expect(log(5, 'taken')(1, 1)).toBe(false)
  })

  it('is missed by chance where that has a probability of more than 0.001', () => {
    // (1 - 0.02)ⁿ is at most exp(-0.02n): 0.00101 for 345 decisions, 0.00099 for 346.
    const among = (n: number) => {
      const rng = stream(5, 'slots')
      const decisions = range(5000).map(unit => {
        const slot = unit < n ? 1 : 0
        const p = Float64Array.of(0.98, 0.02)
        return { unit, slot, set: two, p, at: slot === 1 ? 0 : draw(rng, p) }
      })
      return emptyByChance(sumsOf({ actions: 2, decisions }, 'taken'))(1, 1)
    }
    expect([345, 346].map(among)).toEqual([true, false])
  })

  it('could not be taken there, where every propensity is known and its own is 0', () => {
    expect(log(100, 'every')(1, 1)).toBe(false)
  })

  it('is missed by chance in 1,000 decisions, where its propensities are known and sum to 5', () => {
    const p = Float64Array.of(0.995, 0.005)
    const decisions = range(1000).map(unit => ({ unit, slot: 1, set: two, p, at: 0 }))
    expect(emptyByChance(sumsOf({ actions: 2, decisions }, 'every'))(1, 1)).toBe(true)
    expect(emptyByChance(sumsOf({ actions: 2, decisions }, 'taken'))(1, 1)).toBe(false)
  })
})
