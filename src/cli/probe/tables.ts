/** What a probe measured, as people read it. */
import type { OperationTiming } from "../../engine/probe/operations.ts"
import { NOISY } from "../../engine/probe/sample.ts"
import type { AdapterCard } from "../../engine/webgpu/device.ts"
import type { Calibrated } from "../../planning/calibrate/profile.ts"
import type { Hardware } from "../../scenario/resolved.ts"
import type { Refit } from "../../twin/refit.ts"
import type { Probed } from "../engine/probe.ts"
import type { Column } from "../output/grid.ts"
import { bytes, percent, seconds, significant } from "../output/number.ts"
import { figureWords, untoldWords } from "../output/refit-words.ts"

export type Copy = Probed["copies"][number]

/** Bytes/s; within the device each byte is read and written, both count. */
export const rate = ({ path, bytes: size, seconds: took }: Copy): number =>
  ((path === "copy" ? 2 : 1) * size) / took

const noise = <Row extends { readonly spread: number }>(): readonly Column<Row>[] => [
  { title: "spread", key: "spread", text: (one) => percent(one.spread), value: (one) => one.spread },
  {
    title: "",
    key: "noisy",
    left: true,
    text: ({ spread }) => (spread > NOISY ? "noisy" : ""),
    value: ({ spread }) => spread > NOISY
  }
]

export const copyColumns: readonly Column<Copy>[] = [
  { title: "path", key: "path", left: true, text: ({ path }) => path, value: ({ path }) => path },
  { title: "bytes", key: "bytes", text: (one) => bytes(one.bytes), value: (one) => one.bytes },
  { title: "median", key: "seconds", text: (one) => seconds(one.seconds), value: (one) => one.seconds },
  { title: "rate", key: "bytes_per_s", text: (one) => `${bytes(rate(one))}/s`, value: rate },
  ...noise<Copy>()
]

/** Shares of `hardware`'s peaks that operations reach, launches included. */
export const operationColumns = ({
  hbm,
  flops
}: Pick<Hardware, "hbm" | "flops">): readonly Column<OperationTiming>[] => {
  const count = (title: "batch" | "positions" | "context"): Column<OperationTiming> => ({
    title,
    key: title,
    text: (one) => String(one[title]),
    value: (one) => one[title]
  })
  const what = ({ operation, cache }: OperationTiming): string =>
    operation === "attention" ? `attention, ${cache} KV` : operation
  const memory = (one: OperationTiming): number => one.bytes / one.seconds / hbm.bandwidth
  const compute = (one: OperationTiming): number => one.flops / one.seconds / flops[16]
  return [
    { title: "operation", key: "operation", left: true, text: what, value: what },
    count("batch"),
    count("positions"),
    count("context"),
    { title: "median", key: "seconds", text: (one) => seconds(one.seconds), value: (one) => one.seconds },
    { title: "of bandwidth", key: "memory", text: (one) => percent(memory(one)), value: memory },
    { title: "of FLOP/s", key: "compute", text: (one) => percent(compute(one)), value: compute },
    ...noise<OperationTiming>()
  ]
}

const off = (error: number): string => `${(100 * error).toFixed(1)} %`

/** What was fitted to the timings of one kind of operation. */
export const fitWords = ({ operation, fit, quality }: Calibrated): string =>
  `${operation}: ${percent(fit.memory)} of bandwidth, ${percent(fit.compute)} of FLOP/s, ${seconds(fit.overhead)} a launch; ${off(quality.heldOutMedianError)} off in the median, ${off(quality.heldOutP90Error)} at p90, of ${quality.heldOut} timings kept apart`

/** Share of a copy from which on a driver hides it whatever WebGPU's one queue says. */
export const HIDES = 0.5

const overlapWords = ({ overlap }: Probed): string => {
  const { compute, copy, both, hidden } = overlap
  const found =
    hidden === undefined
      ? "too noisy to say how much is hidden; taken as one queue, as WebGPU has it"
      : `${percent(hidden)} of the shorter is hidden: ${hidden >= HIDES ? "copies run beside passes" : "passes and copies share one queue"}`
  return `overlap: passes ${seconds(compute.seconds)}, uploads ${seconds(copy.seconds)}, both at once ${seconds(both.seconds)}: ${found}`
}

/** An adapter, and whether it has what kernels use where it is there. */
const adapterWords = ({ name, kind, features }: AdapterCard): string => {
  const there = (feature: string): string => (features.includes(feature) ? "" : "no ")
  return `${name}, ${kind} adapter, ${there("shader-f16")}f16, ${there("subgroups")}subgroups`
}

export const words = (probed: Probed, { figures, untold, passes }: Refit): readonly string[] => [
  `an empty submit: ${seconds(probed.submit.seconds)}, spread ${percent(probed.submit.spread)}`,
  overlapWords(probed),
  ...Object.entries(figures).map(([name, value]) => `${name}: ${figureWords(name, value)}`),
  ...untoldWords(untold),
  `times of passes: ${off(passes.heldOutMedian)} off in the median, ${off(passes.heldOutP90)} at p90, of ${significant(passes.heldOut)} kept apart from the ${significant(passes.samples)} fitted to`,
  adapterWords(probed.card)
]
