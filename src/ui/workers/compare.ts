/** Entry of the worker that compares: two traces in, the comparison out. */
import { compareRuns } from "../compare/comparison.ts"
import type { Run } from "../compare/pairing.ts"

addEventListener("message", ({ data: { a, b } }: MessageEvent<{ readonly a: Run; readonly b: Run }>) =>
  postMessage(compareRuns(a, b))
)
