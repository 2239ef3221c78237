/** The traces that are open, whoever opened them: What-if's simulations, files, the engine's runs. */
import type { SliceNames } from "../../trace/foreign.ts"
import type { TraceColumns } from "../../trace/store.ts"
import type { OpenedFile } from "./opened-file.ts"

export type Basis = TraceColumns["meta"]["basis"]

/** A trace for reading. */
export type TraceView = TraceColumns & {
  /** Names of slices that another tool gave them. */
  readonly names?: SliceNames
  /** By track, where one trace holds several runs: whether it was measured or modelled. */
  readonly bases?: readonly Basis[]
}

export const basisOf = ({ bases, meta }: TraceView, track: number): Basis => bases?.[track] ?? meta.basis

export interface OpenTrace {
  /** Names it in addresses, as long as the page lives: `trace-1`. */
  readonly id: string
  readonly name: string
  readonly trace: TraceView
}

/** Files of traces that still have to be read: the Timeline's worker does that. */
export interface PendingFile {
  readonly id: string
  readonly file: OpenedFile
}

export class TraceShelf {
  readonly #traces: OpenTrace[] = []
  readonly #files: PendingFile[] = []
  #left = 0
  readonly #listeners = new Set<() => void>()

  /** In the order they were opened. */
  get all(): readonly OpenTrace[] {
    return this.#traces
  }

  /** Puts a trace on the shelf. */
  add(name: string, trace: TraceView): OpenTrace {
    const open = { id: `trace-${this.#traces.length + 1}`, name, trace }
    this.#traces.push(open)
    for (const told of this.#listeners) told()
    return open
  }

  get(id: string): OpenTrace | undefined {
    return this.#traces.find((trace) => trace.id === id)
  }

  /** Leaves a file for the Timeline to read; `besides`: an id that means another one. */
  leave(file: OpenedFile, besides?: string): PendingFile {
    do this.#left++
    while (`file-${this.#left}` === besides)
    const pending = { id: `file-${this.#left}`, file }
    this.#files.push(pending)
    for (const told of this.#listeners) told()
    return pending
  }

  /** In the order they were left. */
  get files(): readonly PendingFile[] {
    return this.#files
  }

  /** A file that was left. */
  file(id: string): PendingFile | undefined {
    return this.#files.find((one) => one.id === id)
  }

  /** Called when a trace or a file comes; returns how to stop that. */
  onChange(told: () => void): () => void {
    this.#listeners.add(told)
    return () => this.#listeners.delete(told)
  }
}
