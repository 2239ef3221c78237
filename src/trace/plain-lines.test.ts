import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { writeTrace } from "./jsonl.ts"
import { readPlainLine } from "./plain-lines.ts"
import { anyTrace, META } from "./trace.fixture.ts"
import { readTrace } from "./read-trace.ts"
import { TraceStore } from "./store.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const withTracks = (count: number): TraceStore => {
  const trace = new TraceStore(META)
  for (let i = 0; i < count; i++) trace.track({ name: `${i}`, kind: "gpu" })
  return trace
}

describe("the quick way through plain lines", () => {
  it("records what the strict reader records, or nothing", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const lines = [...writeTrace(trace)].join("").split("\n")
        const header = lines[0]!
        for (const line of lines.filter((one) => /^\{"(slice|counter)"/.test(one))) {
          const quick = withTracks(trace.tracks.length)
          const taken = readPlainLine(bytesOf(`${line}\n`), 0, quick) >= 0
          const tracks = lines.filter((one) => one.startsWith('{"track"'))
          // The strict reader takes it alone when the line is spelled with a space.
          const strict = readTrace(closed([header, ...tracks, line.replace(":", ": ")], tracks.length + 1))
          if (!taken) expect(quick.length).toBe(0)
          else
            expect([
              [...quick.slices.start],
              [...quick.slices.bytes],
              [...quick.slices.request],
              [...quick.slices.limitHbm],
              [...quick.slices.limitScheduling],
              [...quick.counters.value]
            ]).toEqual([
              [...strict.slices.start],
              [...strict.slices.bytes],
              [...strict.slices.request],
              [...strict.slices.limitHbm],
              [...strict.slices.limitScheduling],
              [...strict.counters.value]
            ])
        }
      }),
      { numRuns: 30 }
    )
  })

  it("takes what a run writes", () => {
    const trace = withTracks(4)
    for (const line of [
      '{"slice":"draft","track":3,"start":0,"end":2000,"request":7,"tokens":20,"bytes":123456789012}',
      '{"slice":"queued","track":0,"start":5,"end":5}',
      '{"slice":"decode","track":0,"start":5,"end":9,"limitHbm":0.7041,"limitScheduling":0.1}',
      '{"slice":"decode","track":0,"start":9,"end":10,"limitHbm":1}',
      '{"counter":1,"at":0,"value":1073741824}'
    ])
      expect(readPlainLine(bytesOf(`before\n${line}\nafter`), 7, trace)).toBe(8 + line.length)
    expect([trace.slices.length, trace.counters.length, trace.slices.request[0]]).toEqual([4, 1, 8])
    expect([...trace.slices.limitHbm]).toEqual([0, 0, 7041, 10_000])
    expect([...trace.slices.limitScheduling]).toEqual([0, 0, 1000, 0])
  })

  it("leaves everything else alone", () => {
    const trace = withTracks(4)
    for (const line of [
      '{"slice":"draft","track":4,"start":0,"end":1}',
      '{"slice":"draft","track":0,"start":2,"end":1}',
      '{"slice":"draught","track":0,"start":0,"end":1}',
      '{"slice":"draft","track":0,"start":01,"end":1}',
      '{"slice":"draft","track":0,"start":0,"end":1.5}',
      '{"slice":"draft","track":0,"start":0,"end":1,"token":2}',
      '{"slice":"draft","track":0,"start":0,"end":1,"tokens":2,"tokens":3}',
      '{"slice":"draft","track":0,"start":0,"end":1,"request":4294967295}',
      '{"slice":"draft","track":0,"start":0,"end":9007199254740993}',
      '{"slice":"draft","track":0,"start":0,"end":1} ',
      '{"slice":"draft","track":0,"start":0,"end":1',
      '{"slice":"draft","track":0,"start":0,"end":1,"limitHbm":2}',
      '{"slice":"draft","track":0,"start":0,"end":1,"limitHbm":1.5}',
      '{"slice":"draft","track":0,"start":0,"end":1,"limitHbm":0.12345}',
      '{"slice":"draft","track":0,"start":0,"end":1,"limitHbm":0.}',
      '{"slice":"draft","track":0,"start":0,"end":1,"limitHbm":-0.5}',
      '{"counter":0,"at":0,"value":-1}',
      '{"counter":0,"at":0,"value":1e3}',
      '{"counter":9,"at":0,"value":1}',
      '{"slice',
      ""
    ])
      expect(readPlainLine(bytesOf(`${line}\n`), 0, trace)).toBe(-1)
    expect(readPlainLine(bytesOf('{"slice":"draft","track":0,"start":0,"end":1}'), 0, trace)).toBe(-1)
    expect(trace.length).toBe(0)
  })
})

/** A file of these lines with the closing line of a trace that is read without looking at its digest. */
const closed = (lines: readonly string[], records: number): string => {
  const open = [...lines, ""].join("\n")
  try {
    return readTrace(`${open}{"end":${records},"digest":"0"}\n`) && open
  } catch (fault) {
    const [, digest] = /expected "([0-9a-f]+)"/.exec(String(fault)) ?? []
    return `${open}{"end":${records},"digest":"${digest}"}\n`
  }
}
