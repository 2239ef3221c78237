/** The timeline: what every part of the machine did when. */
import { readTrace } from "../../trace/read-trace.ts"
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount, ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import { View } from "./view.ts"

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
const opened = async ({ traces }: ScreenContext, key: string): Promise<OpenTrace | undefined> => {
  const pending = traces.file(key)
  if (pending === undefined) return key === "" ? traces.all.at(-1) : traces.get(key)
  const { file, id } = pending
  if (!/\.jsonl$/i.test(file.name))
    throw new Error(
      `${file.name} is no trace in JSON lines. Write one with "vericache simulate FILE --trace run.jsonl".`
    )
  return { id, name: file.name, trace: readTrace(await file.text()) }
}

const nothing = (): HTMLElement =>
  element(
    "p",
    {},
    'No trace is open. Drop a file that "vericache simulate FILE --trace run.jsonl" wrote here, or open the timeline of a method in What-if.'
  )
