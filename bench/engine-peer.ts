/**
 * llama.cpp on the CPU over the same weights, through node-llama-cpp. It weighs hundreds of megabytes and is no dependency:
 *
 *     npm install --prefix DIR --ignore-scripts node-llama-cpp && npm run bench:engine -- --peer DIR
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import type { Checkpoint } from "../src/engine/weights/checkpoint.ts"
import { asGguf, notAsGguf } from "./gguf.ts"

/** What is used of node-llama-cpp 3. */
interface LlamaModule {
  readonly LlamaLogLevel: { readonly error: string }
  readonly getLlama: (options: object) => Promise<{
    readonly loadModel: (options: { readonly modelPath: string }) => Promise<{
      readonly createContext: (options: object) => Promise<{
        readonly getSequence: () => {
          readonly evaluateWithoutGeneratingNewTokens: (tokens: readonly number[]) => Promise<void>
          readonly evaluate: (tokens: readonly number[], options: object) => AsyncIterable<number>
        }
        readonly dispose: () => Promise<void>
      }>
      readonly dispose: () => Promise<void>
    }>
  }>
}

export interface PeerRun {
  /** Greedy continuation of the prompt. */
  readonly tokens: readonly number[]
  readonly tokensPerSecond: number
}

/** Continues a prompt greedily by `count` tokens on `threads` threads. A sentence if there is no peer, or none for this model. */
export const runPeer = async (
  folder: string | undefined,
  checkpoint: Checkpoint,
  prompt: readonly number[],
  count: number,
  threads: number
): Promise<PeerRun | string> => {
  if (folder === undefined)
    return "not run; npm install --prefix DIR --ignore-scripts node-llama-cpp, then --peer DIR"
  const entry = join(resolve(folder), "node_modules", "node-llama-cpp", "dist", "index.js")
  if (!existsSync(entry)) return `not run: there is no node-llama-cpp in ${folder}`
  const refused = notAsGguf(checkpoint)
  if (refused !== undefined) return `not run: ${refused}`
  const { getLlama, LlamaLogLevel } = (await import(pathToFileURL(entry).href)) as LlamaModule
  const place = mkdtempSync(join(tmpdir(), "vericache-bench-"))
  try {
    const modelPath = join(place, "model.gguf")
    writeFileSync(modelPath, await Effect.runPromise(asGguf(checkpoint, "bench")))
    const llama = await getLlama({
      gpu: false,
      build: "never",
      logLevel: LlamaLogLevel.error,
      maxThreads: threads
    })
    const model = await llama.loadModel({ modelPath })
    const context = await model.createContext({ contextSize: prompt.length + count + 8, threads })
    const sequence = context.getSequence()
    await sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(0, -1))
    const tokens: number[] = []
    let start = 0
    for await (const token of sequence.evaluate(prompt.slice(-1), { temperature: 0 })) {
      // The first comes with whatever is set up late.
      if (tokens.length === 0) start = performance.now()
      tokens.push(token)
      if (tokens.length > count) break
    }
    const seconds = (performance.now() - start) / 1000
    await context.dispose()
    await model.dispose()
    return { tokens: tokens.slice(0, count), tokensPerSecond: (tokens.length - 1) / seconds }
  } finally {
    rmSync(place, { recursive: true })
  }
}
