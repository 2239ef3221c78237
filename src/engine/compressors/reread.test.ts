/** What a method is shown of a context that is read a second time, on the software adapter. */
import { expect, it } from "vitest"
import { tinyCheckpoint, trial } from "../engine.fixture.ts"
import type { Compressor, Needs, Observation } from "./compressor.ts"
import { identity } from "./drop.ts"

const TOKENS = 90

/** The attention one KV head of the last layer is shown. */
const shown = async (attention: NonNullable<Needs["attention"]>): Promise<Float32Array> => {
  const seen: Float32Array[] = []
  const watching: Compressor = {
    ...identity,
    needs: { attention },
    compress: (observation: Observation, budget) => {
      seen.push(observation.attention(observation.layers - 1, 0))
      return identity.compress(observation, budget)
    }
  }
  await trial({
    checkpoint: tinyCheckpoint(3),
    kind: "vericache",
    compressor: watching,
    maxRows: 32,
    asked: [{ prompt: Array.from({ length: TOKENS }, (_, i) => (i * i) % 61), output: 3 }]
  })
  expect(seen).toHaveLength(1)
  return seen[0]!
}

it("a second reading of the end alone shows no more than one of everything, and less of some", async () => {
  const all = await shown({ over: "reconstruction", reduce: "max" })
  // Rows are read 32 at a time: 26 are the last submission of three, bit for bit.
  const end = await shown({ over: "reconstruction", rows: 26, reduce: "max" })
  expect(all).toHaveLength(TOKENS)
  expect(end.every((most, position) => most > 0 && most <= all[position]!)).toBe(true)
  expect(end.some((most, position) => most < all[position]!)).toBe(true)
  // More rows than there are tokens are all of them.
  expect(await shown({ over: "reconstruction", rows: 1000, reduce: "max" })).toEqual(all)
})
