/** The closed forms of a scenario spelt out, quantity by quantity, each with its equation: what `vericache theory` prints. */
import type { Method, Scenario } from "../../scenario/resolved.ts"
import { fullKv } from "./baselines.ts"
import { alphaForSpeedup, hiddenLink, linkForSpeedup } from "./critical.ts"
import { meanContext, plainState, steadyState } from "./parameters.ts"
import { predict, predictRemote } from "./predict.ts"
import {
  bestMix,
  type Limit,
  LIMITS,
  loads,
  type Mix,
  PATHS,
  remoteRequestTime,
  type RemotePrefix
} from "./remote.ts"
import {
  averageKv,
  fullKvBatch,
  fullKvIteration,
  gpuTime,
  operatingPoint,
  reloadBytes,
  reloadSpan,
  type SteadyState,
  transferTime
} from "./steady-state.ts"

type Unit =
  | "bytes"
  | "byte-seconds"
  | "bytes/s"
  | "seconds"
  | "tokens"
  | "tokens/s"
  | "groups"
  | "requests"
  | "requests/s"
  | "steps"
  | "iterations"
  | "ratio"

export interface Quantity {
  /** Empty if the paper has none. */
  readonly symbol: string
  readonly name: string
  /** In `unit`; undefined if there is no such value. */
  readonly value: number | undefined
  readonly unit: Unit
  /** Equation of arXiv:2605.17613 as `(7)`, or where else the value is from. */
  readonly source: string
}

export interface Explanation {
  /** In the order to be read: inputs first, results last. Of one group, unless the name says otherwise. */
  readonly quantities: readonly Quantity[]
  /** What bounds the throughput. */
  readonly limit: string
  /** What the figures take for granted. */
  readonly assumptions: readonly string[]
}

const quantity = (
  symbol: string,
  name: string,
  value: number | undefined,
  unit: Unit,
  source: string
): Quantity => ({
  symbol,
  name,
  value,
  unit,
  source
})

const IDEAL = [
  "HBM and link reach their full rate; arithmetic, launches and scheduling take no time",
  "every request has the workload's average context; rounds are spread evenly"
] as const
const SHARED = [
  "coefficients of (13)–(18) are ours: batches fill their pool's memory, a verify takes as long as a step",
  "requests are as many as the pools can take, and each goes the way that serves most of them"
] as const

const inputs = (scenario: Scenario): Quantity[] => {
  const { weights, kv, memory, hbmBandwidth, linkBandwidth, concurrency } = plainState(scenario)
  return [
    quantity("M", "weights", weights, "bytes", "model"),
    quantity("", "average context", meanContext(scenario), "tokens", "workload"),
    quantity("KV", "full KV of a request", kv, "bytes", "model, workload"),
    quantity("HBM", "memory for weights and KV", memory, "bytes", "hardware, engine"),
    quantity("BW_hbm", "HBM bandwidth", hbmBandwidth, "bytes/s", "hardware"),
    quantity("BW_inter", "link bandwidth", linkBandwidth, "bytes/s", "hardware"),
    quantity("", "requests at once, at most", concurrency, "requests", "workload, engine")
  ]
}

const fullKvRows = (scenario: Scenario): Quantity[] => {
  const plain = plainState(scenario)
  const { batch, iteration, throughput } = fullKv(plain)
  return [
    quantity("⌊(HBM−M)/KV⌋", "full-KV requests that fit", fullKvBatch(plain), "requests", "(6)"),
    quantity("", "full-KV batch", batch, "requests", "(6), demand"),
    quantity("B·T_tok", "full-KV iteration", iteration, "seconds", "(12)"),
    quantity("", "full-KV throughput", throughput, "tokens/s", "(12)")
  ]
}

/** One round: what is drafted, what HBM and link do meanwhile. */
const roundRows = (state: SteadyState, batch: number, window: number): Quantity[] => [
  quantity("c", "compressed KV over full KV", state.keep, "ratio", "compressor"),
  ...(state.drafter === undefined ? [] : [quantity("", "draft steps in a window", window, "steps", "(11)")]),
  quantity("x", "draft window", window * (state.drafter?.tokens ?? 1), "tokens", "window policy, (11)"),
  quantity("γ·x", "accepted length", state.accepted(window), "tokens", "acceptance"),
  quantity(
    "KV_avg",
    "KV read per request and iteration",
    averageKv(state.kv, state.keep, window),
    "bytes",
    "(5)"
  ),
  quantity("B_c", "batch", batch, "requests", "(6), demand"),
  quantity("T_gpu", "HBM time", gpuTime(state, batch, window), "seconds", "(7)"),
  quantity("T_xfer", "link time", transferTime(state, batch, window), "seconds", "(8)")
]

