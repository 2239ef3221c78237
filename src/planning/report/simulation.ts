/** Figures of a simulation: its methods side by side. */
import type { Basis } from "../../scenario/resolved.ts"
import { LIMITS, type RunMetrics } from "../../trace/metrics.ts"
import { barChart, sharesChart } from "./charts/bars.ts"
import { paretoFront, planeChart } from "./charts/plane.ts"
import { rangesChart, type Threshold } from "./charts/ranges.ts"
import type { ReportFigure } from "./document.ts"

/** A method and what it came to; without metrics it does not fit. */
export interface MethodFigures {
  readonly name: string
  readonly metrics: RunMetrics | undefined
}

/** A measured run beside them; seconds, tokens/s. */
export interface MeasuredFigures {
  readonly name: string
  readonly tokensPerSecond?: number
  readonly latencies: Readonly<
    Partial<Record<LatencyName, Readonly<Partial<Record<"p50" | "p90" | "p99", number>>>>>
  >
}

type LatencyName = "ttft" | "tpot" | "e2el"

/** How numbers are written; the same ways as in the tables. */
export interface Writing {
  readonly amount: (value: number) => string
  readonly seconds: (value: number) => string
  readonly percent: (share: number) => string
}

/** An objective, drawn where it belongs. */
export interface DrawnObjective extends Threshold {
  readonly metric: string
}

const LATENCIES: Readonly<Record<LatencyName, string>> = {
  ttft: "Time to first token",
  tpot: "Time per output token",
  e2el: "End-to-end latency"
}

const MARKS = ["p50", "p90", "p99"] as const

const basisWords = (measured: MeasuredFigures | undefined): string =>
  measured === undefined ? "All modelled, hence dashed." : "Solid: measured. Dashed: modelled."

export const simulationFigures = (
  methods: readonly MethodFigures[],
  objectives: readonly DrawnObjective[],
  measured: MeasuredFigures | undefined,
  { amount, seconds, percent }: Writing
): readonly ReportFigure[] => {
  const figure = (title: string, caption: string, svg: string): ReportFigure => ({
    kind: "figure",
    title,
    caption,
    svg
  })
  const rate = (name: string, value: number | undefined, basis: Basis) => ({
    name: basis === "measured" ? `${name} (measured)` : name,
    value,
    text: value === undefined ? "does not fit" : `${amount(value)} tok/s`,
    basis
  })
  const throughput = figure(
    "Throughput",
    `Output tokens per second of the whole deployment. ${basisWords(measured)}`,
    barChart("Throughput", [
      ...(measured?.tokensPerSecond === undefined
        ? []
        : [rate(measured.name, measured.tokensPerSecond, "measured")]),
      ...methods.map(({ name, metrics }) => rate(name, metrics?.throughput.tokensPerSecond, "modelled"))
    ])
  )
  const limits = figure(
    "What limits it",
    "Share of the GPUs' time that each limit accounts for. All modelled.",
    sharesChart(
      "What limits it",
      LIMITS,
      methods.map(({ name, metrics }) => ({
        name,
        shares: metrics === undefined ? [] : LIMITS.map((limit) => metrics.limits[limit])
      })),
      percent
    )
  )
  const latencies = (Object.keys(LATENCIES) as readonly LatencyName[]).map((latency) => {
    const real = measured?.latencies[latency]
    return figure(
      `${LATENCIES[latency]} (${latency.toUpperCase()})`,
      `p50 (large dot), p90 and p99, on a logarithmic scale. ${basisWords(measured)}`,
      rangesChart(
        LATENCIES[latency],
        [
          ...(real === undefined
            ? []
            : [
                {
                  name: measured!.name,
                  basis: "measured" as const,
                  marks: MARKS.flatMap((mark) => {
                    const value = real[mark]
                    return value === undefined ? [] : [{ name: mark, value }]
                  })
                }
              ]),
          ...methods.map(({ name, metrics }) => ({
            name,
            basis: "modelled" as const,
            marks:
              metrics === undefined
                ? []
                : MARKS.map((mark) => ({ name: mark, value: metrics[latency][mark] }))
          }))
        ],
        objectives.filter(({ metric }) => metric === latency),
        seconds,
        // Powers of ten of seconds are no round numbers of minutes.
        (value) => (value >= 120 ? `${amount(value)} s` : seconds(value))
      )
    )
  })
  const ran = methods.flatMap(({ name, metrics }) =>
    metrics === undefined || metrics.requests.finished === 0
      ? []
      : [{ name, x: metrics.throughput.perUser, y: metrics.throughput.perGpu }]
  )
  const tradeOff = figure(
    "Speed for one against throughput for all",
    "Upper right is better; ringed: no other method beats it in both. All modelled.",
    planeChart(
      "Speed for one against throughput for all",
      ran.map(({ name, x, y }, i) => ({
        name,
        basis: "modelled",
        hue: i,
        points: [{ x, y, title: `${name}: ${amount(x)} tok/s a user, ${amount(y)} tok/s a GPU` }]
      })),
      { title: "tok/s a user", show: amount },
      { title: "tok/s a GPU", show: amount },
      { front: paretoFront(ran, { x: "more", y: "more" }) }
    )
  )
  return [throughput, limits, ...latencies, ...(ran.length > 1 ? [tradeOff] : [])]
}
