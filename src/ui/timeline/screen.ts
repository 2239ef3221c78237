/** The timeline: what every part of the machine did when. */
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount, ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import type { Reading } from "./reading.ts"
import { View } from "./view.ts"
import "./timeline.css"

export const mount: Mount = (host, context) => {
  let shown: { readonly key: string; readonly view: View | undefined } | undefined
  const close = (): void => {
    shown?.view?.dispose()
    shown = undefined
  }
  const show = async (key: string): Promise<void> => {
    close()
    shown = { key, view: undefined }
    host.replaceChildren(element("p", { role: "status" }, "Reading the trace…"))
    try {
      const open = await opened(context, key)
      if (shown?.key !== key) return
      host.replaceChildren()
      if (open === undefined) host.append(nothing())
      else shown = { key, view: new View(host, context, open) }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (shown?.key === key) host.replaceChildren(failure("This file cannot be shown as a timeline", why))
    }
  }
  return {
    update: ({ view }: PageState) => {
      const key = view["open"] ?? ""
      if (shown?.key !== key) void show(key).then(() => shown?.view?.update(context.state()))
      else shown.view?.update(context.state())
    },
    dispose: close
  }
}

/** What the address names: a trace on the shelf, a file still to be read, or by default the newest trace. */
const opened = async ({ traces, toast }: ScreenContext, key: string): Promise<OpenTrace | undefined> => {
  const pending = traces.file(key)
  if (pending === undefined) return key === "" ? traces.all.at(-1) : traces.get(key)
  const { file, id } = pending
  const { trace, problem } = await read(file)
  if (trace === undefined) throw new Error(problem)
  if (problem !== undefined) toast(`${problem}. The rest is shown.`)
  return { id, name: file.name, trace }
}

const read = async (file: File): Promise<Reading> => {
  const worker = new Worker(new URL("./reading.ts", import.meta.url), { type: "module" })
  try {
    return await new Promise((resolve, reject) => {
      worker.addEventListener("message", ({ data }: MessageEvent<Reading>) => resolve(data))
      worker.addEventListener("error", ({ message }) => reject(new Error(message)))
      worker.postMessage(file, { transfer: [] })
    })
  } finally {
    worker.terminate()
  }
}

const nothing = (): HTMLElement =>
  element(
    "p",
    {},
    'No trace is open. Drop a file that "vericache simulate FILE --trace run.jsonl" wrote here, or open the timeline of a method in What-if.'
  )
