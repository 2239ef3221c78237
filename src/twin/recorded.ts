/** What a recorded run decided: how many drafted tokens each round kept. Times are left for the simulator to say. */
import type { Acceptance, Method, Scenario } from "../scenario/resolved.ts"
import { EVENT_KINDS } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"

/** Accepted lengths by request and round (from 1), as the trace has them. */
export const acceptedLengths = ({ slices, tracks }: TraceStore): ReadonlyMap<number, readonly number[]> => {
  const found = new Map<number, number[]>()
  for (let row = 0; row < slices.length; row++) {
    if (EVENT_KINDS[slices.kind[row]!] !== "verify" || tracks[slices.track[row]!]!.kind !== "request")
      continue
    const request = slices.request[row]! - 1
    const rounds = found.get(request) ?? []
    rounds[slices.round[row]! - 1] = slices.accepted[row]!
    found.set(request, rounds)
  }
  return found
}

/** Requests 0…n−1 of which every round is known; undefined if the trace has none. */
const recordedAcceptance = (trace: TraceStore): Acceptance | undefined => {
  const lengths = acceptedLengths(trace)
  if (lengths.size === 0) return undefined
  const last = Math.max(...lengths.keys())
  const accepted = Array.from({ length: last + 1 }, (_, request) =>
    Array.from(lengths.get(request) ?? [0], (one: number | undefined) => one ?? 0)
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
