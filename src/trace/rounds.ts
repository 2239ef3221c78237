/** The rounds of a trace: what was drafted, what was reloaded meanwhile, what the verification judged. Pure. */
import { sliceArrows } from "./flows.ts"
import { EVENT_KINDS } from "./recorder.ts"
import type { TraceColumns } from "./store.ts"

/** A row each, in the order in which their verifications begin. Times in ns; NaN where a round has no such part. */
export interface Rounds {
  readonly length: number
  readonly request: Uint32Array
  /** Within the request, from 1. */
  readonly round: Uint32Array
  /** Row of the trace with the request's verification. */
  readonly verify: Uint32Array
  readonly draftStart: Float64Array
  readonly draftEnd: Float64Array
  readonly reloadStart: Float64Array
  readonly reloadEnd: Float64Array
  readonly verifyStart: Float64Array
  readonly verifyEnd: Float64Array
  readonly drafted: Uint32Array
  readonly accepted: Uint32Array
  /** Tokens the round brought: accepted ones and the full model's own. */
  readonly tokens: Uint32Array
  /** Reloaded. */
  readonly bytes: Float64Array
}

/** By row of the trace: the draft and the reload that arrows lead from to the verification there. */
interface Origins {
  readonly draft: ReadonlyMap<number, number>
  readonly reload: ReadonlyMap<number, number>
}

const origins = (trace: TraceColumns): Origins => {
  const { kind } = trace.slices
  const draft = new Map<number, number>()
  const reload = new Map<number, number>()
  for (const { from, to } of sliceArrows(trace)) {
    if (EVENT_KINDS[kind[from]!] === "draft") draft.set(to, from)
    if (EVENT_KINDS[kind[from]!] === "reload") reload.set(to, from)
  }
  for (const [row, from] of reload) {
    const before = draft.get(from)
    if (!draft.has(row) && before !== undefined) draft.set(row, before)
  }
  return { draft, reload }
}

const VERIFY = EVENT_KINDS.indexOf("verify")
/** No row of any trace. */
const NONE = -1

export const roundsOf = (trace: TraceColumns): Rounds => {
  const { slices, tracks } = trace
  const { draft, reload } = origins(trace)
  const found: number[] = []
  for (let row = 0; row < slices.length; row++)
    if (
      slices.kind[row] === VERIFY &&
      slices.request[row]! > 0 &&
      tracks[slices.track[row]!]!.kind === "request"
    )
      found.push(row)
  const verify = Uint32Array.from(found).toSorted((a, b) => slices.start[a]! - slices.start[b]! || a - b)
  const times = (rows: (row: number) => number, column: Float64Array): Float64Array =>
    Float64Array.from(verify, (row) => column[rows(row)] ?? Number.NaN)
  const counts = (rows: (row: number) => number, column: Uint32Array): Uint32Array =>
    Uint32Array.from(verify, (row) => column[rows(row)] ?? 0)
  const [own, drafting, reloading] = [
    (row: number) => row,
    (row: number) => draft.get(row) ?? NONE,
    (row: number) => reload.get(row) ?? NONE
  ]
  return {
    length: verify.length,
    request: Uint32Array.from(verify, (row) => slices.request[row]! - 1),
    round: counts(own, slices.round),
    verify,
    draftStart: times(drafting, slices.start),
    draftEnd: times(drafting, slices.end),
    reloadStart: times(reloading, slices.start),
    reloadEnd: times(reloading, slices.end),
    verifyStart: times(own, slices.start),
    verifyEnd: times(own, slices.end),
    drafted: counts(drafting, slices.tokens),
    accepted: counts(own, slices.accepted),
    tokens: counts(own, slices.tokens),
    bytes: Float64Array.from(verify, (row) => slices.bytes[reload.get(row) ?? NONE] ?? 0)
  }
}

/** What became of a round's tokens. */
export interface Judged {
  readonly accepted: number
  /** Tokens of the full model itself: in place of the first rejected one, or after the last accepted one. */
  readonly corrected: number
  readonly rejected: number
}

/** Of a round by its place. */
export const judgedOf = ({ drafted, accepted, tokens }: Rounds, place: number): Judged => ({
  accepted: accepted[place]!,
  corrected: Math.max(0, tokens[place]! - accepted[place]!),
  rejected: Math.max(0, drafted[place]! - accepted[place]!)
})
