/** Prompts of the lengths a scenario asks for: pieces of the texts beside the model, or tokens drawn by seed. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Tokenizer } from "../../engine/model/tokenizer.ts"
import { hashInteger } from "../../sim/kernel/random.ts"

/** Sets the draws of prompts apart from others of the same seed. */
const STREAM = 0x70_72

export interface Prompts {
  /** What they are made of, in words. */
  readonly source: string
  readonly of: (request: number, tokens: number) => readonly number[]
}

/** @param folder the model's; its prompts/*.txt are used where there are any */
export const promptsOf = (folder: string, tokenizer: Tokenizer, vocab: number, seed: number): Prompts => {
  const texts = join(folder, "prompts")
  const files = existsSync(texts)
    ? readdirSync(texts)
        .filter((name) => name.endsWith(".txt"))
        .toSorted()
    : []
  const corpus = files.flatMap((name) => tokenizer.encode(readFileSync(join(texts, name), "utf8")))
  if (corpus.length === 0)
    return {
      source: "tokens drawn by seed: the model's folder has no prompts",
      of: (request, tokens) =>
        Array.from({ length: tokens }, (_, i) => hashInteger(seed, request, i, STREAM) % vocab)
    }
  return {
    source: `pieces of the ${files.length} texts beside the model`,
    of: (request, tokens) => {
      const start = hashInteger(seed, request, 0, STREAM) % corpus.length
      return Array.from({ length: tokens }, (_, i) => corpus[(start + i) % corpus.length]!)
    }
  }
}
