/** Results of sweeps in files. */
import { existsSync, readFileSync } from "node:fs"
import { Effect } from "effect"
import { TABLE_FORMATS, tableFormat } from "../../planning/files/formats.ts"
import type { Column, Row, Table, TableFormat } from "../../planning/files/table.ts"
import { fixedType } from "../../planning/sweep/row.ts"
import { Usage } from "../exit.ts"
import { writeObstacle, writeWhole } from "../files.ts"
import { syncToDisk } from "./disk.ts"

/** The format of a file to be written; an error before anything is simulated if that could not be done after. */
export const outputFormat = (path: string): Effect.Effect<TableFormat, Usage> => {
  const format = tableFormat(path)
  const obstacle = format === undefined ? undefined : writeObstacle(path)
  if (format === undefined)
    return Effect.fail(
      new Usage({ problem: `${path}: expected a name that ends in ${Object.keys(TABLE_FORMATS).join(", ")}` })
    )
  return obstacle === undefined
    ? Effect.succeed(format)
    : Effect.fail(new Usage({ problem: `${path} cannot be written: ${obstacle}` }))
}

/** Writes a table whole or not at all; it is on the disk, its name too, when this ends. */
export const writeTable = (
  path: string,
  format: TableFormat,
  columns: readonly Column[],
  rows: Iterable<Row>,
  recipe?: string
): Effect.Effect<void, Usage> =>
  Effect.andThen(
    writeWhole(path, format.encode(columns, rows, recipe)),
    Effect.sync(() => syncToDisk(path))
  )

/** Reads results back. */
export const readTable = (path: string): Effect.Effect<Table, Usage> =>
  Effect.gen(function* () {
    const format = tableFormat(path)
    if (format === undefined)
      return yield* new Usage({
        problem: `${path}: expected a name that ends in ${Object.keys(TABLE_FORMATS).join(", ")}`
      })
    if (!existsSync(path)) return yield* new Usage({ problem: `${path} is not there` })
    return yield* Effect.tryPromise({
      try: () => format.decode(readFileSync(path), fixedType),
      catch: (error) =>
        new Usage({ problem: `${path}: ${error instanceof Error ? error.message : String(error)}` })
    })
  })
