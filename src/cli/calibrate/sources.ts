/** The files that `calibrate` is given, read by kind: kernel tables, all-reduces, logs of runs, traces. */
import { Effect } from "effect"
import { type AllReduces, isNcclTests, readNcclTests } from "../../planning/calibrate/all-reduces.ts"
import { type LayerProfile, profilePart, readProfilePart } from "../../planning/calibrate/kernel-tables.ts"
import { type OperatorSample, readOperatorTable } from "../../planning/calibrate/operator-tables.ts"
import type { MeasuredRun } from "../../planning/import/measured-run.ts"
import { readRun } from "../../planning/import/read-run.ts"
import { ScenarioInvalid } from "../../scenario/document.ts"
import type { Fault } from "../../scenario/fault.ts"
import { readText } from "../../scenario/files.ts"
import { readFile } from "../files.ts"
import { isTrace } from "./traces.ts"

/** What the files hold, by kind. */
interface Sources {
  readonly profiles: readonly LayerProfile[]
  readonly samples: readonly OperatorSample[]
  readonly reduces: readonly AllReduces[]
  readonly runs: readonly MeasuredRun[]
  /** Names and texts of recorded runs. */
  readonly traces: readonly (readonly [file: string, text: string])[]
}

const PARQUET = "PAR1"

const isParquet = (bytes: Uint8Array): boolean =>
  new TextDecoder("latin1").decode(bytes.subarray(0, 4)) === PARQUET

/** Reads all files; everything that is wrong with any of them comes back together. */
export const readSources = Effect.fnUntraced(function* (files: readonly string[]) {
  const faults: Fault[] = []
  const profiles: LayerProfile[] = []
  const samples: OperatorSample[] = []
  const reduces: AllReduces[] = []
  const runs: MeasuredRun[] = []
  const traces: (readonly [string, string])[] = []
  const whole = (file: string, message: string): void =>
    void faults.push({ file, line: 1, column: 1, field: "", message })
  for (const file of files) {
    const bytes = readFile(file)
    if (bytes === undefined) {
      whole(file, "cannot be read: no such file, or no permission")
      continue
    }
    if (isParquet(bytes)) {
      const read = yield* Effect.promise(() => readOperatorTable(bytes))
      if ("problem" in read) whole(file, read.problem)
      else samples.push(...read.samples)
      continue
    }
    const text = readText(file, readFile)
    if (typeof text !== "string") {
      faults.push(text)
      continue
    }
    if (isTrace(text)) {
      traces.push([file, text])
      continue
    }
    const part = profilePart(text)
    if (part !== undefined) {
      const read = readProfilePart(part, file, text)
      faults.push(...read.faults)
      profiles.push(read.profile)
      continue
    }
    if (isNcclTests(text)) {
      const read = readNcclTests(file, text)
      faults.push(...read.faults)
      if (read.reduces !== undefined) reduces.push(read.reduces)
      continue
    }
    const read = readRun(file, text)
    if (read.run === undefined) faults.push(...read.faults)
    else if (read.run.latencies.tpot === undefined)
      whole(
        file,
        `${read.kind} without measured latencies: it is a workload, there is nothing to calibrate from`
      )
    else runs.push(read.run)
  }
  if (faults.length > 0) return yield* new ScenarioInvalid({ faults })
  return { profiles, samples, reduces, runs, traces } satisfies Sources
})
