import { ByteWriter, parquetWrite } from "hyparquet-writer"
import { describe, expect, it } from "vitest"
import { fitAndJudge } from "./fit.ts"
import { readOperatorTable } from "./operator-tables.ts"

type Columns = Readonly<Record<string, readonly (string | number)[]>>

const table = (columns: Columns): Uint8Array => {
  const writer = new ByteWriter()
  void parquetWrite({
    writer,
    columnData: Object.entries(columns).map(([name, data]) => ({
      name,
      data: [...data],
      type: typeof data[0] === "string" ? "STRING" : "DOUBLE"
    }))
  })
  return new Uint8Array(writer.getBuffer())
}

const peaks = { bandwidth: 3.35e12, flops: 989e12 }
const truth = { memory: 0.85, compute: 0.7, overhead: 4e-6 }

/** Matmuls of a known roofline, and as many in 8 bits, which do not count. */
const gemm = (): Columns => {
  const shapes = [1, 16, 256, 1024, 4096, 8192].flatMap((m) =>
    [2048, 4096, 14_336].flatMap((n) => [4096, 8192].map((k) => [m, n, k] as const))
  )
  const milliseconds = shapes.map(
    ([m, n, k]) =>
      1e3 *
      (truth.overhead +
        Math.max(
          (2 * (n * k + m * (n + k))) / (peaks.bandwidth * truth.memory),
          (2 * m * n * k) / (peaks.flops * truth.compute)
        ))
  )
  const twice = <A>(values: readonly A[]): readonly A[] => [...values, ...values]
  return {
    op_name: twice(shapes.map(() => "gemm")),
    gemm_dtype: [...shapes.map(() => "bfloat16"), ...shapes.map(() => "fp8")],
    m: twice(shapes.map(([m]) => m)),
    n: twice(shapes.map(([, n]) => n)),
    k: twice(shapes.map(([, , k]) => k)),
    latency: [...milliseconds, ...milliseconds.map((one) => one / 2)]
  }
}

describe("operator tables", () => {
  it("give a known roofline back", async () => {
    const read = await readOperatorTable(table(gemm()))
    if ("problem" in read) throw new Error(read.problem)
    expect([read.rows, read.samples.length]).toEqual([72, 36])
    const { fit } = fitAndJudge(read.samples, peaks, { memory: 0.5, compute: 0.5, overhead: 0 })
    expect(fit.memory).toBeCloseTo(truth.memory, 4)
    expect(fit.compute).toBeCloseTo(truth.compute, 4)
    expect(fit.overhead * 1e6).toBeCloseTo(truth.overhead * 1e6, 2)
  })

  it("count a decode step's KV and a prompt's causal pairs", async () => {
    const common = {
      kernel_source: ["fa3"],
      batch_size: [4],
      num_heads: [32],
      num_key_value_heads: [8],
      head_dim: [128],
      window_size: [0],
      kv_cache_dtype: ["bfloat16"],
      latency: [0.5]
    }
    const decode = await readOperatorTable(
      table({ op_name: ["generation_attention"], isl: [1], step: [999], ...common })
    )
    const prefill = await readOperatorTable(
      table({ op_name: ["context_attention"], isl: [1000], step: [0], ...common })
    )
    if ("problem" in decode || "problem" in prefill) throw new Error("not read")
    expect(decode.samples[0]).toMatchObject({
      operation: "attention-decode",
      bytes: 2 * 4 * 128 * (2 * 8 * 1000 + 2 * 32),
      flops: 4 * 32 * 128 * 1000 * 4,
      seconds: 5e-4
    })
    // 1,000 tokens of four query heads a KV head fill 63 blocks of 64 rows, all but 32 rows of the last.
    expect(prefill.samples[0]?.flops).toBeCloseTo(((4 * 32 * 128 * 1000 * 1001 * 4) / 2) * (4032 / 4000))
    expect(prefill.samples[0]).toMatchObject({ blocks: 4 * 8 * 63, walk: 1000 })
  })

  it.each([
    ["another operation", { op_name: ["softmax"], latency: [1] }, "expected op_name gemm"],
    ["no operation", { a: [1], b: [2] }, "found columns a, b"],
    ["a column that is missing", { op_name: ["gemm"], m: [1], latency: [1] }, "lacks gemm_dtype, n, k"],
    [
      "a time of nothing",
      { op_name: ["gemm"], gemm_dtype: ["bfloat16"], m: [1], n: [4096], k: [4096], latency: [0] },
      "row 1"
    ],
    [
      "nothing that counts",
      { op_name: ["gemm"], gemm_dtype: ["fp8"], m: [1], n: [4096], k: [4096], latency: [1] },
      "no rows that count"
    ]
  ] as readonly (readonly [string, Columns, string])[])("refuse %s", async (_, columns, words) => {
    const read = await readOperatorTable(table(columns))
    expect("problem" in read ? read.problem : "").toContain(words)
  })

  it("refuse what is no Parquet", async () => {
    const read = await readOperatorTable(new TextEncoder().encode("PAR1 and nothing else"))
    expect("problem" in read ? read.problem : "").toContain("no readable Parquet")
  })
})
