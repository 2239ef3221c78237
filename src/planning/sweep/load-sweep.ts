/** From a sweep file to a sweep that can be run, or to everything that is wrong with it. */
import { Result } from "effect"
import { type Catalog, isRecord } from "../../scenario/catalog.ts"
import { closest } from "../../scenario/closest.ts"
import { type Path, ScenarioInvalid, SourceDocument } from "../../scenario/document.ts"
import { type Fault, withoutRepeats } from "../../scenario/fault.ts"
import { type ReadFile, readText, relativeTo } from "../../scenario/files.ts"
import { resolveFields, type ScenarioFields } from "../../scenario/load.ts"
import type { Scenario } from "../../scenario/resolved.ts"
import { digestOf } from "../../trace/digest.ts"
import { misplaced, parsePath, withOverrides } from "../override.ts"
import { type BaseScenario, readBase } from "../points.ts"
import { type Axis, type Faults, type GridAxis, gridAxis, type SampleAxis, sampleAxis } from "./axis.ts"
import { axesOf, type Design, type Sample, sizeOf } from "./design.ts"
import { fieldAt } from "./fields.ts"
import { latinHypercube } from "./latin-hypercube.ts"
import { isReserved } from "./row.ts"
import { MAX_DIMENSIONS, sobolPoints } from "./sobol.ts"
import { MAX_POINTS, SweepFile } from "./sweep-file.ts"

/** What a sweep's results depend on, by name and as a fingerprint each. */
export interface Ingredients {
  readonly sweep: string
  readonly scenario: string
  /** Files the scenario names, and the catalog. */
  readonly files: string
}

export interface Sweep {
  readonly name: string
  readonly base: BaseScenario
  readonly design: Design
  /** Of the scenario, by their place in it. */
  readonly methodNames: readonly string[]
  readonly ingredients: Ingredients
  /** This sweep as a file of its own, the scenario and what that extends written out in it. */
  readonly recipe: string
}

export const loadSweep = (
  path: string,
  read: ReadFile,
  catalog: Catalog
): Result.Result<Sweep, ScenarioInvalid> => {
  const text = readText(path, read)
  if (typeof text !== "string") return failed([text])
  const document = new SourceDocument(path, text)
  if (document.faults.length > 0) return failed(withoutBrackets(document.faults))
  const { value } = document
  const decoded = document.decode(SweepFile, value)
  const into: Faults = { document, faults: "faults" in decoded ? [...decoded.faults] : [] }

  const files = new Map<string, string>()
  const recording: ReadFile = (name) => {
    const bytes = read(name)
    if (bytes !== undefined) files.set(name, digestOf(bytes))
    return bytes
  }
  const base = isRecord(value) ? baseOf(value["scenario"], path) : undefined
  const resolved = base === undefined ? undefined : resolveBase(base, into, recording, catalog)
  if ("faults" in decoded) {
    unknownFields(value, into)
    return failed(into.faults)
  }
  if (base === undefined || resolved === undefined) return failed(into.faults)
  const { fields, scenario } = resolved

  const file = decoded.value
  const grid = gridOf(file, into)
  const sample = sampleOf(file, into)
  const methods = methodsOf(file, scenario, into)
  const seeds = file.seeds ?? Array.from({ length: file.replications ?? 1 }, (_, i) => scenario.seed + i)
  const design: Design = { grid, sample, seeds, methods }
  checkAxes(axesOf(design), fields, catalog, into)
  const size = sizeOf(design)
  if (size > MAX_POINTS)
    into.faults.push(
      document.fault(
        [],
        `comes to ${size.toLocaleString("en-US")} points; at most ${MAX_POINTS.toLocaleString("en-US")} are taken`
      )
    )
  if (into.faults.length > 0) return failed(into.faults)
  readNamedFiles(axesOf(design), fields, recording, catalog)
  return Result.succeed({
    name: file.name,
    base,
    design,
    methodNames: scenario.methods.map(({ name }) => name),
    recipe: JSON.stringify({ ...(value as object), scenario: fields.value }),
    ingredients: {
      sweep: digestOf(JSON.stringify(value)),
      scenario: digestOf(JSON.stringify(fields.value)),
      files: digestOf(
        JSON.stringify([
          [...files]
            .filter(([name]) => name !== path && name !== base.file)
            .map(([, digest]) => digest)
            .toSorted(),
          Object.values(catalog).map((section: ReadonlyMap<string, unknown>) => [...section])
        ])
      )
    }
  })
}

