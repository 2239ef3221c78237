/** From where on one method serves better than another, along one field, for each value of another. */
import { Effect } from "effect"
import type { GridAxis, Setting } from "../sweep/axis.ts"
import { fieldAt } from "../sweep/fields.ts"
import type { Sweep } from "../sweep/load-sweep.ts"
import { type Crossing, crossings } from "./crossing.ts"
import { type FigureOutcome, isFigure, meanAt } from "./evaluate.ts"

/** One row of a surface. */
export interface BreakEven {
  /** Value of the first axis; undefined where there is only one. */
  readonly row: Setting | undefined
  readonly crossings: readonly Crossing[]
  /** At the first place of the axis: 1, A is better; −1, B is; 0, they are equal; undefined, neither can serve. */
  readonly first: -1 | 0 | 1 | undefined
  /** A's figure over B's, smallest and largest of the places of the axis where both have one. */
  readonly ratio: { readonly min: number; readonly max: number } | undefined
}

/** Closer than this is equal: methods that do the same differ by rounding. */
const EQUAL = 1e-4

/** Whether A is better; one that cannot serve is worse than one that can. */
const signOf = (a: FigureOutcome, b: FigureOutcome, more: boolean): -1 | 0 | 1 | undefined => {
  if (!isFigure(a)) return isFigure(b) ? -1 : undefined
  if (!isFigure(b)) return 1
  if (Math.abs(a - b) <= EQUAL * Math.max(Math.abs(a), Math.abs(b))) return 0
  return a > b === more ? 1 : -1
}

/**
 * Break-even surface of methods `a` and `b` of a sweep: for each value of `rows`, where along `along` (numbers, ascending) the
 * better of them changes. Places of the axis are looked at first, so changes between neighbours that undo each other are not
 * seen. `more`: larger figures are better.
 */
export const breakEven = Effect.fnUntraced(function* (
  { base, design: { seeds } }: Sweep,
  rows: GridAxis | undefined,
  along: GridAxis,
  [a, b]: readonly [a: number, b: number],
  more: boolean
) {
  const field = fieldAt(along.field)
  const whole = "whole" in field && field.whole
  const places = along.settings.map(({ shown }) => Number(shown)).toSorted((x, y) => x - y)
  const outcomesAt = (cells: readonly { readonly row: Setting | undefined; readonly place: number }[]) =>
    meanAt(
      base,
      cells.flatMap(({ row, place }) =>
        [a, b].map((method) => ({
          method,
          overrides: [
            ...(row === undefined || rows === undefined ? [] : [{ field: rows.field, value: row.value }]),
            { field: along.field, value: place }
          ]
        }))
      ),
      seeds
    )
  const settings: readonly (Setting | undefined)[] = rows?.settings ?? [undefined]
  const grid = yield* outcomesAt(settings.flatMap((row) => places.map((place) => ({ row, place }))))
  return yield* Effect.forEach(
    settings,
    Effect.fnUntraced(function* (row, i) {
      const pairs = places.map((_, k) => {
        const at = 2 * (i * places.length + k)
        return [grid[at]!, grid[at + 1]!] as const
      })
      const signs = pairs.map(([x, y]) => signOf(x, y, more))
      const signAt = (place: number) =>
        Effect.map(outcomesAt([{ row, place }]), ([x, y]) => signOf(x!, y!, more))
      const found = yield* crossings({ places, signs }, signAt, whole)
      const ratios = pairs.flatMap(([x, y]) => (isFigure(x) && isFigure(y) && y !== 0 ? [x / y] : []))
      return {
        row,
        crossings: found,
        first: signs[0],
        ratio: ratios.length === 0 ? undefined : { min: Math.min(...ratios), max: Math.max(...ratios) }
      } satisfies BreakEven
    }),
    { concurrency: "unbounded" }
  )
})
