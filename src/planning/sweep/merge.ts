/** Shards of a sweep put together: every point once, none missing, none of another sweep. */
import type { Row, Table } from "../files/table.ts"

export interface ShardTable {
  readonly file: string
  readonly table: Table
}

export type Merged = { readonly table: Table } | { readonly problems: readonly string[] }

/** Most numbers listed in a message. */
const SHOWN = 8

/** Numbers as people list them: 3–5, 9. */
export const ranges = (numbers: readonly number[]): string => {
  const runs: [number, number][] = []
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && number === last[1] + 1) last[1] = number
    else runs.push([number, number])
  }
  const shown = runs.slice(0, SHOWN).map(([from, to]) => (from === to ? `${from}` : `${from}–${to}`))
  return `${shown.join(", ")}${runs.length > SHOWN ? ", …" : ""}`
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? " is" : "s are"}`

/**
 * The rows of all shards by number of the point. `partial` takes what there is where points are missing; that files are of one
 * sweep and no point comes twice is asked of it all the same.
 */
export const mergeShards = (files: readonly ShardTable[], partial = false): Merged => {
  // More shards than points leave some without any; not every format keeps the columns of no rows.
  const shards = files.filter(({ table }) => table.rows.length > 0)
  const [first] = shards
  if (first === undefined) return { problems: ["no file has a row"] }
  const strange = shards.filter(
    ({ table }) =>
      !["sweep", "points", "point"].every((name) => table.columns.some((one) => one.name === name))
  )
  if (strange.length > 0)
    return {
      problems: strange.map(
        ({ file }) => `${file} is no result of vericache sweep: it lacks the columns sweep, points, point`
      )
    }
  const place = (name: string): number => first.table.columns.findIndex((one) => one.name === name)
  const names = first.table.columns.map(({ name }) => name)
  const other = shards.filter(
    ({ table }) =>
      table.columns.length !== names.length || table.columns.some(({ name }, i) => name !== names[i])
  )
  if (other.length > 0)
    return { problems: other.map(({ file }) => `${file} has other columns than ${first.file}`) }

  const [sweepAt, pointsAt, pointAt] = [place("sweep"), place("points"), place("point")]
  const reference = first.table.rows[0]!
  const points = Number(reference[pointsAt])
  const problems: string[] = []
  const from = new Map<number, { readonly file: string; readonly row: Row }>()
  for (const { file, table } of shards) {
    const foreign = table.rows.filter(
      (row) => row[sweepAt] !== reference[sweepAt] || row[pointsAt] !== reference[pointsAt]
    )
    if (foreign.length > 0)
      problems.push(
        `${file}: ${plural(foreign.length, "row")} of another sweep (${String(foreign[0]![sweepAt])}, not ${String(reference[sweepAt])})`
      )
    const outside: number[] = []
    const twice = new Map<string, number[]>()
    for (const row of table.rows) {
      if (foreign.includes(row)) continue
      const point = row[pointAt]
      if (typeof point !== "number" || !Number.isInteger(point) || point < 0 || point >= points) {
        outside.push(Number(point))
        continue
      }
      const before = from.get(point)
      if (before === undefined) from.set(point, { file, row })
      else twice.set(before.file, [...(twice.get(before.file) ?? []), point])
    }
    if (outside.length > 0)
      problems.push(
        `${file}: ${plural(outside.length, "point")} not of this sweep: ${ranges(outside)} of 0–${points - 1}`
      )
    for (const [where, numbers] of twice)
      problems.push(
        where === file
          ? `${file}: ${plural(numbers.length, "point")} there twice: ${ranges(numbers)}`
          : `${file}: ${plural(numbers.length, "point")} in ${where} too: ${ranges(numbers)}`
      )
  }
  const missing = Array.from({ length: points }, (_, i) => i).filter((i) => !from.has(i))
  if (missing.length > 0 && !partial)
    problems.push(
      `${missing.length} of ${points} points ${missing.length === 1 ? "is" : "are"} missing: ${ranges(missing)}`
    )
  if (problems.length > 0) return { problems }
  const rows = [...from].toSorted(([a], [b]) => a - b).map(([, { row }]) => row)
  // Of one sweep, so all that have it have the same.
  const recipe = shards.find(({ table }) => table.recipe !== undefined)?.table.recipe
  return { table: { columns: first.table.columns, rows, ...(recipe === undefined ? {} : { recipe }) } }
}
