import { Effect } from "effect"
import { chromeTrace } from "../trace/chrome.ts"
import { writeTrace } from "../trace/jsonl.ts"
import { perfettoTrace } from "../trace/perfetto.ts"
import type { TraceStore } from "../trace/store.ts"
import { Usage } from "./exit.ts"
import { writeObstacle } from "./files.ts"

const CODECS: Readonly<Record<string, (trace: TraceStore) => Iterable<Uint8Array | string>>> = {
  ".pftrace": perfettoTrace,
  ".json": chromeTrace,
  ".jsonl": writeTrace
}

/** The codec a trace file's name asks for; an error before anything is simulated if it could not be written after. */
export const traceChunks = (
  path: string
): Effect.Effect<(trace: TraceStore) => Iterable<Uint8Array | string>, Usage> => {
  const codec = CODECS[/\.[^./]*$/.exec(path)?.[0] ?? ""]
  if (codec === undefined)
    return Effect.fail(
      new Usage({
        problem: `--trace ${path}: expected a name that ends in ${Object.keys(CODECS).join(", ")}`
      })
    )
  const obstacle = writeObstacle(path)
  return obstacle === undefined
    ? Effect.succeed(codec)
    : Effect.fail(new Usage({ problem: `--trace ${path} cannot be written: ${obstacle}` }))
}
