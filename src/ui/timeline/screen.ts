/** The timeline: what every part of the machine did when. */
import { failure } from "../components/error-panel.ts"
import { element } from "../components/element.ts"
import { methodOf } from "../shell/methods.ts"
import type { PageState } from "../shell/page-state.ts"
import type { Mount } from "../shell/screen.ts"
import { beginning } from "./beginning.ts"
import { bytesText } from "./numbers.ts"
import { opened, type Opened } from "./opening.ts"
import type { Come } from "./read-file.ts"
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
  /** What stands above a trace that is still being read. */
  let head: readonly HTMLElement[] = []
  const isCurrent = (key: string): boolean => trace?.key === key
  /** Shows the trace that is open the way the address asks for. */
  const show = (state: PageState): void => {
    if (trace?.opened === undefined) return
    const mode = state.view["rounds"] === undefined ? "time" : "rounds"
    if (shown?.mode !== mode) {
      close()
      host.replaceChildren(...head)
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
    const status = element(
      "p",
      { role: "status" },
      methodOf(view["open"] ?? "") === undefined ? "Reading the trace…" : "Simulating…"
    )
    // Not for screen readers: they would read every number out.
    const come = element("p", { class: "muted", "aria-hidden": "true" })
    head = [status, come]
    host.replaceChildren(...head)
    /** What there is to show takes the place of what was shown before. */
    const put = (found: Opened): void => {
      const focused = host.contains(document.activeElement)
      close()
      trace = { key, opened: found }
      show(context.state())
      if (focused) host.querySelector<HTMLElement>("canvas")?.focus()
    }
    try {
      const found = await opened(context, view["open"] ?? "", view["beside"], {
        come: (name, much) => {
          come.textContent = comeText(name, much)
        },
        part: (part) => {
          if (!isCurrent(key)) return
          status.textContent = `Reading the trace: its first ${part.prepared.model.slices.toLocaleString("en")} slices are shown so far, and the rest follows.`
          status.dataset["part"] = ""
          put(part)
        }
      })
      if (!isCurrent(key)) return
      head = []
      if (found === undefined) host.replaceChildren(beginning(context, view["of"]))
      else put(found)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (!isCurrent(key)) return
      close()
      trace = { key, opened: undefined }
      host.replaceChildren(failure("This file cannot be shown as a timeline", why))
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

const comeText = (name: string, { bytes, of }: Come): string =>
  `${name}: ${bytesText(bytes)} read${of === undefined ? "" : ` of ${bytesText(of)}, ${Math.floor((bytes / of) * 100)} %`}`

/** What the address names. */
const keyOf = (view: PageState["view"]): string => `${view["open"] ?? ""} ${view["beside"] ?? ""}`
