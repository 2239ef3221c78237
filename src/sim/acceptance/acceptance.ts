/**
 * How many drafted tokens the verifier agrees with. Draws are pure functions of seed, request and round: the order in which
 * rounds happen to be verified changes nothing.
 */
import type { Acceptance, Origin } from "../../scenario/resolved.ts"
import { normalCdf, normalQuantile } from "../kernel/normal.ts"
import { hashUniform } from "../kernel/random.ts"
import { acceptedAt, expectedAccepted, SurvivalCurve } from "./survival.ts"

export interface AcceptanceModel {
  readonly kind: Acceptance["kind"]
  readonly origin: Origin
  /** Accepted length, 0…drafted, of a request's round (from 1); `context` in tokens. */
  readonly accepted: (request: number, round: number, drafted: number, context: number) => number
  /** Its exact expectation over rounds; `drafted` an integer. */
  readonly expected: (drafted: number, context: number) => number
}

/** Sets the draws for acceptance apart from others that hash the same seed, request and round. */
const STREAM = 0xacce
/** No round has this number: its draw is the request's own. */
const NO_ROUND = 0

/**
 * What decides a round, uniform in (0, 1) whatever the correlation of two rounds of one request: a normal copula, in which what a request has
 * of its own and what a round has add up.
 */
const drawOf = (seed: number, requestCorrelation: number) => {
  const u = (request: number, round: number): number => hashUniform(seed, request, round, STREAM)
  if (requestCorrelation === 0) return u
  const [own, other] = [Math.sqrt(requestCorrelation), Math.sqrt(1 - requestCorrelation)]
  return (request: number, round: number): number =>
    normalCdf(own * normalQuantile(u(request, NO_ROUND)) + other * normalQuantile(u(request, round)))
}

type Rows = readonly { readonly context: number; readonly alpha: number }[]

/** α at a context length, interpolated linearly between rows and held beyond the ends. */
export const alphaAt = (rows: Rows, context: number): number => {
  let low = 0
  let high = rows.length - 1
  if (context <= rows[low]!.context) return rows[low]!.alpha
  if (context >= rows[high]!.context) return rows[high]!.alpha
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (rows[middle]!.context <= context) low = middle
    else high = middle
  }
  const a = rows[low]!
  const b = rows[high]!
  return a.alpha + ((b.alpha - a.alpha) * (context - a.context)) / (b.context - a.context)
}

/** Mean of min(drafted, length) over recorded lengths; O(1) once the lengths are counted. */
const truncatedMean = (lengths: readonly number[]): ((drafted: number) => number) => {
  const longest = lengths.reduce((max, length) => Math.max(max, length), 0)
  const atLeast = new Float64Array(longest + 2)
  for (const length of lengths) atLeast[length]!++
  for (let i = longest - 1; i >= 0; i--) atLeast[i]! += atLeast[i + 1]!
  // E[min(x, L)] = Σ P(L ≥ i) over i = 1…x.
  const sums = new Float64Array(longest + 1)
  for (let i = 1; i <= longest; i++) sums[i] = sums[i - 1]! + atLeast[i]!
  return (drafted) => sums[Math.min(drafted, longest)]! / lengths.length
}

/** The model an acceptance figure describes. Models of one seed agree on a request's round: the same u meets each of them. */
export const makeAcceptance = (acceptance: Acceptance, seed: number): AcceptanceModel => {
  const { kind, origin, requestCorrelation = 0 } = acceptance
  const u = drawOf(seed, requestCorrelation)
  switch (kind) {
    case "iid": {
      const { alpha } = acceptance
      return {
        kind,
        origin,
        accepted: (request, round, drafted) => acceptedAt(alpha, drafted, u(request, round)),
        expected: (drafted) => expectedAccepted(alpha, drafted)
      }
    }
    case "table": {
      const { rows } = acceptance
      return {
        kind,
        origin,
        accepted: (request, round, drafted, context) =>
          acceptedAt(alphaAt(rows, context), drafted, u(request, round)),
        expected: (drafted, context) => expectedAccepted(alphaAt(rows, context), drafted)
      }
    }
    case "curve": {
      const curve = new SurvivalCurve(acceptance.perPosition)
      return {
        kind,
        origin,
        accepted: (request, round, drafted) => curve.accepted(drafted, u(request, round)),
        expected: (drafted) => curve.expected(drafted)
      }
    }
    case "recorded": {
      const { accepted } = acceptance
      return {
        kind,
        origin,
        accepted: (request, round, drafted) => {
          const rounds = accepted[request % accepted.length]!
          return Math.min(drafted, rounds[(round - 1) % rounds.length]!)
        },
        expected: truncatedMean(accepted.flat())
      }
    }
  }
}
