/** Hardware as a file has it: the way back from what a scenario resolves to. */
import type { Efficiency, Hardware, KernelTables, OneQueue } from "./resolved.ts"
import type { HardwareFile } from "./schema/hardware.ts"

/** Six digits: more are noise in a figure that was measured. */
export const digits = (value: number): number => Number(value.toPrecision(6))

/** Efficiency as a file has it. */
export const efficiencyFile = ({ memory, compute, overhead, perBlock, perToken }: Efficiency) => ({
  memory: digits(memory),
  compute: digits(compute),
  overhead: digits(overhead),
  ...(perBlock === undefined ? {} : { per_block: digits(perBlock) }),
  ...(perToken === undefined ? {} : { per_token: digits(perToken) })
})

/** Tables as a file has them. */
export const tablesFile = (tables: KernelTables): NonNullable<HardwareFile["tables"]> => {
  const { dense, attentionDecode: decode, attentionPrefill: prefill, attentionMixed: mixed, lmHead } = tables
  const rounded = <A>(values: A): A =>
    (Array.isArray(values) ? values.map(rounded) : digits(values as number)) as A
  return {
    ...tables.origin,
    ...(dense === undefined ? {} : { dense: { tokens: dense.tokens, seconds: rounded(dense.seconds) } }),
    ...(decode === undefined
      ? {}
      : {
          attention_decode: {
            requests: decode.requests,
            kv_tokens: decode.kvTokens,
            seconds: rounded(decode.seconds)
          }
        }),
    ...(prefill === undefined
      ? {}
      : {
          attention_prefill: {
            chunk: prefill.chunk,
            cached: prefill.cached,
            seconds: rounded(prefill.seconds)
          }
        }),
    ...(mixed === undefined
      ? {}
      : {
          attention_mixed: {
            chunk: mixed.chunk,
            cached: mixed.cached,
            requests: mixed.requests,
            kv_tokens: mixed.kvTokens,
            seconds: rounded(mixed.seconds)
          }
        }),
    ...(lmHead === undefined
      ? {}
      : { lm_head: { sequences: lmHead.sequences, seconds: rounded(lmHead.seconds) } })
  }
}

/** Where the figures of links and efficiencies come from, in words. */
export interface FigureSources {
  readonly link: string
  readonly efficiency: string
}

const queueFile = ({ submission, steps, chunk, copiesFirst }: OneQueue) => ({
  submission: digits(submission),
  steps,
  chunk,
  ...(copiesFirst === undefined ? {} : { copies_first: copiesFirst })
})

/** A whole hardware file, amounts in base units. `hardwareOf` reads it back to six digits. */
export const hardwareFile = (
  {
    name,
    origin,
    hbm,
    flops,
    link,
    oneQueue,
    interconnect,
    host,
    efficiency,
    tables,
    power,
    adapter,
    queryBlock,
    matmulBlock,
    ...rest
  }: Hardware,
  sources: FigureSources
): HardwareFile => {
  return {
    name,
    ...origin,
    hbm: { capacity: hbm.capacity, bandwidth: digits(hbm.bandwidth) },
    flops: {
      bf16: digits(flops[16]),
      ...(flops[8] === undefined ? {} : { fp8: digits(flops[8]) }),
      ...(flops[4] === undefined ? {} : { fp4: digits(flops[4]) })
    },
    link: {
      host_to_device: digits(link.hostToDevice),
      device_to_host: digits(link.deviceToHost),
      latency: digits(link.latency),
      ...(link.deviceToHostLatency === undefined
        ? {}
        : { device_to_host_latency: digits(link.deviceToHostLatency) }),
      sharing: link.sharing,
      source: sources.link
    },
    ...(oneQueue === undefined ? {} : { one_queue: queueFile(oneQueue) }),
    interconnect: { bandwidth: digits(interconnect.bandwidth), latency: digits(interconnect.latency) },
    host: { capacity: host.capacity, bandwidth: digits(host.bandwidth) },
    efficiency: {
      source: sources.efficiency,
      matmul: efficiencyFile(efficiency.matmul),
      "attention-decode": efficiencyFile(efficiency["attention-decode"]),
      "attention-prefill": efficiencyFile(efficiency["attention-prefill"]),
      elementwise: efficiencyFile(efficiency.elementwise),
      "lm-head": efficiencyFile(efficiency["lm-head"])
    },
    query_block: { rows: queryBlock.rows, packs_heads: queryBlock.packsHeads },
    ...(matmulBlock === undefined ? {} : { matmul_block: matmulBlock }),
    step_overhead: digits(rest.stepOverhead),
    step_overhead_per_request: digits(rest.stepOverheadPerRequest),
    ...(rest.compressionPerEntry === undefined
      ? {}
      : { compression_per_entry: digits(rest.compressionPerEntry) }),
    ...(tables === undefined ? {} : { tables: tablesFile(tables) }),
    ...(power === undefined ? {} : { power }),
    ...(adapter === undefined ? {} : { adapter })
  }
}
