/** Acceptance measured on the engine: prompts drafted with a compression method, verified, and counted round by round. */
import { Effect } from "effect"
import type { DeviceLost, OutOfMemory } from "../runtime/ports.ts"
import type { Compressor } from "./compressors/compressor.ts"
import { generate, type GenerateOptions } from "./generate.ts"
import { GREEDY } from "./kernels/choose.ts"
import type { NoAdapter } from "./webgpu/device.ts"
import type { ModelRefused } from "./weights/checkpoint.ts"

/** One cell of the grid that is measured. */
export interface Trial {
  readonly compressor: Compressor
  readonly keep: number
  readonly window: number
  /** Prompt tokens, from the end of each prompt that is long enough. */
  readonly context: number
}

export interface Measured extends Trial {
  readonly prompts: number
  readonly rounds: number
  readonly drafted: number
  readonly accepted: number
  /** P(token i + 1 agrees | all before it agreed), as far as rounds reached. */
  readonly curve: readonly number[]
  /** Bytes of the compressed KV on the device over the full KV's, after the prompt; whole pages. */
  readonly bytesShare: number
}

/** What all cells share. */
export type Setting = Pick<GenerateOptions, "gpu" | "device" | "checkpoint" | "kvBits" | "maxTokens">

/** Measures one cell on every prompt that has the context. Rounds cut short by the end of the output do not count. */
export const measureAcceptance = (
  setting: Setting,
  trial: Trial,
  prompts: readonly (readonly number[])[]
): Effect.Effect<Measured, NoAdapter | ModelRefused | OutOfMemory | DeviceLost> =>
  Effect.gen(function* () {
    const { compressor, keep, window, context } = trial
    const used = prompts.filter(({ length }) => length >= context)
    const rounds: { readonly drafted: number; readonly accepted: number }[] = []
    let compressed = 0
    let full = 0
    for (const prompt of used) {
      const result = yield* generate({
        ...setting,
        prompt: prompt.slice(prompt.length - context),
        sampling: GREEDY,
        compressor,
        keep,
        window,
        stopTokens: [],
        onCommit: ({ accepted, rejected }) => {
          if (accepted + rejected.length >= window)
            rounds.push({ drafted: accepted + rejected.length, accepted })
        }
      })
      compressed += result.compressedBytes
      full += result.fullBytes
    }
    const sum = (of: (round: { readonly drafted: number; readonly accepted: number }) => number): number =>
      rounds.reduce((total, round) => total + of(round), 0)
    return {
      ...trial,
      prompts: used.length,
      rounds: rounds.length,
      drafted: sum(({ drafted }) => drafted),
      accepted: sum(({ accepted }) => accepted),
      curve: curveOf(rounds, window),
      bytesShare: full === 0 ? 0 : compressed / full
    }
  })

/** Share of the rounds that had all tokens before position i accepted in which it was accepted too; up to the last position any reached. */
export const curveOf = (
  rounds: readonly { readonly accepted: number }[],
  window: number
): readonly number[] => {
  const curve: number[] = []
  for (let i = 0; i < window; i++) {
    const reached = rounds.filter(({ accepted }) => accepted >= i).length
    if (reached === 0) break
    curve.push(rounds.filter(({ accepted }) => accepted > i).length / reached)
  }
  return curve
}
