import { describe, expect, it } from "vitest"
import { writeTrace } from "../../trace/jsonl.ts"
import { TraceStore } from "../../trace/store.ts"
import { META } from "../../trace/trace.fixture.ts"
import { type Come, readFile } from "./read-file.ts"

const SLICES = 100_000

/** A trace of some megabytes, as a file. */
const content = (): string => {
  const trace = new TraceStore(META)
  const track = trace.track({ name: "decode", kind: "gpu" })
  for (let i = 0; i < SLICES; i++) trace.slice(track, "decode", i * 1000, i * 1000 + 900, { tokens: i })
  return [...writeTrace(trace)].join("")
}

const read = async (file: File) => {
  const told: Come[] = []
  let before = 0
  const { trace, problem } = await readFile(file, {
    come: (come) => told.push(come),
    soFar: ({ slices: { length } }) => {
      expect(length).toBeGreaterThanOrEqual(before)
      before = length
    }
  })
  expect(before).toBe(SLICES)
  expect(problem).toBeUndefined()
  expect(trace!.slices.length).toBe(SLICES)
  expect(told.length).toBeGreaterThan(0)
  for (const [i, { bytes, of }] of told.entries()) {
    expect(of).toBe(file.size)
    expect(bytes).toBeGreaterThan(told[i - 1]?.bytes ?? 0)
    expect(bytes).toBeLessThanOrEqual(file.size)
  }
}

describe("reading a file of a trace", () => {
  it("tells how much of it has come", () => read(new File([content()], "run.jsonl")))

  it("tells it of a packed file as well, in bytes of the file", async () => {
    // Text that packs badly, so that megabytes are left of it: names of tracks.
    const trace = new TraceStore(META)
    let seed = 1
    const digits = (): string => ((seed = (seed * 48271) % 2147483647) / 2147483647).toString(36)
    for (let i = 0; i < 20_000; i++)
      trace.track({ name: Array.from({ length: 12 }, digits).join(""), kind: "gpu" })
    for (let i = 0; i < SLICES; i++) trace.slice(0, "decode", i, i)
    const text = [...writeTrace(trace)].join("")
    const packed = new Response(text).body!.pipeThrough(new CompressionStream("gzip"))
    await read(new File([await new Response(packed).blob()], "run.jsonl.gz"))
  })

  it("says of a file cut short where it breaks off, and keeps the rest", async () => {
    const { trace, problem } = await readFile(new File([content().slice(0, 50_000)], "run.jsonl"))
    expect(trace!.slices.length).toBeGreaterThan(1000)
    expect(problem).toMatch(/^run\.jsonl:\d+:\d+: expected /)
  })
})
