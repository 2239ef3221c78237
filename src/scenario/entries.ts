/** Catalog entries and inline descriptions in base units. The schema has checked them: what is parsed here parses. */
import { type Dimension, parseQuantity } from "./quantity.ts"
import type {
  Acceptance,
  Compressor,
  Drafter,
  Efficiency,
  Hardware,
  KernelTables,
  Lengths,
  Model,
  Origin
} from "./resolved.ts"
import type { AcceptanceFile, CompressorFile, DrafterFile } from "./schema/drafting.ts"
import type { HardwareFile } from "./schema/hardware.ts"
import type { ModelFile } from "./schema/model.ts"
import type { LengthsFile } from "./schema/workload.ts"

/** A quantity the schema has accepted, in base units. */
export const amount = (value: number | string, dimension: Dimension): number => {
  const parsed = parseQuantity(value, dimension)
  if (parsed === undefined) throw new Error(`${value} is no amount of ${dimension}`)
  return parsed
}

const originOf = ({ basis, source }: Origin): Origin => ({ basis, source })

/** Rows of a block where a file does not say: FlashAttention's, as measured calls show them (docs/validation.md). */
const FLASH_ATTENTION_ROWS = 64

export const hardwareOf = (file: HardwareFile): Hardware => {
  const share = ({ memory, compute, overhead }: HardwareFile["efficiency"]["elementwise"]): Efficiency => ({
    memory,
    compute,
    overhead: amount(overhead, "seconds")
  })
  const matmul = (one: HardwareFile["efficiency"]["matmul"]): Efficiency => ({
    ...share(one),
    ...(one.per_block === undefined ? {} : { perBlock: amount(one.per_block, "seconds") })
  })
  const attention = (one: HardwareFile["efficiency"]["attention-prefill"]): Efficiency => ({
    ...share(one),
    ...(one.per_block === undefined ? {} : { perBlock: amount(one.per_block, "seconds") }),
    ...(one.per_token === undefined ? {} : { perToken: amount(one.per_token, "seconds") })
  })
  const { flops, link, interconnect, host, hbm, tables, power, adapter, one_queue: queue } = file
  return {
    name: file.name,
    origin: originOf(file),
    hbm: { capacity: amount(hbm.capacity, "bytes"), bandwidth: amount(hbm.bandwidth, "bytes/s") },
    flops: {
      16: amount(flops.bf16, "flop/s"),
      ...(flops.fp8 === undefined ? {} : { 8: amount(flops.fp8, "flop/s") }),
      ...(flops.fp4 === undefined ? {} : { 4: amount(flops.fp4, "flop/s") })
    },
    link: {
      hostToDevice: amount(link.host_to_device, "bytes/s"),
      deviceToHost: amount(link.device_to_host, "bytes/s"),
      latency: amount(link.latency, "seconds"),
      ...(link.device_to_host_latency === undefined
        ? {}
        : { deviceToHostLatency: amount(link.device_to_host_latency, "seconds") }),
      sharing: link.sharing
    },
    ...(queue === undefined
      ? {}
      : {
          oneQueue: {
            submission: amount(queue.submission, "seconds"),
            steps: queue.steps,
            chunk: amount(queue.chunk, "bytes"),
            ...(queue.copies_first === undefined ? {} : { copiesFirst: queue.copies_first })
          }
        }),
    interconnect: {
      bandwidth: amount(interconnect.bandwidth, "bytes/s"),
      latency: amount(interconnect.latency, "seconds")
    },
    host: { capacity: amount(host.capacity, "bytes"), bandwidth: amount(host.bandwidth, "bytes/s") },
    efficiency: {
      matmul: matmul(file.efficiency.matmul),
      "attention-decode": attention(file.efficiency["attention-decode"]),
      "attention-prefill": attention(file.efficiency["attention-prefill"]),
      elementwise: share(file.efficiency.elementwise),
      "lm-head": matmul(file.efficiency["lm-head"])
    },
    queryBlock: {
      rows: file.query_block?.rows ?? FLASH_ATTENTION_ROWS,
      packsHeads: file.query_block?.packs_heads ?? false
    },
    ...(file.matmul_block === undefined ? {} : { matmulBlock: file.matmul_block }),
    stepOverhead: amount(file.step_overhead, "seconds"),
    stepOverheadPerRequest: amount(file.step_overhead_per_request, "seconds"),
    ...(file.compression_per_entry === undefined
      ? {}
      : { compressionPerEntry: amount(file.compression_per_entry, "seconds") }),
    ...(tables === undefined ? {} : { tables: tablesOf(tables) }),
    ...(power === undefined ? {} : { power: amount(power, "watts") }),
    ...(adapter === undefined ? {} : { adapter })
  }
}

