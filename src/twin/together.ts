/** What the comparisons of several methods say together: each over the baseline, their order, and the best window. */
import type { NamedMethod } from "../scenario/resolved.ts"
import { middleWithin } from "./residuals.ts"

interface Rate {
  readonly tokensPerSecond: number
}

/** What a method comes to, predicted and measured. */
export interface Rated {
  readonly named: NamedMethod
  readonly predicted: Rate
  /** The repetition in the middle. */
  readonly measured: Rate
  readonly repetitions: readonly Rate[]
}

/** One method's throughput over another's. Measured: repetition by repetition, so that a slow hour cancels. */
export interface Against {
  readonly name: string
  readonly predicted: number
  /** The pair in the middle, and between which values it lies with 95 % confidence (all pairs, of fewer than six). */
  readonly measured: number
  readonly low: number
  readonly high: number
}

const over = (twin: Rated, base: Rated): Against | undefined => {
  const pairs = twin.repetitions
    .flatMap(({ tokensPerSecond }, i) => {
      const beside = base.repetitions[i]?.tokensPerSecond
      return beside === undefined || beside === 0 ? [] : [tokensPerSecond / beside]
    })
    .toSorted((a, b) => a - b)
  return pairs.length === 0
    ? undefined
    : {
        name: twin.named.name,
        predicted: twin.predicted.tokensPerSecond / base.predicted.tokensPerSecond,
        measured: pairs[(pairs.length - 1) >> 1]!,
        ...middleWithin(pairs)
      }
}

/** Every other method over the baseline. */
export const againstBaseline = (twins: readonly Rated[], baseline: string): readonly Against[] => {
  const base = twins.find(({ named }) => named.name === baseline)
  if (base === undefined) return []
  return twins.flatMap((twin) => (twin === base ? [] : (over(twin, base) ?? [])))
}

/** Names of methods, the fastest first. */
export const ranking = (twins: readonly Rated[], which: "predicted" | "measured"): readonly string[] =>
  twins.toSorted((a, b) => b[which].tokensPerSecond - a[which].tokensPerSecond).map(({ named }) => named.name)

/** Pairs of methods by whether the faster is as predicted; not told: their repetitions do not agree on it. */
export interface Order {
  readonly asPredicted: number
  readonly otherwise: readonly { readonly faster: string; readonly slower: string }[]
  readonly notTold: number
}

export const orderOf = (twins: readonly Rated[]): Order => {
  let [asPredicted, notTold] = [0, 0]
  const otherwise: { readonly faster: string; readonly slower: string }[] = []
  for (const [i, a] of twins.entries())
    for (const b of twins.slice(i + 1)) {
      const ratio = over(a, b)
      if (ratio === undefined || (ratio.low <= 1 && ratio.high >= 1)) notTold++
      else if (ratio.predicted > 1 === ratio.low > 1) asPredicted++
      else {
        const [faster, slower] = ratio.low > 1 ? [a, b] : [b, a]
        otherwise.push({ faster: faster.named.name, slower: slower.named.name })
      }
    }
  return { asPredicted, otherwise, notTold }
}

/** Throughput within this share of the best is as good. */
const FLAT = 0.05

export interface BestWindow {
  readonly best: number
  /** Windows as good as the best, ascending, the best among them. */
  readonly flat: readonly number[]
}

export interface Windows {
  readonly predicted: BestWindow
  /** Where every repetition puts a window behind the best, and the pair in the middle by more than the share, it is not as good. */
  readonly measured: BestWindow
}

/** The best of several fixed windows; undefined with fewer than two. */
export const windowsOf = (twins: readonly Rated[]): Windows | undefined => {
  const windows = twins.flatMap((twin) => {
    const { method } = twin.named
    return method.kind === "vericache" && method.window.kind === "fixed"
      ? [{ twin, tokens: method.window.tokens }]
      : []
  })
  if (windows.length < 2) return undefined
  const bestBy = (which: "predicted" | "measured") =>
    windows.reduce((a, b) => (b.twin[which].tokensPerSecond > a.twin[which].tokensPerSecond ? b : a))
  const flat = (is: (twin: Rated) => boolean): readonly number[] =>
    windows
      .filter(({ twin }) => is(twin))
      .map(({ tokens }) => tokens)
      .toSorted((a, b) => a - b)
  const [predicted, measured] = [bestBy("predicted"), bestBy("measured")]
  const most = predicted.twin.predicted.tokensPerSecond
  return {
    predicted: {
      best: predicted.tokens,
      flat: flat((twin) => twin.predicted.tokensPerSecond >= (1 - FLAT) * most)
    },
    measured: {
      best: measured.tokens,
      flat: flat((twin) => {
        const ratio = over(twin, measured.twin)
        return ratio !== undefined && (ratio.measured >= 1 - FLAT || (ratio.low < 1 && ratio.high > 1))
      })
    }
  }
}
