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

const KINDS: ReadonlyMap<string, EventKind> = new Map(EVENT_KINDS.map((kind) => [kind, kind]))
/** Numbers of so many digits are exact, and below any limit of theirs but that of counts. */
const DIGITS = 15
const COUNT_DIGITS = 9
/** What may follow the times, in the order it is written. */
const ARGS = EVENT_ARGS.map((name) => ({
  name,
  label: `,"${name}":`,
  digits: name === "bytes" || name === "kvTokens" ? DIGITS : COUNT_DIGITS
}))

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
  at = text.indexOf('"', name)
  const kind = KINDS.get(text.slice(name, at))
  if (kind === undefined) return LOST
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

const argsOf = (text: string): EventArgs | undefined => {
  let args: { -readonly [K in keyof EventArgs]: number } | undefined
  for (const { name, label, digits } of ARGS) {
    if (at === LOST || !text.startsWith(label, at)) continue
    at += label.length
    args ??= {}
    args[name] = whole(text, digits)
  }
  return args
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
