/** The passes of a recorded run: how long each took, and what it had to compute. */
import { emptyLoad, type PassLoad } from "../sim/cost/load.ts"
import { packedOf, type GpuModel } from "../sim/physics/priced-run.ts"
import { EVENT_KINDS, type EventKind } from "../trace/recorder.ts"
import type { TraceStore } from "../trace/store.ts"
import { passesInQueue, waitOf } from "./link-fit.ts"

/** A run of `steps` passes that are alike but for the KV each adds. */
export interface RecordedPasses {
  /** ns from the start of the run. */
  readonly start: number
  readonly end: number
  readonly steps: number
  /** Seconds of one of them, on average. */
  readonly seconds: number
  /** What one of them had to compute, on average. Several prompts' chunks count as equally long. */
  readonly load: PassLoad
  /** Bytes/s that transfers into and out of the device took from HBM meanwhile, on average. */
  readonly transferring: number
  /** Bytes that it read as they came: it waited for all of them. */
  readonly streamed: number
}

/** What names a pass's work: kinds, requests, positions, KV and steps. */
export const workOf = ({ load, steps }: RecordedPasses): string =>
  (["prefill", "decode", "draft", "verify"] as const)
    .map((kind) => {
      const { requests, positions, kvTokens } = load[kind]
      return `${requests} ${positions} ${Math.round(kvTokens)}`
    })
    .concat(`${steps}`)
    .join("|")

const TRANSFERS: ReadonlySet<string> = new Set(["reload", "save", "fetch", "stream"])

/** What a method's passes do that a trace does not say. */
export interface PassFacts extends Pick<GpuModel, "draftPairs" | "compresses"> {
  /** Proposals of a classical drafter that each step checks, 0 for none. */
  readonly proposals: number
  /** Copies wait for passes: of one that did, its wait took nothing from them. */
  readonly oneQueue: boolean
}

/** What a lane says of one kind of position, all steps together. */
export interface LaneArgs {
  readonly tokens: number
  readonly members: number
  readonly kvTokens: number
  readonly steps: number
}

/** Adds one kind of position to what a pass has to compute; others leave it as it is. Prompts count as complete: a lane does not say. */
export const addLane = (
  pass: PassLoad,
  kind: EventKind,
  { members, tokens, steps, ...lane }: LaneArgs,
  { draftPairs, proposals, compresses }: Omit<PassFacts, "oneQueue">
): void => {
  if (kind !== "decode" && kind !== "draft" && kind !== "verify" && kind !== "prefill") return
  const load = pass[kind]
  const positions = tokens / steps
  const kvTokens = lane.kvTokens / steps
  load.requests = members
  load.kvTokens = kvTokens
  if (kind === "decode" || kind === "draft") {
    load.positions = positions * (1 + proposals)
    load.pairs = kvTokens * (1 + proposals) * (kind === "draft" ? draftPairs : 1)
  } else {
    load.positions = positions
    // The last of a request's positions attends to its whole reach, each before it to one entry less.
    const [each, reach] = [positions / members, kvTokens / members]
    load.pairs = members * (each * (reach - each) + (each * (each + 1)) / 2)
  }
  pass.logits += kind === "prefill" ? members : load.positions
  // Lanes keep sums: all of a kind count as long as their mean.
  if (kind === "prefill" || (kind === "verify" && compresses?.verifies === true))
    pass.packed += members * packedOf(compresses, kvTokens / members)
}

/**
 * The passes of one replica's trace in the order of time. Traces without what the passes computed (version 1) yield none.
 * Layers of a sliding window are taken to see the whole context: a trace does not keep them apart.
 */
