/** Opens what an address names: a trace on the shelf, a file still to be read, a method to simulate, or by default the newest trace. */
import { methodOf } from "../shell/methods.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { Meanwhile, Preparation, Preparing, Source } from "./preparing.ts"
import type { Come } from "./read-file.ts"
import type { Prepared } from "./prepare.ts"

/** A trace with all that is shown of it. */
export interface Opened extends OpenTrace {
  readonly prepared: Prepared
}

/** Who wants to hear of a file while it is read: how much has come, and what there is to show of its first slices. */
export interface Waiting {
  readonly come: (name: string, come: Come) => void
  readonly part: (opened: Opened) => void
}

/**
 * `key`: the trace; `other`: one to stand beside it. Undefined if the first is not there. Throws a sentence a person can act on.
 */
export const opened = async (
  context: ScreenContext,
  key: string,
  other: string | undefined,
  waiting: Waiting
): Promise<Opened | undefined> => {
  const of = await sourceOf(context, key)
  if (of === undefined) return undefined
  const beside = other === undefined ? undefined : await sourceOf(context, other)
  if (other !== undefined && beside === undefined)
    context.toast("The run beside it is not open any more: choose it again.")
  const { prepared, problem } = await prepare({ of, beside }, (meanwhile) => {
    if ("come" in meanwhile) waiting.come(meanwhile.name, meanwhile.come)
    else waiting.part({ id: key, name: of.name, trace: meanwhile.part.trace, prepared: meanwhile.part })
  })
  if (prepared === undefined) throw new Error(problem)
  if (problem !== undefined) context.toast(`${problem}. The rest is shown.`)
  const name = beside === undefined ? of.name : `A · ${of.name} beside B · ${beside.name}`
  return { id: key, name, trace: prepared.trace, prepared }
}

const sourceOf = async (context: ScreenContext, key: string): Promise<Source | undefined> => {
  const { traces } = context
  const pending = traces.file(key)
  if (pending !== undefined) return { name: pending.file.name, file: pending.file }
  const method = methodOf(key)
  if (method !== undefined) return simulated(context, method)
  const kept = key === "" ? traces.all.at(-1) : traces.get(key)
  return kept === undefined ? undefined : { name: kept.name, trace: kept.trace }
}

/** The run that was simulated last, and what of: it is not simulated again to stand beside another. */
let last: { readonly asked: string; readonly source: Source } | undefined

/** Simulates a method of the scenario the address names, and leaves the run on the shelf for other screens. */
const simulated = (context: ScreenContext, method: number): Promise<Source> => {
  const { file, text, changes } = context.state()
  const asked = JSON.stringify([file, text, changes, method])
  if (last?.asked === asked) return Promise.resolve(last.source)
  return new Promise((resolve, reject) => {
    context.simulation.ask({ kind: "trace", source: { file, text, changes }, method }, (response) => {
      if (response.kind === "trace") {
        last = { asked, source: context.traces.add(response.name, response.trace) }
        resolve(last.source)
      } else if (response.kind === "problem") reject(new Error(response.message))
      else if (response.kind === "faults")
        reject(new Error("The scenario has faults: What-if shows where. Mend it there first."))
    })
  })
}

/** Asks a worker, so that the page stays free. */
const prepare = async (asked: Preparing, told: (meanwhile: Meanwhile) => void): Promise<Preparation> => {
  const worker = new Worker(new URL("./preparing.ts", import.meta.url), { type: "module" })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Preparation | Meanwhile>) => {
        if ("prepared" in data) resolve(data)
        else told(data)
      })
      worker.addEventListener("error", ({ message }) => reject(new Error(message)))
      worker.postMessage(asked, { transfer: [] })
    })
  } finally {
    worker.terminate()
  }
}
