/** Memory over a million requests: metrics are streamed into histograms, so it must not grow with them. */
import type { Section } from "./section.ts"
import { measure } from "./simulation.ts"

const MiB = 2 ** 20

export const memory = async (): Promise<Section> => {
  const rows = []
  for (const requests of [100_000, 1_000_000]) {
    const one = await measure({
      scenario: "llama-8b-h100-chat.yaml",
      method: "full-kv",
      requests,
      warmUp: 0,
      runs: 1,
      liveHeap: true
    })
    rows.push({
      requests: one.requests,
      peakRssMiB: one.peakRss / MiB,
      liveHeapFirstTenthMiB: one.liveHeap[0]! / MiB,
      liveHeapLastTenthMiB: one.liveHeap.at(-2)! / MiB,
      liveHeapMostMiB: Math.max(...one.liveHeap) / MiB,
      cpuSeconds: one.cpu[0],
      requestsPerCpuSecond: one.requests / one.cpu[0]!
    })
  }
  return {
    name: "memory",
    title: "Memory: chat, full KV, metrics only",
    columns: [
      { key: "requests", title: "requests" },
      { key: "peakRssMiB", title: "peak RSS MiB", digits: 0 },
      { key: "liveHeapFirstTenthMiB", title: "live heap at 10 %, MiB", digits: 1 },
      { key: "liveHeapLastTenthMiB", title: "at 90 %", digits: 1 },
      { key: "liveHeapMostMiB", title: "most", digits: 1 },
      { key: "cpuSeconds", title: "CPU s", digits: 2 },
      { key: "requestsPerCpuSecond", title: "requests/CPU-s" }
    ],
    rows,
    notes: [
      "A fresh process each, no warm-up. Live heap: after a full collection, at ten points on the way. Aim: flat, under 1,024 MiB."
    ]
  }
}
