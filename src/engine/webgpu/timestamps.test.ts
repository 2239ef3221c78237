import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { TraceStore } from "../../trace/store.ts"
import { softwareDevice, tinyCheckpoint, trial } from "../engine.fixture.ts"
import { align, checkTimestamps, type Sighting } from "./timestamps.ts"

const GRAIN = 100_000

/** Passes as two clocks of the same rate see them, the device's `offset` behind the host's. */
const passes = fc.record({
  offset: fc.integer({ min: -1e12, max: 1e12 }),
  seen: fc.array(fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 4, maxLength: 4 }), {
    minLength: 1,
    maxLength: 8
  })
})

const sightings = ({
  offset,
  seen
}: {
  readonly offset: number
  readonly seen: readonly (readonly number[])[]
}): readonly Sighting[] => {
  let now = 0
  return seen.map(([idle, queued, ran, returning]) => {
    const sent = now + idle!
    const begin = sent + queued!
    const end = begin + ran!
    now = end + returning!
    return { sent, done: now, begin: begin - offset, end: end - offset }
  })
}

describe("two clocks", () => {
  it("that run alike are laid on each other, every pass between being handed over and being done", () => {
    fc.assert(
      fc.property(passes, (one) => {
        const seen = sightings(one)
        const found = align(seen)
        if (!found.usable) throw new Error(found.reason)
        for (const { sent, done, begin, end } of seen) {
          expect(begin + found.offset).toBeGreaterThanOrEqual(sent)
          expect(end + found.offset).toBeLessThanOrEqual(done)
        }
      })
    )
  })

  it("are refused when the device's runs at another rate", () => {
    const true_ = sightings({ offset: 7, seen: [1, 2, 3].map(() => [1e6, 1e5, 2e6, 1e5]) })
    const slow = true_.map((one) => ({ ...one, begin: one.begin * 0.8, end: one.end * 0.8 }))
    expect(align(slow)).toEqual({ usable: false, reason: expect.stringContaining("rate") as string })
  })

  it("are refused when a pass takes no time, or more than the host waited", () => {
    const [one] = sightings({ offset: 7, seen: [[1e6, 1e5, 2e6, 1e5]] }) as [Sighting]
    expect(align([{ ...one, end: one.begin }]).usable).toBe(false)
    expect(align([{ ...one, end: one.begin + (one.done - one.sent) + GRAIN + 1 }]).usable).toBe(false)
  })
})

describe("the software adapter's timestamps", () => {
  it("are usable, and leave nothing behind", async () => {
    const { device } = await softwareDevice()
    const before = device.allocated
    expect(await Effect.runPromise(checkTimestamps(device))).toMatchObject({ usable: true })
    expect(device.allocated).toEqual(before)
  })

  it("are traced beside the host's times, each pass within what the host saw of it", async () => {
    const recorder = new TraceStore({
      name: "test",
      scenario: "test",
      method: "test",
      seed: 1,
      clock: "wall",
      basis: "measured",
      clockOffset: 0
    })
    await trial({
      checkpoint: tinyCheckpoint(3),
      kind: "vericache",
      recorder,
      asked: [{ prompt: [1, 2, 3, 4, 5, 6, 7, 8], output: 12 }]
    })
    const { slices, tracks } = recorder
    const rows = Array.from({ length: slices.length }, (_, row) => row)
    const on = (kind: string): readonly number[] =>
      rows.filter((row) => tracks[slices.track[row]!]!.kind === kind)
    const host = on("gpu")
    const device = on("device-clock")
    expect(device.length).toBeGreaterThan(2)
    for (const row of device) {
      const within = host.filter(
        (pass) => slices.start[pass]! <= slices.start[row]! && slices.end[row]! <= slices.end[pass]!
      )
      expect(within.length).toBeGreaterThan(0)
      for (const pass of within) expect(slices.steps[pass]).toBe(slices.steps[row])
    }
  })
})
