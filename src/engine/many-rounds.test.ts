import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expect, it } from "vitest"
import { type Holding, manyRounds } from "./many-rounds.fixture.ts"

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

/** Enough that something kept for every round would show; the benchmark runs ten thousand. */
const ROUNDS = 300
/** A round that left more than this behind would show, bytes. */
const MOST_A_ROUND = 10_000

it("hundreds of rounds later there is no more than after the first, and nothing in the end", async () => {
  const told: (Holding & { readonly heap: number })[] = []
  await manyRounds(ROUNDS, 3, (holding) => {
    collect()
    told.push({ ...holding, heap: process.memoryUsage().heapUsed })
  })
  const [end] = told.splice(-1)
  expect(end).toMatchObject({ requests: 0, buffers: 0, bufferBytes: 0, pages: 0, hostBytes: 0 })
  const served = told.at(-1)!
  expect(served).toMatchObject({ requests: 0, pages: 0, hostBytes: 0 })
  expect(served.rounds).toBeGreaterThanOrEqual(ROUNDS)
  const half = Math.floor(told.length / 2)
  const most = (some: typeof told, what: keyof Holding): number => Math.max(...some.map((one) => one[what]))
  // Reads may be on their way when it is looked, and staging buffers are made for as many copies as ever were under way at once.
  expect(most(told.slice(half), "buffers")).toBeLessThanOrEqual(most(told.slice(0, half), "buffers") + 8)
  expect(most(told.slice(half), "hostBytes")).toBeLessThanOrEqual(2 * most(told.slice(0, half), "hostBytes"))
  const early = told[1]!
  expect(served.heap - early.heap).toBeLessThan(MOST_A_ROUND * (served.rounds - early.rounds))
})
