/**
 * A quick way through rows of slices and counters that are spelled just as `jsonl.ts` spells them, from their bytes: no strings are made but
 * of the longest numbers. A million of them are read in less time than `JSON.parse` alone would take. Any other line is left to the reader
 * that knows how to say what is wrong with it.
 */
import { EVENT_ARGS, EVENT_KINDS, type EventArgs, type EventKind, SHARE_ARGS } from "./recorder.ts"
import type { TraceStore } from "./store.ts"

const bytesOf = (ascii: string): Uint8Array => Uint8Array.from(ascii, (letter) => letter.charCodeAt(0))

const NULL = bytesOf("null")
const [OPEN, CLOSE, QUOTE, COMMA, NEWLINE] = [91, 93, 34, 44, 10]
const [MINUS, POINT, ZERO, NINE, SMALL_E, LARGE_E, PLUS] = [45, 46, 48, 57, 101, 69, 43]

/** Kinds by the first letter of their names, each with its name as it is spelled. */
const KINDS: readonly (readonly { readonly kind: EventKind; readonly spelled: Uint8Array }[])[] = Array.from(
  { length: 256 },
  (_, code) =>
    EVENT_KINDS.filter((kind) => kind.charCodeAt(0) === code).map((kind) => ({
      kind,
      spelled: bytesOf(`${kind}"`)
    }))
)

/** Numbers of so many digits are exact, decimals included; and counts below their limit. */
const DIGITS = 15
const COUNT_DIGITS = 9

/** What stands in a column. */
type Sort = "whole" | "count" | "measure" | "share" | "request"
const SHARES: ReadonlySet<string> = new Set(SHARE_ARGS)
const sortOf = (column: string): Sort => {
  if (column === "start" || column === "takes" || column === "at") return "whole"
  if (column === "bytes" || column === "kvTokens" || column === "value") return "measure"
  if (column === "request") return "request"
  return SHARES.has(column) ? "share" : "count"
}

/** How rows are read, by the columns that a line before them named. */
export interface Layout {
  readonly columns: readonly string[]
  readonly of: "slice" | "counter" | undefined
  readonly sorts: readonly Sort[]
  /** Where each number of a slice stands; −1 where it has no column. */
  readonly places: Readonly<Record<keyof EventArgs, number>>
  /** Numbers of the row that is being read. */
  readonly values: Float64Array
}

export const layoutOf = (columns: readonly string[]): Layout => {
  const begins = (...names: readonly string[]): boolean => names.every((name, i) => columns[i] === name)
  return {
    columns,
    of: begins("slice", "track", "start", "takes")
      ? "slice"
      : begins("counter", "at", "value")
        ? "counter"
        : undefined,
    sorts: columns.map(sortOf),
    places: Object.fromEntries(EVENT_ARGS.map((name) => [name, columns.indexOf(name)])) as Layout["places"],
    values: new Float64Array(columns.length)
  }
}

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

/**
 * Records the slice or sample in the line that begins at `from`. Returns where the next line begins, or −1 and nothing is recorded: not
 * such a line, or not a whole one.
 */
export const readPlainRow = (bytes: Uint8Array, from: number, layout: Layout, trace: TraceStore): number => {
  if (bytes[from] !== OPEN) return LOST
  at = from + 1
  if (layout.of === "slice") return slice(bytes, layout, trace)
  return layout.of === "counter" ? counter(bytes, layout, trace) : LOST
}

/** What a slice has; one object serves for all of them. */
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

const slice = (bytes: Uint8Array, layout: Layout, trace: TraceStore): number => {
  const kind = kindAt(bytes)
  if (kind === undefined) return LOST
  const filled = numbers(bytes, layout, 1)
  if (at === LOST || filled < 4) return LOST
  const { places, values } = layout
  const [track, start, takes] = [values[1]!, values[2]!, values[3]!]
  if (track >= trace.tracks.length) return LOST
  const arg = (place: number): number | undefined =>
    place >= 0 && place < filled && values[place] !== NONE ? values[place] : undefined
  args.request = arg(places.request)
  args.tokens = arg(places.tokens)
  args.bytes = arg(places.bytes)
  args.accepted = arg(places.accepted)
  args.round = arg(places.round)
  args.steps = arg(places.steps)
  args.members = arg(places.members)
  args.kvTokens = arg(places.kvTokens)
  args.limitHbm = arg(places.limitHbm)
  args.limitCompute = arg(places.limitCompute)
  args.limitInterconnect = arg(places.limitInterconnect)
  args.limitScheduling = arg(places.limitScheduling)
  trace.slice(track, kind, start, start + takes, args as EventArgs)
  return at
}

