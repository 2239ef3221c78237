/** A compression method from a file of the user's own: its default export, checked before anything runs and at every answer. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { asCompressor, holdingPromises } from "../../engine/compressors/own.ts"
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
    const method = asCompressor(module.default)
    if (!("compress" in method))
      return yield* new Usage({
        problem: method.map((fault) => `--compressor ${name}: ${fault}`).join("\n")
      })
    return holdingPromises(method)
  })
}
