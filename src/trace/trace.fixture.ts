/** Traces for the tests: one to look at, and arbitrary ones. */
import fc from "fast-check"
import { EVENT_KINDS, TRACK_KINDS, UNITS } from "./recorder.ts"
import { type TraceMeta, TraceStore } from "./store.ts"

export const META: TraceMeta = {
  name: "a round",
  scenario: "small",
  method: "vericache",
  seed: 1,
  clock: "virtual",
  basis: "modelled",
  clockOffset: 0
}

/** One request, one round: draft, reload meanwhile, verify, commit. */
export const aRound = (): TraceStore => {
  const trace = new TraceStore(META)
  const replica = trace.track({ name: "replica 0", kind: "replica" })
  const gpu = trace.track({ name: "GPU", kind: "gpu", parent: replica })
  const passes = trace.track({ name: "passes", kind: "gpu", parent: gpu })
  const link = trace.track({ name: "link host → device", kind: "link-h2d", parent: replica })
  const hbm = trace.track({ name: "HBM occupancy", kind: "hbm-occupancy", parent: replica, unit: "bytes" })
  const batch = trace.track({
    name: "requests in the batch",
    kind: "scheduler",
    parent: replica,
    unit: "requests"
  })
  const request = trace.track({ name: "request 0", kind: "request", parent: replica })
  trace.instant(request, "arrive", 0, { request: 0 })
  trace.counter(hbm, 0, 16e9)
  trace.counter(batch, 0, 1)
  for (let step = 0; step < 4; step++)
    trace.slice(passes, "draft", step * 1000, (step + 1) * 1000, { tokens: 1 })
  const draft = trace.slice(request, "draft", 0, 4000, { request: 0, tokens: 4, round: 1 })
  const reload = trace.slice(link, "reload", 1500, 3500, { request: 0, bytes: 4.5e9 })
  trace.counter(hbm, 3500, 20.5e9)
  trace.slice(passes, "verify", 4000, 5500, { tokens: 5 })
  const verify = trace.slice(request, "verify", 4000, 5500, { request: 0, tokens: 3, accepted: 2, round: 1 })
  trace.flow(draft, reload)
  trace.flow(reload, verify)
  trace.instant(request, "commit", 5500, { request: 0, tokens: 3, accepted: 2, round: 1 })
  return trace
}

const time = fc.nat(10_000)
const share = fc.double({ noNaN: true, min: 0, max: 1 })
const args = fc.record(
  {
    request: fc.nat(50),
    tokens: fc.nat(1000),
    bytes: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    accepted: fc.nat(30),
    round: fc.nat(9),
    steps: fc.nat(9),
    members: fc.nat(9),
    kvTokens: fc.double({ noNaN: true, noDefaultInfinity: true, min: 0 }),
    limitHbm: share,
    limitCompute: share,
    limitInterconnect: share,
    limitScheduling: share
  },
  { requiredKeys: [] }
)
const track = fc.record(
  {
    name: fc.string(),
    kind: fc.constantFrom(...TRACK_KINDS),
    parent: fc.nat(),
    unit: fc.constantFrom(...UNITS)
  },
  { requiredKeys: ["name", "kind"] }
)
const record = fc.oneof(
  fc.record({
    type: fc.constant("slice" as const),
    on: fc.nat(),
    kind: fc.constantFrom(...EVENT_KINDS),
    at: time,
    for: fc.nat(300),
    args
  }),
  fc.record({
    type: fc.constant("instant" as const),
    on: fc.nat(),
    kind: fc.constantFrom(...EVENT_KINDS),
    at: time,
    args
  }),
  fc.record({
    type: fc.constant("counter" as const),
    on: fc.nat(),
    at: time,
    value: fc.double({ noNaN: true, noDefaultInfinity: true })
  }),
  fc.record({ type: fc.constant("flow" as const), from: fc.nat(), to: fc.nat() })
)

type Plan = typeof anyPlan extends fc.Arbitrary<infer P> ? P : never

/** What to record: any tree of tracks, any records in any order of time, slices that cross included. */
export const anyPlan = fc.record({
  tracks: fc.array(track, { minLength: 1, maxLength: 8 }),
  records: fc.array(record, { maxLength: 60 })
})

export const recorded = (plan: Plan, options: { readonly limit?: number } = {}): TraceStore => {
  const trace = new TraceStore(META, options)
  plan.tracks.forEach(({ parent, unit, ...spec }, id) => {
    // The first track is plain, so that there is one to put slices on.
    const hasParent = parent !== undefined && id > 0
    const hasUnit = unit !== undefined && id > 0
    trace.track({ ...spec, ...(hasParent ? { parent: parent % id } : {}), ...(hasUnit ? { unit } : {}) })
  })
  const ids = trace.tracks.map((_, id) => id)
  const plain = ids.filter((id) => trace.tracks[id]!.unit === undefined)
  const counters = ids.filter((id) => trace.tracks[id]!.unit !== undefined)
  const events: number[] = []
  for (const each of plan.records) {
    if (each.type === "slice") {
      events.push(
        trace.slice(plain[each.on % plain.length]!, each.kind, each.at, each.at + each.for, each.args)
      )
    } else if (each.type === "instant") {
      events.push(trace.instant(plain[each.on % plain.length]!, each.kind, each.at, each.args))
    } else if (each.type === "counter") {
      if (counters.length > 0) trace.counter(counters[each.on % counters.length]!, each.at, each.value)
    } else if (events.length > 0) {
      trace.flow(events[each.from % events.length]!, events[each.to % events.length]!)
    }
  }
  return trace
}

export const anyTrace: fc.Arbitrary<TraceStore> = anyPlan.map((plan) => recorded(plan))
