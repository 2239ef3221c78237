/** Models and hardware for tests of the cost model, by their published shapes. */
import type { Efficiency, Hardware, KernelTables, LayerGroup, Model } from "../../scenario/resolved.ts"

const origin = { basis: "assumed", source: "shapes of the published config.json" } as const

/** A model of 16-bit weights and KV. */
export const modelOf = (
  hidden: number,
  vocab: number,
  layers: readonly LayerGroup[],
  more: Partial<Model> = {}
): Model => ({
  name: "model",
  origin,
  hidden,
  vocab,
  tiedEmbeddings: false,
  layers,
  weightBytesPerParam: 2,
  kvBytesPerElement: 2,
  maxPositions: 131_072,
  ...more
})

const GQA_8B = { kind: "gqa", heads: 32, kvHeads: 8, headDim: 128 } as const

export const LLAMA_8B = modelOf(4096, 128_256, [
  { count: 32, attention: GQA_8B, mlp: { kind: "dense", intermediate: 14_336 } }
])

/** 128 experts, 8 a token (Qwen3-30B-A3B). */
export const QWEN_30B_A3B = modelOf(2048, 151_936, [
  {
    count: 48,
    attention: { kind: "gqa", heads: 32, kvHeads: 4, headDim: 128 },
    mlp: { kind: "moe", experts: 128, expertsPerToken: 8, intermediate: 768, sharedIntermediate: 0 }
  }
])

const MLA = {
  kind: "mla",
  heads: 128,
  qRank: 1536,
  kvRank: 512,
  ropeDim: 64,
  nopeDim: 128,
  vDim: 128
} as const

/** Three dense layers and 58 of 256 experts, 8 a token, with one shared (DeepSeek-V3, weights in 8 bits). */
export const DEEPSEEK_V3 = modelOf(
  7168,
  129_280,
  [
    { count: 3, attention: MLA, mlp: { kind: "dense", intermediate: 18_432 } },
    {
      count: 58,
      attention: MLA,
      mlp: { kind: "moe", experts: 256, expertsPerToken: 8, intermediate: 2048, sharedIntermediate: 2048 }
    }
  ],
  { weightBytesPerParam: 1 }
)

const GQA_27B = { kind: "gqa", heads: 32, kvHeads: 16, headDim: 128 } as const

/** Ten layers that keep everything, 52 with a window of 1024 (Gemma 3 27B). */
export const GEMMA_27B = modelOf(
  5376,
  262_208,
  [
    { count: 10, attention: GQA_27B, mlp: { kind: "dense", intermediate: 21_504 } },
    { count: 52, attention: { ...GQA_27B, window: 1024 }, mlp: { kind: "dense", intermediate: 21_504 } }
  ],
  { tiedEmbeddings: true }
)

/** Every operation at the peak, at no overhead. */
const PERFECT: Efficiency = { memory: 1, compute: 1, overhead: 0 }

/** An H100 SXM: 3.35 TB/s, 989 TFLOP/s in 16 bits, twice that in 8. */
export const h100 = (kind: Efficiency = PERFECT, tables?: KernelTables): Hardware => ({
  name: "h100-sxm",
  origin: { basis: "assumed", source: "NVIDIA H100 datasheet" },
  hbm: { capacity: 80 * 2 ** 30, bandwidth: 3.35e12 },
  flops: { 16: 989e12, 8: 1979e12 },
  link: { hostToDevice: 50e9, deviceToHost: 50e9, latency: 1e-5, sharing: "serial" },
  interconnect: { bandwidth: 450e9, latency: 1e-5 },
  host: { capacity: 2e12, bandwidth: 4e11 },
  efficiency: {
    matmul: kind,
    "attention-decode": kind,
    "attention-prefill": kind,
    elementwise: kind,
    "lm-head": kind
  },
  queryBlock: { rows: 64, packsHeads: true },
  stepOverhead: 0,
  stepOverheadPerRequest: 0,
  ...(tables === undefined ? {} : { tables })
})
