/** The timeline: what every part of the machine did when. */
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import { opened, type Opened } from "./opening.ts"
import { RoundsView } from "./rounds-view.ts"
import { View } from "./view.ts"
import "./timeline.css"

interface Shown {
  update(state: PageState): void
  dispose(): void
}

export const mount: Mount = (host, context) => {
  let trace: { readonly key: string; readonly opened: Opened | undefined } | undefined
  let shown: { readonly mode: string; readonly view: Shown } | undefined
  const close = (): void => {
    shown?.view.dispose()
    shown = undefined
  }
  const isCurrent = (key: string): boolean => trace?.key === key
  /** Shows the trace that is open the way the address asks for. */
  const show = (state: PageState): void => {
    if (trace?.opened === undefined) return
    const mode = state.view["rounds"] === undefined ? "time" : "rounds"
    if (shown?.mode !== mode) {
      close()
      host.replaceChildren()
      const { opened: open } = trace
      shown = {
        mode,
        view: mode === "time" ? new View(host, context, open) : new RoundsView(host, context, open)
      }
    }
    shown.view.update(state)
  }
  const open = async (key: string): Promise<void> => {
    close()
    trace = { key, opened: undefined }
    host.replaceChildren(element("p", { role: "status" }, "Reading the trace…"))
    try {
      const found = await opened(context, key)
      if (!isCurrent(key)) return
      trace = { key, opened: found }
      if (found === undefined) host.replaceChildren(nothing())
      else show(context.state())
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (isCurrent(key)) host.replaceChildren(failure("This file cannot be shown as a timeline", why))
    }
  }
  return {
    update: (state) => {
      const key = state.view["open"] ?? ""
      if (trace?.key === key) show(state)
      else void open(key)
    },
    dispose: () => {
      close()
      trace = undefined
    }
  }
}

const nothing = (): HTMLElement =>
  element(
    "p",
    {},
    'No trace is open. Drop a file that "vericache simulate FILE --trace run.jsonl" wrote here, or open the timeline of a method in What-if.'
  )
