/** The timeline's worker: reads files, or takes traces, and works out what is to be shown of one, or of two side by side. */
import type { OpenedFile } from "../shell/opened-file.ts"
import type { OpenTrace, TraceView } from "../shell/traces.ts"
import { beside } from "./beside.ts"
import { buffersOf, type Prepared, prepared } from "./prepare.ts"
import { type Come, readFile } from "./read-file.ts"

/** A file to read, or a trace that is in memory. */
export type Source = { readonly name: string } & (
  | { readonly file: OpenedFile }
  | { readonly trace: TraceView }
)

/** What is asked. */
export interface Preparing {
  readonly of: Source
  readonly beside: Source | undefined
}

/** What is told meanwhile: how much of a file has come. */
export interface Coming {
  readonly name: string
  readonly come: Come
}

/** What is answered: what there is to show, and what of a file is broken or left out. */
export interface Preparation {
  readonly prepared: Prepared | undefined
  readonly problem: string | undefined
}

addEventListener("message", ({ data }: MessageEvent<Preparing>) => void answer(data))

const answer = async (asked: Preparing): Promise<void> => {
  const result = await preparation(asked)
  postMessage(result, { transfer: buffersOf(result) })
}

const preparation = async ({ of, beside: other }: Preparing): Promise<Preparation> => {
  const first = await read(of)
  const second = other === undefined ? undefined : await read(other)
  const problems = [first, second].flatMap((one) => (one?.problem === undefined ? [] : [one.problem]))
  const problem = problems.length === 0 ? undefined : problems.join(". ")
  if (first.trace === undefined) return { prepared: undefined, problem }
  if (second === undefined) return { prepared: prepared(first.trace), problem }
  if (second.trace === undefined) return { prepared: undefined, problem }
  return {
    prepared: prepared(beside(open(first.name, first.trace), open(second.name, second.trace))),
    problem
  }
}

interface Read {
  readonly name: string
  readonly trace: TraceView | undefined
  readonly problem: string | undefined
}

const read = async (source: Source): Promise<Read> =>
  "file" in source
    ? {
        name: source.name,
        ...(await readFile(source.file, (come) => {
          const coming: Coming = { name: source.name, come }
          postMessage(coming)
        }))
      }
    : { name: source.name, trace: source.trace, problem: undefined }

const open = (name: string, trace: TraceView): OpenTrace => ({ id: "", name, trace })
