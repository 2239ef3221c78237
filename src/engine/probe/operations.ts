/** Single operations apart from whole passes: matmuls, attention over plain, gathered and quantised KV, the output head, by rows and context. */
import { Effect } from "effect"
import type { DeviceLost } from "../../runtime/ports.ts"
import { draftView, fullView } from "../cache/device-cache.ts"
import type { Engine } from "../engine.ts"
import { kvBytesPerToken } from "../model/config.ts"
import { type Repeated, ROW, type Row } from "../model/forward.ts"
import { timed, type Timing } from "./sample.ts"

/** Which KV attention read: all of it, or what a compression method left. */
export type CacheKind = "plain" | "gathered" | "quantised"

export interface OperationTiming extends Timing {
  readonly operation: Repeated
  readonly cache: CacheKind
  /** Requests, positions of each, and tokens behind them. */
  readonly batch: number
  readonly positions: number
  readonly context: number
  /** Bytes of weights or KV it has to read, FLOPs it does, kernels it launches as a cost model counts them. `seconds`: without the submit. */
  readonly bytes: number
  readonly flops: number
  readonly launches: number
}

/** Times an operation is submitted at once: launches are then told from the submit. */
const TIMES = 4

const MATMULS = 4
const ELEMENTWISE = 4
const ACTIVATION = 2

/** Bytes, FLOPs and launches of an operation over all layers. `kvTokens`: entries read, in tokens of full-KV bytes; `pairs`: of them with a query. */
const workOf = (
  engine: Engine,
  operation: Repeated,
  weightWidth: number,
  { rows, kvTokens, pairs }: { readonly rows: number; readonly kvTokens: number; readonly pairs: number }
): Pick<OperationTiming, "bytes" | "flops" | "launches"> => {
  const { config, kvBits } = engine.shape
  const { hidden, heads, kvHeads, headDim, intermediate, layers, vocab } = config
  switch (operation) {
    case "matmul": {
      const weights = layers * hidden * ((heads + 2 * kvHeads) * headDim + heads * headDim + 3 * intermediate)
      return { bytes: weights * weightWidth, flops: 2 * weights * rows, launches: MATMULS * layers }
    }
    case "attention":
      return {
        bytes: kvTokens * kvBytesPerToken(config, kvBits / 8),
        flops: 4 * heads * headDim * layers * pairs,
        launches: layers
      }
    case "elementwise":
      return {
        bytes: layers * rows * (6 * hidden + 2 * intermediate) * ACTIVATION,
        flops: 0,
        launches: ELEMENTWISE * layers
      }
    case "lm-head":
      return { bytes: hidden * vocab * weightWidth, flops: 2 * hidden * vocab * rows, launches: 1 }
  }
}

export interface OperationProbe {
  readonly cache: CacheKind
  /** Positions of each request: 1 is a decode step, more a verify. */
  readonly positions: readonly number[]
  readonly repetitions: number
  /** Bytes of a weight; share of the full KV's bytes an entry counts in `cache`. */
  readonly weightWidth: number
  readonly keep: number
  /** Seconds of an empty submit. */
  readonly submit: number
}

/** Times operations on requests `ids` that the engine holds with `context` tokens each, compressed if it drafts. */
export const probeOperations = (
  engine: Engine,
  ids: readonly number[],
  context: number,
  { cache, positions, repetitions, weightWidth, keep, submit }: OperationProbe
): Effect.Effect<readonly OperationTiming[], DeviceLost> =>
  Effect.gen(function* () {
    const { forward, device } = engine.state
    const sessions = ids.map((id) => engine.session(id))
    const compressed = cache !== "plain"
    const packed = Math.max(
      0,
      ...sessions.flatMap(({ compression }) => compression?.kept.map((heads) => heads[0]?.length ?? 0) ?? [])
    )
    const found: OperationTiming[] = []
    for (const each of positions) {
      const rows = sessions.flatMap((session): Row[] =>
        Array.from({ length: each }, (_, i) => {
          const position = context - each + i
          return compressed
            ? {
                view: draftView(session.place),
                position,
                tail: Math.max(0, position - session.tail!.start),
                flags: ROW.next
              }
            : { view: fullView(session.place), position, tail: position, flags: ROW.next }
        })
      )
      const batch = {
        rows,
        choices: rows.map((_, i) => i),
        steps: 1,
        entries: Math.max(...rows.map(({ tail }) => tail)) + 1 + (compressed ? packed : 0),
        rotated: sessions.some(({ compression }) => compression?.format.rotated === true),
        observed: false,
        queried: false
      }
      const pairs = ids.length * (each * (context - each) + (each * (each + 1)) / 2)
      // Dropped entries make fewer pairs, quantised ones fewer bytes.
      const load = {
        rows: rows.length,
        kvTokens: ids.length * context * keep,
        pairs: cache === "gathered" ? pairs * keep : pairs
      }
      // Only attention sees which cache it is.
      const operations: readonly Repeated[] = compressed
        ? ["attention"]
        : ["matmul", "attention", "elementwise", "lm-head"]
      for (const operation of operations) {
        const timing = yield* timed(
          Effect.suspend(() => {
            forward.repeat(operation, batch, TIMES)
            return device.idle
          }),
          repetitions
        )
        const own = (seconds: number): number => Math.max(1e-9, (seconds - submit) / TIMES)
        found.push({
          ...timing,
          seconds: own(timing.seconds),
          all: timing.all.map(own),
          operation,
          cache,
          batch: ids.length,
          positions: each,
          context,
          ...workOf(engine, operation, weightWidth, load)
        })
      }
    }
    return found
  })
