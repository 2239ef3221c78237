/**
 * A quick way through lines of slices and counters that are spelled just as `jsonl.ts` spells them, from their bytes: no strings are made. A
 * million of them are read in less time than `JSON.parse` alone would take. Any other line is left to the reader that knows how to say what
 * is wrong with it.
 */
import { EVENT_ARGS, EVENT_KINDS, type EventArgs, type EventKind, SHARE_ARGS } from "./recorder.ts"
import type { TraceStore } from "./store.ts"

const bytesOf = (ascii: string): Uint8Array => Uint8Array.from(ascii, (letter) => letter.charCodeAt(0))

const SLICE = bytesOf('{"slice":"')
const TRACK = bytesOf(',"track":')
const START = bytesOf(',"start":')
const END = bytesOf(',"end":')
const COUNTER = bytesOf('{"counter":')
const AT = bytesOf(',"at":')
const VALUE = bytesOf(',"value":')
const BRACE = bytesOf("}\n")
const [COMMA, POINT, ZERO] = [44, 46, 48]

/** Kinds by the first letter of their names, each with its name as it is spelled. */
const KINDS: readonly (readonly { readonly kind: EventKind; readonly spelled: Uint8Array }[])[] = Array.from(
  { length: 256 },
  (_, code) =>
    EVENT_KINDS.filter((kind) => kind.charCodeAt(0) === code).map((kind) => ({
      kind,
      spelled: bytesOf(`${kind}"`)
    }))
)

/** Numbers of so many digits are exact, and below any limit of theirs but that of counts. */
const DIGITS = 15
const COUNT_DIGITS = 9
/** Of shares, which are kept to a ten-thousandth. */
const SHARE_DIGITS = 4

const SHARES: ReadonlySet<string> = new Set(SHARE_ARGS)
const MEASURES: ReadonlySet<string> = new Set(["bytes", "kvTokens"])
/** What may follow the times, in the order in which it is written. */
const ARGS = EVENT_ARGS.map((name) => ({
  name,
  label: bytesOf(`,"${name}":`),
  share: SHARES.has(name),
  digits: MEASURES.has(name) ? DIGITS : SHARES.has(name) ? 1 : COUNT_DIGITS
}))

/** Place in the bytes, or `LOST` once they are not as expected. */
let at = 0
const LOST = -1

const expect = (bytes: Uint8Array, what: Uint8Array): void => {
  if (at === LOST) return
  const from = at
  at = LOST
  if (from + what.length > bytes.length) return
  for (let i = 0; i < what.length; i++) if (bytes[from + i] !== what[i]) return
  at = from + what.length
}

/** A whole number of up to `digits` digits, without zeros in front. */
const whole = (bytes: Uint8Array, digits: number): number => {
  if (at === LOST) return 0
  const from = at
  const stop = Math.min(bytes.length, from + digits + 1)
  let value = 0
  let i = from
  for (; i < stop; i++) {
    const digit = bytes[i]! - ZERO
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  const length = i - from
  at = length === 0 || length > digits || (length > 1 && bytes[from] === ZERO) ? LOST : i
  return value
}

/**
 * Records the slice or sample in the line that begins at `from`. Returns where the next line begins, or −1 and nothing is recorded: not
 * such a line, or not a whole one.
 */
export const readPlainLine = (bytes: Uint8Array, from: number, trace: TraceStore): number => {
  at = from
  expect(bytes, SLICE)
  if (at !== LOST) return slice(bytes, trace)
  at = from
  expect(bytes, COUNTER)
  return at === LOST ? LOST : counter(bytes, trace)
}

const slice = (bytes: Uint8Array, trace: TraceStore): number => {
  const kind = kindAt(bytes)
  if (kind === undefined) return LOST
  expect(bytes, TRACK)
  const track = whole(bytes, COUNT_DIGITS)
  expect(bytes, START)
  const start = whole(bytes, DIGITS)
  expect(bytes, END)
  const end = whole(bytes, DIGITS)
  const args = at !== LOST && bytes[at] === COMMA ? argsOf(bytes) : undefined
  expect(bytes, BRACE)
  if (at === LOST || track >= trace.tracks.length || end < start) return LOST
  trace.slice(track, kind, start, end, args)
  return at
}

/** The kind whose name is next, with the quote behind it. */
const kindAt = (bytes: Uint8Array): EventKind | undefined => {
  const from = at
  if (from >= bytes.length) return undefined
  for (const { kind, spelled } of KINDS[bytes[from]!]!) {
    at = from
    expect(bytes, spelled)
    if (at !== LOST) return kind
  }
  return undefined
}

/** What the line before had: one object does for all. */
const args: { -readonly [K in keyof EventArgs]-?: number | undefined } = {
  request: undefined,
  tokens: undefined,
  bytes: undefined,
  accepted: undefined,
  round: undefined,
  steps: undefined,
  members: undefined,
  kvTokens: undefined,
  limitHbm: undefined,
  limitCompute: undefined,
  limitInterconnect: undefined,
  limitScheduling: undefined
}

/** In the order in which they are written; they hold until the next line. */
const argsOf = (bytes: Uint8Array): EventArgs => {
  for (const { name, label, share, digits } of ARGS) {
    args[name] = undefined
    // The third byte tells most labels apart.
    if (at === LOST || bytes[at + 2] !== label[2]) continue
    const from = at
    expect(bytes, label)
    if (at === LOST) at = from
    else args[name] = share ? decimals(bytes, whole(bytes, digits)) : whole(bytes, digits)
  }
  return args as EventArgs
}

/** A share that begins with `ones`: 1, or up to four decimals. */
const decimals = (bytes: Uint8Array, ones: number): number => {
  if (at === LOST || bytes[at] !== POINT) {
    if (ones > 1) at = LOST
    return ones
  }
  const first = at + 1
  let value = 0
  let i = first
  for (; i < bytes.length; i++) {
    const digit = bytes[i]! - ZERO
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  const length = i - first
  at = ones === 0 && length > 0 && length <= SHARE_DIGITS ? i : LOST
  return value / 10 ** length
}

const counter = (bytes: Uint8Array, trace: TraceStore): number => {
  const track = whole(bytes, COUNT_DIGITS)
  expect(bytes, AT)
  const time = whole(bytes, DIGITS)
  expect(bytes, VALUE)
  const value = whole(bytes, DIGITS)
  expect(bytes, BRACE)
  if (at === LOST || track >= trace.tracks.length) return LOST
  trace.counter(track, time, value)
  return at
}
