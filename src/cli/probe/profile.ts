/** From what a probe measured to a hardware profile: links from copies, shares from single operations, host work from whole passes. */
import type { OperationTiming } from "../../engine/probe/operations.ts"
import { calibrate, type Calibrated, fitOf } from "../../planning/calibrate/profile.ts"
import type { Sample } from "../../planning/calibrate/fit.ts"
import { hardwareFile } from "../../scenario/hardware-file.ts"
import { weightBytes } from "../../scenario/model-shape.ts"
import type { Hardware, Operation, Scenario } from "../../scenario/resolved.ts"
import { layerCount } from "../../sim/cost/linear.ts"
import { rowBlocks } from "../../sim/cost/row-blocks.ts"
import { fitLink, type LinkFit } from "../../twin/link-fit.ts"
import { passFacts } from "../../twin/pass-price.ts"
import { recordedPasses } from "../../twin/passes.ts"
import { type Refit, refit } from "../../twin/refit.ts"
import { fitOfPasses } from "../calibrate/traces.ts"
import type { Probed } from "../engine/probe.ts"
import { bytes, percent, seconds } from "../output/number.ts"
import { type Copy, HIDES, rate } from "./tables.ts"

/** Most FLOP/s of the model's weights that any pass, or of anything that any operation reached. */
const bestArithmetic = (scenario: Scenario, { passes, operations }: Probed): number => {
  const parameters = weightBytes(scenario.model) / scenario.model.weightBytesPerParam
  const ofPasses = passes.flatMap(({ method, trace }) =>
    recordedPasses(trace, passFacts(scenario, method)).map(({ load, seconds: took }) => {
      const { decode, draft, verify, prefill } = load
      return (
        (2 * parameters * (decode.positions + draft.positions + verify.positions + prefill.positions)) / took
      )
    })
  )
  return Math.max(...ofPasses, ...operations.map(({ flops, seconds: took }) => flops / took))
}

/** The link of one direction: fitted to every second repetition at each size, judged by the others. */
const linkOf = (copies: readonly Copy[], path: Copy["path"]): LinkFit | undefined =>
  fitLink(
    copies
      .filter((one) => one.path === path)
      .flatMap(({ bytes: size, all }) =>
        all.map((took) => ({ into: true, bytes: size, seconds: took, waited: 0 }))
      ),
    { bandwidth: 1e9, latency: 1e-3 }
  )

const operationOf = ({ operation, positions }: OperationTiming): Operation =>
  operation !== "attention" ? operation : positions > 1 ? "attention-prefill" : "attention-decode"

/** Repetitions of single operations, each a sample, as the roofline wants them. */
const samplesOf = (
  { operations, matmulRows }: Probed,
  layers: number
): Readonly<Partial<Record<Operation, readonly Sample[]>>> => {
  const found: Partial<Record<Operation, Sample[]>> = {}
  for (const timing of operations) {
    // Compressed KV has an efficiency of its own in a scenario's method.
    if (timing.cache !== "plain") continue
    const { bytes: read, flops, launches, operation, batch, positions } = timing
    const own = (found[operationOf(timing)] ??= [])
    const rows = batch * positions
    const cut = rowBlocks(rows, matmulRows)
    const work = {
      bytes: read,
      launches,
      ...(operation === "matmul" || operation === "lm-head"
        ? {
            flops: (flops * cut.computed) / rows,
            blocks: operation === "matmul" ? layers * cut.blocks : cut.blocks
          }
        : { flops })
    }
    for (const took of timing.all) own.push({ ...work, seconds: took })
  }
  return found
}

/** How compressed KV's attention does beside plain KV's of the same requests, in words. */
const relativeNotes = (operations: readonly OperationTiming[]): readonly string[] =>
  (["gathered", "quantised"] as const).flatMap((cache) => {
    const ratios = operations
      .filter((one) => one.cache === cache)
      .flatMap((one) => {
        const plain = operations.find(
          ({ cache: kind, operation, batch, positions, context }) =>
            kind === "plain" &&
            operation === "attention" &&
            batch === one.batch &&
            positions === one.positions &&
            context === one.context
        )
        return plain === undefined ? [] : [plain.seconds / plain.bytes / (one.seconds / one.bytes)]
      })
      .toSorted((a, b) => a - b)
    return ratios.length === 0
      ? []
      : [
          `attention over ${cache} KV: ${percent(ratios[ratios.length >> 1]!)} of plain KV's rate, byte by byte (a compressor's attention_efficiency)`
        ]
  })

export interface Profile {
  readonly fits: readonly Calibrated[]
  readonly notes: readonly string[]
  /** Undefined: too few passes were measured. */
  readonly found: Refit | undefined
}

