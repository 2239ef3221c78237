import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseMooncakeJsonl } from "../../scenario/workload-trace.ts"
import { readEngineSettings } from "./engine-settings.ts"
import { latenciesOf, quantile, summarise } from "./measured-run.ts"
import { asJsonLines, readRun } from "./read-run.ts"

const VLLM = {
  request_rate: 2,
  burstiness: 1,
  max_concurrency: null,
  duration: 12,
  completed: 3,
  request_throughput: 0.25,
  output_throughput: 4.5,
  input_lens: [100, 200, 300, 400],
  output_lens: [3, 2, 1, 0],
  ttfts: [0.5, 0.4, 0.3, 0],
  itls: [[0.1, 0.2], [0.1], [], []],
  errors: ["", "", "", "Connection refused"],
  mean_ttft_ms: 400
}
const json = (value: unknown): string => JSON.stringify(value)

describe("vLLM's benchmark", () => {
  it("gives lengths, latencies and the rate; requests that failed are left out", () => {
    const { kind, run, faults } = readRun("r.json", json({ ...VLLM, start_times: [7, 5, 6, 8] }))
    expect([kind, faults]).toEqual(["vLLM benchmark JSON", []])
    expect(run?.requests.map(({ arrival, input, output }) => [arrival, input, output])).toEqual([
      [0, 200, 2],
      [1, 300, 1],
      [2, 100, 3]
    ])
    expect(run?.requests[2]?.e2el).toBeCloseTo(0.8, 12)
    expect(run?.latencies.tpot?.mean).toBeCloseTo((0.15 + 0.1) / 2, 12)
    expect(run?.latencies.itl?.p50).toBeCloseTo(0.1, 12)
    expect(run?.tokensPerSecond).toBe(4.5)
    expect(run?.notes.join()).toContain("1 of 4 requests failed")
  })

  it("draws arrivals anew where the version writes none, and says so", () => {
    const first = readRun("r.json", json(VLLM)).run
    expect(first?.notes.join()).toContain("drawn anew at 2 requests/s")
    expect(first?.requests).toEqual(readRun("r.json", json(VLLM)).run?.requests)
    const { run } = readRun("r.json", json({ ...VLLM, request_rate: "inf" }))
    expect(run?.requests.map(({ arrival }) => arrival)).toEqual([0, 0, 0])
  })

  it("of a summary keeps the figures", () => {
    const { run } = readRun(
      "r.json",
      json({ completed: 9, request_throughput: 1, mean_ttft_ms: 250, median_ttft_ms: 200, p99_e2el_ms: 9000 })
    )
    expect(run?.requests).toEqual([])
    expect(run?.latencies).toEqual({ ttft: { mean: 0.25, p50: 0.2 }, e2el: { p99: 9 } })
  })

  it("is refused with every field that is wrong", () => {
    const { run, faults } = readRun(
      "r.json",
      json({ ...VLLM, output_lens: [1, 2], ttfts: [0.1, "x", 0.3, 0.4], itls: [1] })
    )
    expect(run).toBeUndefined()
    expect(faults.map(({ field }) => field)).toEqual(["ttfts[1]", "output_lens", "itls"])
  })
})

describe("GuideLLM", () => {
  const old = {
    prompt_tokens: 64,
    output_tokens: 5,
    start_time: 100,
    first_token_time: 100.5,
    last_token_time: 101.3
  }
  const later = {
    input_metrics: { text_tokens: 32 },
    output_metrics: { total_tokens: 2 },
    info: { timings: { request_start: 99, first_token_iteration: 99.25, last_token_iteration: 99.35 } }
  }

  it("reads the times of both spellings", () => {
    const file = { benchmarks: [{ requests: { successful: [old, later], errored: [{}], incomplete: [] } }] }
    const { run, faults } = readRun("g.json", json(file))
    expect(faults).toEqual([])
    expect(run?.requests.map(({ arrival, input, output }) => [arrival, input, output])).toEqual([
      [0, 32, 2],
      [1, 64, 5]
    ])
    expect(run?.latencies.tpot?.mean).toBeCloseTo((0.8 / 4 + 0.1) / 2, 9)
    expect(run?.notes).toEqual(["1 errored requests are left out"])
  })

  it("takes the benchmark that is asked for, and says how many there are", () => {
    const file = { benchmarks: [{}, { requests: { successful: [old] } }] }
    expect(readRun("g.json", json(file), { benchmark: 1 }).run?.requests).toHaveLength(1)
    expect(readRun("g.json", json(file)).faults[0]?.field).toBe("benchmarks[0].requests.successful")
    expect(readRun("g.json", json(file), { benchmark: 2 }).faults[0]?.message).toContain("has 2")
  })

  it("names the request that lacks a length or a time", () => {
    const file = { benchmarks: [{ requests: { successful: [old, { ...old, output_tokens: 0 }] } }] }
    expect(readRun("g.json", json(file)).faults[0]?.field).toBe("benchmarks[0].requests.successful[1]")
  })
})

