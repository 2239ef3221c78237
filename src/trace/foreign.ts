/** Traces of other tools in our columns: slices and counters, each slice with the name its tool gave it. */
import { EVENT_KINDS, type EventKind } from "./recorder.ts"
import { TraceStore } from "./store.ts"

/** A trace that another tool wrote. */
export interface ForeignTrace {
  readonly trace: TraceStore
  /** Names of slices: `table[index[row]]` of the slice in that row. */
  readonly names: SliceNames
  /** What of the file is not shown, in words; empty if all is. */
  readonly left: readonly string[]
}

export interface SliceNames {
  /** Undefined for slices that go by their kind. */
  readonly table: readonly (string | undefined)[]
  readonly index: Uint32Array
}

const OWN: ReadonlySet<string> = new Set(EVENT_KINDS)

/** Collects what a foreign file says; times are ns from any origin, and start at 0 in the end. */
export class ForeignBuilder {
  readonly #tracks: { readonly name: string; readonly parent: number | undefined; counter: boolean }[] = []
  readonly #slices: { track: number; name: string; start: number; end: number }[] = []
  readonly #samples: { track: number; at: number; value: number }[] = []
  readonly #left = new Map<string, number>()

  /** Adds a track below another; returns its number. */
  track(name: string, parent: number | undefined, counter = false): number {
    this.#tracks.push({ name, parent, counter })
    return this.#tracks.length - 1
  }

  slice(track: number, name: string, start: number, end: number): void {
    this.#slices.push({ track, name, start: Math.round(start), end: Math.round(Math.max(start, end)) })
  }

  sample(track: number, at: number, value: number): void {
    this.#samples.push({ track, at: Math.round(at), value })
  }

  /** Counts something that is not shown, as `instant events`. */
  leave(what: string): void {
    this.#left.set(what, (this.#left.get(what) ?? 0) + 1)
  }

  get empty(): boolean {
    return this.#slices.length === 0 && this.#samples.length === 0
  }

  build(name: string): ForeignTrace {
    const first = Math.min(
      this.#slices.reduce((least, { start }) => Math.min(least, start), Number.POSITIVE_INFINITY),
      this.#samples.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY)
    )
    const trace = new TraceStore({
      name,
      scenario: "",
      method: "",
      seed: 0,
      clock: "wall",
      basis: "measured",
      clockOffset: Number.isFinite(first) ? first : 0
    })
    for (const { name: label, parent, counter } of this.#tracks)
      trace.track({
        name: label,
        kind: "other",
        ...(parent === undefined ? {} : { parent }),
        ...(counter ? { unit: "ratio" as const } : {})
      })
    const numbers = new Map<string, number>()
    const index = new Uint32Array(this.#slices.length)
    this.#slices.sort((a, b) => a.start - b.start || b.end - a.end)
    for (const [row, { track, name: label, start, end }] of this.#slices.entries()) {
      const kind = OWN.has(label) ? (label as EventKind) : "other"
      trace.slice(track, kind, start - first, end - first)
      const number = numbers.get(label) ?? numbers.size
      numbers.set(label, number)
      index[row] = number
    }
    for (const { track, at, value } of this.#samples) trace.counter(track, at - first, value)
    return {
      trace,
      names: { table: [...numbers.keys()], index },
      left: [...this.#left].map(([what, count]) => `${count.toLocaleString("en")} ${what}`)
    }
  }
}
