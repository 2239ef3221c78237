/** From a row of a sweep's results to the scenario that was simulated for it. */
import { Result } from "effect"
import type { ScenarioInvalid } from "../../scenario/document.ts"
import type { ReadFile } from "../../scenario/files.ts"
import { loadSweep } from "../../planning/sweep/load-sweep.ts"
import { scenarioOfRow } from "../../planning/sweep/point-scenario.ts"
import { baseName } from "../shell/own-files.ts"
import { bundled, CATALOG } from "./library.ts"
import type { Request, Response, TextFile } from "./protocol.ts"

type Asked = Extract<Request, { readonly kind: "point" }>
type Answer = Extract<Response, { readonly kind: "point" | "problem" }>

/** Opened files by their names, whatever folder they are looked for in; what comes with vericache besides. */
const reading =
  (files: readonly TextFile[]): ReadFile =>
  (path) => {
    const base = baseName(path)
    const text =
      files.find(({ name }) => name === base)?.text ?? bundled(path.replace(/^((\.\.|scenarios)\/)+/, ""))
    return text === undefined ? undefined : new TextEncoder().encode(text)
  }

const sentence = (file: string, problem: ScenarioInvalid | string): string => {
  if (typeof problem === "string") return `${file} is not what these results come from: ${problem}.`
  const { file: where, line, message, suggestion } = problem.faults[0]!
  return `${where}, line ${line}: ${message}${suggestion === undefined ? "" : `; ${suggestion}`}.`
}

export const pointScenario = ({ files, columns, row }: Asked): Answer => {
  const [{ name }] = files as readonly [TextFile]
  const read = reading(files)
  const found = Result.flatMap(loadSweep(name, read, CATALOG), (sweep) =>
    Result.map(scenarioOfRow(sweep, columns, row, read, CATALOG), (point) => ({ sweep, point }))
  )
  if (Result.isFailure(found)) return { kind: "problem", message: sentence(name, found.failure) }
  const { sweep, point } = found.success
  const number = String(row[columns.findIndex((column) => column.name === "point")])
  const file = `${sweep.name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-")}-point-${number}.yaml`
  return { kind: "point", file, ...point }
}
