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

/** 32 bits that depend on every bit of four integers. */
const hash = (seed: number, a: number, b: number, c: number): number =>
  absorb(absorb(absorb(mix(seed), a), b), c)

/** A uniform number in (0, 1) that is a pure function of four integers. */
export const hashUniform = (seed: number, a: number, b: number, c: number): number => {
  const high = hash(seed, a, b, c)
  const low = hash(seed ^ 0x5bd1e995, a, b, c)
  return (high * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52
}

/** A 32-bit integer that is a pure function of four integers. */
export const hashInteger = hash

/** A stream of pseudo-random numbers (sfc32), seeded by a number and the names of what it drives. */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, ...names: readonly (string | number)[]) {
    let state = mix(seed)
    for (const name of names) {
      if (typeof name === "number") state = absorb(state, name)
      else for (let i = 0; i < name.length; i++) state = absorb(state, name.charCodeAt(i))
      state = absorb(state, -1)
    }
    this.#a = absorb(state, 1)
    this.#b = absorb(state, 2)
    this.#c = absorb(state, 3)
    for (let i = 0; i < 12; i++) this.#bits()
  }

  /** Uniform in (0, 1), 53 bits wide. */
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
