import { hash } from 'node:crypto'

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
  const digest = hash('sha256', JSON.stringify([seed, ...labels]), 'hex')
  const word = (i: number) => Number.parseInt(digest.slice(8 * i, 8 * i + 8), 16)
  return xoshiro128(word(0), word(1), word(2), word(3))
}

/**
 * xoshiro128**: period 2¹²⁸ − 1, 32 bits a step. Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * ACM Trans. Math. Softw. 47(4), 2021.
 */
export function xoshiro128(s0: number, s1: number, s2: number, s3: number): Rng {
  if ((s0 | s1 | s2 | s3) === 0) throw new RangeError('xoshiro128: the state must not be all zero')
  let a = s0 | 0
  let b = s1 | 0
  let c = s2 | 0
  let d = s3 | 0

  function next(): number {
    const m = Math.imul(b, 5)
    const out = Math.imul((m << 7) | (m >>> 25), 9)
    const t = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= t
    d = (d << 11) | (d >>> 21)
    return out
  }

  return {
    uint32: () => next() >>> 0,
    // 2^21 · 2^32 = 2^53: the high 21 bits of one output and all of the next.
    uniform: () => ((next() >>> 11) * 4294967296 + (next() >>> 0)) * 1.1102230246251565e-16,
  }
}
