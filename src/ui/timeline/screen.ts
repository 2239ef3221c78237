/** The timeline: what every part of the machine did when. */
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import { beginning } from "./beginning.ts"
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
  const open = async ({ view }: PageState): Promise<void> => {
    const key = keyOf(view)
    close()
    trace = { key, opened: undefined }
    host.replaceChildren(
      element("p", { role: "status" }, key.startsWith("method-") ? "Simulating…" : "Reading the trace…")
    )
    try {
      const found = await opened(context, view["open"] ?? "", view["beside"])
      if (!isCurrent(key)) return
      trace = { key, opened: found }
      if (found === undefined) host.replaceChildren(beginning(context, view["of"]))
      else show(context.state())
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (isCurrent(key)) host.replaceChildren(failure("This file cannot be shown as a timeline", why))
    }
  }
  return {
    update: (state) => {
      if (isCurrent(keyOf(state.view))) show(state)
      else void open(state)
    },
    dispose: () => {
      close()
      trace = undefined
    }
  }
}

/** What the address names. */
const keyOf = (view: PageState["view"]): string => `${view["open"] ?? ""} ${view["beside"] ?? ""}`
