/**
 * Remote prefix caching in closed form (arXiv:2605.17613, equations (4) and (12)–(18)): G_L GPUs beside the store and G_R
 * GPUs behind a slow network share the requests; what each path costs is linear in the requests that take it.
 *
 * The paper states the limits but not the coefficients of each path. Those below are our assumption: passes are bounded by
 * HBM, batches fill the memory of their pool, a KV occupies memory from the start of its transfer to its last use, and a
 * remote GPU drafts for other requests while one is being verified.
 */
import { maximise } from "./linear-program.ts"
import { fullKvBatch, fullKvIteration } from "./steady-state.ts"

/** Bytes, bytes/s, tokens; rates and memory of one group. */
export interface RemotePrefix {
  /** M */
  readonly weights: number
  /** KV */
  readonly kv: number
  /** c */
  readonly keep: number
  /** HBM bytes of one group. */
  readonly memory: number
  readonly hbmBandwidth: number
  /** BW_h: store to a local group. */
  readonly localBandwidth: number
  /** BW_l: store to a remote group. */
  readonly remoteBandwidth: number
  /** G_L, G_R */
  readonly local: number
  readonly remote: number
  /** K: output tokens of a request. */
  readonly output: number
  /** x */
  readonly window: number
  /** γ·x: tokens accepted of a window. */
  readonly accepted: number
}

/** T_tok(B) = (M/B + KV)/BW_hbm: GPU seconds per token and request in a batch of B. arXiv:2605.17613 (12) */
export const tokenTime = (
  state: Pick<RemotePrefix, "weights" | "kv" | "hbmBandwidth">,
  batch: number
): number => fullKvIteration(state, batch) / batch

/**
 * T_req = c·KV/BW_l + K/(x·γ)·T_cycle with T_cycle = max(x·T_decode, KV/BW_h) + T_fwd(x): seconds from a request's start to
 * its last token when a remote GPU drafts and a local one verifies. arXiv:2605.17613 (4), as printed: the verifier's own
 * token of each round is not counted, so it overstates T_req by up to one token in x·γ + 1.
 *
 * `decode`: T_decode, seconds of one draft step; `forward`: T_fwd(x), seconds of one verify pass.
 */
export const remoteRequestTime = (state: RemotePrefix, decode: number, forward: number): number => {
  const { kv, keep, remoteBandwidth, localBandwidth, output, window, accepted } = state
  const cycle = Math.max(window * decode, kv / localBandwidth) + forward
  return (keep * kv) / remoteBandwidth + (output / accepted) * cycle
}

/** How a request can be served: all of it beside the store, all of it remotely, or drafted remotely and verified locally. */
export const PATHS = ["local", "remote", "split"] as const
export type Path = (typeof PATHS)[number]
/** The paths without a verify. */
export const UNVERIFIED_PATHS = ["local", "remote"] as const satisfies readonly Path[]

/** The six limits (13)–(18): net (bytes), GPU time (s) and memory-time (bytes·s) of either pool. */
export const LIMITS = [
  "remote net",
  "remote GPU",
  "remote memory",
  "local net",
  "local GPU",
  "local memory"
] as const
export type Limit = (typeof LIMITS)[number]

/** What one request of a path takes of each limited resource; all in one pool, the other's are 0. */
type Load = Readonly<Record<Limit, number>>

const NO_LOAD: Load = {
  "remote net": 0,
  "remote GPU": 0,
  "remote memory": 0,
  "local net": 0,
  "local GPU": 0,
  "local memory": 0
}

/** A request decoded with KV of `kv` bytes fetched at `bandwidth`: net, GPU time, memory-time. */
const decoding = (state: RemotePrefix, kv: number, steps: number, bandwidth: number) => {
  const batch = fullKvBatch({ ...state, kv })
  const step = batch === 0 ? Number.POSITIVE_INFINITY : fullKvIteration({ ...state, kv }, batch)
  return { net: kv, gpu: (steps * step) / batch, memory: kv * (kv / bandwidth + steps * step) }
}

