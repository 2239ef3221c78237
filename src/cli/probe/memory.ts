/** How fast this machine copies within host memory, by another hand than WebGPU's: a figure to hold a probe's beside. */
import { Effect } from "effect"
import { timed } from "../../engine/probe/sample.ts"

/** Larger than the caches of most machines. */
const BYTES = 1 << 26
const REPETITIONS = 15

/** Bytes/s of Node's Buffer.copy, read and written both counted, and the spread of the repetitions. */
export const copyMemory = Effect.gen(function* () {
  const from = Buffer.alloc(BYTES, 1)
  const to = Buffer.alloc(BYTES, 2)
  const { seconds, spread } = yield* timed(
    Effect.sync(() => from.copy(to)),
    REPETITIONS
  )
  return { rate: (2 * BYTES) / seconds, spread }
})
