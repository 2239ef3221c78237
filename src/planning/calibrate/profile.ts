/** A hardware profile from what was fitted: fields of a hardware file that changes a catalog entry. */
import { digits, efficiencyFile, tablesFile } from "../../scenario/hardware-file.ts"
import type { Efficiency, Hardware, KernelTables, Operation } from "../../scenario/resolved.ts"
import { OPERATIONS } from "../../scenario/resolved.ts"
import { boundOf, type FitQuality, fitAndJudge, type Held, type Peaks, type Sample } from "./fit.ts"

/** Fewest samples a fit is made of. */
const FEWEST = 8

export interface Calibrated {
  readonly operation: Operation
  readonly fit: Efficiency
  readonly quality: FitQuality
}

/**
 * What of a kind no call of it shows, and the other kind of attention does. Single queries are never bound by arithmetic, and
 * prompts hardly ever by reading KV; the kernels are the same.
 */
const SHOWN_ELSEWHERE: Readonly<Partial<Record<Operation, Held>>> = {
  "attention-decode": "compute",
  "attention-prefill": "memory"
}

/** How well a kind of operation was fitted, as a profile keeps it. */
export const fitOf = ({ operation, quality }: Calibrated) => ({
  operation,
  samples: quality.samples,
  held_out: quality.heldOut,
  median_error: digits(quality.medianError),
  held_out_median_error: digits(quality.heldOutMedianError),
  held_out_p90_error: digits(quality.heldOutP90Error),
  held_out_bias: digits(quality.heldOutBias)
})

/** Fits every kind of operation that has samples enough; notes say which have not. */
export const calibrate = (
  samples: Readonly<Partial<Record<Operation, readonly Sample[]>>>,
  hardware: Hardware,
  peaks: Peaks
): { readonly fits: readonly Calibrated[]; readonly notes: readonly string[] } => {
  const notes: string[] = []
  let decodeMemory: number | undefined
  const fits = OPERATIONS.flatMap((operation): Calibrated[] => {
    const some = samples[operation] ?? []
    if (some.length < FEWEST) {
      notes.push(
        `${operation}: ${some.length === 0 ? "not measured" : `only ${some.length} measurements`}; ${hardware.name}'s figures are kept`
      )
      return []
    }
    const own = hardware.efficiency[operation]
    const start =
      operation === "attention-prefill" && decodeMemory !== undefined ? { ...own, memory: decodeMemory } : own
    const { fit, quality } = fitAndJudge(some, peaks, start, SHOWN_ELSEWHERE[operation])
    if (operation === "attention-decode") decodeMemory = fit.memory
    if (fit.memory >= 0.99 || fit.compute >= 0.99)
      notes.push(`${operation}: measured at or above the datasheet's peak; its share is held at 0.99`)
    if (operation in SHOWN_ELSEWHERE) return [{ operation, fit, quality }]
    const bound = new Set(some.map((one) => boundOf(one, fit, peaks).by))
    if (!bound.has("memory"))
      notes.push(`${operation}: no measurement was bound by memory; ${hardware.name}'s share is kept`)
    if (!bound.has("compute"))
      notes.push(`${operation}: no measurement was bound by arithmetic; ${hardware.name}'s share is kept`)
    return [{ operation, fit, quality }]
  })
  const prompts = fits.find(({ operation }) => operation === "attention-prefill")
  // Single queries once more, with what arithmetic costs as prompts have shown it.
  const completed = fits.map((one) =>
    one.operation === "attention-decode" && prompts !== undefined
      ? {
          ...one,
          ...fitAndJudge(
            samples["attention-decode"]!,
            peaks,
            { ...one.fit, compute: prompts.fit.compute },
            "compute"
          )
        }
      : one
  )
  return { fits: completed, notes }
}

/** Median of predicted over measured − 1 from which on times are not the card's, whatever share of it the fit takes. */
const BEYOND_DATASHEET = 0.3

/** Why times cannot be those of these shapes on this card: matmuls far faster than its datasheet allows. */
export const impossibleTimes = (
  fits: readonly Calibrated[],
  hardware: Hardware,
  model: string,
  ranks: number
): string | undefined => {
  const matmul = fits.find(({ operation }) => operation === "matmul")
  if (matmul === undefined || matmul.quality.heldOutBias < BEYOND_DATASHEET) return undefined
  const percent = (matmul.quality.heldOutBias * 100).toFixed(0)
  return `the layers are faster than ${hardware.name} can be: at its datasheet's peak ${model}'s matmuls over ${ranks} ${ranks === 1 ? "rank" : "ranks"} take ${percent} % longer than measured, at the median. Were they split over more ranks (--tensor-parallel-size ${2 * ranks}), or measured on another card or model?`
}

export interface ProfileParts {
  readonly name: string
  /** Catalog entry the profile changes. */
  readonly base: string
  /** Files it is made from. */
  readonly from: readonly string[]
  readonly fits: readonly Calibrated[]
  readonly tables?: KernelTables
  /** Figures of all-reduces or found by replaying a run, by path: `interconnect.bandwidth`, `interconnect.latency`, `step_overhead`. */
  readonly figures: Readonly<Record<string, number>>
  readonly notes: readonly string[]
}

/** The fields of the profile's file, `extends` first. */
export const profileFields = (parts: ProfileParts, hardware: Hardware): Readonly<Record<string, unknown>> => {
  const { name, base, from, fits, tables, figures, notes } = parts
  const bandwidth = figures["interconnect.bandwidth"]
  const latency = figures["interconnect.latency"]
  const step = figures["step_overhead"]
  return {
    extends: base,
    name,
    source: `peaks of ${base}; calibrated from ${from.join(", ")}`,
    basis: "measured",
    ...(fits.length === 0
      ? {}
      : {
          efficiency: {
            source: `fitted to one half of ${from.join(", ")}, judged by the other: see calibration; kinds that are not there are ${base}'s`,
            ...Object.fromEntries(fits.map(({ operation, fit }) => [operation, efficiencyFile(fit)]))
          }
        }),
    ...(bandwidth === undefined
      ? {}
      : {
          interconnect: {
            bandwidth: digits(bandwidth),
            latency: latency === undefined ? hardware.interconnect.latency : digits(latency)
          }
        }),
    ...(step === undefined ? {} : { step_overhead: digits(step) }),
    ...(tables === undefined ? {} : { tables: tablesFile(tables) }),
    calibration: {
      from,
      fits: fits.map(fitOf),
      notes
    }
  }
}
