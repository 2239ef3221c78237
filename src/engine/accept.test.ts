/** Acceptance measured on a tiny model, on the software adapter. */
import { Effect } from "effect"
import { beforeAll, describe, expect, it } from "vitest"
import { type Measured, measureAcceptance, type Trial } from "./accept.ts"
import { identity } from "./compressors/drop.ts"
import { random } from "./compressors/random.ts"
import { softwareDevice, tinyCheckpoint } from "./engine.fixture.ts"

const MAX_TOKENS = 24
const WINDOW = 5
const prompts = [3, 5, 7].map((step) => Array.from({ length: 60 }, (_, i) => (i * i * step) % 61))

const measured = async (trial: Partial<Trial>): Promise<Measured> => {
  const { gpu, device } = await softwareDevice()
  return Effect.runPromise(
    measureAcceptance(
      { gpu, device, checkpoint: tinyCheckpoint(3), kvBits: 16, maxTokens: MAX_TOKENS },
      { compressor: identity, keep: 0.25, window: WINDOW, context: 48, ...trial },
      prompts
    )
  )
}

describe("acceptance on the engine", () => {
  let lossy: Measured
  beforeAll(async () => {
    lossy = await measured({ compressor: random })
  })

  it("has rounds of exactly the window, and says how many the end cut short", async () => {
    const whole = await measured({})
    // A token from the prompt, three rounds of five and the verifier's own; the four tokens left are no whole round.
    expect(whole.lengths).toEqual([0, 0, 0, 0, 0, 9])
    expect([whole.rounds, whole.cut, whole.drafted, whole.accepted]).toEqual([9, 3, 45, 45])
    expect(lossy.drafted).toBe(lossy.rounds * WINDOW)
  })

  it("counts every token once: what was accepted, corrected, and left over is the output", () => {
    const { rounds, accepted, cut } = lossy
    const counted = rounds + accepted + prompts.length
    expect(counted).toBeLessThanOrEqual(prompts.length * MAX_TOKENS)
    expect(prompts.length * MAX_TOKENS - counted).toBeLessThanOrEqual(cut * WINDOW + prompts.length)
  })

  it("measures less of a worse drafter", () => {
    expect(lossy.meanLength).toBeLessThan(WINDOW)
    expect(lossy.rounds).toBeGreaterThan(9)
  })

  it("leaves out prompts shorter than the context", async () => {
    expect(await measured({ context: 61 })).toMatchObject({ prompts: 0, rounds: 0, bytesShare: 0 })
  })
})
