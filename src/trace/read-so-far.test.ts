import fc from "fast-check"
import { expect, it } from "vitest"
import { writeTrace } from "./jsonl.ts"
import { readTraceSoFar } from "./read-trace.ts"
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
      // The header is no record; a last line that is cut right before its end is whole as well.
      expect(records).toBeGreaterThanOrEqual(whole - 1)
      expect(records).toBeLessThanOrEqual(whole)
    })
  )
})
