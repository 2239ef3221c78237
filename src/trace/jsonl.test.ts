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

  it("are read in the version before, which did not say what bounded passes", () => {
    const old = text(aRound()).replace('"version":3', '"version":2')
    expect(readTrace(old).digest()).toBe(aRound().digest())
    expect(old).not.toContain("limit")
  })

  it("say what bounded passes, to a ten-thousandth", () => {
    const trace = new TraceStore(META)
    const track = trace.track({ name: "decode", kind: "gpu" })
    trace.slice(track, "decode", 0, 10, { limitHbm: 0.61237, limitCompute: 0.3, limitScheduling: 0.0876 })
    trace.slice(track, "decode", 10, 20, { limitCompute: 1 })
    const lines = text(trace).split("\n")
    expect(lines[2]).toBe(
      '{"slice":"decode","track":0,"start":0,"end":10,"limitHbm":0.6124,"limitCompute":0.3,"limitScheduling":0.0876}'
    )
    expect(lines[3]).toContain('"limitCompute":1}')
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
    for (let i = 0; i < 10_000; i++) trace.slice(track, "decode", i * 10, i * 10 + 9, { tokens: i })
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
    ["not JSON", /"verify"/, () => '{"slice":"verify","track":}', "}", "a JSON value", '"}"'],
    ["an open string", /"verify"/, () => '{"slice":"ver', '"ver', "a string that ends on its line", '""ver"'],
    ["no object", /"verify"/, () => "[1]", "[1]", "a JSON object", '"[1]"'],
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
      (line) => line.replace('"track":2', '"track":99'),
      "99",
      "a track of the lines before",
      "99"
    ],
    [
      "an end before the start",
      /"verify"/,
      (line) => line.replace("5500", "1"),
      "1,",
      "a time from 4000 on",
      "1,"
    ],
    [
      "half a nanosecond",
      /"arrive"/,
      (line) => line.replace('"at":0', '"at":0.5'),
      "0.5",
      "a time in whole nanoseconds",
      "0.5"
    ],
    [
      "an unknown name",
      /"arrive"/,
      (line) => line.replace('"at"', '"when"'),
      '"when"',
      "one of the names",
      '"when"'
    ],
    [
      "no value",
      /"counter"/,
      (line) => line.replace(/,"value":.*\}/, "}"),
      "",
      '"value": a finite number',
      "the end of the line"
    ],
    [
      "an unknown event",
      /"flow"/,
      (line) => line.replace(/"to":\d+/, '"to":98'),
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

  it("end with the closing line", () => {
    const whole = text(aRound())
    expect(faultOf(whole.replace(/\{"end".*\n/, "")).expected).toContain('closing {"end":…} line')
    expect(faultOf(`${whole}{}\n`).expected).toBe("the end of the file")
    expect(faultOf("").expected).toBe("the header of a trace")
  })
})