describe("an engine's log", () => {
  const line = (arrival: number, queued: number, first: number, last: number): string =>
    json({
      request_id: "r",
      input_toks: 10,
      output_toks: 3,
      arrival_time: arrival,
      queued_ts: queued,
      scheduled_ts: queued,
      first_token_ts: first,
      last_token_ts: last
    })

  it("joins its two clocks where they are nearest", () => {
    const text = [line(1000, 50, 50.5, 51), line(1001, 51.25, 52, 52.5)].join("\n")
    const { run } = readRun("requests.jsonl", text)
    expect(run?.requests.map(({ arrival, ttft, e2el }) => [arrival, ttft, e2el])).toEqual([
      [0, 0.5, 1],
      [1, 1, 1.5]
    ])
  })

  it("says where in its text a field is wrong", () => {
    const bench =
      '{ "completed": 1, "request_throughput": 1,\n  "input_lens": [1],\n  "output_lens": [1], "ttfts": ["x"] }'
    expect(readRun("bench.json", bench).faults).toMatchObject([
      { line: 3, column: 33, field: "ttfts[0]", excerpt: '  "output_lens": [1], "ttfts": ["x"] }' }
    ])
    const lines = '{"prompt_len": 3, "output_len": 4}\n\n{"prompt_len": -3, "output_len": 4}\n'
    expect(readRun("lengths.jsonl", lines, { rate: 1 }).faults).toMatchObject([{ line: 3, column: 1 }])
  })

  it("is refused where time runs backwards, line by line", () => {
    const { faults } = readRun("requests.jsonl", [line(0, 0, 1, 2), line(1, 2, 1, 3), "{"].join("\n"))
    expect(faults.map((fault) => fault.line)).toEqual([2, 3])
  })

  it("comes with settings of the engine", () => {
    const meta = {
      vllm_version: "0.19.0",
      engine_kwargs: { tensor_parallel_size: 2, max_num_seqs: 128, max_model_len: null },
      kv_cache: { num_gpu_blocks: 2588, block_size: 16 }
    }
    expect(readEngineSettings(meta).settings).toEqual({
      tensor_parallel_size: 2,
      max_num_seqs: 128,
      block_size: 16,
      num_gpu_blocks_override: 2588,
      async_scheduling: true
    })
    const off = { ...meta, resolved_config: { scheduler_config: { async_scheduling: false } } }
    expect(readEngineSettings(off).settings["async_scheduling"]).toBe(false)
    expect(readEngineSettings({ vllm_version: "0.9.1" })).toEqual({
      settings: {},
      notes: ["no kv_cache.num_gpu_blocks: KV pages are counted from memory"]
    })
  })
})

describe("workloads", () => {
  it("are told apart by what is in them", () => {
    const kinds = [
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,5,2\n",
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,log\n",
      '{"timestamp": 0, "input_length": 4, "output_length": 2, "hash_ids": []}\n'
    ].map((text) => readRun("f", text).kind)
    expect(kinds).toEqual(["Azure CSV", "BurstGPT CSV", "Mooncake JSON lines"])
    expect(readRun("f", "hello\n").faults[0]?.suggestion).toContain("GuideLLM JSON")
  })

  it("BurstGPT's requests without a response are left out; bad cells are told", () => {
    const head = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type,Session ID\n"
    const { run } = readRun(
      "b.csv",
      `${head}5,ChatGPT,472,18,490,log,a\n6,GPT-4,10,0,10,log,b\n9.5,GPT-4,7,2,9,log,c\n`
    )
    expect(run?.requests).toEqual([
      { arrival: 0, input: 472, output: 18 },
      { arrival: 4.5, input: 7, output: 2 }
    ])
    const { faults } = readRun("b.csv", `${head}x,ChatGPT,0,-1,490,log,a\n`)
    expect(faults.map(({ column, field }) => [column, field])).toEqual([
      [1, "Timestamp"],
      [11, "Request tokens"],
      [13, "Response tokens"]
    ])
  })

  it("lengths need a rate; texts are estimates and say so", () => {
    const chat = json([
      {
        conversations: [
          { from: "human", value: "x".repeat(40) },
          { from: "gpt", value: "y".repeat(9) }
        ]
      },
      { conversations: [{ from: "human", value: "alone" }] }
    ])
    expect(readRun("s.json", chat).faults[0]?.message).toContain("--rate")
    const { run } = readRun("s.json", chat, { rate: 2 })
    expect(run?.requests.map(({ input, output }) => [input, output])).toEqual([[10, 3]])
    expect(run?.notes.join()).toContain("4 characters")
    const pairs = readRun("l.jsonl", '{"prompt_len":8,"output_len":2}\n{"prompt_len":8,"output_len":0}\n', {
      rate: 1
    })
    expect(pairs.faults[0]?.field).toBe("[1]")
  })

  it("come back from JSON lines as they were written", () => {
    const request = fc.record({
      gap: fc.integer({ min: 0, max: 1e9 }),
      input: fc.integer({ min: 1, max: 1e6 }),
      output: fc.integer({ min: 1, max: 1e6 })
    })
    fc.assert(
      fc.property(fc.array(request, { minLength: 1 }), (gaps) => {
        let at = 0
        const requests = gaps.map(({ gap, input, output }, i) => {
          if (i > 0) at += gap
          return { arrival: at / 1e6, input, output }
        })
        const read = parseMooncakeJsonl("w.jsonl", asJsonLines(requests)).requests
        expect(read.map(({ input, output }) => [input, output])).toEqual(
          requests.map(({ input, output }) => [input, output])
        )
        for (const [i, one] of read.entries()) expect(one.arrival).toBeCloseTo(requests[i]!.arrival, 6)
      })
    )
  })
})

describe("statistics", () => {
  it("percentiles lie between ranks, as NumPy's do", () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantile([1, 2, 3, 4], 0.9)).toBeCloseTo(3.7, 12)
    expect(summarise([])).toBeUndefined()
    expect(latenciesOf([{ arrival: 0, input: 1, output: 1, ttft: 1, e2el: 1 }]).tpot).toBeUndefined()
  })
})
