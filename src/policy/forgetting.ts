import type { SnapshotData } from '../generated/types.ts'
import type { LearnerSpec } from '../kinds.ts'
import { exp } from '../math/elementary.ts'
import type { OptionSchema } from './definition.ts'
import { DURATION_UNITS, milliseconds } from './duration.ts'

type Bucket = NonNullable<SnapshotData['remembered']>['bucket']

/**
 * How a learner forgets: by calendar buckets in UTC, of which each counts as one. Sums are kept by bucket and never discounted, so that they
 * merge in any order; a state is made of them as of some time, where a bucket of age k weighs γ^k, or 1 within a window. Rows that are passed over again
 * keep the bucket that they are of, and weigh as much (`rowsAsOf`). What the learner believed before any data is no data, and is not forgotten.
 */
export interface Forgetting {
  /** `1d`: how long a bucket is. */
  readonly bucket: Bucket
  /** So many buckets count, the one of the time asked for among them; older ones are dropped. */
  readonly keep: number
  /** The number of the bucket that a time is in, milliseconds since 1970. */
  bucketOf(time: number): number
  /** When a bucket begins. */
  startOf(bucket: number): number
  /** What a bucket weighs that is so many buckets old. */
  weight(age: number): number
}

/** Which buckets count, of what was seen. */
export interface Remembered {
  /** `1d`: how long a bucket is. */
  readonly bucket: Bucket
  /** How many of those that count have rows. */
  readonly buckets: number
  /** When the oldest one that counts begins, and the one that looks back, milliseconds since 1970. */
  readonly since: number
  readonly at: number
}

/** From the shortest on. Each is made of whole ones of those before, and weeks begin on Mondays. */
const BUCKETS = ['1h', '6h', '1d', '7d', '28d'] as const satisfies readonly Bucket[]
const MONDAY = 4 * DURATION_UNITS.d

/** So many are kept at most, and reach back at least MOST_BUCKETS / LONGEST half-lives: what is dropped weighs less than 1/64. */
export const MOST_BUCKETS = 90
const LONGEST = 15

const [shortest, longest] = [BUCKETS[0], BUCKETS[BUCKETS.length - 1]].map(milliseconds)

/** What half-lives and windows must lie between, in milliseconds. */
export const HALF_LIVES = { least: shortest, most: LONGEST * longest } as const
export const WINDOWS = { least: shortest, most: MOST_BUCKETS * longest } as const

const DURATION = { type: 'string', pattern: '^[0-9]{1,9}(ms|s|m|h|d)$' } as const

/** Options of the learners that can forget. Without a default: a policy that says nothing remembers all. */
export const FORGETTING: Readonly<Record<'discount' | 'window', OptionSchema>> = {
  discount: {
    type: 'object',
    description:
      'Older rewards count less: half as much for every half-life before the end of the data, or `--until`. By calendar buckets in UTC: hours up to a half-life of 15h, quarters of a day up to 90h, days up to 15d, weeks up to 105d, then four weeks. 90 of them are kept; older ones count for less than 1/64 and are dropped.',
    properties: {
      halfLife: {
        ...DURATION,
        description: 'The age at which a reward counts half, from 1h to 420d.',
        examples: ['14d'],
      },
    },
    required: ['halfLife'],
    additionalProperties: false,
    examples: [{ halfLife: '14d' }],
  },
  window: {
    ...DURATION,
    description:
      'Only rewards of decisions that are no older count, from 1h to 2520d before the end of the data, or `--until`. By calendar buckets in UTC, of which at most 90 make up the window, that of the end among them: hours, quarters of a day (above 90h), days (above 540h), weeks (above 90d) or four weeks (above 630d); a part of one counts as one.',
    examples: ['28d'],
  },
}

/** The option by which a learner forgets; undefined of one that remembers all. */
export const forgetsBy = (learner: LearnerSpec) => (['discount', 'window'] as const).find(option => option in learner)

/** What a learner's options say of it; undefined of one that remembers all. A RangeError for durations that no buckets can be made for. */
export function forgettingOf(learner: LearnerSpec): Forgetting | undefined {
  const { discount, window } = learner as { discount?: { halfLife: string }; window?: string }
  if (discount !== undefined && window !== undefined)
    throw new RangeError('`discount` and `window` are two ways to forget')
  if (discount !== undefined) {
    const halfLife = milliseconds(discount.halfLife)
    const [bucket, length] = bucketFor(halfLife, LONGEST, '`halfLife`')
    return {
      ...calendar(bucket, length),
      keep: MOST_BUCKETS,
      weight: age => exp((-Math.LN2 * age * length) / halfLife),
    }
  }
  if (window !== undefined) {
    const [bucket, length] = bucketFor(milliseconds(window), MOST_BUCKETS, '`window`')
    return { ...calendar(bucket, length), keep: Math.ceil(milliseconds(window) / length), weight: () => 1 }
  }
  return undefined
}

/** The shortest bucket of which so many are no less than the duration. */
function bucketFor(duration: number, most: number, name: string): readonly [Bucket, number] {
  for (const bucket of BUCKETS) {
    const length = milliseconds(bucket)
    if (duration >= shortest && duration <= most * length) return [bucket, length]
  }
  throw new RangeError(`${name} must be from ${BUCKETS[0]} to ${most} × ${longest / DURATION_UNITS.d}d`)
}

function calendar(bucket: Bucket, length: number): Pick<Forgetting, 'bucket' | 'bucketOf' | 'startOf'> {
  return {
    bucket,
    bucketOf: time => Math.floor((time - MONDAY) / length),
    startOf: number => MONDAY + number * length,
  }
}