export const recordedPasses = (trace: TraceStore, facts: PassFacts): readonly RecordedPasses[] => {
  const { slices, tracks } = trace
  const runs = new Map<
    string,
    { readonly start: number; readonly end: number; steps: number; load: PassLoad }
  >()
  for (let row = 0; row < slices.length; row++) {
    const track = slices.track[row]!
    const steps = slices.steps[row]!
    if (tracks[track]!.kind !== "gpu" || steps === 0) continue
    const [start, end] = [slices.start[row]!, slices.end[row]!]
    const key = `${tracks[tracks[track]!.parent ?? track]!.parent} ${start} ${end}`
    const run = runs.get(key) ?? { start, end, steps, load: emptyLoad() }
    runs.set(key, run)
    const args = {
      tokens: slices.tokens[row]!,
      members: slices.members[row]!,
      kvTokens: slices.kvTokens[row]!,
      steps
    }
    addLane(run.load, EVENT_KINDS[slices.kind[row]!]!, args, facts)
  }
  const unfinished = unfinishedPrompts(trace)
  for (const { end, load } of runs.values()) {
    const count = Math.min(unfinished.get(end) ?? 0, load.prefill.requests)
    load.logits -= count
    if (count > 0)
      load.packed -= count * packedOf(facts.compresses, load.prefill.kvTokens / load.prefill.requests)
  }
  const moved = transfers(trace, facts.oneQueue)
  return [...runs.values()]
    .filter(({ start, end }) => end > start)
    .toSorted((a, b) => a.start - b.start)
    .map(({ start, end, steps, load }) => ({
      streamed: moved.streamedFrom(start, end),
      start,
      end,
      steps,
      seconds: ((end - start) * 1e-9) / steps,
      load,
      transferring: moved.bytesWithin(start, end) / ((end - start) * 1e-9)
    }))
}

/** How many prompts' chunks ended at a time, ns, with more of the prompt to come. */
const unfinishedPrompts = ({ slices, tracks }: TraceStore): ReadonlyMap<number, number> => {
  /** End of a request's last chunk so far, by track. */
  const chunks = new Map<number, number>()
  const unfinished = new Map<number, number>()
  for (let row = 0; row < slices.length; row++) {
    const track = slices.track[row]!
    if (tracks[track]!.kind !== "request") continue
    const before = chunks.get(track)
    chunks.delete(track)
    if (EVENT_KINDS[slices.kind[row]!] !== "prefill") continue
    if (before !== undefined) unfinished.set(before, (unfinished.get(before) ?? 0) + 1)
    chunks.set(track, slices.end[row]!)
  }
  return unfinished
}

/** Everything that crossed a link, by time; what waited in a queue since its wait was over. */
const transfers = (trace: TraceStore, oneQueue: boolean) => {
  const { slices, tracks } = trace
  const queue = oneQueue ? passesInQueue(trace) : undefined
  const rows: {
    readonly start: number
    readonly end: number
    readonly bytes: number
    readonly streams: boolean
  }[] = []
  for (let row = 0; row < slices.length; row++) {
    if (!TRANSFERS.has(EVENT_KINDS[slices.kind[row]!]!) || slices.bytes[row] === 0) continue
    const streams = EVENT_KINDS[slices.kind[row]!] === "stream"
    const [ordered, end] = [slices.start[row]!, slices.end[row]!]
    const into = tracks[slices.track[row]!]!.kind !== "link-d2h"
    const waited = streams
      ? 0
      : 1e9 * waitOf({ start: ordered, end }, queue?.before({ start: ordered, end }, into))
    rows.push({ start: ordered + waited, end, bytes: slices.bytes[row]!, streams })
  }
  rows.sort((a, b) => a.start - b.start)
  const longest = rows.reduce((most, { start, end }) => Math.max(most, end - start), 0)
  /** Index of the first transfer that starts at `time` or later. */
  const from = (time: number): number => {
    let [low, high] = [0, rows.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (rows[middle]!.start < time) low = middle + 1
      else high = middle
    }
    return low
  }
  return {
    /** A stream is ordered as its pass is, and a link that is busy takes it up a little later. */
    streamedFrom: (start: number, end: number): number => {
      let bytes = 0
      for (let i = from(start); i < rows.length && rows[i]!.start < end; i++)
        if (rows[i]!.streams) bytes += rows[i]!.bytes
      return bytes
    },
    bytesWithin: (start: number, end: number): number => {
      let bytes = 0
      for (let i = from(start - longest); i < rows.length && rows[i]!.start < end; i++) {
        const row = rows[i]!
        const overlap = Math.min(end, row.end) - Math.max(start, row.start)
        if (overlap > 0) bytes += row.bytes * (overlap / (row.end - row.start))
      }
      return bytes
    }
  }
}
