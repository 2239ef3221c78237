/** Draft, reload, verify: the long-context scenario with ever more requests in the batch. */
import { median, scatter, type Section } from "./section.ts"
import { measure } from "./simulation.ts"

const CONCURRENCY = [8, 64, 512]
/** Enough for the full and the compressed KV of a request of 27k tokens and all its output. */
const PAGES_PER_REQUEST = 4096
/** The scenario's link, bytes/s a GPU: what eight requests share. */
const LINK = 50e9

export const vericache = async (): Promise<Section> => {
  const rows = []
  for (const scalesLink of [false, true]) {
    for (const concurrency of CONCURRENCY) {
      const link = scalesLink ? (LINK * concurrency) / CONCURRENCY[0]! : LINK
      if (scalesLink && link === LINK) continue
      const one = await measure({
        scenario: "llama-70b-2xh100-long-context.yaml",
        method: "VeriCache",
        requests: Math.max(512, 4 * concurrency),
        warmUp: 4,
        runs: 5,
        concurrency,
        memory: 1e15,
        link,
        engine: { maxNumSeqs: concurrency, numGpuBlocks: concurrency * PAGES_PER_REQUEST }
      })
      const cpu = median(one.cpu)
      rows.push({
        concurrency,
        linkGBps: link / 1e9,
        requests: one.requests,
        running: one.peakBatch,
        drafting: one.drafting,
        rounds: one.rounds,
        cpuSeconds: cpu,
        scatterPercent: 100 * scatter(one.cpu),
        requestsPerCpuSecond: one.requests / cpu,
        roundsPerCpuSecond: one.rounds / cpu,
        outputTokensPerCpuSecond: one.outputTokens / cpu
      })
    }
  }
  return {
    name: "vericache",
    title: "VeriCache, Llama 3.1 70B on 2 × H100: 27k tokens of stored KV, 512 out, a closed loop",
    columns: [
      { key: "concurrency", title: "concurrency" },
      { key: "linkGBps", title: "link GB/s", digits: 0 },
      { key: "requests", title: "requests" },
      { key: "running", title: "running" },
      { key: "drafting", title: "drafting", digits: 1 },
      { key: "rounds", title: "rounds" },
      { key: "cpuSeconds", title: "CPU s", digits: 3 },
      { key: "scatterPercent", title: "±", digits: 0, unit: " %" },
      { key: "requestsPerCpuSecond", title: "requests/CPU-s" },
      { key: "roundsPerCpuSecond", title: "rounds/CPU-s" },
      { key: "outputTokensPerCpuSecond", title: "output tokens/CPU-s" }
    ],
    rows,
    notes: [
      `Set: max_num_seqs = concurrency, num_gpu_blocks_override = ${PAGES_PER_REQUEST} × concurrency, HBM and host memory of 1 PB.`,
      "Running: most admitted at once. Drafting: mean number in a pass; the scenario's link bounds it, so a faster one is measured too.",
      "After 4 warm runs, median of 5. ± is half the range over the median."
    ]
  }
}
