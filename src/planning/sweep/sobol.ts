/**
 * Sobol sequence: points of the unit cube that leave no gap a random sample would. Direction numbers of S. Joe and F. Y. Kuo,
 * "Constructing Sobol sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30 (2008), their set D(6).
 */
import { hashInteger } from "../../sim/kernel/random.ts"

/** One dimension after the first each: coefficients `a` of its primitive polynomial, whose degree is the number of `m`. */
const POLYNOMIALS: readonly (readonly [a: number, ...m: readonly number[]])[] = [
  [0, 1],
  [1, 1, 3],
  [1, 1, 3, 1],
  [2, 1, 1, 1],
  [1, 1, 1, 3, 3],
  [4, 1, 3, 5, 13],
  [2, 1, 1, 5, 5, 17],
  [4, 1, 1, 5, 5, 5],
  [7, 1, 1, 7, 11, 19],
  [11, 1, 1, 5, 1, 1],
  [13, 1, 1, 1, 3, 11],
  [14, 1, 3, 5, 5, 31],
  [1, 1, 3, 3, 9, 7, 49],
  [13, 1, 1, 1, 15, 21, 21],
  [16, 1, 3, 1, 13, 27, 49],
  [19, 1, 1, 1, 15, 7, 5],
  [22, 1, 3, 1, 15, 13, 25],
  [25, 1, 1, 5, 5, 19, 61],
  [1, 1, 3, 7, 11, 23, 15, 103],
  [4, 1, 3, 7, 13, 13, 15, 69],
  [7, 1, 1, 3, 13, 7, 35, 63],
  [8, 1, 3, 5, 9, 1, 25, 53],
  [14, 1, 3, 1, 13, 9, 35, 107],
  [19, 1, 3, 1, 5, 27, 61, 31],
  [21, 1, 1, 5, 11, 19, 41, 61],
  [28, 1, 3, 5, 3, 3, 13, 69],
  [31, 1, 1, 7, 13, 1, 19, 1],
  [32, 1, 3, 7, 5, 13, 19, 59],
  [37, 1, 1, 3, 9, 25, 29, 41],
  [41, 1, 3, 5, 13, 23, 1, 55],
  [42, 1, 3, 7, 3, 13, 59, 17]
]

const BITS = 32

/** Dimensions there are direction numbers for. */
export const MAX_DIMENSIONS = POLYNOMIALS.length + 1

/** Direction numbers of a dimension counted from 0, as 32-bit fractions, the first bit's first. */
const directions = (dimension: number): Uint32Array => {
  const v = new Uint32Array(BITS)
  if (dimension === 0) {
    for (let i = 0; i < BITS; i++) v[i] = 1 << (31 - i)
    return v
  }
  const [a, ...m] = POLYNOMIALS[dimension - 1]!
  const degree = m.length
  for (let i = 0; i < BITS; i++) {
    if (i < degree) {
      v[i] = m[i]! << (31 - i)
      continue
    }
    let next = v[i - degree]! ^ (v[i - degree]! >>> degree)
    for (let k = 1; k < degree; k++) if ((a >> (degree - 1 - k)) & 1) next ^= v[i - k]!
    v[i] = next
  }
  return v
}

/**
 * Owen's nested uniform scrambling: every bit is flipped or not by a draw that belongs to all bits above it. Keeps what makes
 * the sequence even, and makes each point uniform. A. B. Owen, "Randomly permuted (t,m,s)-nets and (t,s)-sequences" (1995).
 */
const scrambled = (bits: number, seed: number, dimension: number): number => {
  let flipped = 0
  for (let i = 0; i < BITS; i++) {
    const above = i === 0 ? 0 : bits >>> (BITS - i)
    if (hashInteger(seed, dimension, i, above) & 1) flipped |= 1 << (31 - i)
  }
  return (bits ^ flipped) >>> 0
}

/**
 * The first `count` points in [0, 1)^`dimensions`, `result[point][dimension]`; with a `seed`, scrambled by it. A power of two
 * of points is spread the most evenly. Throws beyond `MAX_DIMENSIONS` dimensions or 2^31 points.
 */
export const sobolPoints = (
  count: number,
  dimensions: number,
  seed?: number
): readonly (readonly number[])[] => {
  if (dimensions > MAX_DIMENSIONS || count > 2 ** 31)
    throw new Error(`no Sobol sequence of ${count} points in ${dimensions} dimensions`)
  const numbers = Array.from({ length: dimensions }, (_, dimension) => directions(dimension))
  return Array.from({ length: count }, (_, index) =>
    numbers.map((v, dimension) => {
      // Not in Gray-code order: a point depends on its index alone.
      let bits = 0
      for (let i = 0, rest = index; rest > 0; i++, rest >>>= 1) if (rest & 1) bits ^= v[i]!
      return (seed === undefined ? bits >>> 0 : scrambled(bits >>> 0, seed, dimension)) / 2 ** 32
    })
  )
}
