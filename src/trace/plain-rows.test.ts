import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { writeTrace } from "./jsonl.ts"
import { layoutOf, readPlainRow } from "./plain-rows.ts"
import { anyTrace, META } from "./trace.fixture.ts"
import { readTrace } from "./read-trace.ts"
import { EVENT_ARGS } from "./recorder.ts"
import { TraceStore } from "./store.ts"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

const withTracks = (count: number): TraceStore => {
  const trace = new TraceStore(META)
  for (let i = 0; i < count; i++) trace.track({ name: `${i}`, kind: "gpu" })
  return trace
}

/** All that slices and counters hold. */
const contents = ({ slices, counters }: TraceStore): unknown => [
  [...slices.kind],
  [...slices.track],
  [...slices.start],
  [...slices.end],
  ...EVENT_ARGS.map((name) => [...slices[name]]),
  [...counters.track],
  [...counters.at],
  [...counters.value]
]

const SLICES = ["slice", "track", "start", "takes", "tokens", "request", "bytes", "limitHbm", "members"]
const COUNTERS = ["counter", "at", "value"]

describe("the quick way through plain rows", () => {
  it("records what the strict reader records, or nothing", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const lines = [...writeTrace(trace)].join("").split("\n")
        const tracks = lines.filter((one) => one.startsWith('{"track"'))
        let columns: readonly string[] = []
        let quickly = 0
        for (const line of lines) {
          if (line.startsWith('{"columns"')) columns = (JSON.parse(line) as { columns: string[] }).columns
          if (!line.startsWith("[") || !["slice", "counter"].includes(columns[0]!)) continue
          const quick = withTracks(trace.tracks.length)
          const taken = readPlainRow(bytesOf(`${line}\n`), 0, layoutOf(columns), quick) >= 0
          // The strict reader takes it alone when the row is spelled with a space.
          const spaced = [lines[0]!, ...tracks, JSON.stringify({ columns, rows: 1 }), line.replace("[", "[ ")]
          const strict = readTrace(closed(spaced, tracks.length + 1))
          if (taken) {
            quickly++
            expect(contents(quick)).toEqual(contents(strict))
          } else expect(quick.length).toBe(0)
        }
        // Numbers below 0 apart, none is left to it.
        const plain = trace.slices.length + [...trace.counters.value].filter((value) => value >= 0).length
        if (!lines.some((line) => /^\[.*e[+-]/.test(line))) expect(quickly).toBe(plain)
      }),
      { numRuns: 30 }
    )
  })

  it("takes what a run writes", () => {
    const trace = withTracks(4)
    const take = (columns: readonly string[], row: string): void => {
      expect(readPlainRow(bytesOf(`before\n${row}\nafter`), 7, layoutOf(columns), trace)).toBe(8 + row.length)
    }
    take(SLICES, '["draft",3,0,2000,20,7,123456789012]')
    take(SLICES, '["queued",0,5,0]')
    take(SLICES, '["decode",0,5,4,3,null,0.125,0.7041,2]')
    take(SLICES, '["decode",0,9,1,0,0,1234567.8901234567,1]')
    take(COUNTERS, "[1,0,1073741824]")
    take(COUNTERS, "[1,5,2345678901234.5679]")
    const { slices, counters } = trace
    expect([...slices.end]).toEqual([2000, 5, 9, 10])
    expect([...slices.request]).toEqual([8, 0, 0, 1])
    expect([...slices.tokens]).toEqual([20, 0, 3, 0])
    expect([...slices.bytes]).toEqual([123456789012, 0, 0.125, 1234567.8901234567])
    expect([...slices.limitHbm]).toEqual([0, 0, 7041, 10_000])
    expect([...slices.members]).toEqual([0, 0, 2, 0])
    expect([...counters.value]).toEqual([1073741824, 2345678901234.5679])
  })

  it("leaves everything else alone", () => {
    const trace = withTracks(4)
    const leave = (columns: readonly string[], text: string): void => {
      expect(readPlainRow(bytesOf(text), 0, layoutOf(columns), trace)).toBe(-1)
    }
    for (const row of [
      '["draft",4,0,1]',
      '["draft",0,0]',
      '["draught",0,0,1]',
      '["draft,0,0,1]',
      '["draft",0,01,1]',
      '["draft",0,0,1.5]',
      '["draft",0,0,-1]',
      '["draft",0,0,1,]',
      '["draft",0,0,1,2.5]',
      '["draft",0,0,1,1e3]',
      '["draft",0,0,1,null]',
      '["draft",0,0,1,2,4294967295]',
      '["draft",0,0,1,2,-1]',
      '["draft",0,9007199254740993,1]',
      '["draft",0,0,1,0,0,-5]',
      '["draft",0,0,1,0,0,0x5]',
      '["draft",0,0,1,0,0,0,2]',
      '["draft",0,0,1,0,0,0,1.5]',
      '["draft",0,0,1,0,0,0,0.]',
      '["draft",0,0,1,0,0,0,-0.5]',
      '["draft",0,0,1,0,0,0,0,1,1]',
      '["draft",0,0,1] ',
      '["draft",0,0,1',
      '{"slice":"draft","track":0,"start":0,"end":1}',
      '["draf',
      "["
    ])
      leave(SLICES, `${row}\n`)
    for (const row of ["[0,0,-1]", "[0,0,1e3]", "[9,0,1]", "[0,0]", "[0,0,1,1]", '["draft",0,1]'])
      leave(COUNTERS, `${row}\n`)
    leave(["instant", "track", "at"], '["arrive",0,0]\n')
    leave(SLICES, '["draft",0,0,1]')
    leave(SLICES, "")
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
