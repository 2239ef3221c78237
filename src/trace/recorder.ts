/**
 * The vocabulary of what happens in a run, and the one interface through which it is told.
 *
 * Times are integer nanoseconds from the start of the run, on the simulator's clock or the machine's. Everything a run
 * shows later (metrics, timeline, Perfetto) comes from these calls and nothing else.
 */

/** A row of the timeline. `parent` nests it (replica › GPU › passes); `unit` makes it a counter track. */
export interface TrackSpec {
  readonly name: string
  readonly kind: TrackKind
  readonly parent?: number
  /** Counter tracks only: the unit shown beside a value. */
  readonly unit?: Unit
}

export const UNITS = ["bytes", "bytes/s", "tokens", "requests", "ratio"] as const
export type Unit = (typeof UNITS)[number]

export const TRACK_KINDS = [
  "replica",
  "gpu",
  "hbm-bandwidth",
  "hbm-occupancy",
  "link-h2d",
  "link-d2h",
  "host",
  "store",
  "network",
  "scheduler",
  "requests",
  "request",
  // of a trace that another tool wrote
  "other",
  // passes as the device's own clock saw them; the passes of "gpu" are as the host saw them
  "device-clock"
] as const
export type TrackKind = (typeof TRACK_KINDS)[number]

/** What a slice or an instant stands for. Stored as its index: append only. */
export const EVENT_KINDS = [
  // passes of the GPU
  "prefill",
  "decode",
  "draft",
  "verify",
  "mixed",
  // transfers
  "reload",
  "save",
  "fetch",
  "stream",
  // a request's life
  "queued",
  "waiting",
  "stalled",
  "round",
  // instants
  "arrive",
  "admit",
  "reserve",
  "commit",
  "reject",
  "preempt",
  "fallback",
  "retry",
  "fault",
  "cancel",
  "timeout",
  "finish",
  // of a trace that another tool wrote, under a name of its own
  "other"
] as const
export type EventKind = (typeof EVENT_KINDS)[number]

/** Numbers that go with an event; each key is a column, absent = 0. */
export interface EventArgs {
  /** Request id + 1 is stored; absent = no request. */
  readonly request?: number
  readonly tokens?: number
  readonly bytes?: number
  readonly accepted?: number
  /** Round number within the request, from 1. */
  readonly round?: number
  /**
   * Passes of the GPU: how many equal ones the slice stands for, and the requests that were in each. Transfers, arrivals and lost devices
   * on a wall clock: runs of passes that had begun when the scheduler heard of it, and 1 if the last of them was not over.
   */
  readonly steps?: number
  readonly members?: number
  /** KV entries these passes attended to, all steps together, in tokens of full-KV bytes. */
  readonly kvTokens?: number
  /**
   * Passes whose physics knows it: shares of the slice's time, 0 to 1, that HBM, compute, the interconnect and scheduling with launches
   * bounded. What is missing of 1 they waited for what streams in over the link. All absent: not known.
   */
  readonly limitHbm?: number
  readonly limitCompute?: number
  readonly limitInterconnect?: number
  readonly limitScheduling?: number
}

/** The numbers above in the order of the columns: append only. */
export const EVENT_ARGS = [
  "request",
  "tokens",
  "bytes",
  "accepted",
  "round",
  "steps",
  "members",
  "kvTokens",
  "limitHbm",
  "limitCompute",
  "limitInterconnect",
  "limitScheduling"
] as const satisfies readonly (keyof EventArgs)[]

/** Those that are shares, 0 to 1; kept to a ten-thousandth. */
export const SHARE_ARGS = ["limitHbm", "limitCompute", "limitInterconnect", "limitScheduling"] as const

/** Where a run tells what happens. Implemented by the columnar store; a run without a trace passes `undefined`. */
export interface Recorder {
  /** Adds a track and returns its id (0, 1, 2, … in order of calls). */
  readonly track: (spec: TrackSpec) => number
  /** Something that took from `start` to `end` (end ≥ start), ns. Slices of one track may nest, never cross. Returns the event's id. */
  readonly slice: (track: number, kind: EventKind, start: number, end: number, args?: EventArgs) => number
  readonly instant: (track: number, kind: EventKind, at: number, args?: EventArgs) => number
  /** Value of a counter track from `at` on. */
  readonly counter: (track: number, at: number, value: number) => void
  /** An arrow from one event to another (draft → reload → verify). */
  readonly flow: (from: number, to: number) => void
}
