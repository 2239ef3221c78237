/** Too little KV: the same requests with pages for all and with pages for few. */
import { median, scatter, type Section } from "./section.ts"
import { type Job, type Measured, measure } from "./simulation.ts"

interface Case {
  readonly name: string
  readonly job: Omit<Job, "warmUp" | "runs" | "memory">
  /** KV pages of 16 tokens: ample first, then ever fewer, down to little more than the longest request needs. */
  readonly pages: readonly number[]
}

const cases: readonly Case[] = [
  {
    name: "32k prompts",
    job: { scenario: "heavy-kv-pressure.yaml", method: "full-kv", requests: 6000 },
    pages: [8_000_000, 8000, 4200]
  },
  {
    name: "chat",
    job: { scenario: "llama-8b-h100-chat.yaml", method: "full-kv", requests: 10_000 },
    pages: [100_000, 2000, 520]
  }
]

export const pressure = async (): Promise<Section> => {
  const rows = []
  for (const { name, job, pages } of cases) {
    let reference: Measured | undefined
    for (const count of pages) {
      const one = await measure({ ...job, warmUp: 5, runs: 7, memory: 1e15, engine: { numGpuBlocks: count } })
      reference ??= one
      const perRequest = ({ cpu, requests }: Measured): number => (1e6 * median(cpu)) / requests
      const perToken = ({ cpu, outputTokens }: Measured): number => (1e9 * median(cpu)) / outputTokens
      rows.push({
        workload: name,
        pages: count,
        requests: one.requests,
        preemptions: one.preemptions,
        passes: one.passes,
        peakBatch: one.peakBatch,
        cpuSeconds: median(one.cpu),
        scatterPercent: 100 * scatter(one.cpu),
        cpuMicrosecondsPerRequest: perRequest(one),
        cpuNanosecondsPerOutputToken: perToken(one),
        slowDownPerRequest: perRequest(one) / perRequest(reference),
        slowDownPerToken: perToken(one) / perToken(reference)
      })
    }
  }
  return {
    name: "pressure",
    title: "Heavy KV pressure: ample pages, then ever fewer",
    columns: [
      { key: "workload", title: "workload" },
      { key: "pages", title: "pages" },
      { key: "requests", title: "requests" },
      { key: "preemptions", title: "preemptions" },
      { key: "passes", title: "passes" },
      { key: "peakBatch", title: "batch" },
      { key: "cpuSeconds", title: "CPU s", digits: 3 },
      { key: "scatterPercent", title: "±", digits: 0, unit: " %" },
      { key: "cpuMicrosecondsPerRequest", title: "µs/request", digits: 1 },
      { key: "cpuNanosecondsPerOutputToken", title: "ns/token", digits: 1 },
      { key: "slowDownPerRequest", title: "× per request", digits: 2 },
      { key: "slowDownPerToken", title: "× per token", digits: 2 }
    ],
    rows,
    notes: [
      "All runs of a workload finish the same requests and tokens; the least pages hold little more than the longest request.",
      "Aim: at most 2×. inference-sim went from 1.8 s to 54 s, 30×, on 100 requests of 32k tokens when 8,000 pages were left.",
      "Set: num_gpu_blocks_override as shown, HBM as large as that takes. 32k prompts: the scenario's arrivals, for 6,000 requests.",
      "After 5 warm runs, median of 7. ± is half the range over the median."
    ]
  }
}
