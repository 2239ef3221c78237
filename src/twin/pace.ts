/**
 * Repetitions of a run on a machine that is now faster, now slower: what all passes of a repetition share is the machine's pace, and no
 * error of a model.
 */
import { median } from "./median.ts"

/**
 * Logarithmic errors of passes as if each run had been as fast as the middle one of those that are alike. `runs`: of each error its run;
 * `alike`: of each run what repetitions of it share.
 */
export const atMiddlePace = (
  errors: readonly number[],
  runs: readonly number[],
  alike: readonly string[]
): Float64Array => {
  const ofRun = alike.map((): number[] => [])
  for (const [i, error] of errors.entries()) ofRun[runs[i]!]!.push(error)
  const paces = ofRun.map((some) => (some.length === 0 ? undefined : median(some)))
  const middles = new Map(
    [...new Set(alike)].map((kind) => {
      const some = paces.filter((pace, run) => pace !== undefined && alike[run] === kind)
      return [kind, some.length === 0 ? 0 : median(some as readonly number[])] as const
    })
  )
  return Float64Array.from(errors, (error, i) => {
    const run = runs[i]!
    return error - paces[run]! + middles.get(alike[run]!)!
  })
}
