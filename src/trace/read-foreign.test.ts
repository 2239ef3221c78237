import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { chromeTrace } from "./chrome.ts"
import type { ForeignTrace } from "./foreign.ts"
import { perfettoTrace } from "./perfetto.ts"
import { readChrome } from "./read-chrome.ts"
import { readPerfetto } from "./read-perfetto.ts"
import { ProtobufWriter } from "./protobuf.ts"
import { EVENT_KINDS } from "./recorder.ts"
import type { TraceStore } from "./store.ts"
import { anyTrace } from "./trace.fixture.ts"

/** Slices as name, duration and start after the first, whatever row they stand in. */
const slicesOf = ({ trace: { slices }, names }: ForeignTrace): readonly string[] =>
  Array.from(
    { length: slices.length },
    (_, row) => `${names.table[names.index[row]!]} ${slices.start[row]} ${slices.end[row]}`
  ).toSorted()

const ownSlices = ({ slices, counters }: TraceStore): readonly string[] => {
  const times = [...slices.start.subarray(0, slices.length), ...counters.at.subarray(0, counters.length)]
  const first = Math.min(...times)
  return Array.from(
    { length: slices.length },
    (_, row) => `${EVENT_KINDS[slices.kind[row]!]} ${slices.start[row]! - first} ${slices.end[row]! - first}`
  ).toSorted()
}

const joined = (chunks: Iterable<Uint8Array>): Uint8Array => {
  const all = [...chunks]
  const bytes = new Uint8Array(all.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of all) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

const chromeOf = (text: string): ForeignTrace => {
  const found = readChrome("a.json", text)
  if ("problem" in found) throw new Error(found.problem)
  return found
}

describe("what our writers write", () => {
  it("comes back from Chrome's format with every slice and counter", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        if (trace.slices.length + trace.counters.length === 0) return
        const found = chromeOf([...chromeTrace(trace)].join(""))
        expect(slicesOf(found)).toEqual(ownSlices(trace))
        expect(found.trace.counters.length).toBe(trace.counters.length)
      })
    )
  })

  it("comes back from Perfetto's with every slice and counter", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        if (trace.slices.length + trace.counters.length === 0) return
        const { found, problem } = readPerfetto("a.pftrace", joined(perfettoTrace(trace)))
        expect(problem).toBeUndefined()
        expect(slicesOf(found!)).toEqual(ownSlices(trace))
        expect(found!.trace.counters.length).toBe(trace.counters.length)
      })
    )
  })

  it("is read as far as it goes, wherever it breaks off, and never throws", () => {
    fc.assert(
      fc.property(anyTrace, fc.double({ min: 0, max: 1, noNaN: true }), (trace, share) => {
        const bytes = joined(perfettoTrace(trace))
        const cut = bytes.subarray(0, Math.floor(share * bytes.length))
        const { found, problem } = readPerfetto("cut.pftrace", cut)
        expect(found !== undefined || problem !== undefined).toBe(true)
        const text = [...chromeTrace(trace)].join("")
        const part = readChrome("cut.json", text.slice(0, Math.floor(share * text.length)))
        if ("problem" in part) expect(part.problem).toMatch(/cut\.json has/)
      })
    )
  })
})

describe("what other tools write", () => {
  it("begin and end, asynchronous slices, counters and names in Chrome's format", () => {
    const found = chromeOf(
      JSON.stringify([
        { ph: "M", name: "process_name", pid: 7, args: { name: "python" } },
        { ph: "M", name: "thread_name", pid: 7, tid: 1, args: { name: "main" } },
        { ph: "B", name: "outer", pid: 7, tid: 1, ts: 1000.5 },
        { ph: "B", name: "inner", pid: 7, tid: 1, ts: 1001 },
        { ph: "E", pid: 7, tid: 1, ts: 1002 },
        { ph: "E", pid: 7, tid: 1, ts: 1003 },
        { ph: "b", cat: "c", id: "0x1", name: "copy", pid: 7, tid: 1, ts: 1001 },
        { ph: "e", cat: "c", id: "0x1", name: "copy", pid: 7, tid: 2, ts: 1004 },
        { ph: "C", name: "memory", pid: 7, ts: 1001, args: { used: 3, free: 5 } },
        { ph: "B", name: "never ends", pid: 7, tid: 1, ts: 1005 },
        { ph: "i", name: "tick", pid: 7, tid: 1, ts: 1006 }
      ])
    )
    expect(slicesOf(found)).toEqual(["copy 500 3500", "inner 500 1500", "outer 0 2500"])
    expect(found.trace.tracks.map(({ name, parent }) => [name, parent])).toEqual([
      ["python", undefined],
      ["main", 0],
      ["copy", 0],
      ["memory, used", 0],
      ["memory, free", 0]
    ])
    expect(found.left).toEqual(["1 instants, flows and other events", "1 slices that never end"])
    expect(found.trace.meta.clockOffset).toBe(1_000_500)
  })

  it("threads of processes, default tracks and counters in Perfetto's", () => {
    const out = new ProtobufWriter()
    const packet = (write: () => void): void => out.message(1, write)
    packet(() =>
      out.message(60, () => {
        out.uint(1, 11)
        out.message(3, () => {
          out.uint(1, 7)
          out.string(6, "server")
        })
      })
    )
    packet(() =>
      out.message(60, () => {
        out.uint(1, 12)
        out.message(4, () => {
          out.uint(1, 7)
          out.uint(2, 70)
          out.string(5, "worker")
        })
      })
    )
    packet(() => {
      out.uint(10, 5)
      out.uint(13, 1)
      out.message(59, () => out.message(11, () => out.uint(11, 12)))
    })
    const event = (at: number, type: number, name?: string): void =>
      packet(() => {
        out.uint(8, at)
        out.uint(10, 5)
        out.message(11, () => {
          out.uint(9, type)
          if (name !== undefined) out.string(23, name)
        })
      })
    event(1000, 1, "work")
    event(1500, 2)
    packet(() => {
      out.uint(8, 1200)
      out.message(1, () => out.string(1, "of ftrace"))
    })
    const { found } = readPerfetto("other.pftrace", out.take())
    expect(slicesOf(found!)).toEqual(["work 0 500"])
    expect(found!.trace.tracks.map(({ name, parent }) => [name, parent])).toEqual([
      ["server", undefined],
      ["worker", 0]
    ])
    expect(found!.left).toEqual(["1 packets of other sources"])
  })

  it("files that are none of these are refused with what was expected", () => {
    expect(readChrome("a.json", '{"a": 1}')).toEqual({
      problem: "a.json has no traceEvents: expected Chrome's trace event format"
    })
    expect(readChrome("a.json", "[]")).toEqual({
      problem: "a.json has 0 events, but no slices and no counters"
    })
    const { found, problem } = readPerfetto("a.pftrace", new TextEncoder().encode("hello there, all"))
    expect(found).toBeUndefined()
    expect(problem).toMatch(/a\.pftrace/)
  })
})
