import { join } from "node:path"
import { Effect } from "effect"
import { Flag } from "effect/cli"
import { Usage } from "../exit.ts"
import { packageRoot } from "../files.ts"

/** The model that comes with the package. */
export const embeddedModel = (): string => join(packageRoot(), "models", "vericache-1m")

/** What every command that runs the engine may be told. */
export const engineFlags = {
  model: Flag.String("model").pipe(
    Flag.withDescription("Folder of a model in Hugging Face layout; the embedded model by default"),
    Flag.optional
  ),
  kvCacheDtype: Flag.Literals("kv-cache-dtype", ["float16", "float32"]).pipe(
    Flag.withDescription("Type of the full KV cache"),
    Flag.withDefault("float16" as const)
  ),
  numWarmups: Flag.Int("num-warmups").pipe(
    Flag.withDescription(
      "Requests served before the clock starts, with other prompts; no figure counts them"
    ),
    Flag.withDefault(0)
  ),
  adapter: Flag.Literals("adapter", ["auto", "software"]).pipe(
    Flag.withDescription("auto: the best WebGPU adapter there is"),
    Flag.withDefault("auto" as const)
  )
}

export const checkWarmups = (numWarmups: number): Effect.Effect<void, Usage> =>
  numWarmups < 0
    ? Effect.fail(new Usage({ problem: `--num-warmups ${numWarmups}: expected 0 or more requests` }))
    : Effect.void
