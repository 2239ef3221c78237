/** Plain serving: 10,000 chats with Llama 3.1 8B on one H100, beside inference-sim, which simulates the same step by step. */
import { median, scaled, scatter, type Section } from "./section.ts"
import { type Job, type Measured, measure } from "./simulation.ts"

const job: Omit<Job, "warmUp" | "runs" | "requests"> = {
  scenario: "llama-8b-h100-chat.yaml",
  method: "full-kv"
}

/**
 * inference-sim (BLIS), roofline latency model, measured on a machine of two cores: 1,000 requests of about 515 tokens in and
 * 515 out at ten a second in 2.24 CPU seconds of the whole process.
 */
const PEER = {
  requests: 1000,
  cpuSeconds: 2.24,
  requestsPerCpuSecond: 446,
  outputTokensPerCpuSecond: 230e3
}

const WARM_UP = 5

const FRESH = 3

/** So many requests in fresh processes, one after another. */
const fresh = async (requests: number): Promise<readonly Measured[]> => {
  const processes: Measured[] = []
  for (let i = 0; i < FRESH; i++) processes.push(await measure({ ...job, requests, warmUp: 0, runs: 1 }))
  return processes
}

export const chat = async (): Promise<Section> => {
  const warm = await measure({ ...job, requests: 10_000, warmUp: WARM_UP, runs: 7 })
  const cold = await fresh(10_000)
  const short = await fresh(1000)
  const row = (what: string, { requests, outputTokens }: Measured, cpu: readonly number[]) => ({
    what,
    requests,
    cpuSeconds: median(cpu),
    scatterPercent: 100 * scatter(cpu),
    requestsPerCpuSecond: requests / median(cpu),
    outputTokensPerCpuSecond: outputTokens / median(cpu),
    ratio: requests / median(cpu) / PEER.requestsPerCpuSecond
  })
  const whole = (processes: readonly Measured[]) => processes.map(({ processCpu }) => processCpu)
  const simulating = (processes: readonly Measured[]) => processes.flatMap(({ cpu }) => cpu)
  return {
    name: "chat",
    title: `Chat, full KV: ${scaled(warm.outputTokens)} output tokens and ${scaled(warm.passes)} passes in 10,000 requests`,
    columns: [
      { key: "what", title: "" },
      { key: "requests", title: "requests" },
      { key: "cpuSeconds", title: "CPU s", digits: 3 },
      { key: "scatterPercent", title: "±", digits: 0, unit: " %" },
      { key: "requestsPerCpuSecond", title: "requests/CPU-s" },
      { key: "outputTokensPerCpuSecond", title: "output tokens/CPU-s" },
      { key: "ratio", title: "× peer", digits: 1 }
    ],
    rows: [
      row("simulation, compiled code warm", warm, warm.cpu),
      row("simulation, first of a fresh process", cold[0]!, simulating(cold)),
      row("whole process, Node's start included", cold[0]!, whole(cold)),
      row("whole process, Node's start included", short[0]!, whole(short)),
      { what: "peer: inference-sim, whole process", ...PEER, ratio: 1 }
    ],
    notes: [
      `Warm: after ${WARM_UP} runs, median of ${warm.cpu.length}; fresh: median of ${FRESH} processes. ± is half the range over the median.`,
      "The peer was measured on another machine of two cores (docs/performance.md). Aim: 50× in the simulation."
    ]
  }
}
