/** Opens what an address names: a trace on the shelf, a file still to be read, or by default the newest trace. */
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { Preparation, Preparing } from "./preparing.ts"
import type { Prepared } from "./prepare.ts"

/** A trace with all that is shown of it. */
export interface Opened extends OpenTrace {
  readonly prepared: Prepared
}

/** Undefined if the address names nothing that is there. Throws a sentence a person can act on. */
export const opened = async ({ traces, toast }: ScreenContext, key: string): Promise<Opened | undefined> => {
  const pending = traces.file(key)
  const kept = key === "" ? traces.all.at(-1) : traces.get(key)
  if (pending === undefined && kept === undefined) return undefined
  const { id, name } = kept ?? { id: pending!.id, name: pending!.file.name }
  const { prepared, problem } = await prepare(
    kept === undefined ? { file: pending!.file } : { trace: kept.trace }
  )
  if (prepared === undefined) throw new Error(problem)
  if (problem !== undefined) toast(`${problem}. The rest is shown.`)
  return { id, name, trace: prepared.trace, prepared }
}

/** Asks a worker, so that the page stays free. */
const prepare = async (asked: Preparing): Promise<Preparation> => {
  const worker = new Worker(new URL("./preparing.ts", import.meta.url), { type: "module" })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Preparation>) => resolve(data))
      worker.addEventListener("error", ({ message }) => reject(new Error(message)))
      worker.postMessage(asked, { transfer: [] })
    })
  } finally {
    worker.terminate()
  }
}