/** A path with brackets in braces, where YAML takes them for a list: said once a line, and in other words. */
const withoutBrackets = (faults: readonly Fault[]): readonly Fault[] => {
  const isPath = ({ excerpt = "" }: Fault): boolean => /\{.*\bfield:\s*[^"'\s,}]*\[/.test(excerpt)
  return faults.flatMap((fault, i) => {
    if (!isPath(fault)) return [fault]
    if (faults.slice(0, i).some(({ line }) => line === fault.line)) return []
    return [
      {
        ...fault,
        message: "brackets within { } begin a list",
        suggestion: "write methods.0, or put the path in quotes"
      }
    ]
  })
}

/** Faults in reading order, file by file. */
const failed = (faults: readonly Fault[]): Result.Result<never, ScenarioInvalid> => {
  const files = [...new Set(faults.map(({ file }) => file))]
  return Result.fail(
    new ScenarioInvalid({
      faults: withoutRepeats(faults).toSorted(
        (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column
      )
    })
  )
}

const baseOf = (scenario: unknown, path: string): BaseScenario | undefined => {
  if (typeof scenario === "string") return { file: relativeTo(path, scenario) }
  return isRecord(scenario) ? { file: path, text: JSON.stringify(scenario) } : undefined
}

/** The base with its fields; faults of one written in the sweep file are told where they stand there. */
const resolveBase = (
  base: BaseScenario,
  { document, faults }: Faults,
  read: ReadFile,
  catalog: Catalog
): { readonly fields: ScenarioFields; readonly scenario: Scenario } | undefined => {
  if (base.text === undefined && read(base.file) === undefined) {
    faults.push(document.fault(["scenario"], `${base.file} cannot be read`))
    return undefined
  }
  const fields = readBase(base, read)
  const scenario = Result.flatMap(fields, (one) => resolveFields(one, read, catalog))
  if (Result.isSuccess(fields) && Result.isSuccess(scenario))
    return { fields: fields.success, scenario: scenario.success }
  const told = Result.isFailure(scenario) ? scenario.failure.faults : []
  faults.push(
    ...told.map((fault) => {
      if (fault.file !== document.file) return fault
      const keys = (parsePath(fault.field) ?? []).map(({ kind, key }) =>
        kind === "item" ? Number(key) : key
      )
      return document.fault(["scenario", ...keys], fault.message, fault.suggestion)
    })
  )
  return undefined
}

/** Of a file that is wrong in form: fields its axes name that no scenario has. */
const unknownFields = (value: unknown, { document, faults }: Faults): void => {
  const check = (axis: unknown, at: Path): void => {
    if (!isRecord(axis)) return
    if (Array.isArray(axis["zip"])) axis["zip"].forEach((one, i) => check(one, [...at, "zip", i]))
    if (typeof axis["field"] !== "string") return
    const field = fieldAt(axis["field"])
    if ("problem" in field) faults.push(document.fault([...at, "field"], field.problem, field.suggestion))
  }
  if (!isRecord(value)) return
  const { axes, sample } = value
  if (Array.isArray(axes)) axes.forEach((axis, i) => check(axis, ["axes", i]))
  if (isRecord(sample) && Array.isArray(sample["axes"]))
    sample["axes"].forEach((axis, i) => check(axis, ["sample", "axes", i]))
}

const gridOf = ({ axes = [] }: SweepFile, into: Faults): Design["grid"] =>
  axes.flatMap((axis, i) => {
    const at = ["axes", i]
    const { zip, field } = axis
    if (zip === undefined) {
      const one = field === undefined ? undefined : gridAxis({ ...axis, field }, at, into)
      return one === undefined ? [] : [[one]]
    }
    const group = zip.map((one, k) => gridAxis(one, [...at, "zip", k], into))
    const found = group.filter((one): one is GridAxis => one !== undefined)
    const lengths = found.map(({ settings }) => settings.length)
    if (found.length === group.length && new Set(lengths).size > 1)
      into.faults.push(
        into.document.fault(
          [...at, "zip"],
          `axes that go in step are of one length, found ${lengths.join(", ")}`
        )
      )
    return [found]
  })

const sampleOf = ({ sample }: SweepFile, into: Faults): Sample | undefined => {
  if (sample === undefined) return undefined
  const { method, points, seed = 1, scramble = true } = sample
  if (method === "sobol" && sample.axes.length > MAX_DIMENSIONS) {
    into.faults.push(
      into.document.fault(["sample", "axes"], `at most ${MAX_DIMENSIONS} axes in a Sobol sequence`)
    )
    return undefined
  }
  const axes = sample.axes
    .map((axis, i) => sampleAxis(axis, ["sample", "axes", i], into))
    .filter((axis): axis is SampleAxis => axis !== undefined)
  const places =
    method === "sobol"
      ? sobolPoints(points, axes.length, scramble ? seed : undefined)
      : latinHypercube(points, axes.length, seed)
  return { axes, places }
}

const methodsOf = (file: SweepFile, scenario: Scenario, { document, faults }: Faults): readonly number[] => {
  const names = scenario.methods.map(({ name }) => name)
  return (file.methods ?? names).flatMap((name, i) => {
    const place = names.indexOf(name)
    if (place >= 0) return [place]
    faults.push(document.fault(["methods", i], `no method is called ${name}`, closest(name, names)))
    return []
  })
}

/** Axes against the base, and against one another. */
const checkAxes = (
  axes: readonly Axis[],
  base: ScenarioFields,
  catalog: Catalog,
  { document, faults }: Faults
): void => {
  axes.forEach(({ field, column, path, listed }, i) => {
    const at = [...path, "field"]
    const before = axes.slice(0, i)
    if (before.some((one) => one.field === field)) faults.push(document.fault(at, `${field} varies twice`))
    else if (before.some((one) => one.column === column) || isReserved(column))
      faults.push(document.fault(at, `two columns would be called ${column}`, "give it a name: of its own"))
    const under = axes.some((one) => field.startsWith(`${one.field}.`) || field.startsWith(`${one.field}[`))
    const problem = under ? undefined : misplaced(base, field, catalog)
    if (problem !== undefined) faults.push(document.fault(at, problem.message, problem.suggestion))
    const known = namesOf(field, catalog)
    listed.forEach((value, k) => {
      if (known !== undefined && typeof value === "string" && !known.has(value))
        faults.push(
          document.fault(
            [...path, "values", k],
            `no ${value} in the catalog`,
            closest(value, [...known.keys()])
          )
        )
    })
  })
}

/** The section of the catalog that a field names an entry of. */
const namesOf = (field: string, catalog: Catalog): ReadonlyMap<string, unknown> | undefined => {
  if (field === "hardware") return catalog.hardware
  if (field === "model") return catalog.models
  if (field.endsWith(".compressor")) return catalog.compressors
  return field.endsWith(".drafter") ? catalog.drafters : undefined
}

/** Files that values of axes name belong to what the results depend on: they are read once, and so noted. */
const readNamedFiles = (
  axes: readonly Axis[],
  base: ScenarioFields,
  read: ReadFile,
  catalog: Catalog
): void => {
  for (const { field, listed } of axes)
    if (/^(model|workload)\b/.test(field))
      for (const value of listed)
        if (typeof value !== "number") withOverrides(base, [{ field, value }], read, catalog)
}
