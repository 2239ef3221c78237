import fc from "fast-check"
import { expect, it } from "vitest"
import { writeTrace } from "./jsonl.ts"
import { readTraceAsItComes, readTraceSoFar } from "./read-trace.ts"
import { anyTrace } from "./trace.fixture.ts"

it("keeps every whole record before a file breaks off, and says where it does", () => {
  fc.assert(
    fc.property(anyTrace, fc.nat(), (written, cut) => {
      const text = [...writeTrace(written)].join("")
      const kept = text.slice(0, cut % (text.length - 1))
      const { trace, fault } = readTraceSoFar(kept)
      const whole = kept.split("\n").length - 1
      expect(fault?.line).toBeGreaterThan(whole)
      if (whole === 0) return
      const records =
        trace!.tracks.length +
        trace!.slices.length +
        trace!.instants.length +
        trace!.counters.length +
        trace!.flows.length
      // Neither the header nor names of columns are records; a last line that is cut right before its end is whole as well.
      const named = kept
        .split("\n")
        .slice(0, -1)
        .filter((line) => line.startsWith('{"columns"')).length
      expect(records).toBeGreaterThanOrEqual(whole - 1 - named)
      expect(records).toBeLessThanOrEqual(whole - named)
    })
  )
})

/** A file in pieces that end anywhere, and then perhaps an error. */
async function* coming(text: string, cuts: readonly number[], broken: boolean): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.length]) {
    yield bytes.subarray(from, place)
    from = place
  }
  if (broken) throw new Error("the source broke off")
}

it("reads a file that is still coming like one that is there, up to where its source breaks off", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyTrace,
      fc.array(fc.nat(), { maxLength: 40 }),
      fc.nat(),
      fc.boolean(),
      async (written, cuts, cut, broken) => {
        const text = [...writeTrace(written)].join("")
        const kept = broken ? text.slice(0, cut % (text.length - 1)) : text
        const there = readTraceSoFar(kept)
        const { trace, fault } = await readTraceAsItComes(coming(kept, cuts, broken))
        if (broken) expect(fault?.message).toBe("the source broke off")
        else expect(fault).toBeUndefined()
        // A last line without its end is read only of a file that is known to have no more.
        expect(trace === undefined ? 0 : trace.length).toBeLessThanOrEqual(there.trace?.length ?? 0)
        expect(trace === undefined ? 0 : trace.length).toBeGreaterThanOrEqual((there.trace?.length ?? 0) - 1)
        if (!broken) expect(trace!.digest()).toBe(written.digest())
      }
    )
  )
})
