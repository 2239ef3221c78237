/** A point as a row of the results: which it is, what its axes were set to, what came of it. */
import { LIMITS, type RunMetrics } from "../../trace/metrics.ts"
import { inWords } from "../objectives.ts"
import type { PointOptions, PointOutcome } from "../points.ts"
import type { Cell, Column, Row } from "../files/table.ts"
import type { Axis } from "./axis.ts"
import type { DesignPoint } from "./design.ts"

type Of<A> = Column & { readonly of: (from: A) => Cell }

const column = <A>(name: string, type: Column["type"], of: (from: A) => Cell): Of<A> => ({ name, type, of })

/** Which point. Rows say of what sweep they are, so that files of several can be told apart wherever they go. */
const IDENTITY: readonly Column[] = [
  { name: "sweep", type: "text" },
  { name: "points", type: "whole" },
  { name: "point", type: "whole" },
  { name: "seed", type: "whole" },
  { name: "method", type: "text" }
]

const OUTCOME: readonly Of<PointOutcome>[] = [
  column("status", "text", ({ kind }) => kind),
  // Every figure of a row; the scenario says what they rest on.
  column("basis", "text", ({ kind }) => (kind === "simulated" ? "modelled" : undefined)),
  column("caveats", "text", (outcome) =>
    outcome.kind === "simulated" && outcome.caveats.length > 0 ? outcome.caveats.join("; ") : undefined
  ),
  column("lossless", "boolean", (outcome) => (outcome.kind === "simulated" ? outcome.lossless : undefined)),
  column("reason", "text", (outcome) => ("reason" in outcome ? outcome.reason : undefined)),
  column("needed_bytes", "number", (outcome) => ("needed" in outcome ? outcome.needed : undefined)),
  column("available_bytes", "number", (outcome) => ("available" in outcome ? outcome.available : undefined)),
  column("objectives_met", "boolean", (outcome) =>
    outcome.kind !== "simulated" || outcome.objectives.length === 0
      ? undefined
      : outcome.objectives.every(({ met }) => met)
  ),
  column("objectives_missed", "text", (outcome) => {
    const missed = outcome.kind === "simulated" ? outcome.objectives.filter(({ met }) => !met) : []
    return missed.length === 0 ? undefined : missed.map(inWords).join("; ")
  })
]

const LATENCIES = ["ttft", "tpot", "itl", "e2el"] as const
const QUANTILES = ["mean", "min", "p50", "p90", "p95", "p99", "max"] as const

/** Everything measured of a run, flat; names as in `vericache simulate -f csv` where that has them. */
export const METRICS: readonly Of<RunMetrics>[] = [
  column("gpus", "whole", (m) => m.gpus),
  column("duration_s", "number", (m) => m.duration),
  column("tokens_per_s", "number", (m) => m.throughput.tokensPerSecond),
  column("tokens_per_s_per_gpu", "number", (m) => m.throughput.perGpu),
  column("tokens_per_s_per_user", "number", (m) => m.throughput.perUser),
  column("requests_per_s", "number", (m) => m.throughput.requestsPerSecond),
  ...LATENCIES.flatMap((name) =>
    QUANTILES.map((q) => column(`${name}_${q}_s`, "number", (m: RunMetrics) => m[name][q]))
  ),
  column("limited_by", "text", ({ limits }) =>
    LIMITS.reduce((largest, limit) => (limits[limit] > limits[largest] ? limit : largest), LIMITS[0])
  ),
  ...LIMITS.map((limit) => column(`limit_${limit}`, "number", (m: RunMetrics) => m.limits[limit])),
  ...(["arrived", "finished", "cancelled", "timedOut", "failed"] as const).map((name) =>
    column(
      `requests_${name === "timedOut" ? "timed_out" : name}`,
      "whole",
      (m: RunMetrics) => m.requests[name]
    )
  ),
  column("preemptions", "whole", (m) => m.events.preemptions),
  column("fallbacks", "whole", (m) => m.events.fallbacks),
  column("transfer_failures", "whole", (m) => m.events.transferFailures),
  column("passes", "whole", (m) => m.events.iterations),
  column("prompt_tokens_total", "whole", (m) => m.promptTokens),
  column("output_tokens_total", "whole", (m) => m.outputTokens),
  column("rounds", "whole", (m) => m.rounds.count),
  column("window_mean", "number", (m) => m.rounds.meanWindow),
  column("accepted_mean", "number", (m) => m.rounds.meanAccepted),
  column("drafted_tokens", "whole", (m) => m.rounds.drafted),
  column("accepted_tokens", "whole", (m) => m.rounds.accepted),
  column("committed_tokens", "whole", (m) => m.rounds.committed),
  ...(["reload", "save", "fetch", "stream", "hbm"] as const).map((kind) =>
    column(`${kind}_bytes`, "number", (m: RunMetrics) => m.bytes[kind])
  ),
  column("transfer_hidden_s", "number", (m) => m.transfers.hidden),
  column("transfer_exposed_s", "number", (m) => m.transfers.exposed),
  ...(["gpu", "hbm", "linkIn", "linkOut"] as const).map((name) =>
    column(`utilisation_${name}`, "number", (m: RunMetrics) => m.utilisation[name])
  ),
  column("batch_peak", "whole", (m) => m.peak.batch),
  column("waiting_peak", "whole", (m) => m.peak.waiting),
  column("hbm_peak_bytes", "number", (m) => m.peak.hbmBytes)
]

