/** A compression method from a file of the user's own: its default export, checked before anything runs. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import type { Compressor, Observation } from "../../engine/compressors/compressor.ts"
import { findCompressor, UnknownCompressor } from "../../engine/compressors/registry.ts"
import { Usage } from "../exit.ts"

/** The method of a name, or of a module's path. */
export const compressorNamed = (name: string): Effect.Effect<Compressor, UnknownCompressor | Usage> => {
  if (!/\.[cm]?[jt]s$/.test(name)) {
    const found = findCompressor(name)
    return found instanceof UnknownCompressor ? Effect.fail(found) : Effect.succeed(found)
  }
  return Effect.gen(function* () {
    if (!existsSync(name)) return yield* new Usage({ problem: `--compressor ${name}: there is no such file` })
    const module = yield* Effect.tryPromise({
      try: () =>
        import(/* @vite-ignore */ pathToFileURL(resolve(name)).href) as Promise<{ default?: unknown }>,
      catch: (error) => new Usage({ problem: `--compressor ${name} cannot be loaded: ${String(error)}` })
    })
    const fault = faultOf(module.default)
    if (fault !== undefined) return yield* new Usage({ problem: `--compressor ${name}: ${fault}` })
    return module.default as Compressor
  })
}

/** Why a default export is no compression method; undefined if it is one, as far as a small context can tell. */
export const faultOf = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null)
    return "its default export is no object; a Compressor is expected"
  const method = value as Partial<Compressor>
  if (typeof method.name !== "string" || method.name === "") return "name is missing; a text is expected"
  if (typeof method.compress !== "function") return "compress is missing; a function is expected"
  if (typeof method.needs !== "object") return "needs is missing; {} asks for nothing"
  if (method.mode !== "offline" && method.mode !== "online") return "mode is neither offline nor online"
  if (!["none", "drop", "quantize", "hybrid"].includes(String(method.kind)))
    return "kind is none of none, drop, quantize, hybrid"
  try {
    const { tailStart, kept, format } = method.compress(SMALL, { keep: 0.5, elementBits: 16, seed: 1 })
    if (!(tailStart >= 0 && tailStart <= SMALL.tokens))
      return `tailStart ${tailStart} lies outside of the context`
    if (kept.length !== SMALL.layers) return `kept has ${kept.length} layers, the model has ${SMALL.layers}`
    for (const [layer, heads] of kept.entries()) {
      if (heads.length !== SMALL.kvHeads)
        return `layer ${layer} keeps ${heads.length} KV heads of ${SMALL.kvHeads}`
      for (const positions of heads) {
        if (positions.length !== heads[0]!.length)
          return `the heads of layer ${layer} keep different numbers of entries`
        for (const [i, position] of positions.entries())
          if (position >= tailStart || (i > 0 && position <= positions[i - 1]!))
            return `layer ${layer} keeps position ${position}; ascending positions below tailStart ${tailStart} are expected`
      }
      for (const side of [format.keys, format.values])
        if (side !== "raw" && (heads[0]?.length ?? 0) % side.groupTokens !== 0)
          return `layer ${layer} keeps ${heads[0]!.length} entries, no multiple of groupTokens ${side.groupTokens}`
    }
    return undefined
  } catch (error) {
    return `compress fails on a small context: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** Two layers, two KV heads, 200 tokens of which every tenth draws attention. */
const SMALL: Observation = {
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 32,
  tokens: 200,
  prompt: 200,
  attention: () => Float32Array.from({ length: 200 }, (_, position) => (position % 10 === 0 ? 1 : 0)),
  keys: (layer, head) => wave(200 * 32, layer + head),
  values: (layer, head) => wave(200 * 32, layer + head + 1),
  queries: (layer, head) => wave(64 * 32, layer + head + 2)
}

const wave = (length: number, phase: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i / 7 + phase))
