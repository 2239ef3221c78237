import { describe, expect, it } from "vitest"
import type { Compressor } from "./compressor.ts"
import { asCompressor, holdingPromises } from "./own.ts"
import { COMPRESSORS } from "./registry.ts"
import { sampleObservation } from "./sample.ts"

const tail: Compressor["compress"] = ({ tokens, layers, kvHeads }) => ({
  tailStart: tokens,
  kept: Array.from({ length: layers }, () => Array.from({ length: kvHeads }, () => new Uint32Array(0))),
  format: { keys: "raw", values: "raw", rotated: false }
})
const BUDGET = { keep: 0.5, elementBits: 16, seed: 1 } as const
const method: Compressor = {
  name: "mine",
  summary: "",
  source: "",
  kind: "drop",
  mode: "offline",
  takesKeep: false,
  needs: {},
  compress: tail
}
/** The method with its answer changed. */
const answering = (change: (answer: ReturnType<typeof tail>) => object) => ({
  ...method,
  compress: (...given: Parameters<typeof tail>) => change(tail(...given))
})
/** Keeps these positions of the first layer, a list for each head, unless the context is hardly any. */
const keeping = (...positions: readonly (readonly number[])[]) =>
  answering((answer) => ({
    ...answer,
    kept: answer.kept.map((heads, layer) =>
      layer > 0 || answer.tailStart < 100 ? heads : positions.map((one) => Uint32Array.from(one))
    )
  }))

describe("a method from outside", () => {
  it("is taken as it is if it keeps every promise", async () => {
    const example = new URL("../../../docs/examples/every-other.js", import.meta.url)
    const { default: everyOther } = (await import(example.href)) as { readonly default: unknown }
    expect(asCompressor(method)).toBe(method)
    expect(asCompressor(everyOther)).toBe(everyOther)
    for (const one of COMPRESSORS) expect(asCompressor(one)).toBe(one)
  })

  it.each([
    [undefined, "its default export is missing; a Compressor is expected"],
    [() => method, "its default export is a function; a Compressor is expected"],
    [{ ...method, compress: undefined }, "compress is missing; a function is expected"],
    [{ ...method, mode: "sometimes" }, 'mode is "sometimes"; offline or online is expected'],
    [{ ...method, needs: { queries: 0 } }, "needs.queries is 0; a whole number from 1 is expected"],
    [
      { ...method, needs: { attention: { over: "everything", reduce: "sum" } } },
      'needs.attention.over is "everything"; prompt, recent or reconstruction is expected'
    ],
    [{ ...method, compress: () => ({}) }, "no object with kept, an array for each layer, and format"],
    [answering((answer) => ({ ...answer, tailStart: 999 })), "tailStart is 999"],
    [answering((answer) => ({ ...answer, kept: [] })), "kept has 0 layers, the model has 2"],
    [answering((answer) => ({ ...answer, kept: [[], []] })), "layer 0 keeps 0 KV heads of 2"],
    [keeping([3, 2], [0, 1]), "layer 0 keeps position 2; ascending positions below tailStart 200"],
    [keeping([3, 200], [0, 1]), "layer 0 keeps position 200"],
    [keeping([1], [1, 2]), "the heads of layer 0 keep different numbers of entries"],
    [
      answering((answer) => ({ ...answer, kept: answer.kept.map((heads) => heads.map(() => [])) })),
      "layer 0 keeps positions in something else than a Uint32Array"
    ],
    [
      answering((answer) => ({
        ...answer,
        format: { keys: { bits: 3, groupTokens: 1, groupChannels: 5 }, values: "raw", rotated: false }
      })),
      "format.keys.bits is 3; 2, 4 or 8 are expected"
    ],
    [
      answering((answer) => ({
        ...answer,
        format: { keys: { bits: 4, groupTokens: 1, groupChannels: 5 }, values: "raw", rotated: false }
      })),
      "format.keys.groupChannels is 5; a divisor of head_dim 32 is expected"
    ],
    [
      answering((answer) => ({ ...answer, codebooks: [{ keys: new Float32Array(4) }, {}] })),
      "codebooks.0.keys has levels for rows that are raw"
    ],
    [
      { ...method, compress: (seen: Parameters<typeof tail>[0]) => (seen.keys(0, 0), tail(seen, BUDGET)) },
      "compress fails on a context of 1 tokens: needs does not ask for keys"
    ]
  ])("is refused with the reason: %#", (value, told) => {
    const faults = asCompressor(value)
    expect(faults).toBeInstanceOf(Array)
    expect((faults as readonly string[]).join("\n")).toContain(told)
  })

  it("is refused if it answers something else when asked again", () => {
    let calls = 0
    const forgetful = answering((answer) => ({ ...answer, tailStart: calls++ % 2 }))
    expect(asCompressor(forgetful)).toEqual([
      expect.stringContaining("1 tokens, compress answers: something else when asked again"),
      expect.stringContaining("200 tokens")
    ])
  })

  it("is told all its faults at once", () => {
    expect(asCompressor({ name: "mine", needs: {} })).toEqual([
      "summary is missing; a text is expected",
      "source is missing; a text is expected",
      "kind is missing; none, drop, quantize or hybrid is expected",
      "mode is missing; offline or online is expected",
      "takesKeep is missing; true or false is expected",
      "compress is missing; a function is expected"
    ])
  })
})

describe("a method in use", () => {
  const real = sampleObservation({ layers: 2, heads: 4, kvHeads: 2, headDim: 32, tokens: 200 }, {})
  const use = (one: Compressor) => () => holdingPromises(one).compress(real, BUDGET)

  it("is let through with its answer as long as it keeps its promises", () => {
    expect(use(method)()).toEqual(tail(real, BUDGET))
  })

  it.each([
    [keeping([1, 2], [3]), "on a context of 200 tokens: compress answers: the heads of layer 0 keep"],
    [keeping([5, 4], [3, 9]), "compress answers: layer 0 keeps position 4; ascending positions below"],
    [answering(() => ({})), "compress answers: no object with kept"],
    [
      answering(() => {
        throw new Error("out of ideas")
      }),
      "compressor mine, on a context of 200 tokens: compress fails: out of ideas"
    ]
  ])("is stopped with the promise that broke: %#", (one, told) => {
    expect(use(one as Compressor)).toThrow(told)
  })
})