const tablesOf = (file: NonNullable<HardwareFile["tables"]>): KernelTables => ({
  origin: originOf(file),
  ...(file.dense === undefined ? {} : { dense: file.dense }),
  ...(file.attention_decode === undefined
    ? {}
    : {
        attentionDecode: {
          requests: file.attention_decode.requests,
          kvTokens: file.attention_decode.kv_tokens,
          seconds: file.attention_decode.seconds
        }
      }),
  ...(file.attention_prefill === undefined ? {} : { attentionPrefill: file.attention_prefill }),
  ...(file.attention_mixed === undefined
    ? {}
    : {
        attentionMixed: {
          chunk: file.attention_mixed.chunk,
          cached: file.attention_mixed.cached,
          requests: file.attention_mixed.requests,
          kvTokens: file.attention_mixed.kv_tokens,
          seconds: file.attention_mixed.seconds
        }
      }),
  ...(file.lm_head === undefined ? {} : { lmHead: file.lm_head })
})

export const modelOf = (file: ModelFile): Model => ({
  name: file.name,
  origin: originOf(file),
  hidden: file.hidden_size,
  vocab: file.vocab_size,
  tiedEmbeddings: file.tie_word_embeddings,
  maxPositions: file.max_position_embeddings,
  weightBytesPerParam: file.weight_bits / 8,
  kvBytesPerElement: file.kv_cache_bits / 8,
  layers: file.layers.map(({ count, attention, mlp }) => ({
    count,
    attention:
      "kv_lora_rank" in attention
        ? {
            kind: "mla",
            heads: attention.num_attention_heads,
            qRank: attention.q_lora_rank,
            kvRank: attention.kv_lora_rank,
            ropeDim: attention.qk_rope_head_dim,
            nopeDim: attention.qk_nope_head_dim,
            vDim: attention.v_head_dim
          }
        : {
            kind: "gqa",
            heads: attention.num_attention_heads,
            kvHeads: attention.num_key_value_heads,
            headDim: attention.head_dim,
            ...(attention.sliding_window === undefined ? {} : { window: attention.sliding_window })
          },
    mlp:
      "num_experts" in mlp
        ? {
            kind: "moe",
            experts: mlp.num_experts,
            expertsPerToken: mlp.num_experts_per_tok,
            intermediate: mlp.moe_intermediate_size,
            sharedIntermediate: mlp.shared_intermediate_size
          }
        : { kind: "dense", intermediate: mlp.intermediate_size }
  })),
  ...(file.weight_bytes === undefined ? {} : { weightBytes: amount(file.weight_bytes, "bytes") }),
  ...(file.kv_bytes_per_token === undefined
    ? {}
    : { kvBytesPerToken: amount(file.kv_bytes_per_token, "bytes") })
})

export const acceptanceOf = (file: AcceptanceFile): Acceptance => {
  const origin = originOf(file)
  const alike = file.request_correlation === undefined ? {} : { requestCorrelation: file.request_correlation }
  if (file.alpha !== undefined) return { origin, ...alike, kind: "iid", alpha: file.alpha }
  if (file.curve !== undefined) return { origin, ...alike, kind: "curve", perPosition: file.curve }
  if (file.recorded !== undefined) return { origin, kind: "recorded", accepted: file.recorded }
  const rows = (file.table ?? []).map(({ context, alpha }) => ({ context: amount(context, "tokens"), alpha }))
  return { origin, ...alike, kind: "table", rows: rows.toSorted((a, b) => a.context - b.context) }
}

export const compressorOf = (file: CompressorFile, keep: number, acceptance: Acceptance): Compressor => ({
  name: file.name,
  origin: originOf(file),
  kind: file.kind,
  mode: file.mode,
  keep,
  acceptance,
  attentionEfficiency: file.attention_efficiency,
  ...(file.kl_per_step === undefined ? {} : { klPerStep: file.kl_per_step })
})

/** Bounds of an n-gram drafter's look-up, as far as they are given. */
export const promptLookupOf = ({
  prompt_lookup_min: min,
  prompt_lookup_max: max
}: Pick<DrafterFile, "prompt_lookup_min" | "prompt_lookup_max">): Pick<
  Drafter,
  "promptLookupMin" | "promptLookupMax"
> => ({
  ...(min === undefined ? {} : { promptLookupMin: min }),
  ...(max === undefined ? {} : { promptLookupMax: max })
})

export const drafterOf = (file: DrafterFile): Drafter => ({
  name: file.name,
  origin: originOf(file),
  kind: file.kind,
  numSpeculativeTokens: file.num_speculative_tokens,
  ...promptLookupOf(file),
  weightBytes: amount(file.weight_bytes, "bytes"),
  kvBytesPerToken: amount(file.kv_bytes_per_token, "bytes"),
  acceptance: acceptanceOf(file.acceptance)
})

export const lengthsOf = (file: LengthsFile): Lengths => {
  if (typeof file !== "object") return { kind: "fixed", tokens: Math.round(amount(file, "tokens")) }
  const tokens = (value: number | string): number => Math.round(amount(value, "tokens"))
  if ("uniform" in file)
    return { kind: "uniform", min: tokens(file.uniform.min), max: tokens(file.uniform.max) }
  if ("empirical" in file) return { kind: "empirical", values: file.empirical.map(tokens) }
  const { median, sigma, min, max } = file.lognormal
  return { kind: "lognormal", median: amount(median, "tokens"), sigma, min: tokens(min), max: tokens(max) }
}
