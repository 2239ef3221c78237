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

/** What is told meanwhile: how much of a file has come, or what there is to show of its first slices. */
export type Meanwhile = { readonly name: string; readonly come: Come } | { readonly part: Prepared }

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

const tell = (meanwhile: Meanwhile): void => postMessage(meanwhile, { transfer: buffersOf(meanwhile) })

const preparation = async ({ of, beside: other }: Preparing): Promise<Preparation> => {
  const first = await read(of, other === undefined)
  const second = other === undefined ? undefined : await read(other, false)
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

/** `inParts`: its first slices are shown while the others are still coming. */
const read = async (source: Source, inParts: boolean): Promise<Read> => {
  const { name } = source
  if ("trace" in source) return { name, trace: source.trace, problem: undefined }
  let next = inParts ? FIRST_PART : Number.POSITIVE_INFINITY
  let last: Come | undefined
  const reading = await readFile(source.file, {
    come: (come) => {
      last = come
      tell({ name, come })
    },
    soFar: (trace) => {
      if (trace.slices.length < next || isNear(last)) return
      next *= PARTS_GROW
      tell({ part: prepared(copied(trace)) })
    }
  })
  return { name, ...reading }
}

/** Slices that are enough for a first picture, and how many times as many for the next: making one takes time from reading. */
const FIRST_PART = 50_000
const PARTS_GROW = 32

/** Whether so much of a file has come that the rest is soon there. */
const isNear = (come: Come | undefined): boolean => come?.of !== undefined && come.bytes * 4 > come.of

/** A trace that grows no more. */
const copied = (trace: TraceView): TraceView => ({
  ...trace,
  tracks: [...trace.tracks],
  slices: columnsOf(trace.slices),
  instants: columnsOf(trace.instants),
  counters: columnsOf(trace.counters),
  flows: columnsOf(trace.flows)
})

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array

const columnsOf = <G extends Readonly<Record<string, Column | number>>>(group: G): G =>
  Object.fromEntries(
    Object.entries(group).map(([name, column]) => [
      name,
      typeof column === "number" ? column : column.slice()
    ])
  ) as G

const open = (name: string, trace: TraceView): OpenTrace => ({ id: "", name, trace })