type Simulated = Extract<PointOutcome, { readonly kind: "simulated" }>

/** The closed forms of arXiv:2605.17613, of one group, without overheads. */
const THEORY: readonly Of<Simulated>[] = [
  column("theory_group_tokens_per_s", "number", ({ theory }) => theory?.throughput),
  column("theory_batch", "number", ({ theory }) => theory?.batch),
  column("theory_iteration_s", "number", ({ theory }) => theory?.iteration),
  column("theory_window", "number", ({ theory }) => theory?.window),
  column("theory_accepted", "number", ({ theory }) => theory?.accepted),
  column("theory_limit", "text", ({ theory }) => theory?.limit)
]
const DIGEST: readonly Of<Simulated>[] = [column("trace_digest", "text", ({ digest }) => digest)]

const extras = ({ theory, digest }: PointOptions): readonly Of<Simulated>[] => [
  ...(theory === true ? THEORY : []),
  ...(digest === true ? DIGEST : [])
]

const plain = ({ name, type }: Column): Column => ({ name, type })

/** Columns that are there whatever varies, by name. */
const FIXED: ReadonlyMap<string, Column["type"]> = new Map(
  [...IDENTITY, ...OUTCOME, ...METRICS, ...THEORY, ...DIGEST].map(({ name, type }) => [name, type])
)

/** Whether a column of this name is there anyway. */
export const isReserved = (name: string): boolean => FIXED.has(name)

/** Type of a column that is there whatever varies; undefined for those of axes. */
export const fixedType = (name: string): Column["type"] | undefined => FIXED.get(name)

/** Columns of a sweep over these axes. */
export const columnsOf = (axes: readonly Axis[], options: PointOptions): readonly Column[] => [
  ...IDENTITY,
  ...axes.map((axis): Column => ({ name: axis.column, type: axis.type })),
  ...[...OUTCOME, ...METRICS, ...extras(options)].map(plain)
]

/** What every row of a sweep begins with. */
export interface SweepIdentity {
  /** Fingerprint of all that the results depend on. */
  readonly sweep: string
  /** Points of the whole sweep. */
  readonly points: number
}

/** Nothing that is no number reaches a file. */
const finite = (cell: Cell): Cell => (typeof cell === "number" && !Number.isFinite(cell) ? undefined : cell)

/** The row of a point, in the order of `columnsOf`. */
export const rowOf = (
  { sweep, points }: SweepIdentity,
  index: number,
  { seed, method, cells }: DesignPoint,
  methodNames: readonly string[],
  outcome: PointOutcome,
  options: PointOptions
): Row => {
  const simulated = outcome.kind === "simulated" ? outcome : undefined
  const name = "method" in outcome ? outcome.method : methodNames[method]
  return [
    sweep,
    points,
    index,
    seed,
    name,
    ...cells,
    ...OUTCOME.map(({ of }) => of(outcome)),
    ...METRICS.map(({ of }) => simulated && of(simulated.metrics)),
    ...extras(options).map(({ of }) => simulated && of(simulated))
  ].map(finite)
}
