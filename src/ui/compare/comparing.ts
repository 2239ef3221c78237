/** Runs the comparison off the page's thread, and finds the runs an address names. */
import type { OpenedFile } from "../shell/opened-file.ts"
import { methodOf } from "../shell/methods.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { Reading } from "../timeline/read-file.ts"
import type { Comparison } from "./comparison.ts"

/** Sends to a worker of its own and waits for its one answer. */
const once = <Answer>(worker: Worker, message: unknown): Promise<Answer> =>
  new Promise<Answer>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => resolve(data))
    worker.addEventListener("error", ({ message: why }) => reject(new Error(why)))
    worker.postMessage(message, { transfer: [] })
  }).finally(() => worker.terminate())

export const compareInWorker = (a: OpenTrace, b: OpenTrace): Promise<Comparison> => {
  const columns = ({ trace: { meta, tracks, slices, dropped } }: OpenTrace) => ({
    meta,
    tracks,
    slices,
    dropped
  })
  return once(new Worker(new URL("../workers/compare.ts", import.meta.url), { type: "module" }), {
    a: columns(a),
    b: columns(b)
  })
}

/** The runs that were simulated or read here, and how to get others. */
export class Runs {
  readonly #context: ScreenContext
  readonly #kept = new Map<string, OpenTrace>()
  #cancel: () => void = () => undefined

  constructor(context: ScreenContext) {
    this.#context = context
  }

  /** Files that were read here, for choosing them again. */
  get files(): readonly OpenTrace[] {
    return [...this.#kept.values()].filter(({ id }) => id.startsWith("file-"))
  }

  /** What `id` names; throws a sentence a person can act on. */
  async get(id: string, tell: (doing: string) => void): Promise<OpenTrace> {
    const state = this.#context.state()
    const method = methodOf(id)
    const key = method === undefined ? id : `${id} ${sourceKey(state)}`
    const kept = this.#context.traces.get(id) ?? this.#kept.get(key)
    if (kept !== undefined) return kept
    const pending = this.#context.traces.file(id)
    if (pending === undefined && method === undefined)
      throw new Error(
        `The address names ${id}, which is no longer open: runs last as long as the page. Choose another run, or open its file again.`
      )
    tell(pending === undefined ? "Simulating…" : `Reading ${pending.file.name}…`)
    const found =
      pending === undefined ? await this.#simulated(id, method!, state) : await this.#read(id, pending.file)
    this.#kept.set(key, found)
    return found
  }

  stop(): void {
    this.#cancel()
  }

  #simulated(id: string, method: number, state: PageState): Promise<OpenTrace> {
    return new Promise((resolve, reject) => {
      this.#cancel = this.#context.simulation.ask({ kind: "trace", source: state, method }, (response) => {
        if (response.kind === "trace") resolve({ id, name: response.name, trace: response.trace })
        else if (response.kind === "problem") reject(new Error(response.message))
        else if (response.kind === "faults")
          reject(
            new Error(`The scenario ${state.file} has faults: What-if shows where. Mend it there first.`)
          )
      })
    })
  }

  async #read(id: string, file: OpenedFile): Promise<OpenTrace> {
    const { trace, problem } = await once<Reading>(
      new Worker(new URL("../timeline/reading.ts", import.meta.url), { type: "module" }),
      file
    )
    if (trace === undefined) throw new Error(problem)
    if (problem !== undefined) this.#context.toast(`${problem}. What comes before is compared.`)
    return { id, name: file.name, trace }
  }
}

/** Tells scenarios apart. */
export const sourceKey = ({ file, text, changes }: PageState): string => JSON.stringify([file, text, changes])
