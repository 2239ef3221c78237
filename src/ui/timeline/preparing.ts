/** The timeline's worker: reads a file, or takes a trace, and works out what is to be shown of it. */
import type { TraceView } from "../shell/traces.ts"
import { buffersOf, type Prepared, prepared } from "./prepare.ts"
import { readFile } from "./read-file.ts"

/** What is asked: a file to read, or a trace that is in memory. */
export type Preparing = { readonly file: File } | { readonly trace: TraceView }

/** What is answered: what there is to show, and what of a file is broken or left out. */
export interface Preparation {
  readonly prepared: Prepared | undefined
  readonly problem: string | undefined
}

addEventListener("message", ({ data }: MessageEvent<Preparing>) => void answer(data))

const answer = async (asked: Preparing): Promise<void> => {
  const { trace, problem } =
    "file" in asked ? await readFile(asked.file) : { trace: asked.trace, problem: undefined }
  const result: Preparation = { prepared: trace === undefined ? undefined : prepared(trace), problem }
  postMessage(result, { transfer: buffersOf(result) })
}
