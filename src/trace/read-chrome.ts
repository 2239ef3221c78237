/**
 * Reads Chrome's JSON trace events as far as they are slices and counters: complete (X), begin and end (B, E), asynchronous
 * begin and end (b, e), counters (C), names of processes and threads (M). A list that breaks off, as the format allows, is read to
 * its last whole event.
 */
import { type ForeignTrace, ForeignBuilder } from "./foreign.ts"

type Event = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Event => typeof value === "object" && value !== null

/** The trace in a text; `problem` says why it is none. */
export const readChrome = (name: string, text: string): ForeignTrace | { readonly problem: string } => {
  const events = eventsOf(text)
  if (!Array.isArray(events))
    return { problem: `${name} has no traceEvents: expected Chrome's trace event format` }
  const reader = new ChromeReader()
  for (const event of events) if (isObject(event)) reader.read(event)
  reader.close()
  return reader.out.empty
    ? { problem: `${name} has ${events.length} events, but no slices and no counters` }
    : reader.out.build(name)
}

/** The list of events; undefined if there is none. */
const eventsOf = (text: string): unknown => {
  const whole = parsed(text)
  if (whole !== undefined)
    return Array.isArray(whole) ? whole : isObject(whole) ? whole["traceEvents"] : undefined
  const start = text.trimStart().startsWith("[")
    ? text.indexOf("[")
    : text.indexOf("[", text.indexOf('"traceEvents"'))
  if (start < 0) return undefined
  // From the back: what ends with the last object that closes is a list.
  for (let end = text.lastIndexOf("}"), tries = 0; end > start && tries < 64; tries++) {
    const list = parsed(`${text.slice(start, end + 1)}]`)
    if (list !== undefined) return list
    end = text.lastIndexOf("}", end - 1)
  }
  return undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

interface Open {
  readonly name: string
  readonly start: number
}

class ChromeReader {
  readonly out = new ForeignBuilder()
  readonly #processes = new Map<string, number>()
  readonly #threads = new Map<string, number>()
  readonly #names = new Map<string, string>()
  readonly #open = new Map<number, Open[]>()
  readonly #async = new Map<string, Open & { readonly track: number }>()
  /** Events wait until all names are known. */
  readonly #waiting: Event[] = []

  read(event: Event): void {
    if (event["ph"] !== "M") {
      this.#waiting.push(event)
      return
    }
    const { args } = event
    const name = isObject(args) ? args["name"] : undefined
    if (typeof name !== "string") return
    if (event["name"] === "process_name") this.#names.set(keyOf(event, "pid"), name)
    if (event["name"] === "thread_name") this.#names.set(keyOf(event, "pid", "tid"), name)
  }

  close(): void {
    for (const event of this.#waiting) this.#event(event)
    for (const stack of this.#open.values()) for (const _ of stack) this.out.leave("slices that never end")
    for (const _ of this.#async.values()) this.out.leave("slices that never end")
  }

  #event(event: Event): void {
    const at = Number(event["ts"]) * 1e3
    const name = words(event["name"])
    if (!Number.isFinite(at)) {
      this.out.leave("events without a time")
      return
    }
    switch (event["ph"]) {
      case "X":
        this.out.slice(this.#thread(event), name, at, at + (Number(event["dur"]) || 0) * 1e3)
        return
      case "B": {
        const track = this.#thread(event)
        const stack = this.#open.get(track) ?? []
        stack.push({ name, start: at })
        this.#open.set(track, stack)
        return
      }
      case "E": {
        const track = this.#thread(event)
        const begun = this.#open.get(track)?.pop()
        if (begun === undefined) this.out.leave("ends of slices that never began")
        else this.out.slice(track, begun.name, begun.start, at)
        return
      }
      case "b":
        this.#async.set(asyncKey(event), { name, start: at, track: this.#asyncTrack(event, name) })
        return
      case "e": {
        const begun = this.#async.get(asyncKey(event))
        this.#async.delete(asyncKey(event))
        if (begun === undefined) this.out.leave("ends of slices that never began")
        else this.out.slice(begun.track, begun.name, begun.start, at)
        return
      }
      case "C":
        this.#counter(event, name, at)
        return
      default:
        this.out.leave("instants, flows and other events")
    }
  }

  #counter(event: Event, name: string, at: number): void {
    const { args } = event
    for (const [series, value] of Object.entries(isObject(args) ? args : {})) {
      if (typeof value !== "number" || !Number.isFinite(value)) continue
      const key = `C ${keyOf(event, "pid", "name", "id")} ${series}`
      const label = Object.keys(args as Event).length === 1 ? name : `${name}, ${series}`
      this.out.sample(this.#named(key, label, this.#process(event), true), at, value)
    }
  }

  #process(event: Event): number {
    const pid = keyOf(event, "pid")
    const known = this.#processes.get(pid)
    if (known !== undefined) return known
    const track = this.out.track(this.#names.get(pid) ?? `process ${words(event["pid"])}`, undefined)
    this.#processes.set(pid, track)
    return track
  }

  #thread(event: Event): number {
    const key = keyOf(event, "pid", "tid")
    return this.#named(key, this.#names.get(key) ?? `thread ${words(event["tid"])}`, this.#process(event))
  }

  #asyncTrack(event: Event, name: string): number {
    return this.#named(`A ${keyOf(event, "pid", "cat", "name")}`, name, this.#process(event))
  }

  #named(key: string, label: string, parent: number, counter = false): number {
    const known = this.#threads.get(key)
    if (known !== undefined) return known
    const track = this.out.track(label, parent, counter)
    this.#threads.set(key, track)
    return track
  }
}

const asyncKey = (event: Event): string => keyOf(event, "pid", "cat", "id", "id2", "name")

/** What an event says in some of its fields, as one name. */
const keyOf = (event: Event, ...fields: readonly string[]): string =>
  JSON.stringify(fields.map((field) => event[field]))

const words = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : ""
