import { bytes, seconds } from "./number.ts"
import type { Refit } from "../../twin/refit.ts"

/** Figures of passes that runs do not tell, each with why. */
export const untoldWords = (untold: Refit["untold"]): readonly string[] =>
  (
    [
      ["unseen", "not told by these runs, kept"],
      ["at a bound", "ran into a bound, so not told by these runs, kept"]
    ] as const
  ).flatMap(([why, words]) => (untold[why].length === 0 ? [] : [`${words}: ${untold[why].join(", ")}`]))

/** A refitted figure: a share of a peak, a rate of the link, or seconds. */
export const figureWords = (name: string, value: number): string =>
  /\.(memory|compute)$/.test(name)
    ? value.toFixed(3)
    : name.startsWith("link.")
      ? `${bytes(value)}/s`
      : seconds(value)
