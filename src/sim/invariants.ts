/**
 * What must hold in every simulation (docs/invariants.md), checked on its trace and metrics. Returns what does not hold.
 */
import { matchCommit } from "../protocol/commit.ts"
import { requestCount, type Scenario } from "../scenario/resolved.ts"
import { boundedOf, boundedTime, PASS_LIMITS } from "../trace/pass-limits.ts"
import { EVENT_KINDS, type EventKind, type TrackKind } from "../trace/recorder.ts"
import { eventRow, type TraceStore } from "../trace/store.ts"
import { LIMITS } from "../trace/metrics.ts"
import { referenceToken, roundTokens } from "./acceptance/tokens.ts"
import type { Simulation } from "./simulate.ts"
import { groupLink } from "./theory/parameters.ts"

/** Rounding of times to whole ns and of sums of doubles. */
const SLACK = 1e-6
/** Rounding of what bounded a pass: each share is kept to a ten-thousandth, that of HBM as what three others leave. */
const SHARE_SLACK = 2e-4

interface Slice {
  readonly track: number
  readonly kind: EventKind
  readonly start: number
  readonly end: number
  readonly request: number
  readonly tokens: number
  readonly bytes: number
  readonly accepted: number
}

const slicesOf = ({ slices }: TraceStore): readonly Slice[] =>
  Array.from({ length: slices.length }, (_, i) => ({
    track: slices.track[i]!,
    kind: EVENT_KINDS[slices.kind[i]!]!,
    start: slices.start[i]!,
    end: slices.end[i]!,
    request: slices.request[i]! - 1,
    tokens: slices.tokens[i]!,
    bytes: slices.bytes[i]!,
    accepted: slices.accepted[i]!
  }))

/** All broken invariants of a simulation, in words; `trace` must hold the whole run. */
export const brokenInvariants = (
  scenario: Scenario,
  { metrics, setup }: Simulation,
  trace: TraceStore
): readonly string[] => {
  const broken: string[] = []
  const check = (holds: boolean, what: string): void => {
    if (!holds) broken.push(what)
  }
  const slices = slicesOf(trace)
  const tracksOf = (kind: TrackKind): readonly number[] =>
    trace.tracks.flatMap((track, id) => (track.kind === kind ? [id] : []))

  // I1 No request is lost or ends twice.
  const { arrived, finished, cancelled, timedOut, failed } = metrics.requests
  check(arrived === requestCount(scenario), `I1: ${requestCount(scenario)} requests, ${arrived} arrived`)
  check(
    finished + cancelled + timedOut + failed === arrived,
    `I1: ${arrived} arrived, ${finished + cancelled + timedOut + failed} ended`
  )
  const ends = new Map<number, number>()
  for (let i = 0; i < trace.instants.length; i++) {
    const kind = EVENT_KINDS[trace.instants.kind[i]!]!
    const request = trace.instants.request[i]! - 1
    if (trace.tracks[trace.instants.track[i]!]!.kind !== "request") continue
    if (["finish", "cancel", "timeout", "fault"].includes(kind))
      ends.set(request, (ends.get(request) ?? 0) + 1)
  }
  check(
    ends.size === arrived && [...ends.values()].every((n) => n === 1),
    "I1: a request ended twice or never"
  )

  // I2 Tokens are conserved.
  const { drafted, accepted, rejected, committed, count } = metrics.rounds
  check(
    drafted === accepted + rejected,
    `I2: drafted ${drafted} ≠ accepted ${accepted} + rejected ${rejected}`
  )
  check(
    committed >= accepted && committed <= accepted + count,
    `I2: ${committed} committed in ${count} rounds with ${accepted} accepted`
  )

  // I3 Bytes are conserved: what links carried is what the metrics say.
  for (const kind of ["reload", "save", "fetch", "stream"] as const) {
    const carried = slices.reduce((sum, slice) => (slice.kind === kind ? sum + slice.bytes : sum), 0)
    check(
      Math.abs(carried - metrics.bytes[kind]) <= SLACK * (1 + carried),
      `I3: links carried ${carried} B of ${kind}, metrics say ${metrics.bytes[kind]}`
    )
  }

  // I4 A link is never faster than its rate, and a serial one carries one transfer at a time.
  for (const [kind, direction] of [
    ["link-h2d", "hostToDevice"],
    ["link-d2h", "deviceToHost"]
  ] as const) {
    const rate = groupLink(scenario, direction)
    for (const track of tracksOf(kind)) {
      const moves = slices.filter((slice) => slice.track === track).toSorted((a, b) => a.start - b.start)
      moves.forEach((move, i) => {
        check(
          move.bytes <= (((move.end - move.start) * rate) / 1e9) * (1 + SLACK) + 1,
          `I4: ${move.bytes} B in ${move.end - move.start} ns`
        )
        const next = moves[i + 1]
        if (scenario.hardware.link.sharing === "serial" && next !== undefined)
          check(next.start >= move.end, `I4: two transfers at ${next.start} ns`)
      })
    }
  }

  // I5 HBM is never over capacity.
  const capacity = scenario.hardware.hbm.capacity * scenario.engine.tensorParallelSize
  const occupancy = new Set(tracksOf("hbm-occupancy"))
  for (let i = 0; i < trace.counters.length; i++) {
    if (occupancy.has(trace.counters.track[i]!))
      check(trace.counters.value[i]! <= capacity, `I5: ${trace.counters.value[i]} B in HBM of ${capacity}`)
  }

  // I6 Causality: passes of a group follow one another; a round's verify follows its reload.
  for (const lane of tracksOf("gpu")) {
    const passes = slices.filter((slice) => slice.track === lane).toSorted((a, b) => a.start - b.start)
    passes.forEach((pass, i) => {
      if (i > 0) check(pass.start >= passes[i - 1]!.end, `I6: two passes at ${pass.start} ns`)
    })
  }

  for (let i = 0; i < trace.flows.length; i++) {
    const [from, to] = [eventRow(trace.flows.from[i]!), eventRow(trace.flows.to[i]!)]
    if (from.group !== "slices" || to.group !== "slices") continue
    const [cause, effect] = [slices[from.row]!, slices[to.row]!]
    if (cause.kind === "reload")
      check(cause.end <= effect.end, `I6: a verify ended at ${effect.end} ns, before its reload`)
  }

  // I7 All time is accounted for.
  const shares = LIMITS.reduce((sum, limit) => sum + metrics.limits[limit], 0)
  check(Math.abs(shares - 1) < 1e-9, `I7: limits sum to ${shares}`)
  // Time between passes is the scheduler's, the link's or nobody's: of what a pass alone is bound by, trace and metrics agree.
  const replicas = boundedOf(trace)
  const last = replicas.reduce((most, { end }) => Math.max(most, end.at(-1) ?? 0), 0)
  const told = boundedTime(replicas, 0, last)
  const passes = PASS_LIMITS.reduce((sum, limit) => sum + told[limit], 0) * 1e-9
  for (const limit of ["hbm", "compute", "interconnect"] as const)
    check(
      Math.abs(told[limit] * 1e-9 - metrics.limitSeconds[limit]) <= SHARE_SLACK * passes,
      `I7: ${limit} bounds passes for ${told[limit] * 1e-9} s of the trace, ${metrics.limitSeconds[limit]} s of the metrics`
    )

  // I8 What is committed is what the reference run says, token by token, by the real commit rule.
  if (setup.plan.mode === "rounds") broken.push(...textFaults(scenario, slices, trace))
  return broken
}

