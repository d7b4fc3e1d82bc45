import { sha256Words } from './sha256.ts'

/** A stream of random numbers. */
export interface Rng {
  /** Uniform on [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number
  /** Uniform on the integers 0 … 2³² − 1. */
  uint32(): number
}

/**
 * A node of the seed tree: the stream of `seed` and `labels`, its 128-bit state the start of SHA-256 over them. Streams of
 * different labels are independent, so a draw added to one role ("world", "policy") moves no other.
 */
export function stream(seed: number, ...labels: readonly (string | number)[]): Rng {
  const [s0, s1, s2, s3] = sha256Words(JSON.stringify([seed, ...labels]))
  return xoshiro128(s0, s1, s2, s3)
}

/**
 * xoshiro128**: period 2¹²⁸ − 1, 32 bits a step. Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * ACM Trans. Math. Softw. 47(4), 2021.
 */
export function xoshiro128(s0: number, s1: number, s2: number, s3: number): Rng {
  if ((s0 | s1 | s2 | s3) === 0) throw new RangeError('xoshiro128: the state must not be all zero')
  // Steps are written out over local variables: V8 keeps those in registers, and is slow to write captured ones.
  const state = Int32Array.of(s0, s1, s2, s3)
  return {
    uint32() {
      const a = state[0]
      const b = state[1]
      const c = state[2] ^ a
      const d = state[3] ^ b
      const m = Math.imul(b, 5)
      state[0] = a ^ d
      state[1] = b ^ c
      state[2] = c ^ (b << 9)
      state[3] = (d << 11) | (d >>> 21)
      return Math.imul((m << 7) | (m >>> 25), 9) >>> 0
    },
    // 2^21 · 2^32 = 2^53: the high 21 bits of one step and all of the next.
    uniform() {
      const a = state[0]
      const b = state[1]
      const c = state[2] ^ a
      const d = state[3] ^ b
      const m = Math.imul(b, 5)
      const high = Math.imul((m << 7) | (m >>> 25), 9) >>> 11
      const a2 = a ^ d
      const b2 = b ^ c
      const c2 = c ^ (b << 9) ^ a2
      const d2 = ((d << 11) | (d >>> 21)) ^ b2
      const m2 = Math.imul(b2, 5)
      const low = Math.imul((m2 << 7) | (m2 >>> 25), 9) >>> 0
      state[0] = a2 ^ d2
      state[1] = b2 ^ c2
      state[2] = c2 ^ (b2 << 9)
      state[3] = (d2 << 11) | (d2 >>> 21)
      return (high * 4294967296 + low) * 1.1102230246251565e-16
    },
  }
}
