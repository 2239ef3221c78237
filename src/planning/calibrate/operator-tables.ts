/**
 * Operator tables (ai-dynamo/aiconfigurator's Parquet) as samples of the roofline. Told apart by op_name: gemm (m, n, k),
 * generation_attention and context_attention (batch_size, isl or step, num_heads, num_key_value_heads, head_dim, window_size).
 * Latencies are milliseconds of one call. Only 16-bit rows count, and of attention only full windows and heads of 128; of matmuls
 * those of a layer's size.
 */
import { parquetReadObjects } from "hyparquet"
import { compressors } from "hyparquet-compressors"
import type { Operation } from "../../scenario/resolved.ts"
import { DECODING, queryBlocks } from "../../sim/cost/query-blocks.ts"
import type { Sample } from "./fit.ts"

/** A row of a table, with what it was measured at. */
export interface OperatorSample extends Sample {
  readonly operation: Operation
  /** Calls at once: rows of a matmul, requests of attention. */
  readonly batch: number
  /** Columns of a matmul; tokens of KV a request has. */
  readonly size: number
}

type Row = Readonly<Record<string, unknown>>

/** Smallest sides of a matmul that counts, and columns from which on it is an output head. */
const LAYER_SIDE = 1024
const HEAD_COLUMNS = 51_200
const HEAD_DIM = 128
const WIDTH = 2

const count = (row: Row, name: string): number => Number(row[name])

const matmulOf = (row: Row): OperatorSample | undefined => {
  const [m, n, k] = [count(row, "m"), count(row, "n"), count(row, "k")]
  if (row["gemm_dtype"] !== "bfloat16" || n < LAYER_SIDE || k < LAYER_SIDE || k > 16_384 || m > 8192)
    return undefined
  return {
    operation: n >= HEAD_COLUMNS ? "lm-head" : "matmul",
    bytes: WIDTH * (n * k + m * (n + k)),
    flops: 2 * m * n * k,
    launches: 1,
    seconds: count(row, "latency") * 1e-3,
    batch: m,
    size: n
  }
}

const attentionOf = (row: Row, phase: "decode" | "prefill"): OperatorSample | undefined => {
  const [batch, heads, dim] = [count(row, "batch_size"), count(row, "num_heads"), count(row, "head_dim")]
  if (row["kv_cache_dtype"] !== "bfloat16" || dim !== HEAD_DIM || count(row, "window_size") !== 0)
    return undefined
  if (String(row["kernel_source"]).endsWith("fa4")) return undefined
  const kvHeads = count(row, "num_key_value_heads")
  if (kvHeads === 0 || heads / kvHeads > 16) return undefined
  const tokens = phase === "decode" ? count(row, "step") + 1 : count(row, "isl")
  const pairs = phase === "decode" ? tokens : (tokens * (tokens + 1)) / 2
  const queries = phase === "decode" ? 1 : tokens
  const packsHeads = phase === "decode" || String(row["kernel_source"]).endsWith("fa3")
  const cut = queryBlocks(queries, heads, kvHeads, { ...DECODING, packsHeads })
  return {
    operation: phase === "decode" ? "attention-decode" : "attention-prefill",
    bytes: WIDTH * batch * dim * (2 * kvHeads * tokens + 2 * heads * queries),
    flops: 4 * heads * dim * pairs * batch * (phase === "decode" ? 1 : cut.padding),
    launches: 1,
    seconds: count(row, "latency") * 1e-3,
    blocks: batch * cut.blocks,
    ...(phase === "decode" ? {} : { walk: tokens }),
    batch,
    size: tokens
  }
}

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  gemm: ["gemm_dtype", "m", "n", "k", "latency"],
  generation_attention: [
    "batch_size",
    "step",
    "num_heads",
    "num_key_value_heads",
    "head_dim",
    "window_size",
    "kv_cache_dtype",
    "latency"
  ],
  context_attention: [
    "batch_size",
    "isl",
    "num_heads",
    "num_key_value_heads",
    "head_dim",
    "window_size",
    "kv_cache_dtype",
    "latency"
  ]
}

/** A buffer of its own: the bytes may be a window of a larger one. */
const bufferOf = (bytes: Uint8Array): ArrayBuffer => {
  const buffer = new ArrayBuffer(bytes.byteLength)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

/** Reads a table; `problem` says why it is none. */
export const readOperatorTable = async (
  bytes: Uint8Array
): Promise<
  { readonly samples: readonly OperatorSample[]; readonly rows: number } | { readonly problem: string }
> => {
  let rows: readonly Row[]
  try {
    rows = await parquetReadObjects({ file: bufferOf(bytes), compressors })
  } catch (error) {
    return {
      problem: `is no readable Parquet file: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  const [first] = rows
  if (first === undefined) return { problem: "has no rows" }
  const name = String(first["op_name"])
  const columns = COLUMNS[name]
  if (columns === undefined)
    return {
      problem: `expected op_name ${Object.keys(COLUMNS).join(", ")}, found ${"op_name" in first ? name : `columns ${Object.keys(first).join(", ")}`}`
    }
  const missing = columns.filter((column) => !(column in first))
  if (missing.length > 0) return { problem: `a table of ${name} lacks ${missing.join(", ")}` }
  const wrong = rows.findIndex((row) => !(Number(row["latency"]) > 0) || row["op_name"] !== name)
  if (wrong >= 0) return { problem: `row ${wrong + 1}: expected ${name} and a latency above 0` }
  const samples = rows.flatMap((row) => {
    const sample =
      name === "gemm" ? matmulOf(row) : attentionOf(row, name === "context_attention" ? "prefill" : "decode")
    return sample === undefined ? [] : [sample]
  })
  return samples.length === 0
    ? {
        problem: `has no rows that count: 16 bits, heads of ${HEAD_DIM}, whole windows, matmuls of a layer's size`
      }
    : { samples, rows: rows.length }
}
