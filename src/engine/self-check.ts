/**
 * Checks on the device at hand that a position's logits are the same in every bit alone, in a span and in a batch. Losslessness
 * rests on it: a verify recomputes what plain decoding would have computed. Measured on SwiftShader with both
 * cores busy: 0.2–0.3 s, and half a second more where kernels have to be compiled.
 */
import { Effect } from "effect"
import type { DeviceLost } from "../runtime/ports.ts"
import { openDeviceState } from "./device-state.ts"
import { GREEDY } from "./kernels/choose.ts"
import type { ModelConfig } from "./model/config.ts"
import { type Position, Positions, type Said } from "./model/positions.ts"
import type { Dtype, ModelRefused } from "./weights/checkpoint.ts"
import { randomCheckpoint } from "./weights/random.ts"
import type { Device, NoAdapter } from "./webgpu/device.ts"

/** Sizes chosen so that projections share kernels: compiling is most of the check. */
const MODEL: ModelConfig = {
  modelType: "llama",
  hidden: 64,
  layers: 1,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediate: 64,
  vocab: 128,
  maxPositions: 128,
  normEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { kind: "none" },
  tied: true,
  qkvBias: false,
  outputBias: false,
  qkNorm: false,
  eosTokens: []
}

/** Tokens checked: the last of them lie on both sides of a chunk of attention. */
const TOKENS = 70
const SPAN_ROWS = 7
const PAGES = 5

/** The same kinds of arithmetic as the run that follows. */
export interface SelfCheckOptions {
  readonly gpu: GPU
  readonly device: Device
  readonly kvBits: 16 | 32
  readonly dtype: Dtype
}

/** What differed, a sentence each; nothing on a device whose results can be trusted to repeat. */
export const selfCheck = (
  options: SelfCheckOptions
): Effect.Effect<readonly string[], DeviceLost | NoAdapter | ModelRefused> =>
  Effect.gen(function* () {
    const { gpu, device, kvBits, dtype } = options
    const state = yield* openDeviceState({
      gpu,
      device,
      checkpoint: randomCheckpoint(MODEL, 1, dtype),
      shape: { config: MODEL, kvBits, pageTokens: 16, maxTokens: 128, slots: 3, maxRows: 64, queryRows: 1 },
      pages: 3 * PAGES,
      needs: {},
      onProgress: () => {}
    })
    return yield* compare(new Positions(state, state.shape)).pipe(Effect.ensuring(Effect.sync(state.close)))
  })

const compare = Effect.fnUntraced(function* (positions: Positions) {
  const tokens = Array.from({ length: TOKENS }, (_, i) => (i * i * 31 + i * 7) % MODEL.vocab)
  const others = tokens.toReversed()
  // The same request twice, in other pages and with other neighbours.
  for (const [slot, own] of [tokens, tokens, others].entries()) {
    const pages = Array.from({ length: PAGES }, (_, i) => slot * PAGES + ((i * (slot + 2)) % PAGES))
    positions.open(slot, own, pages, { ...GREEDY, temperature: 0.8, topP: 0.9, topK: 50, seed: 5 })
  }
  const range = (slot: number, from: number, to: number): readonly Position[] =>
    Array.from({ length: to - from }, (_, i) => ({ slot, position: from + i }))

  const first = TOKENS - SPAN_ROWS
  positions.feed(range(0, 0, first - SPAN_ROWS))
  for (const position of range(0, first - SPAN_ROWS, first)) positions.feed([position])
  positions.feed(range(1, 0, 37))
  positions.feed(range(1, 37, first))
  positions.feed(range(2, 0, first))
  const alone: Said[] = []
  for (let position = first; position < TOKENS; position++)
    alone.push(...(yield* positions.compute([{ slot: 0, position }])))
  const span = yield* positions.compute(range(1, first, TOKENS))
  const homes = [yield* positions.kv(0, TOKENS), yield* positions.kv(1, TOKENS)] as const
  const mixed = [...range(1, first, TOKENS), ...range(2, first, TOKENS)].toReversed()
  const batch = (yield* positions.compute(mixed)).slice(SPAN_ROWS).toReversed()

  const differing: string[] = []
  for (const [name, found] of [
    ["verified in a span", span],
    ["in a batch with another request", batch]
  ] as const) {
    const bits = found.filter(({ logits }, i) => !sameBits(logits, alone[i]!.logits)).length
    if (bits > 0)
      differing.push(`logits of ${bits} of ${SPAN_ROWS} positions ${name} differ from those computed alone`)
    const drawn = found.filter(({ token }, i) => token !== alone[i]!.token).length
    if (drawn > 0)
      differing.push(`${drawn} of ${SPAN_ROWS} tokens drawn ${name} differ from those drawn alone`)
  }
  if (homes[0].some((byte, i) => byte !== homes[1][i]))
    differing.push("KV computed in chunks of a prompt differs from KV computed position by position")
  return differing
})

const sameBits = (a: Float32Array, b: Float32Array): boolean => {
  const [left, right] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)]
  return left.length === right.length && left.every((word, i) => word === right[i])
}
