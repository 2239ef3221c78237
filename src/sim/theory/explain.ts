/** The closed forms of a scenario spelt out, quantity by quantity, each with its equation: what `vericache theory` prints. */
import type { Method, Scenario } from "../../scenario/resolved.ts"
import { alphaForSpeedup, hiddenLink, linkForSpeedup } from "./critical.ts"
import { fullKv } from "./baselines.ts"
import { meanContext, plainState, steadyState, workloadLengths } from "./parameters.ts"
import { predict, predictRemote } from "./predict.ts"
import {
  LIMITS,
  loads,
  type Mix,
  PATHS,
  remoteRequestTime,
  remoteSpeedup,
  type RemotePrefix,
  tokenTime
} from "./remote.ts"
import {
  averageKv,
  fullKvBatch,
  gpuTime,
  reloadBytes,
  reloadSpan,
  type SteadyState,
  transferTime
} from "./steady-state.ts"

export interface Quantity {
  readonly symbol: string
  readonly name: string
  /** In `unit`; undefined if there is no such value. */
  readonly value: number | undefined
  readonly unit:
    | "bytes"
    | "bytes/s"
    | "seconds"
    | "tokens"
    | "tokens/s"
    | "requests"
    | "requests/s"
    | "iterations"
    | "ratio"
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

const IDEAL = [
  "HBM and link reach their full rate; arithmetic, launches and scheduling take no time",
  "every request has the average context of the workload; rounds are spread evenly"
] as const
const REMOTE =
  "coefficients of (13)–(18) are ours: batches fill their pool's memory, verifying costs one full-batch step"

const inputs = (scenario: Scenario): Quantity[] => {
  const { weights, kv, memory, hbmBandwidth, linkBandwidth, concurrency } = plainState(scenario)
  return [
    { symbol: "M", name: "weights", value: weights, unit: "bytes", source: "model" },
    { symbol: "", name: "average context", value: meanContext(scenario), unit: "tokens", source: "workload" },
    { symbol: "KV", name: "full KV of a request", value: kv, unit: "bytes", source: "model, workload" },
    {
      symbol: "HBM",
      name: "memory for weights and KV",
      value: memory,
      unit: "bytes",
      source: "hardware, engine"
    },
    { symbol: "BW_hbm", name: "HBM bandwidth", value: hbmBandwidth, unit: "bytes/s", source: "hardware" },
    { symbol: "BW_inter", name: "link bandwidth", value: linkBandwidth, unit: "bytes/s", source: "hardware" },
    {
      symbol: "",
      name: "requests at once, at most",
      value: concurrency,
      unit: "requests",
      source: "workload, engine"
    }
  ]
}

const fullKvRows = (scenario: Scenario): Quantity[] => {
  const plain = plainState(scenario)
  const { batch, iteration, throughput } = fullKv(plain)
  return [
    {
      symbol: "⌊(HBM−M)/KV⌋",
      name: "full-KV batch that fits",
      value: fullKvBatch(plain),
      unit: "requests",
      source: "(6)"
    },
    { symbol: "B", name: "full-KV batch", value: batch, unit: "requests", source: "(6), demand" },
    { symbol: "B·T_tok", name: "full-KV iteration", value: iteration, unit: "seconds", source: "(12)" },
    { symbol: "", name: "full-KV throughput", value: throughput, unit: "tokens/s", source: "(12)" }
  ]
}

/** What a reload needs of the link, and from which link rate and acceptance rounds pay at all. */
const reloadRows = (state: SteadyState, batch: number, window: number, iteration: number): Quantity[] => {
  if (state.reload === "none") return []
  const { windows, iterations } = reloadSpan(state, iteration)
  return [
    {
      symbol: "",
      name: "bytes a verify reloads",
      value: reloadBytes(state),
      unit: "bytes",
      source: `reload: ${state.reload}`
    },
    {
      symbol: "ℓ_r",
      name: "iterations of the link a reload fills",
      value: windows,
      unit: "iterations",
      source: "ADMIT"
    },
    {
      symbol: "S_r",
      name: "iterations a reload starts ahead",
      value: iterations,
      unit: "iterations",
      source: "ADMIT"
    },
    {
      symbol: "",
      name: "link that hides all reloads here",
      value: hiddenLink(state, batch, window),
      unit: "bytes/s",
      source: "(7) = (8)"
    },
    {
      symbol: "",
      name: "link from which it beats full KV",
      value: linkForSpeedup(state),
      unit: "bytes/s",
      source: "(11)"
    },
    {
      symbol: "α",
      name: "i.i.d. acceptance from which it beats full KV",
      value: alphaForSpeedup(state),
      unit: "ratio",
      source: "(11)"
    }
  ]
}

const explainGroup = (scenario: Scenario, method: Method): Explanation => {
  const { batch, iteration, throughput, limit, window, accepted } = predict(scenario, method)
  const state = steadyState(scenario, method)
  const rows: Quantity[] = [...inputs(scenario), ...fullKvRows(scenario)]
  if (state !== undefined && window !== undefined) {
    const { keep, kv } = state
    rows.push(
      { symbol: "c", name: "compressed KV over full KV", value: keep, unit: "ratio", source: "compressor" },
      { symbol: "x", name: "draft window", value: window, unit: "tokens", source: "window policy, (11)" },
      { symbol: "γ·x", name: "accepted length", value: accepted, unit: "tokens", source: "acceptance" },
      {
        symbol: "KV_avg",
        name: "KV read per request and iteration",
        value: averageKv(kv, keep, window),
        unit: "bytes",
        source: "(5)"
      },
      { symbol: "B_c", name: "batch", value: batch, unit: "requests", source: "(6), demand" },
      {
        symbol: "T_gpu",
        name: "HBM time",
        value: gpuTime(state, batch, window),
        unit: "seconds",
        source: "(7)"
      },
      {
        symbol: "T_xfer",
        name: "link time",
        value: transferTime(state, batch, window),
        unit: "seconds",
        source: "(8)"
      },
      ...reloadRows(state, batch, window, iteration)
    )
  } else rows.push({ symbol: "B", name: "batch", value: batch, unit: "requests", source: "(6), demand" })
  const full = predict(scenario, { kind: "full-kv" }).throughput
  rows.push(
    {
      symbol: "T_iter",
      name: "iteration",
      value: iteration,
      unit: "seconds",
      source: state === undefined ? "(12)" : "(10)"
    },
    {
      symbol: "",
      name: "throughput",
      value: throughput,
      unit: "tokens/s",
      source: state === undefined ? "(12)" : "(11)"
    },
    {
      symbol: "",
      name: "throughput of all groups",
      value: throughput * scenario.engine.dataParallelSize,
      unit: "tokens/s",
      source: "replicas"
    },
    {
      symbol: "",
      name: "speed-up over full KV",
      value: full > 0 ? throughput / full : undefined,
      unit: "ratio",
      source: "(11) / (12)"
    }
  )
  return { quantities: rows, limit, assumptions: IDEAL }
}

const explainRemote = (scenario: Scenario, state: RemotePrefix, mix: Mix): Explanation => {
  const { keep, kv, window, accepted, local, remote, localBandwidth, remoteBandwidth } = state
  const draftBatch = Math.max(1, fullKvBatch({ ...state, kv: keep * kv }))
  const verifyBatch = Math.max(1, fullKvBatch(state))
  const decode = draftBatch * tokenTime({ ...state, kv: keep * kv }, draftBatch)
  const forward = verifyBatch * tokenTime(state, verifyBatch)
  const time = remoteRequestTime(state, decode, forward)
  const split = loads(state).split
  return {
    quantities: [
      ...inputs(scenario),
      {
        symbol: "K",
        name: "output of a request",
        value: workloadLengths(scenario).output,
        unit: "tokens",
        source: "workload"
      },
      { symbol: "G_L", name: "local groups", value: local, unit: "ratio", source: "deployment" },
      { symbol: "G_R", name: "remote groups", value: remote, unit: "ratio", source: "deployment" },
      {
        symbol: "BW_h",
        name: "store to a local group",
        value: localBandwidth,
        unit: "bytes/s",
        source: "deployment"
      },
      {
        symbol: "BW_l",
        name: "store to a remote group",
        value: remoteBandwidth,
        unit: "bytes/s",
        source: "deployment"
      },
      { symbol: "c", name: "compressed KV over full KV", value: keep, unit: "ratio", source: "compressor" },
      {
        symbol: "x",
        name: "draft window",
        value: window,
        unit: "tokens",
        source: "window policy, (13)–(18)"
      },
      { symbol: "γ·x", name: "accepted length", value: accepted, unit: "tokens", source: "acceptance" },
      {
        symbol: "T_decode",
        name: "draft step of a full batch",
        value: decode,
        unit: "seconds",
        source: "(12)"
      },
      {
        symbol: "T_fwd",
        name: "verify pass of a full batch",
        value: forward,
        unit: "seconds",
        source: "(12)"
      },
      {
        symbol: "T_req",
        name: "time of a request drafted remotely",
        value: time,
        unit: "seconds",
        source: "(4)"
      },
      ...LIMITS.map((limit, i): Quantity => {
        const unit = limit.endsWith("GPU") ? "seconds" : limit.endsWith("net") ? "bytes" : "ratio"
        const suffix = unit === "ratio" ? ", byte-seconds" : ""
        return {
          symbol: "L",
          name: `${limit} of such a request${suffix}`,
          value: split[limit],
          unit,
          source: `(${13 + i})`
        }
      }),
      ...PATHS.map((path): Quantity => ({
        symbol: "n",
        name: `requests on the ${path} path`,
        value: mix.requests[path],
        unit: "requests/s",
        source: "(13)–(18)"
      })),
      {
        symbol: "",
        name: "throughput of all groups",
        value: mix.throughput,
        unit: "tokens/s",
        source: "(13)–(18)"
      },
      {
        symbol: "",
        name: "speed-up over full KV",
        value: remoteSpeedup(state),
        unit: "ratio",
        source: "(13)–(18)"
      }
    ],
    limit: mix.limits.join(", "),
    assumptions: [...IDEAL, REMOTE]
  }
}

/** Everything the closed forms say about a method on a scenario. */
export const explain = (scenario: Scenario, method: Method): Explanation => {
  const remote = predictRemote(scenario, method)
  return remote === undefined
    ? explainGroup(scenario, method)
    : explainRemote(scenario, remote.state, remote.mix)
}
