/** A sweep from its file to its rows: what is done already is kept, what is not is simulated, each row is kept as it comes. */
import { Effect, Stream } from "effect"
import type { Column, Row } from "../../planning/files/table.ts"
import { type PointOptions, type PointOutcome, PointRunner } from "../../planning/points.ts"
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

const STATUSES: readonly PointOutcome["kind"][] = ["simulated", "infeasible", "invalid", "failed"]

/** What came of the points: how many of which status, and the first reason of each. */
export class Tally {
  readonly #status: number
  readonly #reason: number
  readonly #seen = new Map<Row[number], { count: number; readonly reason: Row[number] }>()

  constructor(columns: readonly Column[]) {
    this.#status = columns.findIndex(({ name }) => name === "status")
    this.#reason = columns.findIndex(({ name }) => name === "reason")
  }

  add(row: Row): void {
    const seen = this.#seen.get(row[this.#status])
    if (seen === undefined) this.#seen.set(row[this.#status], { count: 1, reason: row[this.#reason] })
    else seen.count++
  }

  /** The same rows, counted as they are asked for. */
  *counting(rows: Iterable<Row>): Generator<Row> {
    for (const row of rows) {
      this.add(row)
      yield row
    }
  }

  get points(): number {
    return STATUSES.reduce((sum, status) => sum + (this.#seen.get(status)?.count ?? 0), 0)
  }

  get simulated(): number {
    return this.#seen.get("simulated")?.count ?? 0
  }

  words(): string {
    return STATUSES.flatMap((status) => {
      const seen = this.#seen.get(status)
      if (seen === undefined) return []
      return `${seen.count} ${status}${seen.reason === undefined ? "" : ` (the first: ${String(seen.reason)})`}`
    }).join(", ")
  }
}
