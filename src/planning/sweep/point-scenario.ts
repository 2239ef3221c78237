/** From a row of a sweep's results back to the scenario that was simulated for it. */
import { Result } from "effect"
import { type Catalog, isRecord } from "../../scenario/catalog.ts"
import type { ScenarioInvalid } from "../../scenario/document.ts"
import type { ReadFile } from "../../scenario/files.ts"
import type { Cell, Column, Row } from "../files/table.ts"
import { overridden } from "../override.ts"
import { readBase } from "../points.ts"
import { yamlText } from "../yaml-text.ts"
import { axesOf, pointAt, sizeOf } from "./design.ts"
import type { Sweep } from "./load-sweep.ts"

export interface PointScenario {
  /** The scenario as YAML, the point's fields and seed written into it. */
  readonly text: string
  /** Place of the point's method in it. */
  readonly method: number
}

const said = (cell: Cell): string => (cell === undefined ? "nothing" : String(cell))

/** Why a row is none of this sweep; undefined if it is. */
const stranger = ({ design, name }: Sweep, columns: readonly Column[], row: Row): string | undefined => {
  const cell = (column: string): Cell => row[columns.findIndex((one) => one.name === column)]
  const size = sizeOf(design)
  if (cell("points") !== size)
    return `the sweep "${name}" has ${size} points, the results are of one with ${said(cell("points"))}`
  const point = Number(cell("point"))
  const { seed, cells } = pointAt(design, point)
  const axes = axesOf(design).map(({ column }, i) => [column, cells[i]] as const)
  const other = [["seed", seed] as const, ...axes].find(([column, value]) => cell(column) !== value)
  return (
    other &&
    `at point ${point} the sweep "${name}" has ${other[0]} ${said(other[1])}, the results have ${said(cell(other[0]))}`
  )
}

/**
 * The scenario of a row. A sentence if the row is none of this sweep; the faults if the point's fields lead nowhere. That the
 * scenario can be served, or makes sense, is not asked: points that cannot be served are scenarios too.
 */
export const scenarioOfRow = (
  sweep: Sweep,
  columns: readonly Column[],
  row: Row,
  read: ReadFile,
  catalog: Catalog
): Result.Result<PointScenario, ScenarioInvalid | string> => {
  const problem = stranger(sweep, columns, row)
  if (problem !== undefined) return Result.fail(problem)
  const { overrides, seed, method } = pointAt(
    sweep.design,
    Number(row[columns.findIndex(({ name }) => name === "point")])
  )
  return Result.flatMap(readBase(sweep.base, read), (base) =>
    Result.map(overridden(base, overrides, catalog), ({ value }) => ({
      text: yamlText({ ...(isRecord(value) ? value : {}), seed }),
      method
    }))
  )
}
