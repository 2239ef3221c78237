/**
 * Seeded randomness: one stream per actor, named by what it drives, so that adding an actor shifts nobody's draws; and
 * stateless draws for facts that belong to a request and a round, in whatever order they are asked for.
 */

/** 32-bit finaliser with full avalanche (constants of MurmurHash3's fmix32). */
const mix = (value: number): number => {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const absorb = (state: number, value: number): number =>
  mix(Math.imul(state ^ (value | 0), 0x9e3779b1) + 0x7f4a7c15)

/** What tells a name's end and its type apart from its letters, so that ("a", "b"), ("ab") and (97) differ. */
const STRING = -1
const NUMBER = -2

/** 32 bits that depend on every bit of a number and names; lanes are independent of each other. */
const seedLane = (lane: number, seed: number, names: readonly (string | number)[]): number => {
  let state = absorb(mix(lane), seed)
  for (const name of names) {
    if (typeof name === "number") state = absorb(state, name)
    else for (let i = 0; i < name.length; i++) state = absorb(state, name.charCodeAt(i))
    state = absorb(state, typeof name === "number" ? NUMBER : STRING)
  }
  return state
}

/** 32 bits that depend on every bit of four integers; each counts modulo 2^32. */
const hash = (seed: number, a: number, b: number, c: number): number =>
  absorb(absorb(absorb(mix(seed), a), b), c)

/** A uniform number in (0, 1), 52 bits wide, that is a pure function of four integers (modulo 2^32). */
export const hashUniform = (seed: number, a: number, b: number, c: number): number => {
  const high = hash(seed, a, b, c)
  const low = hash(seed ^ 0x5bd1e995, a, b, c)
  return (high * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52
}

/** A 32-bit integer that is a pure function of four integers. */
export const hashInteger = hash

/**
 * A stream of pseudo-random numbers, seeded by an integer (modulo 2^32) and the names of what it drives. The generator is
 * sfc32 (Doty-Humphrey's PractRand): 96 bits of chaotic state and a counter, so that no period is below 2^32.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, ...names: readonly (string | number)[]) {
    // Three lanes of 32 bits: of a million streams no two begin alike, as they would with one.
    this.#a = seedLane(1, seed, names)
    this.#b = seedLane(2, seed, names)
    this.#c = seedLane(3, seed, names)
    for (let i = 0; i < 12; i++) this.#bits()
  }

  /** Uniform in (0, 1), 52 bits wide, so that neither end is ever drawn. */
  uniform(): number {
    return ((this.#bits() >>> 6) * 2 ** 26 + (this.#bits() >>> 6) + 0.5) / 2 ** 52
  }

  /** Exponential with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(this.uniform())
  }

  /** Standard normal (Box–Muller; the second of the pair is not kept, so that a stream's position depends on nothing else). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Lognormal with the given median and sigma of the underlying normal. */
  lognormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal())
  }

  /** Gamma of the given shape and scale 1 (Marsaglia and Tsang, ACM TOMS 26(3), 2000). */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * this.uniform() ** (1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(this.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }

  /** Integer in [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  #bits(): number {
    const t = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t
    return t >>> 0
  }
}
