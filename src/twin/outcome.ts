/** What a run came to, from its trace alone: recorded runs and predictions are read by the same rules. */
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

/** Seconds, of the requests that finished. */
export interface Latency {
  readonly mean: number
  readonly p50: number
  readonly p90: number
}

export interface Outcome {
  /** Output tokens of finished requests a second, until the last of them ended. */
  readonly tokensPerSecond: number
  readonly ttft: Latency
  /** Per request: from its first token to its end, by the tokens after the first. */
  readonly tpot: Latency
  readonly e2el: Latency
  readonly rounds: number
  /** Drafted tokens a round kept, on average; 0 without rounds. */
  readonly meanAccepted: number
}

const latency = (values: readonly number[]): Latency => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
  return {
    mean: sorted.length === 0 ? 0 : sorted.reduce((sum, value) => sum + value, 0) / sorted.length,
    p50: at(0.5),
    p90: at(0.9)
  }
}

interface Life {
  arrived: number
  /** End of the last chunk of the prompt, if it was computed here. */
  prefilled: number | undefined
  /** When the first decode step or round ended. */
  decoded: number | undefined
  finished: number | undefined
  tokens: number
}

/** Nanoseconds at which a request's first token was there. */
const firstToken = ({ prefilled, decoded, arrived }: Life): number => prefilled ?? decoded ?? arrived

export const outcomeOf = ({ slices, instants, tracks }: TraceStore): Outcome => {
  const lives = new Map<number, Life>()
  const life = (request: number): Life => {
    const known = lives.get(request)
    if (known !== undefined) return known
    const fresh: Life = {
      arrived: 0,
      prefilled: undefined,
      decoded: undefined,
      finished: undefined,
      tokens: 0
    }
    lives.set(request, fresh)
    return fresh
  }
  for (let row = 0; row < instants.length; row++) {
    const kind = EVENT_KINDS[instants.kind[row]!]
    const one = life(instants.request[row]!)
    if (kind === "arrive") one.arrived = instants.at[row]!
    else if (kind === "finish") {
      one.finished = instants.at[row]!
      one.tokens = instants.tokens[row]!
    }
  }
  let rounds = 0
  let accepted = 0
  for (let row = 0; row < slices.length; row++) {
    if (tracks[slices.track[row]!]!.kind !== "request") continue
    const kind = EVENT_KINDS[slices.kind[row]!]
    const one = life(slices.request[row]!)
    const [start, end] = [slices.start[row]!, slices.end[row]!]
    if (kind === "verify") {
      rounds++
      accepted += slices.accepted[row]!
      one.decoded ??= end
    } else if (kind === "prefill") one.prefilled ??= end
    // A slice of decoding stands for many steps, a token each.
    else if (kind === "decode") one.decoded ??= start + (end - start) / Math.max(1, slices.tokens[row]!)
  }
  const finished = [...lives.values()].flatMap((one) =>
    one.finished === undefined ? [] : [{ ...one, finished: one.finished }]
  )
  const end = finished.reduce((last, one) => Math.max(last, one.finished), 0)
  const tokens = finished.reduce((sum, one) => sum + one.tokens, 0)
  const second = (ns: number): number => ns * 1e-9
  return {
    tokensPerSecond: end > 0 ? tokens / second(end) : 0,
    ttft: latency(finished.map((one) => second(firstToken(one) - one.arrived))),
    tpot: latency(
      finished
        .filter((one) => one.tokens > 1)
        .map((one) => second(one.finished - firstToken(one)) / (one.tokens - 1))
    ),
    e2el: latency(finished.map((one) => second(one.finished - one.arrived))),
    rounds,
    meanAccepted: rounds === 0 ? 0 : accepted / rounds
  }
}
