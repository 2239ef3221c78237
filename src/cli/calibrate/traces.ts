/** Recorded runs as a source of calibration: read, refitted, told, written as a whole hardware file. */
import { Console, Effect, Result } from "effect"
import { digits, hardwareFile } from "../../scenario/hardware-file.ts"
import { ScenarioInvalid } from "../../scenario/document.ts"
import type { Fault } from "../../scenario/fault.ts"
import type { Compressor, Hardware, Scenario } from "../../scenario/resolved.ts"
import { FORMAT } from "../../trace/jsonl.ts"
import type { TraceStore } from "../../trace/store.ts"
import { readTrace } from "../../trace/read-trace.ts"
import { TraceFormatError } from "../../trace/trace-line.ts"
import { recordedAcceptance } from "../../twin/recorded-acceptance.ts"
import type { Untold } from "../../twin/least-squares.ts"
import type { LinkFit } from "../../twin/link-fit.ts"
import { FEWEST_PASSES, type RecordedRun, type Refit, refit } from "../../twin/refit.ts"
import { Usage } from "../exit.ts"
import { bytes, percent, seconds, significant } from "../output/number.ts"
import { figureWords, untoldWords } from "../output/refit-words.ts"

/** Whether a file's text begins as a trace does. */
export const isTrace = (text: string): boolean => text.startsWith(`{"format":"${FORMAT}"`)

const readRun = (file: string, text: string, scenario: Scenario): Result.Result<RecordedRun, Fault> => {
  const fault = (message: string, line = 1, column = 1) =>
    Result.fail({ file, line, column, field: "", message })
  try {
    const trace = readTrace(text)
    const { method: name } = trace.meta
    const named = scenario.methods.find((one) => one.name === name)
    if (named === undefined)
      return fault(
        `ran "${name}", which is no method of ${scenario.name}: ${scenario.methods.map((one) => one.name).join(", ")}`
      )
    if (trace.dropped > 0) return fault(`is cut: ${trace.dropped} records are missing`)
    return Result.succeed({ scenario, method: named.method, trace })
  } catch (error) {
    if (!(error instanceof TraceFormatError)) throw error
    return fault(`expected ${error.expected}, found ${error.found}`, error.line, error.column)
  }
}

const spread = (error: number): string => `${(error * 100).toFixed(1)} %`

/** What was found of one direction of the link, and what its transfers do not tell. */
const linkWords = (direction: string, link: LinkFit | undefined, base: Hardware): string => {
  if (link === undefined) return `link.${direction}: too few transfers; ${base.name}'s is kept`
  const { bandwidth, latency, untold, samples, heldOut, heldOutMedian, waited } = link
  const kept = (why: Untold | undefined): string =>
    why === undefined
      ? ""
      : why === "unseen"
        ? " (not told by these runs, kept)"
        : " (ran into a bound, kept)"
  return [
    `link.${direction}: ${bytes(bandwidth)}/s for the group${kept(untold.bandwidth)}, ${seconds(latency)} a transfer${kept(untold.latency)}, from ${samples} transfers`,
    `${spread(heldOutMedian)} off in the median of ${heldOut} kept apart${waited < 0.01 ? "" : `, of which ${percent(waited)} is their wait in the queue as it was, and no prediction`}`
  ].join("; ")
}

/** How well whole passes were fitted, as a profile keeps it. */
export const fitOfPasses = (passes: Refit["passes"]) => ({
  operation: "whole passes",
  samples: passes.samples,
  held_out: passes.heldOut,
  median_error: digits(passes.median),
  held_out_median_error: digits(passes.heldOutMedian),
  held_out_p90_error: digits(passes.heldOutP90),
  held_out_bias: digits(passes.heldOutBias)
})

/** Which of a copy and a pass goes first in the one queue, as far as runs and profile say. */
const orderWords = ({ oneQueue }: Hardware): readonly string[] =>
  oneQueue?.copiesFirst === undefined
    ? []
    : [
        `one_queue.copies_first: ${oneQueue.copiesFirst}; a copy into the device that is ordered as a pass begins goes ${oneQueue.copiesFirst ? "before" : "behind"} it`
      ]

const tell = ({ hardware, figures, untold, passes, links }: Refit, base: Hardware): readonly string[] => [
  ...Object.entries(figures).map(([name, value]) => `${name}: ${figureWords(name, value)}`),
  ...orderWords(hardware),
  ...(["host_to_device", "device_to_host"] as const).map((direction) =>
    linkWords(direction, links[direction], base)
  ),
  ...untoldWords(untold),
  `times of passes: ${spread(passes.heldOutMedian)} off in the median, ${spread(passes.heldOutP90)} at p90, bias ${spread(passes.heldOutBias)}, of ${significant(passes.heldOut)} kept apart from the ${significant(passes.samples)} it was fitted to`
]