/** Tokens each finished request says it ended with. */
const finishedTokens = ({ instants }: TraceStore): ReadonlyMap<number, number> => {
  const tokens = new Map<number, number>()
  for (let i = 0; i < instants.length; i++) {
    if (EVENT_KINDS[instants.kind[i]!] === "finish") tokens.set(instants.request[i]! - 1, instants.tokens[i]!)
  }
  return tokens
}

/**
 * Writes each request's text from its rounds with the real commit rule and compares it with full decoding's: the tokens, and
 * how many there are. Tokens a request got otherwise, from its prompt's last position or in full decoding, are the reference's.
 */
const textFaults = (scenario: Scenario, slices: readonly Slice[], trace: TraceStore): readonly string[] => {
  const text = { seed: scenario.seed, vocab: scenario.model.vocab }
  const outputs = finishedTokens(trace)
  const rounds = slices
    .filter(({ kind, request }) => kind === "verify" && request >= 0)
    .toSorted((a, b) => a.end - b.end)
  const otherwise = new Set(
    slices.flatMap(({ kind, request }) => (kind === "prefill" || kind === "decode" ? [request] : []))
  )
  const written = new Map<number, number[]>()
  const faults: string[] = []
  for (const { request, tokens, accepted } of rounds) {
    const output = written.get(request) ?? []
    written.set(request, output)
    // A refused token behind the accepted ones: what it stood for is the verifier's to say.
    const round = roundTokens(text, request, output.length, accepted + 1, accepted)
    const commit = matchCommit(round.drafted, round.verifier)
    output.push(...commit.tokens.slice(0, tokens))
    const ends = outputs.get(request) === output.length
    if (tokens !== commit.tokens.length && !(ends || otherwise.has(request)))
      faults.push(
        `I8: request ${request} commits ${tokens} tokens where the rule commits ${commit.tokens.length}`
      )
  }
  for (const [request, output] of written) {
    if (output.some((token, position) => token !== referenceToken(text, request, position)))
      faults.push(`I8: request ${request} does not read like the reference`)
    const length = outputs.get(request)
    if (length !== undefined && !otherwise.has(request) && output.length !== length)
      faults.push(`I8: request ${request} wrote ${output.length} tokens in rounds and ended with ${length}`)
  }
  return faults
}
