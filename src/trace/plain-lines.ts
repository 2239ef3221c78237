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
const [QUOTE, COMMA, COLON, BRACE, ZERO, NINE] = [34, 44, 58, 125, 48, 57]

const KINDS: ReadonlyMap<string, EventKind> = new Map(EVENT_KINDS.map((kind) => [kind, kind]))
const ARGS: ReadonlyMap<string, keyof EventArgs> = new Map(EVENT_ARGS.map((name) => [name, name]))
/** Numbers of so many digits are exact, and below any limit of theirs but that of counts. */
const DIGITS = 15
const COUNT_DIGITS = 9

/** Place in the line that is being read, or `LOST` once it is not as expected. */
let at = 0
const LOST = -1

const expect = (line: string, text: string): void => {
  if (at === LOST) return
  at = line.startsWith(text, at) ? at + text.length : LOST
}

/** A whole number of up to `digits` digits, without zeros in front. */
const whole = (line: string, digits = DIGITS): number => {
  if (at === LOST) return 0
  const first = at
  let value = 0
  for (;;) {
    const code = line.charCodeAt(at)
    if (!(code >= ZERO && code <= NINE)) break
    value = value * 10 + (code - ZERO)
    at++
  }
  const length = at - first
  if (length === 0 || length > digits || (length > 1 && line.charCodeAt(first) === ZERO)) at = LOST
  return value
}

/** Whether the line was a slice or a sample and is recorded now; nothing is recorded otherwise. */
export const readPlainLine = (line: string, trace: TraceStore): boolean =>
  line.startsWith(SLICE) ? slice(line, trace) : line.startsWith(COUNTER) && counter(line, trace)

const slice = (line: string, trace: TraceStore): boolean => {
  const quote = line.indexOf('"', SLICE.length)
  const kind = KINDS.get(line.slice(SLICE.length, quote))
  if (kind === undefined) return false
  at = quote
  expect(line, TRACK)
  const track = whole(line, COUNT_DIGITS)
  expect(line, START)
  const start = whole(line)
  expect(line, END)
  const end = whole(line)
  const args = at === LOST ? undefined : argsOf(line)
  if (at !== line.length - 1 || line.charCodeAt(at) !== BRACE) return false
  if (track >= trace.tracks.length || end < start) return false
  trace.slice(track, kind, start, end, args)
  return true
}

/** What follows the times, as far as it is whole numbers, each name once. */
const argsOf = (line: string): EventArgs | undefined => {
  let args: { -readonly [K in keyof EventArgs]: number } | undefined
  while (line.charCodeAt(at) === COMMA && line.charCodeAt(at + 1) === QUOTE) {
    const quote = line.indexOf('"', at + 2)
    const name = ARGS.get(line.slice(at + 2, quote))
    if (name === undefined || line.charCodeAt(quote + 1) !== COLON || args?.[name] !== undefined) {
      at = LOST
      return undefined
    }
    at = quote + 2
    args ??= {}
    args[name] = whole(line, name === "bytes" || name === "kvTokens" ? DIGITS : COUNT_DIGITS)
    if (at === LOST) return undefined
  }
  return args
}

const counter = (line: string, trace: TraceStore): boolean => {
  at = COUNTER.length
  const track = whole(line, COUNT_DIGITS)
  expect(line, AT)
  const time = whole(line)
  expect(line, VALUE)
  const value = whole(line)
  if (at !== line.length - 1 || line.charCodeAt(at) !== BRACE || track >= trace.tracks.length) return false
  trace.counter(track, time, value)
  return true
}
