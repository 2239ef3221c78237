/** What a recorded run decided: how many drafted tokens each round kept. Times are left for the simulator to say. */
import type { Acceptance, Method, Scenario } from "../scenario/resolved.ts"
import type { Stepped } from "../runtime/ports.ts"
import { EVENT_KINDS, type EventKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

/** How a verify ended. */
interface RecordedRound {
  readonly accepted: number
  /** When it was told, ns. */
  readonly at: number
}

/** Verified rounds by request and number (from 1), as the trace has them. */
export const recordedRounds = ({
  slices,
  tracks
}: TraceStore): ReadonlyMap<number, readonly RecordedRound[]> => {
  const found = new Map<number, RecordedRound[]>()
  for (let row = 0; row < slices.length; row++) {
    if (EVENT_KINDS[slices.kind[row]!] !== "verify" || tracks[slices.track[row]!]!.kind !== "request")
      continue
    const request = slices.request[row]! - 1
    const rounds = found.get(request) ?? []
    rounds[slices.round[row]! - 1] = { accepted: slices.accepted[row]!, at: slices.end[row]! }
    found.set(request, rounds)
  }
  return found
}

/**
 * Tokens a request threw away at a time: a classical drafter's proposals, or drafts that these made more or fewer than planned.
 */
export const rejections = ({ instants }: TraceStore): ((request: number, at: number) => number) => {
  const found = new Map<string, number>()
  for (let row = 0; row < instants.length; row++)
    if (EVENT_KINDS[instants.kind[row]!] === ("reject" satisfies EventKind))
      found.set(`${instants.request[row]! - 1} ${instants.at[row]}`, instants.tokens[row]!)
  return (request, at) => found.get(`${request} ${at}`) ?? 0
}

/** Decode steps of each request that checked a classical drafter's proposals, in order. */
export const speculatedSteps = (trace: TraceStore): ReadonlyMap<number, readonly Stepped[]> => {
  const { slices, tracks } = trace
  const rejected = rejections(trace)
  const found = new Map<number, Stepped[]>()
  for (let row = 0; row < slices.length; row++) {
    const step = EVENT_KINDS[slices.kind[row]!] === "decode" && slices.steps[row]! > 0
    if (!step || tracks[slices.track[row]!]!.kind !== "request") continue
    const request = slices.request[row]! - 1
    const agreed = slices.accepted[row]!
    const own = found.get(request) ?? []
    own.push({
      tokens: slices.tokens[row]!,
      proposed: agreed + rejected(request, slices.end[row]!),
      agreed
    })
    found.set(request, own)
  }
  return found
}

/** Requests 0…n−1 of which every round is known; undefined if the trace has none. */
const recordedAcceptance = (trace: TraceStore): Acceptance | undefined => {
  const rounds = recordedRounds(trace)
  if (rounds.size === 0) return undefined
  const last = Math.max(...rounds.keys())
  const accepted = Array.from({ length: last + 1 }, (_, request) =>
    Array.from(rounds.get(request) ?? [undefined], (one: RecordedRound | undefined) => one?.accepted ?? 0)
  )
  return {
    kind: "recorded",
    accepted,
    origin: { basis: "measured", source: `rounds of ${trace.meta.name}` }
  }
}

/** The method with the rounds of a recorded run in place of its acceptance model; the same where it has no rounds. */
export const withRecordedRounds = (method: Method, trace: TraceStore): Method => {
  const acceptance = recordedAcceptance(trace)
  if (acceptance === undefined || !("compressor" in method)) return method
  return { ...method, compressor: { ...method.compressor, acceptance } }
}

/** The scenario whose method of this name decides as a recorded run did. */
export const replaying = (scenario: Scenario, trace: TraceStore): Scenario => ({
  ...scenario,
  methods: scenario.methods.map((named) =>
    named.name === trace.meta.method ? { ...named, method: withRecordedRounds(named.method, trace) } : named
  )
})
