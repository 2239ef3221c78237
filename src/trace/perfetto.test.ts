import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { digestOf } from "./digest.ts"
import { lanesOf } from "./order.ts"
import { perfettoTrace } from "./perfetto.ts"
import { Message } from "./protobuf.fixture.ts"
import { EVENT_KINDS } from "./recorder.ts"
import { TraceStore } from "./store.ts"
import { anyTrace, aRound, META } from "./trace.fixture.ts"

const bytesOf = (trace: TraceStore): Uint8Array => {
  const chunks = [...perfettoTrace(trace)]
  const file = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    file.set(chunk, at)
    at += chunk.length
  }
  return file
}

interface Track {
  readonly name: string
  readonly parent: number | undefined
  readonly rank: number | undefined
  readonly explicitOrder: boolean
  readonly unit: string | number | undefined
}

interface Event {
  readonly type: number
  readonly track: number
  readonly at: number
  readonly name: string | undefined
  readonly value: number | undefined
  readonly flows: readonly number[]
  readonly args: Readonly<Record<string, number | string>>
}

const BEGIN = 1
const END = 2
const INSTANT = 3
const COUNTER = 4

/** What a viewer makes of the bytes, by Perfetto's field numbers written out once more. */
const imported = (
  trace: TraceStore
): { readonly tracks: ReadonlyMap<number, Track>; readonly events: readonly Event[] } => {
  const packets = new Message(bytesOf(trace)).messages(1)
  const [first] = packets
  expect(packets.every((packet) => packet.uint(10) === 1)).toBe(true)
  expect(first!.uint(13)).toBe(1)
  expect(first!.uint(87)).toBe(1)
  expect(first!.message(59).uint(58)).toBe(6)
  const interned = (field: number): ReadonlyMap<number, string> =>
    new Map(
      first!
        .message(12)
        .messages(field)
        .map((entry) => [entry.uint(1), entry.text(2)])
    )
  const eventNames = interned(2)
  const argNames = interned(3)
  expect([...eventNames.values()]).toEqual([...EVENT_KINDS])

  const tracks = new Map<number, Track>()
  const events: Event[] = []
  for (const packet of packets) {
    if (packet.has(60)) {
      const descriptor = packet.message(60)
      const counter = descriptor.has(8) ? descriptor.message(8) : undefined
      expect(tracks.has(descriptor.uint(1))).toBe(false)
      tracks.set(descriptor.uint(1), {
        name: descriptor.text(2),
        parent: descriptor.has(5) ? descriptor.uint(5) : undefined,
        rank: descriptor.has(12) ? descriptor.uint(12) : undefined,
        explicitOrder: descriptor.has(11) && descriptor.uint(11) === 3,
        unit: counter === undefined ? undefined : counter.has(6) ? counter.text(6) : counter.uint(3)
      })
    }
    if (!packet.has(11)) continue
    // Events refer to names of the first packet, so they must say that they need it.
    expect(packet.uint(13)).toBe(2)
    const event = packet.message(11)
    events.push({
      type: event.uint(9),
      track: event.uint(11),
      at: packet.uint(8),
      name: event.has(10) ? eventNames.get(event.uint(10)) : event.has(23) ? event.text(23) : undefined,
      value: event.has(44) ? event.double(44) : undefined,
      flows: event.uints(47),
      args: Object.fromEntries(
        event
          .messages(4)
          .map((arg) => [
            arg.has(1) ? argNames.get(arg.uint(1)) : arg.text(10),
            arg.has(3) ? arg.uint(3) : arg.has(5) ? arg.double(5) : arg.text(6)
          ])
      )
    })
  }
  return { tracks, events }
}