/** Coefficients L_i of the three paths. */
export const loads = (state: RemotePrefix): Readonly<Record<Path, Load>> => {
  const { kv, keep, output, window, accepted, localBandwidth, remoteBandwidth } = state
  const rounds = output / (accepted + 1)
  const near = decoding(state, kv, output, localBandwidth)
  const far = decoding(state, kv, output, remoteBandwidth)
  const draft = decoding(state, keep * kv, rounds * window, remoteBandwidth)
  // A verify is one pass over x + 1 positions; bounded by HBM it takes as long as a step of a full batch.
  const verify = decoding(state, kv, 1, localBandwidth)
  const away = rounds * (kv / localBandwidth + verify.gpu)
  return {
    local: { ...NO_LOAD, "local net": near.net, "local GPU": near.gpu, "local memory": near.memory },
    remote: { ...NO_LOAD, "remote net": far.net, "remote GPU": far.gpu, "remote memory": far.memory },
    split: {
      "remote net": draft.net,
      "remote GPU": draft.gpu,
      "remote memory": draft.memory + keep * kv * away,
      "local net": rounds * verify.net,
      "local GPU": rounds * verify.gpu,
      "local memory": rounds * verify.memory
    }
  }
}

/** What the pools offer per second. */
const capacities = (state: RemotePrefix): Load => {
  const kvMemory = Math.max(0, state.memory - state.weights)
  return {
    "remote net": state.remote * state.remoteBandwidth,
    "remote GPU": state.remote,
    "remote memory": state.remote * kvMemory,
    "local net": state.local * state.localBandwidth,
    "local GPU": state.local,
    "local memory": state.local * kvMemory
  }
}

export interface Mix {
  /** Requests/s on each path. */
  readonly requests: Readonly<Record<Path, number>>
  /** Tokens/s of both pools. */
  readonly throughput: number
  /** Limits that are reached, in the order of (13)–(18). */
  readonly limits: readonly Limit[]
}

/** The mix of paths with the largest throughput under Σ L_i·n_i ≤ capacity. arXiv:2605.17613 (13)–(18) */
export const bestMix = (state: RemotePrefix, paths: readonly Path[] = PATHS): Mix => {
  const load = loads(state)
  const capacity = capacities(state)
  const usable = paths.filter((path) => LIMITS.every((limit) => Number.isFinite(load[path][limit])))
  const rows = LIMITS.map((limit) => usable.map((path) => load[path][limit]))
  const n = maximise(
    usable.map(() => 1),
    rows,
    LIMITS.map((limit) => capacity[limit])
  )
  const requests = { local: 0, remote: 0, split: 0 }
  usable.forEach((path, i) => (requests[path] = n[i]!))
  const limits = LIMITS.filter((limit, i) => {
    const used = rows[i]!.reduce((sum, coefficient, j) => sum + coefficient * n[j]!, 0)
    return used > 0 && used >= capacity[limit] * (1 - 1e-9)
  })
  return { requests, throughput: n.reduce((sum, rate) => sum + rate, 0) * state.output, limits }
}

/** Throughput of the best mix over that of the best mix without the split path: what remote drafting buys. */
export const remoteSpeedup = (state: RemotePrefix): number =>
  bestMix(state).throughput / bestMix(state, UNVERIFIED_PATHS).throughput

/** The G_R/G_L among `ratios` with the largest speed-up over full KV on the same groups; the first wins a tie. */
export const bestRatio = (
  state: RemotePrefix,
  ratios: readonly number[]
): { readonly ratio: number; readonly speedup: number } => {
  let best = { ratio: 0, speedup: 0 }
  for (const ratio of ratios) {
    const speedup = remoteSpeedup({ ...state, remote: ratio * state.local })
    if (speedup > best.speedup) best = { ratio, speedup }
  }
  return best
}
