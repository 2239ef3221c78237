import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { writeTrace } from "./jsonl.ts"
import { readTrace } from "./read-trace.ts"
import { TraceStore } from "./store.ts"
import { TraceFormatError } from "./trace-line.ts"
import { anyTrace, aRound, META } from "./trace.fixture.ts"

const text = (trace: TraceStore): string => [...writeTrace(trace)].join("")

const faultOf = (content: string): TraceFormatError => {
  try {
    readTrace(content)
  } catch (error) {
    if (error instanceof TraceFormatError) return error
    throw error
  }
  throw new Error("it was read without complaint")
}

describe("trace files", () => {
  it("restore any trace, digest, metadata and all", () => {
    fc.assert(
      fc.property(anyTrace, (trace) => {
        const restored = readTrace(text(trace))
        expect(restored.digest()).toBe(trace.digest())
        expect(restored.meta).toEqual(trace.meta)
        expect(restored.tracks).toEqual(trace.tracks)
        expect(text(restored)).toBe(text(trace))
      })
    )
  })

  it("say whose clock timed the passes", () => {
    const meta = { ...META, passTimes: "host and device" } as const
    expect(readTrace(text(new TraceStore(meta))).meta).toEqual(meta)
    const wrong = text(new TraceStore(meta)).replace("host and device", "sundial")
    expect(() => readTrace(wrong)).toThrow(/"host" or "host and device"/)
  })

  it("are read in the version before, an object a line", () => {
    const trace = new TraceStore(META)
    const replica = trace.track({ name: "replica 0", kind: "replica" })
    const lane = trace.track({ name: "decode", kind: "gpu", parent: replica })
    const hbm = trace.track({ name: "HBM", kind: "hbm-occupancy", parent: replica, unit: "bytes" })
    const slice = trace.slice(lane, "decode", 5, 25, { request: 7, tokens: 20, bytes: 1.5 })
    const instant = trace.instant(lane, "arrive", 3, { request: 0 })
    trace.counter(hbm, 4, 16.25)
    trace.flow(instant, slice)
    // Written by the version before, closing line included.
    const old = [
      JSON.stringify({ format: "vericache-trace", version: 2, meta: META, dropped: 0 }),
      '{"track":"replica 0","kind":"replica"}',
      '{"track":"decode","kind":"gpu","parent":0}',
      '{"track":"HBM","kind":"hbm-occupancy","parent":0,"unit":"bytes"}',
      '{"slice":"decode","track":1,"start":5,"end":25,"request":7,"tokens":20,"bytes":1.5}',
      '{"instant":"arrive","track":1,"at":3,"request":0}',
      '{"counter":2,"at":4,"value":16.25}',
      '{"flow":1,"to":0}',
      '{"end":7,"digest":"d8fe9ae6472e75bf"}'
    ].join("\n")
    expect(readTrace(`${old}\n`).digest()).toBe(trace.digest())
  })

  it("have rows under their columns: those that are used, the most used first", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "decode", kind: "gpu" })
    trace.slice(track, "decode", 0, 10, { limitHbm: 0.61237, limitCompute: 0.3, members: 4 })
    trace.slice(track, "decode", 10, 25, { limitCompute: 1, members: 3 })
    trace.slice(track, "queued", 25, 25, { request: 0, members: 2 })
    const lines = text(trace).split("\n").slice(2, 6)
    expect(lines).toEqual([
      '{"columns":["slice","track","start","takes","members","limitCompute","request","limitHbm"],"rows":3}',
      '["decode",0,0,10,4,0.3,null,0.6124]',
      '["decode",0,10,15,3,1]',
      '["queued",0,25,0,2,0,0]'
    ])
    expect(readTrace(text(trace)).digest()).toBe(trace.digest())
    expect(() => readTrace(text(trace).replace("0.6124", "1.6124"))).toThrow(/a share, 0 to 1/)
  })

  it("say what was lost to a limit", () => {
    const trace = new TraceStore(META, { limit: 1 })
    const track = trace.track({ name: "t", kind: "gpu" })
    for (let i = 0; i < 5; i++) trace.instant(track, "admit", i)
    expect(readTrace(text(trace)).dropped).toBe(4)
  })

  it("are read the same however they are cut into chunks", () => {
    const whole = text(aRound())
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
        const chunks = edges.slice(1).map((end, index) => whole.slice(edges[index], end))
        expect(readTrace(chunks).digest()).toBe(aRound().digest())
      })
    )
  })

  it("come in chunks of whole lines when they are large", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "passes", kind: "gpu" })
    for (let i = 0; i < 30_000; i++) trace.slice(track, "decode", i * 10, i * 10 + 9, { tokens: i })
    const chunks = [...writeTrace(trace)]
    expect(chunks.length).toBeGreaterThan(1)
    expect(chunks.every((chunk) => chunk.endsWith("\n"))).toBe(true)
    expect(readTrace(chunks).digest()).toBe(trace.digest())
  })

  it("are never taken for whole when cut short", () => {
    const whole = text(aRound()).trimEnd()
    const lines = whole.split("\n")
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        const fault = faultOf(whole.slice(0, length))
        expect(fault.line).toBeLessThanOrEqual(lines.length)
        expect(fault.found).toMatch(/end of the (line|file)|^"/)
      })
    )
  })

  it("are never taken for sound when a digit changed", () => {
    const whole = text(aRound())
    const body = whole.indexOf("\n") + 1
    fc.assert(
      fc.property(fc.nat(whole.length - body - 1), (offset) => {
        const index = body + offset
        const digit = whole[index]!
        fc.pre(/[0-9]/.test(digit))
        faultOf(whole.slice(0, index) + String((Number(digit) + 1) % 10) + whole.slice(index + 1))
      })
    )
  })

  const at = (pattern: RegExp): { readonly line: number; readonly content: string } => {
    const lines = text(aRound()).split("\n")
    const line = lines.findIndex((content) => pattern.test(content))
    return { line: line + 1, content: lines[line]! }
  }

  it.each<readonly [string, RegExp, (line: string) => string, string, string, string]>([
    ["not JSON", /"verify"/, () => '["verify",]', "]", "a JSON value", '"]"'],
    ["an open string", /"verify"/, () => '["ver', '"ver', "a string that ends on its line", '""ver"'],
    ["no object", /"verify"/, () => "1", "1", "a JSON object or a row", '"1"'],
    ["no row", /"verify"/, () => "[]", "[]", "1 to 9 columns", '"[]"'],
    ["too long a row", /"verify"/, (line) => line.replace("]", ",0,0,0,0,0,0]"), "[", "1 to 9 columns", '"['],
    [
      "an unknown event kind",
      /"verify"/,
      (line) => line.replace("verify", "verity"),
      '"verity"',
      '"prefill" or',
      '"verity"'
    ],
    [
      "an unknown track",
      /"verify"/,
      (line) => line.replace('"verify",2', '"verify",99'),
      "99",
      "a track of the lines before",
      "99"
    ],
    [
      "less than no time",
      /"verify"/,
      (line) => line.replace("1500", "-1"),
      "-1",
      "a time in whole nanoseconds",
      "-1"
    ],
    [
      "half a nanosecond",
      /"arrive"/,
      (line) => line.replace(",0,", ",0.5,"),
      "0.5",
      "a time in whole nanoseconds",
      "0.5"
    ],
    [
      "an unknown column",
      /"columns":\["instant"/,
      (line) => line.replace('"at"', '"when"'),
      '["instant"',
      "columns of those",
      '"["instant"'
    ],
    [
      "a column twice",
      /"columns":\["counter"/,
      (line) => line.replace('"at"', '"value"'),
      '["counter"',
      "each once",
      '"["counter"'
    ],
    [
      "no value",
      /^\[4,/,
      (line) => line.replace(/,[^,]*\]/, "]"),
      "",
      '"value": a finite number',
      "the end of the line"
    ],
    ["no number", /^\[4,/, (line) => line.replace(/,[^,]*\]/, ",null]"), "null", "a finite number", "null"],
    [
      "an unknown event",
      /^\[2,4\]|^\[8,10\]/,
      (line) => line.replace(/,\d+/, ",98"),
      "98",
      "an event of the lines before",
      "98"
    ],
    [
      "another version",
      /"format"/,
      (line) => line.replace('"version":3', '"version":4'),
      "4",
      "version 3 of the format",
      "4"
    ],
    [
      "a wrong clock",
      /"format"/,
      (line) => line.replace("virtual", "sundial"),
      "{",
      'in the metadata "virtual" or "wall"',
      '"sundial'
    ],
    [
      "a wrong count",
      /"digest"/,
      (line) => line.replace(/"end":\d+/, '"end":3'),
      "3",
      "the number of records before",
      "3"
    ]
  ])("point at %s", (_, pattern, damage, place, expected, found) => {
    const { line, content } = at(pattern)
    const damaged = damage(content)
    const fault = faultOf(text(aRound()).replace(content, damaged))
    expect(fault.line).toBe(line)
    const from = damaged.startsWith('{"format"') && place === "{" ? damaged.indexOf('"meta":') : 0
    expect(fault.column).toBe(place === "" ? damaged.length + 1 : damaged.indexOf(place, from) + 1)
    expect(fault.expected).toContain(expected)
    expect(fault.found).toContain(found)
  })

  it("have as many rows as their columns say", () => {
    const wrong = (rows: number): TraceFormatError =>
      faultOf(text(aRound()).replace(/("columns":\["instant".*"rows":)\d/, `$1${rows}`))
    const next = at(/"columns":\["counter"/).line
    expect(wrong(9)).toMatchObject({
      line: next,
      expected: expect.stringMatching(/^7 more rows before this line/)
    })
    expect(wrong(1)).toMatchObject({ line: next, expected: expect.stringMatching(/^1 fewer rows before/) })
  })

  it("end with the closing line", () => {
    const whole = text(aRound())
    expect(faultOf(whole.replace(/\{"end".*\n/, "")).expected).toContain('closing {"end":…} line')
    expect(faultOf(`${whole}{}\n`).expected).toBe("the end of the file")
    expect(faultOf("").expected).toBe("the header of a trace")
  })
})