/** `scenario`: of the probed model, on hardware whose capacities are all that is assumed. */
export const profileOf = (scenario: Scenario, probed: Probed): Profile => {
  const { copies, operations, submit, overlap } = probed
  const copied = Math.max(...copies.filter(({ path }) => path === "copy").map(rate))
  const [into, out] = [linkOf(copies, "upload"), linkOf(copies, "download")]
  const { hardware } = scenario
  const link = {
    ...hardware.link,
    hostToDevice: into?.bandwidth ?? hardware.link.hostToDevice,
    deviceToHost: out?.bandwidth ?? hardware.link.deviceToHost,
    latency: into?.latency ?? hardware.link.latency,
    ...(out === undefined ? {} : { deviceToHostLatency: out.latency })
  }
  const base: Hardware = {
    ...hardware,
    hbm: { ...hardware.hbm, bandwidth: copied },
    // WebGPU tells no peak: four times the best seen, so that shares have room beside what blocks cost.
    flops: { 16: Math.max(1e9, 4 * bestArithmetic(scenario, probed)) },
    host: { ...hardware.host, bandwidth: copied },
    link,
    ...(overlap.hidden !== undefined && overlap.hidden >= HIDES
      ? {}
      : { oneQueue: { submission: submit.seconds, ...probed.queue } })
  }
  const { fits, notes } = calibrate(samplesOf(probed, layerCount(scenario.model)), base, {
    bandwidth: copied,
    flops: base.flops[16]
  })
  const efficiency = {
    ...base.efficiency,
    ...Object.fromEntries(fits.map(({ operation, fit }) => [operation, fit]))
  }
  const on: Hardware = {
    ...base,
    efficiency,
    // The engine's attention computes each row by itself; its matmuls a few with the weights they have loaded.
    queryBlock: { rows: 1, packsHeads: false },
    matmulBlock: { rows: probed.matmulRows }
  }
  const runs = probed.passes.map(({ method, trace }) => ({
    scenario: { ...scenario, hardware: on },
    method,
    trace
  }))
  const refitted = refit(runs, on)
  const kept = notes.filter((one) => !one.includes("not measured"))
  const linkNotes = [
    ...(into === undefined ? [] : [linkWords("upload", into)]),
    ...(out === undefined ? [] : [linkWords("download", out)])
  ]
  return {
    fits,
    notes: [...linkNotes, ...kept, ...relativeNotes(operations)],
    // The probe's passes move nothing: the link is the copies'.
    found: refitted && { ...refitted, hardware: { ...refitted.hardware, link } }
  }
}

const linkWords = (path: string, { bandwidth, latency, heldOutMedian, samples }: LinkFit): string =>
  `${path}: ${bytes(bandwidth)}/s and ${seconds(latency)} a copy, fitted to ${samples} copies; ${(100 * heldOutMedian).toFixed(1)} % off in the median of the other repetitions`

/** The profile as a file. */
export const profileFile = ({
  probed: { card, copies, operations },
  fits,
  found,
  name,
  lines
}: {
  readonly probed: Probed
  readonly fits: readonly Calibrated[]
  readonly found: Refit
  readonly name: string
  readonly lines: readonly string[]
}): Readonly<Record<string, unknown>> => {
  const source = `vericache probe on ${card.name}`
  const mark = card.kind === "software" ? " (software adapter: no evidence of GPU speed)" : ""
  const { passes } = found
  return {
    ...hardwareFile(
      {
        ...found.hardware,
        name,
        origin: {
          basis: "measured",
          source: `${source}${mark}; capacities are assumed, peak FLOP/s is four times the best seen`
        },
        adapter: { name: card.name, kind: card.kind }
      },
      {
        link: `${source}: copies of ${bytes(copies[0]!.bytes)} and more`,
        efficiency: `${source}: single operations, then whole passes`
      }
    ),
    calibration: {
      from: ["vericache probe"],
      fits: [...fits.map(fitOf), fitOfPasses(passes)],
      notes: [
        ...copies.map(
          (one) =>
            `${one.path} of ${bytes(one.bytes)}: ${bytes(rate(one))}/s, spread ${percent(one.spread)} of ${one.repetitions}`
        ),
        ...operations.map(
          ({ operation, cache, batch, positions, context, seconds: took, spread, repetitions }) =>
            `${operation} over ${cache} KV, ${batch} × ${positions} positions, ${context} tokens: ${seconds(took)}, spread ${percent(spread)} of ${repetitions}`
        ),
        ...lines
      ]
    }
  }
}