/**
 * Refits the scenario's hardware to traces of its methods and tells what was found. The file it returns is a whole hardware file
 * with the errors in it.
 */
export const calibrateFromTraces = Effect.fnUntraced(function* (
  texts: readonly (readonly [file: string, text: string])[],
  scenario: Scenario,
  name: string
) {
  const read = texts.map(([file, text]) => readRun(file, text, scenario))
  const faults = read.flatMap((one) => (Result.isFailure(one) ? [one.failure] : []))
  if (faults.length > 0) return yield* new ScenarioInvalid({ faults })
  const runs = read.flatMap((one) => (Result.isSuccess(one) ? [one.success] : []))
  const { hardware: base } = scenario
  const found = refit(runs, base)
  if (found === undefined)
    return yield* new Usage({
      problem: `a fit needs at least ${FEWEST_PASSES} passes that say what they computed; record longer runs, with a method that is not offloaded`
    })
  const lines = tell(found, base)
  for (const line of lines) yield* Console.log(line)
  const measured = runs.every(({ trace }) => trace.meta.basis === "measured")
  if (!measured) yield* Console.log("some of the runs are simulated: the profile is modelled, not measured")
  const from = texts.map(([file]) => file.split(/[/\\]/).at(-1)!)
  const { passes } = found
  const whence = `${from.length === 1 ? from[0]! : `${from.length} traces, the first ${from[0]!}`}${onWhat(runs)}`
  const origin = `${percent(0.5)} of the passes and transfers of ${whence}, judged by the other half: see calibration`
  return {
    ...hardwareFile(
      {
        ...found.hardware,
        name,
        origin: {
          basis: measured ? "measured" : "modelled",
          source: `${base.name}, refitted to ${whence}; what they do not tell is as it was: see calibration`
        }
      },
      { link: origin, efficiency: origin }
    ),
    calibration: {
      from,
      fits: [fitOfPasses(passes)],
      notes: lines
    }
  }
})

/** Where runs were recorded, in words: on a simulated machine nothing. */
const onWhat = (runs: readonly RecordedRun[]): string => {
  const adapters = new Set(runs.flatMap(({ trace: { meta } }) => adapterOf(meta.name) ?? []))
  return adapters.size === 0 ? "" : `, on ${[...adapters].join(", ")}`
}

/** The adapter that a run's name says it ran on. */
const adapterOf = (name: string): string | undefined =>
  name.includes(" on ") ? name.split(" on ").at(-1) : undefined

/** A model from a folder is named as its folder is. */
const modelName = ({ model: { name } }: Scenario): string =>
  /([^/\\]+)[/\\]config\.json$/.exec(name)?.[1] ?? name

/** Acceptance of the methods with rounds among recorded runs, as a profile that a scenario's `acceptance_profile` names. */
export const acceptanceFromTraces = Effect.fnUntraced(function* (
  texts: readonly (readonly [file: string, text: string])[],
  scenario: Scenario
) {
  const read = texts.map(([file, text]) => readRun(file, text, scenario))
  const runs = read.flatMap((one) => (Result.isSuccess(one) ? [one.success] : []))
  // Windows share a curve: what a position agrees to does not depend on how many follow.
  const groups = new Map<string, { readonly compressor: Compressor; readonly own: TraceStore[] }>()
  for (const { method, trace } of runs) {
    if (!("compressor" in method)) continue
    const { compressor } = method
    const key = `${compressor.name} ${compressor.keep}`
    const group = groups.get(key) ?? { compressor, own: [] }
    group.own.push(trace)
    groups.set(key, group)
  }
  const entries: Readonly<Record<string, unknown>>[] = []
  for (const { compressor, own } of groups.values()) {
    const found = recordedAcceptance(own)
    if (found === undefined) continue
    entries.push({
      compressor: compressor.name,
      models: [modelName(scenario), "any"],
      keep: compressor.keep,
      basis: own.every(({ meta }) => meta.basis === "measured") ? "measured" : "modelled",
      source: `${found.rounds} rounds of ${scenario.name}${adapterOf(own[0]!.meta.name) === undefined ? "" : ` on ${adapterOf(own[0]!.meta.name)}`}, ${significant(found.meanAccepted)} accepted in the mean`,
      curve: found.curve.map(digits),
      ...(found.requestCorrelation === undefined
        ? {}
        : { request_correlation: digits(found.requestCorrelation) })
    })
    yield* Console.log(
      `acceptance of ${compressor.name} at keep ${compressor.keep}: ${significant(found.meanAccepted)} of a round's drafts in the mean of ${found.rounds} rounds${found.requestCorrelation === undefined ? "" : `; two rounds of a request correlate by ${found.requestCorrelation.toFixed(2)}`}`
    )
  }
  if (entries.length === 0)
    return yield* new Usage({ problem: "--acceptance: none of the runs has rounds enough to tell" })
  return { acceptance: entries }
})
