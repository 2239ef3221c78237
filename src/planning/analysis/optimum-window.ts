/** The draft window that serves best, at every place of a grid of up to two fields. */
import { Effect } from "effect"
import type { GridAxis, Setting } from "../sweep/axis.ts"
import type { Sweep } from "../sweep/load-sweep.ts"
import { type Best, bestWhole } from "./best-window.ts"
import { type FigureOutcome, isFigure, meanAt } from "./evaluate.ts"

/** A place of the grid. */
export interface WindowCell {
  readonly settings: readonly Setting[]
  /** The best fixed window and its figure; undefined if none can serve. */
  readonly best: Best | undefined
  /** The figure with the window that the closed forms take for the best. */
  readonly optimal: FigureOutcome
}

/** Every combination of the axes' settings, the last going round fastest. */
const cellsOf = (axes: readonly GridAxis[]): readonly (readonly Setting[])[] =>
  axes.reduce<readonly (readonly Setting[])[]>(
    (cells, { settings }) => cells.flatMap((cell) => settings.map((setting) => [...cell, setting])),
    [[]]
  )

/** `kind`: of the method, as a scenario file names it. `most`: longest window there is; the horizon bounds it. */
export const optimumWindows = (
  { base, design: { seeds } }: Sweep,
  axes: readonly GridAxis[],
  { method, kind }: { readonly method: number; readonly kind: "vericache" | "sparse" },
  most: number,
  more: boolean
) =>
  Effect.forEach(
    cellsOf(axes),
    Effect.fnUntraced(function* (settings) {
      const overrides = axes.map(({ field }, i) => ({ field, value: settings[i]!.value }))
      const at = (windows: readonly (number | "optimal")[]) =>
        meanAt(
          base,
          windows.map((window) => ({
            method,
            overrides: [...overrides, { field: `methods.${method}.${kind}.window`, value: window }]
          })),
          seeds
        )
      const best = yield* bestWhole(1, most, (windows) =>
        Effect.map(at(windows), (outcomes) =>
          outcomes.map((outcome) => (isFigure(outcome) ? (more ? outcome : -outcome) : undefined))
        )
      )
      const [optimal] = yield* at(["optimal"])
      return {
        settings,
        best: best === undefined ? undefined : { at: best.at, value: more ? best.value : -best.value },
        optimal: optimal!
      } satisfies WindowCell
    }),
    { concurrency: 4 }
  )