/** What a reload needs of the link, and from which link rate and acceptance on rounds pay at all. */
const reloadRows = (state: SteadyState, batch: number, window: number, iteration: number): Quantity[] => {
  if (state.reload === "none") return []
  const { windows, iterations } = reloadSpan(state, iteration)
  const hidden = hiddenLink(state, batch, window)
  const booked = operatingPoint({ ...state, hold: "reload" }, window)
  return [
    quantity("", "bytes a verify reloads", reloadBytes(state), "bytes", `reload: ${state.reload}`),
    quantity("ℓ_r", "iterations of the link a reload fills", windows, "iterations", "ADMIT"),
    quantity("S_r", "iterations a reload starts ahead", iterations, "iterations", "ADMIT"),
    quantity("", "batch if reloads hold HBM from their start", booked?.batch, "requests", "HBM ring"),
    quantity("", "throughput then", booked?.throughput, "tokens/s", "(11), HBM ring"),
    quantity("", "link that hides all reloads of this batch", hidden, "bytes/s", "(7) = (8)"),
    quantity("", "link from which it beats full KV", linkForSpeedup(state), "bytes/s", "(11)"),
    quantity("", "i.i.d. acceptance from which it beats full KV", alphaForSpeedup(state), "ratio", "(11)")
  ]
}

const explainGroup = (scenario: Scenario, method: Method): Explanation => {
  const { batch, iteration, throughput, limit, window } = predict(scenario, method)
  const state = steadyState(scenario, method)
  const full = predict(scenario, { kind: "full-kv" }).throughput
  const speedup = full > 0 ? throughput / full : undefined
  const own =
    state === undefined || window === undefined
      ? [quantity("B", "batch", batch, "requests", "(6), demand")]
      : [...roundRows(state, batch, window), ...reloadRows(state, batch, window, iteration)]
  const [time, rate] = state === undefined ? ["(12)", "(12)"] : ["(10)", "(11)"]
  const quantities = [
    ...inputs(scenario),
    ...fullKvRows(scenario),
    ...own,
    quantity("T_iter", "iteration", iteration, "seconds", time),
    quantity("", "throughput", throughput, "tokens/s", rate),
    quantity(
      "",
      "throughput of all groups",
      throughput * scenario.engine.dataParallelSize,
      "tokens/s",
      "replicas"
    ),
    quantity("", "speed-up over full KV", speedup, "ratio", `${rate} / (12)`)
  ]
  return { quantities, limit, assumptions: IDEAL }
}

const unitOf = (limit: Limit): Unit =>
  limit.endsWith("net") ? "bytes" : limit.endsWith("GPU") ? "seconds" : "byte-seconds"

/** What a request costs that is drafted remotely and verified locally. */
const splitRows = (state: RemotePrefix): Quantity[] => {
  const { keep, kv, window, accepted } = state
  const step = (bytes: number): number => {
    const request = { ...state, kv: bytes }
    return fullKvIteration(request, Math.max(1, fullKvBatch(request)))
  }
  const decode = step(keep * kv)
  const forward = step(kv)
  const { split } = loads(state)
  return [
    quantity("c", "compressed KV over full KV", keep, "ratio", "compressor"),
    quantity("x", "draft window", window, "tokens", "window policy, (13)–(18)"),
    quantity("γ·x", "accepted length", accepted, "tokens", "acceptance"),
    quantity("T_decode", "draft step of a full batch", decode, "seconds", "(12)"),
    quantity("T_fwd", "verify pass of a full batch", forward, "seconds", "(12)"),
    quantity("T_req", "time of a split request", remoteRequestTime(state, decode, forward), "seconds", "(4)"),
    ...LIMITS.map((limit, i) =>
      quantity("L", `${limit} of a split request`, split[limit], unitOf(limit), `(${13 + i}), ours`)
    ),
    quantity("", "throughput if all are split", bestMix(state, ["split"]).throughput, "tokens/s", "(13)–(18)")
  ]
}

const explainRemote = (scenario: Scenario, method: Method, state: RemotePrefix, mix: Mix): Explanation => {
  const { local, remote, localBandwidth, remoteBandwidth, output } = state
  const full = predictRemote(scenario, { kind: "full-kv" })!.mix.throughput
  const quantities = [
    ...inputs(scenario),
    quantity("K", "output of a request", output, "tokens", "workload"),
    quantity("G_L", "local groups", local, "groups", "deployment"),
    quantity("G_R", "remote groups", remote, "groups", "deployment"),
    quantity("BW_h", "store to a local group", localBandwidth, "bytes/s", "deployment"),
    quantity("BW_l", "store to a remote group", remoteBandwidth, "bytes/s", "deployment"),
    ...(method.kind === "vericache" ? splitRows(state) : []),
    ...PATHS.map((path) =>
      quantity("n", `requests served ${path}`, mix.requests[path], "requests/s", "(13)–(18)")
    ),
    quantity("", "throughput of all groups", mix.throughput, "tokens/s", "(13)–(18)"),
    quantity("", "speed-up over full KV", full > 0 ? mix.throughput / full : undefined, "ratio", "(13)–(18)")
  ]
  return { quantities, limit: mix.limits.join(", "), assumptions: [...IDEAL, ...SHARED] }
}

/** Everything the closed forms say about a method on a scenario. */
export const explain = (scenario: Scenario, method: Method): Explanation => {
  const remote = predictRemote(scenario, method)
  return remote === undefined
    ? explainGroup(scenario, method)
    : explainRemote(scenario, method, remote.state, remote.mix)
}
