/**
 * How many drafted tokens the verifier agrees with. Draws are pure functions of seed, request and round: the order in which
 * rounds happen to be verified changes nothing.
 */
import type { Acceptance, Origin } from "../../scenario/resolved.ts"
import { hashUniform } from "../kernel/random.ts"

export interface AcceptanceModel {
  readonly origin: Origin
  /** Accepted length, 0…drafted, of a request's round; `context` in tokens. */
  readonly accepted: (request: number, round: number, drafted: number, context: number) => number
  /** Its expectation. */
  readonly expected: (drafted: number, context: number) => number
}

/** E[accepted] = α(1−α^x)/(1−α) for i.i.d. agreement. */
export const expectedAccepted = (alpha: number, window: number): number =>
  alpha >= 1 ? window : (alpha * (1 - alpha ** window)) / (1 - alpha)

/** The accepted length that uniform `u` in (0, 1) stands for: agreements before the first refusal. */
const geometric = (alpha: number, window: number, u: number): number =>
  alpha >= 1 ? window : alpha <= 0 ? 0 : Math.min(window, Math.floor(Math.log(u) / Math.log(alpha)))

/** α at a context length, interpolated linearly and held at the ends. */
export const alphaAt = (rows: readonly { readonly context: number; readonly alpha: number }[], context: number): number => {
  const next = rows.findIndex((row) => row.context >= context)
  if (next === 0) return rows[0]!.alpha
  if (next < 0) return rows.at(-1)!.alpha
  const a = rows[next - 1]!
  const b = rows[next]!
  return a.alpha + ((b.alpha - a.alpha) * (context - a.context)) / (b.context - a.context)
}

const curve = (perPosition: readonly number[]) => {
  const at = (position: number): number => perPosition[Math.min(position, perPosition.length - 1)]!
  return {
    draw: (window: number, u: number): number => {
      let survival = 1
      for (let position = 0; position < window; position++) {
        survival *= at(position)
        if (u >= survival) return position
      }
      return window
    },
    expected: (window: number): number => {
      let survival = 1
      let sum = 0
      for (let position = 0; position < window; position++) {
        survival *= at(position)
        sum += survival
      }
      return sum
    }
  }
}

export const makeAcceptance = (acceptance: Acceptance, seed: number): AcceptanceModel => {
  const { origin } = acceptance
  const u = (request: number, round: number): number => hashUniform(seed, request, round, 0xacce)
  switch (acceptance.kind) {
    case "iid":
      return {
        origin,
        accepted: (request, round, drafted) => geometric(acceptance.alpha, drafted, u(request, round)),
        expected: (drafted) => expectedAccepted(acceptance.alpha, drafted)
      }
    case "table":
      return {
        origin,
        accepted: (request, round, drafted, context) => geometric(alphaAt(acceptance.rows, context), drafted, u(request, round)),
        expected: (drafted, context) => expectedAccepted(alphaAt(acceptance.rows, context), drafted)
      }
    case "curve": {
      const { draw, expected } = curve(acceptance.perPosition)
      return { origin, accepted: (request, round, drafted) => draw(drafted, u(request, round)), expected }
    }
    case "recorded": {
      const { accepted } = acceptance
      const all = accepted.flat()
      return {
        origin,
        accepted: (request, round, drafted) => {
          const rounds = accepted[request % accepted.length]!
          return Math.min(drafted, rounds[(round - 1) % rounds.length]!)
        },
        expected: (drafted) => all.reduce((sum, length) => sum + Math.min(drafted, length), 0) / all.length
      }
    }
  }
}
