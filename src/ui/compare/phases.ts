/** What the phases of two runs took, side by side. Nanoseconds. */
import { Occupations } from "../../trace/occupation.ts"
import { EVENT_KINDS, type EventKind, type TrackKind } from "../../trace/recorder.ts"
import type { Run } from "./pairing.ts"

export const QUANTITIES = ["count", "mean", "p50", "p95", "total"] as const
export type Quantity = (typeof QUANTITIES)[number]

/** Times in ns; undefined where a phase is no series of events, or there is none. */
export type PhaseFigures = Readonly<Record<Quantity, number | undefined>>

export interface PhaseDelta {
  readonly phase: string
  readonly definition: string
  readonly a: PhaseFigures
  readonly b: PhaseFigures
}

interface Phase {
  readonly name: string
  readonly definition: string
  readonly kinds: readonly EventKind[]
  readonly places: readonly TrackKind[]
}

const LINKS: readonly TrackKind[] = ["link-h2d", "link-d2h", "network", "store"]
const passes = (kind: EventKind, does: string): Phase => ({
  name: kind,
  definition: `Passes of the GPU that ${does}; each of a run of equal passes counts`,
  kinds: [kind],
  places: ["gpu"]
})

const PHASES: readonly Phase[] = [
  passes("prefill", "take in prompts"),
  passes("decode", "make one token a request against full KV"),
  passes("draft", "draft tokens against compressed KV"),
  passes("verify", "check a window of drafted tokens against full KV"),
  passes("mixed", "do several of these things at once"),
  {
    name: "reload",
    definition: "Full KV from the host to the GPU before a verification",
    kinds: ["reload"],
    places: LINKS
  },
  {
    name: "home transfers",
    definition: "New KV from the GPU to its home in host memory",
    kinds: ["save"],
    places: LINKS
  },
  {
    name: "fetches",
    definition: "Stored KV brought in when a request begins",
    kinds: ["fetch"],
    places: LINKS
  },
  {
    name: "streaming",
    definition: "KV streamed to the GPU within a pass, as offloading does",
    kinds: ["stream"],
    places: LINKS
  },
  {
    name: "scheduling",
    definition: "Requests queued, waiting for memory or a reload's place, or stalled; summed over requests",
    kinds: ["queued", "waiting", "stalled"],
    places: ["request"]
  }
]

/** One row a phase that either run has, then rounds, exposed transfers and idle time. */
export const phaseDeltas = (a: Run, b: Run): readonly PhaseDelta[] => {
  const [ofA, ofB] = [figuresOf(a), figuresOf(b)]
  return ofA.flatMap((row, index) => {
    const other = ofB[index]!.figures
    const some = (figures: PhaseFigures): boolean => (figures.total ?? 0) > 0 || (figures.count ?? 0) > 0
    return some(row.figures) || some(other)
      ? [{ phase: row.name, definition: row.definition, a: row.figures, b: other }]
      : []
  })
}

interface Row {
  readonly name: string
  readonly definition: string
  readonly figures: PhaseFigures
}

const figuresOf = (run: Run): readonly Row[] => {
  const { from, to } = spanOf(run)
  const shares = new Occupations(run).shares(from, to)
  const share = (part: number): PhaseFigures => ({ ...NONE, total: part * (to - from) })
  return [
    ...PHASES.map((phase) => ({ ...phase, figures: summary(durations(run, phase)) })),
    {
      name: "round",
      definition: "Of a request: from its first draft of the round to the end of the verification",
      figures: summary(roundDurations(run))
    },
    {
      name: "exposed transfers",
      definition: "Time a GPU group ran no pass while its link moved something; mean over groups",
      figures: share(shares["exposed transfer"])
    },
    {
      name: "idle",
      definition: "Time a GPU group neither ran a pass nor moved anything; mean over groups",
      figures: share(shares.idle)
    }
  ]
}

const NONE: PhaseFigures = {
  count: undefined,
  mean: undefined,
  p50: undefined,
  p95: undefined,
  total: undefined
}

interface Sample {
  readonly ns: number
  readonly times: number
}

const durations = ({ tracks, slices }: Run, { kinds, places }: Phase): readonly Sample[] => {
  const wanted = EVENT_KINDS.map((kind) => kinds.includes(kind))
  const there = tracks.map(({ kind }) => places.includes(kind))
  const found: Sample[] = []
  for (let row = 0; row < slices.length; row++) {
    if (!wanted[slices.kind[row]!] || !there[slices.track[row]!]) continue
    const times = Math.max(1, slices.steps[row]!)
    found.push({ ns: (slices.end[row]! - slices.start[row]!) / times, times })
  }
  return found
}

const roundDurations = ({ tracks, slices }: Run): readonly Sample[] => {
  const starts = new Map<string, number>()
  const ends = new Map<string, number>()
  for (let row = 0; row < slices.length; row++) {
    if (slices.round[row] === 0 || tracks[slices.track[row]!]!.kind !== "request") continue
    const key = `${slices.request[row]}.${slices.round[row]}`
    const kind = EVENT_KINDS[slices.kind[row]!]
    if (kind === "draft") starts.set(key, Math.min(starts.get(key) ?? Infinity, slices.start[row]!))
    if (kind === "verify") ends.set(key, slices.end[row]!)
  }
  return [...ends].flatMap(([key, end]) => {
    const start = starts.get(key)
    return start === undefined || end < start ? [] : [{ ns: end - start, times: 1 }]
  })
}

/** Percentiles by nearest rank. */
const summary = (samples: readonly Sample[]): PhaseFigures => {
  const count = samples.reduce((sum, { times }) => sum + times, 0)
  if (count === 0) return { ...NONE, count: 0, total: 0 }
  const total = samples.reduce((sum, { ns, times }) => sum + ns * times, 0)
  const sorted = samples.toSorted((x, y) => x.ns - y.ns)
  const ranked = (q: number): number => {
    let left = Math.ceil(q * count)
    return sorted.find(({ times }) => (left -= times) <= 0)!.ns
  }
  return { count, mean: total / count, p50: ranked(0.5), p95: ranked(0.95), total }
}

/** First begin to last end of all slices; nothing for a run without any. */
export const spanOf = ({ slices }: Run): { readonly from: number; readonly to: number } => {
  if (slices.length === 0) return { from: 0, to: 0 }
  return {
    from: slices.start.reduce((least, time) => Math.min(least, time), Infinity),
    to: slices.end.reduce((most, time) => Math.max(most, time), 0)
  }
}

/** B − A; undefined where one of them is. */
export const difference = ({ a, b }: PhaseDelta, of: Quantity): number | undefined =>
  a[of] === undefined || b[of] === undefined ? undefined : b[of] - a[of]

/** B / A; undefined where one of them is, or A is zero. */
export const ratio = ({ a, b }: PhaseDelta, of: Quantity): number | undefined =>
  a[of] === undefined || b[of] === undefined || a[of] === 0 ? undefined : b[of] / a[of]