/** The kind whose name is next, in quotes. */
const kindAt = (bytes: Uint8Array): EventKind | undefined => {
  const from = at + 1
  if (bytes[at] !== QUOTE || from >= bytes.length) return undefined
  for (const { kind, spelled } of KINDS[bytes[from]!]!) {
    at = from
    expect(bytes, spelled)
    if (at !== LOST) return kind
  }
  return undefined
}

const counter = (bytes: Uint8Array, layout: Layout, trace: TraceStore): number => {
  const { values } = layout
  number(bytes, layout, 0)
  const filled = numbers(bytes, layout, 1)
  if (at === LOST || filled !== 3 || values[0]! >= trace.tracks.length) return LOST
  trace.counter(values[0]!, values[1]!, values[2]!)
  return at
}

/** The numbers from a column on, and the end of the line. Returns how many columns the row has. */
const numbers = (bytes: Uint8Array, layout: Layout, first: number): number => {
  let column = first
  while (at !== LOST && bytes[at] === COMMA && column < layout.columns.length) {
    at++
    number(bytes, layout, column++)
  }
  at = at !== LOST && bytes[at] === CLOSE && bytes[at + 1] === NEWLINE ? at + 2 : LOST
  return column
}

/** Stands for a request that is not there: no column but that of requests has it, since measures below 0 are left to the other reader. */
const NONE = -1

/** What is next is what a column may hold, or it is lost. */
const number = (bytes: Uint8Array, { sorts, values }: Layout, column: number): void => {
  if (at === LOST) return
  const from = at
  const sort = sorts[column]!
  let value = 0
  let i = from
  let code = bytes[i]!
  for (; code >= ZERO && code <= NINE; code = bytes[++i]!) value = value * 10 + (code - ZERO)
  const whole = i - from
  // No zeros in front; and no number may be the last there is, since a line ends behind it.
  const sound = whole > 0 && (whole === 1 || bytes[from] !== ZERO) && i < bytes.length
  if (code === POINT && sound && (sort === "measure" || sort === "share")) {
    const point = i
    for (code = bytes[++i]!; code >= ZERO && code <= NINE; code = bytes[++i]!)
      value = value * 10 + (code - ZERO)
    value /= 10 ** (i - point - 1)
    if (i === point + 1 || i - from - 1 > DIGITS) {
      if (sort === "measure") return long(bytes, from, values, column)
      at = LOST
      return
    }
  } else if (!sound || whole > (sort === "count" || sort === "request" ? COUNT_DIGITS : DIGITS)) {
    if (sort === "measure") return long(bytes, from, values, column)
    if (sort === "request" && code === NULL[0]) {
      values[column] = NONE
      return expect(bytes, NULL)
    }
    at = LOST
    return
  }
  values[column] = value
  at = (sort === "share" && value > 1) || code === SMALL_E || code === LARGE_E ? LOST : i
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** A number that digits do not make exactly: the engine reads it. */
const long = (bytes: Uint8Array, from: number, values: Float64Array, column: number): void => {
  let text = ""
  let i = from
  for (; i < bytes.length; i++) {
    const code = bytes[i]!
    const digit = code >= ZERO && code <= NINE
    if (!digit && code !== MINUS && code !== POINT && code !== SMALL_E && code !== LARGE_E && code !== PLUS)
      break
    text += String.fromCharCode(code)
  }
  const value = Number(text)
  values[column] = value
  at = NUMBER.test(text) && value >= 0 && Number.isFinite(value) ? i : LOST
}
