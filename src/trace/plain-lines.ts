/**
 * A quick way through lines of slices and counters that are spelled just as `jsonl.ts` spells them: a million of them are read in the
 * time in which `JSON.parse` alone would take. Any other line is left to the reader that knows how to say what is wrong with it.
 */
import { EVENT_ARGS, EVENT_KINDS, type EventArgs, type EventKind } from "./recorder.ts"
import type { TraceStore } from "./store.ts"

const SLICE = '{"slice":"'
const TRACK = '","track":'
const START = ',"start":'
const END = ',"end":'
const COUNTER = '{"counter":'
const AT = ',"at":'
const VALUE = ',"value":'
const BRACE = "}\n"
const [ZERO, NINE] = [48, 57]

/** Kinds by the first letter of their names: what a line names need not be cut out to be looked up. */
const KINDS: readonly (readonly EventKind[])[] = Array.from({ length: 128 }, (_, code) =>
  EVENT_KINDS.filter((kind) => kind.charCodeAt(0) === code)
)
/** Numbers of so many digits are exact, and below any limit of theirs but that of counts. */
const DIGITS = 15
const COUNT_DIGITS = 9
/** What may follow the times. */
const LABELS = Object.fromEntries(EVENT_ARGS.map((name) => [name, `,"${name}":`])) as Readonly<
  Record<keyof EventArgs, string>
>
const [QUOTE, COMMA] = [34, 44]

/** Place in the text, or `LOST` once it is not as expected. */
let at = 0
const LOST = -1

const expect = (text: string, what: string): void => {
  if (at === LOST) return
  at = text.startsWith(what, at) ? at + what.length : LOST
}

/** A whole number of up to `digits` digits, without zeros in front. */
const whole = (text: string, digits = DIGITS): number => {
  if (at === LOST) return 0
  const first = at
  let value = 0
  for (;;) {
    const code = text.charCodeAt(at)
    if (!(code >= ZERO && code <= NINE)) break
    value = value * 10 + (code - ZERO)
    at++
  }
  const length = at - first
  if (length === 0 || length > digits || (length > 1 && text.charCodeAt(first) === ZERO)) at = LOST
  return value
}

/**
 * Records the slice or sample in the line that begins at `from`. Returns where the next line begins, or −1 and nothing is recorded: not
 * such a line, or not a whole one.
 */
export const readPlainLine = (text: string, from: number, trace: TraceStore): number => {
  at = from
  if (text.startsWith(SLICE, from)) return slice(text, trace)
  return text.startsWith(COUNTER, from) ? counter(text, trace) : LOST
}

const slice = (text: string, trace: TraceStore): number => {
  const name = at + SLICE.length
  const kind = KINDS[text.charCodeAt(name)]?.find(
    (one) => text.charCodeAt(name + one.length) === QUOTE && text.startsWith(one, name)
  )
  if (kind === undefined) return LOST
  at = name + kind.length
  expect(text, TRACK)
  const track = whole(text, COUNT_DIGITS)
  expect(text, START)
  const start = whole(text)
  expect(text, END)
  const end = whole(text)
  const args = argsOf(text)
  expect(text, BRACE)
  if (at === LOST || track >= trace.tracks.length || end < start) return LOST
  trace.slice(track, kind, start, end, args)
  return at
}

/** In the order in which they are written. */
const argsOf = (text: string): EventArgs | undefined => {
  if (at === LOST || text.charCodeAt(at) !== COMMA) return undefined
  const args: { readonly [K in keyof EventArgs]-?: number | undefined } = {
    request: arg(text, LABELS.request, COUNT_DIGITS),
    tokens: arg(text, LABELS.tokens, COUNT_DIGITS),
    bytes: arg(text, LABELS.bytes, DIGITS),
    accepted: arg(text, LABELS.accepted, COUNT_DIGITS),
    round: arg(text, LABELS.round, COUNT_DIGITS),
    steps: arg(text, LABELS.steps, COUNT_DIGITS),
    members: arg(text, LABELS.members, COUNT_DIGITS),
    kvTokens: arg(text, LABELS.kvTokens, DIGITS)
  }
  return args as EventArgs
}

/** The value behind a label, if that is what comes next. */
const arg = (text: string, label: string, digits: number): number | undefined => {
  if (at === LOST || text.charCodeAt(at + 2) !== label.charCodeAt(2) || !text.startsWith(label, at))
    return undefined
  at += label.length
  return whole(text, digits)
}

const counter = (text: string, trace: TraceStore): number => {
  expect(text, COUNTER)
  const track = whole(text, COUNT_DIGITS)
  expect(text, AT)
  const time = whole(text)
  expect(text, VALUE)
  const value = whole(text)
  expect(text, BRACE)
  if (at === LOST || track >= trace.tracks.length) return LOST
  trace.counter(track, time, value)
  return at
}