describe("Perfetto traces", () => {
  it("nest tracks as we do, in our order, with units", () => {
    const { tracks } = imported(aRound())
    const path = (id: number | undefined): string => {
      if (id === undefined) return ""
      const { name, parent } = tracks.get(id)!
      return `${path(parent)}/${name}`
    }
    const ids = [...tracks.keys()]
    expect(ids.map(path)).toEqual([
      "/a round",
      "/a round/replica 0",
      "/a round/replica 0/GPU",
      "/a round/replica 0/GPU/passes",
      "/a round/replica 0/link host → device",
      "/a round/replica 0/HBM occupancy",
      "/a round/replica 0/requests in the batch",
      "/a round/replica 0/request 0"
    ])
    const byName = new Map([...tracks.values()].map((track) => [track.name, track]))
    // UNIT_SIZE_BYTES
    expect(byName.get("HBM occupancy")!.unit).toBe(3)
    expect(byName.get("requests in the batch")!.unit).toBe("requests")
  })

  it("draw arrows from draft to reload to verify, with the numbers of each", () => {
    const { events } = imported(aRound())
    const arrows = [1, 2].map((flow) =>
      events.filter(({ flows }) => flows.includes(flow)).map(({ name }) => name)
    )
    expect(arrows).toEqual([
      ["draft", "reload"],
      ["reload", "verify"]
    ])
    const reload = events.find(({ name }) => name === "reload")!
    expect(reload).toMatchObject({ at: 1500, args: { request: 0, bytes: 4.5e9 } })
    const commit = events.find(({ name }) => name === "commit")!
    expect(commit).toMatchObject({
      type: INSTANT,
      at: 5500,
      args: { request: 0, tokens: 3, accepted: 2, round: 1 }
    })
  })

  it("say what run they are of", () => {
    const run = imported(aRound()).events[0]!
    expect(run).toMatchObject({ name: "run", at: 0, args: { ...META, dropped: 0 } })
  })

  it("say what bounded a pass, as shares", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "decode", kind: "gpu" })
    trace.slice(track, "decode", 0, 10, { limitHbm: 0.75, limitCompute: 0.25 })
    trace.slice(track, "decode", 10, 20, { limitHbm: 1 })
    const told = imported(trace).events.flatMap(({ type, args }) => (type === BEGIN ? [args] : []))
    expect(told).toEqual([{ limitHbm: 0.75, limitCompute: 0.25 }, { limitHbm: 1 }])
  })

  it("are the bytes they always were", () => {
    expect(digestOf(bytesOf(aRound()))).toBe("e4cb02ee9b0f026b")
  })

  it("hold together for any trace", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const { tracks, events } = imported(trace)
        for (const { parent, rank } of tracks.values()) {
          if (parent === undefined) continue
          // An order among children holds only if parent and children both state it.
          expect(tracks.get(parent)!.explicitOrder).toBe(true)
          expect(rank).toBeDefined()
        }
        const open = new Map<number, number[]>()
        let slices = 0
        let last = 0
        for (const event of events) {
          const track = tracks.get(event.track)!
          expect(event.at).toBeGreaterThanOrEqual(last)
          last = event.at
          expect(track.unit !== undefined).toBe(event.type === COUNTER)
          expect(event.value !== undefined).toBe(event.type === COUNTER)
          const stack = open.get(event.track) ?? []
          open.set(event.track, stack)
          if (event.type === BEGIN) {
            slices++
            stack.push(event.at)
          } else if (event.type === END) expect(stack.pop()).toBeDefined()
        }
        expect([...open.values()].every(({ length }) => length === 0)).toBe(true)
        expect(slices).toBe(trace.slices.length)
        expect(events.filter(({ type }) => type === COUNTER).length).toBe(trace.counters.length)
        expect(events.filter(({ type }) => type === INSTANT).length).toBe(trace.instants.length + 1)
        for (let flow = 1; flow <= trace.flows.length; flow++) {
          expect(events.flatMap(({ flows }) => flows).filter((each) => each === flow).length).toBe(2)
        }
      })
    )
  })

  it("end every slice where it ended, though an end only closes the innermost", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const { events } = imported(trace)
        const open = new Map<number, { readonly start: number; readonly name: string | undefined }[]>()
        const drawn: string[] = []
        for (const { type, track, at, name } of events) {
          const stack = open.get(track) ?? []
          open.set(track, stack)
          if (type === BEGIN) stack.push({ start: at, name })
          if (type !== END) continue
          const { start, name: begun } = stack.pop()!
          drawn.push(`${begun} ${start} ${at}`)
        }
        const { start, end, kind } = trace.slices
        expect(drawn.toSorted()).toEqual(
          [...kind].map((index, row) => `${EVENT_KINDS[index]} ${start[row]} ${end[row]}`).toSorted()
        )
      })
    )
  })

  it("come in chunks when they are large", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "passes", kind: "gpu" })
    for (let i = 0; i < 30_000; i++)
      trace.slice(track, "decode", i * 10, i * 10 + 9, { tokens: i, bytes: i * 1e6 })
    expect([...perfettoTrace(trace)].length).toBeGreaterThan(1)
    expect(new Message(bytesOf(trace)).messages(1).length).toBeGreaterThan(60_000)
  })

  it("put slices that cross on lanes beside their track, under its name", () => {
    const trace = new TraceStore(META)
    const link = trace.track({ name: "link", kind: "link-h2d" })
    trace.slice(link, "reload", 0, 10)
    trace.slice(link, "reload", 5, 15)
    trace.slice(link, "reload", 6, 8)
    trace.slice(link, "reload", 10, 20)
    expect([...lanesOf(trace)]).toEqual([0, 1, 0, 0])
    const names = [...imported(trace).tracks.values()].map(({ name }) => name)
    expect(names).toEqual(["a round", "link", "link"])
  })
})
