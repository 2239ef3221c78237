/** Columns of results in words: what they are called, in which unit, and what they mean. */
import type { Cell } from "../../planning/files/table.ts"

export interface Words {
  readonly label: string
  /** What it means and how it is measured, for hover. */
  readonly definition: string
}

const QUANTILES: Readonly<Record<string, string>> = {
  mean: "mean over requests",
  min: "least of all requests",
  p50: "median over requests",
  p90: "90th percentile over requests",
  p95: "95th percentile over requests",
  p99: "99th percentile over requests",
  max: "most of all requests"
}
const LATENCIES: Readonly<Record<string, string>> = {
  ttft: "Time to first token: from a request's arrival to its first output token",
  tpot: "Time per output token of a request: (last − first token) / (tokens − 1)",
  itl: "Inter-token latency: between an output token and the one before it",
  e2el: "End-to-end latency: from a request's arrival to its last output token"
}
const LIMIT = /^limit_(.+)$/
const LATENCY = /^(ttft|tpot|itl|e2el)_([a-z0-9]+)_s$/

const KNOWN: Readonly<Record<string, Words>> = {
  method: { label: "method", definition: "Serving method" },
  seed: { label: "seed", definition: "Seed of all that is drawn by chance in the simulation" },
  tokens_per_s: { label: "tok/s", definition: "Output tokens per second of the run" },
  tokens_per_s_per_gpu: {
    label: "tok/s/GPU",
    definition: "Output tokens per second of the run, over its GPUs"
  },
  tokens_per_s_per_user: {
    label: "tok/s/user",
    definition: "Output tokens per second of one request while it decodes: 1 / mean TPOT"
  },
  requests_per_s: { label: "requests/s", definition: "Requests finished per second of the run" },
  duration_s: { label: "duration", definition: "From the first arrival to the last token" },
  limited_by: { label: "limited by", definition: "What most of the time went to" },
  gpus: { label: "GPUs", definition: "GPUs of the deployment" },
  rounds: { label: "rounds", definition: "Drafts that were verified" },
  window_mean: { label: "mean window", definition: "Tokens drafted a round, mean" },
  accepted_mean: {
    label: "mean accepted length",
    definition: "Drafted tokens that were confirmed a round, mean"
  },
  hbm_bytes: { label: "HBM traffic", definition: "Bytes read and written in HBM" },
  hbm_peak_bytes: { label: "HBM peak", definition: "Most bytes in HBM of one GPU at any time" },
  reload_bytes: { label: "reloaded", definition: "Full KV brought to the GPUs before verifications" },
  save_bytes: { label: "saved", definition: "New KV sent home to host memory" },
  fetch_bytes: { label: "fetched", definition: "Stored KV brought in when requests began" },
  stream_bytes: { label: "streamed", definition: "KV streamed to the GPUs within passes" },
  transfer_hidden_s: { label: "hidden transfer", definition: "Time of transfers beside which a pass ran" },
  transfer_exposed_s: { label: "exposed transfer", definition: "Time of transfers beside which no pass ran" }
}

/** Units as columns' names end with them. */
const UNITS = [
  [/_bytes_per_s$/, 1e9, "GB/s"],
  [/_flop_per_s$/, 1e12, "TFLOP/s"],
  [/_bytes$/, 2 ** 30, "GiB"],
  [/_tokens$/, 1, "tokens"],
  [/_s$/, 1, "s"],
  [/_w$/, 1, "W"]
] as const
const RATE = /(tokens|requests)_per_s/

const unitOf = (name: string) => (RATE.test(name) ? undefined : UNITS.find(([ending]) => ending.test(name)))

/** A column in words; axes keep the name that the sweep gave them. */
export const wordsOf = (name: string): Words => {
  const known = KNOWN[name]
  if (known !== undefined) return known
  const [, kind = "", quantile = ""] = LATENCY.exec(name) ?? []
  if (kind in LATENCIES && quantile in QUANTILES)
    return {
      label: `${kind.toUpperCase()} ${quantile}`,
      definition: `${LATENCIES[kind]!}; ${QUANTILES[quantile]!}`
    }
  const limit = LIMIT.exec(name)?.[1]
  if (limit !== undefined)
    return { label: `share of ${limit}`, definition: `Share of the time that went to: ${limit}` }
  const label = name.replace(unitOf(name)?.[0] ?? /$^/, "").replaceAll("_", " ")
  return { label, definition: `${name}, as the results have it` }
}

const TOKENS = /_tokens$/

/** What an axis is called, with the unit that its ticks leave out. */
export const axisText = (name: string): string =>
  `${wordsOf(name).label}${TOKENS.test(name) ? ", tokens" : ""}`

/** A value beside an axis, where room is short. */
export const tickText = (name: string, cell: Cell): string => cellText(TOKENS.test(name) ? "" : name, cell)

/** A value of a column with its unit; figures with four digits, whole numbers in full. */
export const cellText = (name: string, cell: Cell): string => {
  if (typeof cell === "boolean") return cell ? "yes" : "no"
  if (typeof cell !== "number") return cell ?? "–"
  const [, scale, unit] = unitOf(name) ?? [undefined, 1, ""]
  const short = unit === "s" && cell !== 0 && Math.abs(cell) < 1
  const value = short ? cell * 1000 : cell / scale
  const digits = Number.isInteger(value) ? value : Number(value.toPrecision(4))
  const number = digits.toLocaleString("en", { maximumFractionDigits: 20 })
  return unit === "" ? number : `${number} ${short ? "ms" : unit}`
}
