/** A sweep from its file to its rows: what is done already is kept, what is not is simulated, each row is kept as it comes. */
import { Effect, Stream } from "effect"
import type { Row, Table } from "../../planning/files/table.ts"
import { type PointOptions, PointRunner } from "../../planning/points.ts"
import { axesOf, dealt, type DesignPoint, pointAt, type Shard, sizeOf } from "../../planning/sweep/design.ts"
import { type JournalHeader, sweepId } from "../../planning/sweep/journal.ts"
import type { Sweep } from "../../planning/sweep/load-sweep.ts"
import { columnsOf, rowOf } from "../../planning/sweep/row.ts"
import { packageVersion } from "../files.ts"
import { type ProgressStream, SweepProgress } from "./eta.ts"

/** What a sweep's journal begins with, here and now. */
export const headerOf = (sweep: Sweep, shard: Shard, options: PointOptions): JournalHeader => {
  const version = packageVersion()
  return {
    journal: 1,
    sweep: sweepId(version, sweep.ingredients, options),
    points: sizeOf(sweep.design),
    version,
    ingredients: sweep.ingredients,
    options,
    shard,
    columns: columnsOf(axesOf(sweep.design), options)
  }
}

/** Where rows are kept as they come. */
export interface RowStore {
  readonly done: { readonly size: number; has(point: number): boolean }
  add(point: number, row: Row): void
}

/** Rows in memory only. */
export class MemoryStore implements RowStore {
  readonly done = new Map<number, Row>()

  add(point: number, row: Row): void {
    this.done.set(point, row)
  }

  rows(): readonly Row[] {
    return [...this.done].toSorted(([a], [b]) => a - b).map(([, row]) => row)
  }
}

/** Simulates what is not in the store, in the order points are dealt; progress goes to `stderr`. */
export const simulateMissing = (
  sweep: Sweep,
  header: JournalHeader,
  store: RowStore,
  stderr: ProgressStream = process.stderr
): Effect.Effect<void, never, PointRunner> =>
  Effect.gen(function* () {
    const { base, design, methodNames } = sweep
    const { options, points, shard } = header
    const mine = dealt(points, shard)
    const missing = mine.filter((point) => !store.done.has(point))
    const progress = new SweepProgress(stderr, mine.length, mine.length - missing.length, milliseconds)
    /** Points under way; of many points only those few are ever made. */
    const underWay = new Map<number, DesignPoint>()
    function* requests(): Generator<DesignPoint> {
      for (const [i, point] of missing.entries()) {
        const request = pointAt(design, point)
        underWay.set(i, request)
        yield request
      }
    }
    const runner = yield* PointRunner
    yield* runner.run(base, requests(), options).pipe(
      Stream.runForEach(({ index, outcome }) =>
        Effect.sync(() => {
          const request = underWay.get(index)!
          underWay.delete(index)
          const point = missing[index]!
          store.add(point, rowOf(header, point, request, methodNames, outcome, options))
          progress.at(store.done.size)
        })
      ),
      // The base has been read before.
      Effect.orDie,
      Effect.ensuring(Effect.sync(() => progress.clear()))
    )
  })

const milliseconds = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/** What came of the points, in a line: how many of which status, and the first reason of each kind. */
export const summaryOf = ({ columns, rows }: Table): string => {
  const place = (name: string): number => columns.findIndex((one) => one.name === name)
  const [status, reason] = [place("status"), place("reason")]
  const kinds = new Map<string, { count: number; readonly reason: Row[number] }>()
  for (const row of rows) {
    const kind = String(row[status])
    const seen = kinds.get(kind)
    if (seen === undefined) kinds.set(kind, { count: 1, reason: row[reason] })
    else seen.count++
  }
  return ["simulated", "infeasible", "invalid", "failed"]
    .flatMap((kind) => {
      const seen = kinds.get(kind)
      if (seen === undefined) return []
      return `${seen.count} ${kind}${seen.reason === undefined ? "" : ` (the first: ${String(seen.reason)})`}`
    })
    .join(", ")
}
