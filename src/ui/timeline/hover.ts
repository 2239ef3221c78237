/** What is under the pointer, in words. */
import { passShares } from "../../trace/pass-limits.ts"
import { EVENT_KINDS, type EventKind } from "../../trace/recorder.ts"
import { type Judged, judgedOf } from "../../trace/rounds.ts"
import { covered } from "./covered.ts"
import { limitsText } from "./limit-words.ts"
import { type CounterRow, type Instants, kindName, type Row } from "./model.ts"
import { amountText, timeText } from "./numbers.ts"
import type { Prepared } from "./prepare.ts"
import { firstFrom } from "./pyramid.ts"
import type { Viewport } from "./viewport.ts"

/** What each kind of event stands for. */
export const DEFINITIONS: Partial<Readonly<Record<EventKind, string>>> = {
  prefill: "a pass that computes the KV of prompts",
  decode: "passes over full KV, one token a request each",
  draft: "passes over compressed KV: proposals, one token a request each",
  verify: "a pass of the full model over drafted tokens: it keeps what it would have said itself",
  reload: "full KV on its way from host memory to the GPU, for a verification",
  save: "new KV on its way home to host memory",
  fetch: "stored KV on its way to the GPU, once for a request",
  stream: "KV that passes read from afar as they need it",
  queued: "waiting to be admitted",
  waiting: "admitted, waiting for a place in the rings",
  stalled: "drafted, waiting for its KV or for its turn to be verified",
  round: "a draft with its verification",
  arrive: "the request came",
  admit: "memory was found for it",
  reserve: "link time and HBM were booked for its next verification",
  commit: "tokens were given out",
  reject: "tokens were thrown away",
  preempt: "it gave up its memory",
  fallback: "it gave up rounds for full KV in HBM",
  retry: "a transfer failed and is tried again",
  fault: "something failed",
  cancel: "the client gave up",
  timeout: "it took longer than the client waits",
  finish: "its last token was given out"
}

export const judgedText = ({ accepted, corrected, rejected }: Judged): string =>
  `${accepted} accepted, ${corrected} corrected, ${rejected} rejected`

/** Of column `x` of `width` CSS pixels, in lines. None where there is nothing. */
export const hoverLines = (
  { trace, rounds }: Prepared,
  roundAt: ReadonlyMap<number, number>,
  row: Row | undefined,
  { from, to }: Viewport,
  { x, width }: { readonly x: number; readonly width: number }
): readonly string[] => {
  if (row === undefined) return []
  const column = (to - from) / width
  const at = from + Math.floor(x) * column
  const where = `${row.label} at ${timeText(at, 9)}, ${row.basis}`
  if (row.type === "counter") return [counterText(row, at + column), where]
  const instants = row.instants === undefined ? [] : instantLines(row.instants, at, column)
  if (row.type === "heading") return instants.length === 0 ? [] : [...instants, where]
  const slice = firstFrom(row.end, at)
  if (slice >= row.start.length || row.start[slice]! > at + column)
    return instants.length === 0 ? [] : [...instants, where]
  const merged = firstFrom(row.start, at + column, slice) - slice
  if (merged > 1)
    return [
      `${merged.toLocaleString("en")} slices merged here, drawn as the longest; zoom in to tell them apart`,
      where
    ]
  const name = kindName(trace, row, slice)
  const kind = EVENT_KINDS[row.kind[slice]!]!
  const meaning = DEFINITIONS[kind]
  const round = roundAt.get(row.source[slice]!)
  const bytes = trace.slices.bytes[row.source[slice]!]!
  const limits = passShares(trace.slices, row.source[slice]!)
  const exposed = row.exposed === undefined ? 0 : covered(row.exposed, row.start[slice]!, row.end[slice]!)
  return [
    `${name}, ${timeText(row.end[slice]! - row.start[slice]!, 4)}`,
    ...(meaning === undefined || name !== kind ? [] : [meaning]),
    ...(round === undefined ? [] : [judgedText(judgedOf(rounds, round))]),
    ...(bytes > 0 ? [amountText(bytes, "bytes")] : []),
    ...(limits === undefined ? [] : [`bounded by ${limitsText(limits)}`]),
    ...(row.exposed === undefined
      ? []
      : [exposed > 0 ? `${timeText(exposed, 4)} of it exposed: no pass ran` : "hidden behind passes"]),
    ...instants,
    where
  ]
}

const counterText = ({ at, value, unit }: CounterRow, time: number): string => {
  const sample = firstFrom(at, time) - 1
  return sample < 0 ? "no value yet" : amountText(value[sample]!, unit)
}

const instantLines = ({ at, kind }: Instants, from: number, column: number): readonly string[] => {
  const first = firstFrom(at, from)
  const next = firstFrom(at, from + column, first)
  if (next - first > 3) return [`${next - first} instants here`]
  return Array.from(kind.subarray(first, next), (one) => {
    const name = EVENT_KINDS[one]!
    return `${name}: ${DEFINITIONS[name] ?? "an instant"}`
  })
}
