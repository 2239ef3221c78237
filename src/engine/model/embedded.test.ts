/** The embedded model, through loader and reference decoder, against an independent evaluation (models/training/golden.py). */
import { readFileSync } from "node:fs"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { folderFiles } from "../../cli/model-files.ts"
import { openCheckpoint } from "../weights/open.ts"
import { ReferenceDecoder } from "./reference.ts"
import { openTokenizer } from "./tokenizer.ts"

interface Golden {
  readonly cases: readonly {
    readonly name: string
    readonly prompt_ids: readonly number[]
    readonly continuation_ids: readonly number[]
    /** Of the first tokens of the continuation. */
    readonly top5: readonly { readonly ids: readonly number[]; readonly logits: readonly number[] }[]
  }[]
}

const folder = "models/vericache-1m"
const files = folderFiles(folder)
const checkpoint = Effect.runSync(openCheckpoint(files))
const decoder = Effect.runSync(ReferenceDecoder.load(checkpoint))
const golden = JSON.parse(readFileSync(`${folder}/golden.json`, "utf8")) as Golden

describe("the embedded model", () => {
  // The long prompts take this decoder most of a minute; they are the WebGPU engine's to check.
  it.each(golden.cases.filter(({ prompt_ids: ids }) => ids.length <= 256))(
    "continues $name as its authors computed it",
    (one) => {
      let logits = new Float32Array(0) as Float32Array
      for (const [position, token] of one.prompt_ids.entries()) logits = decoder.step(token, position)
      const continuation = one.continuation_ids.map((_, i) => {
        for (const [rank, id] of (one.top5[i]?.ids ?? []).entries())
          expect(Math.abs(logits[id]! - one.top5[i]!.logits[rank]!)).toBeLessThan(1e-3)
        const best = logits.indexOf(Math.max(...logits))
        logits = decoder.step(best, one.prompt_ids.length + i)
        return best
      })
      expect(continuation).toEqual(one.continuation_ids)
    }
  )

  it("has a tokenizer that gives its prompts back", () => {
    const tokenizer = Effect.runSync(openTokenizer(files, checkpoint.config.vocab))
    for (const { prompt_ids: ids } of golden.cases)
      expect(tokenizer.encode(tokenizer.decode(ids))).toEqual(ids)
  })
})
