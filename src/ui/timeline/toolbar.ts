/** Above the rows: filter, search, folded requests, what to do with the trace. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { OpenTrace, TraceShelf } from "../shell/traces.ts"
import { besidePicker } from "./beside-picker.ts"
import type { Looking } from "./looking.ts"
import { openInPerfetto } from "./open-in-perfetto.ts"
import { viewButtons } from "./view-buttons.ts"

export interface ToolActions {
  readonly filter: (words: string) => void
  /** Goes to the next slice found, or the one before. */
  readonly find: (by: 1 | -1) => void
  readonly fold: () => void
  readonly picture: () => SVGSVGElement
  readonly traces: TraceShelf
  /** Id of the run that stands beside this one. */
  readonly beside: string | undefined
  readonly toast: (text: string) => void
  /** Changes of the address. */
  readonly set: (changes: Readonly<Record<string, string | undefined>>) => void
}

/** What of an address means something else once the rows are others. */
const NOT_SHARED = { slice: undefined, area: undefined, range: undefined, pins: undefined, shut: undefined }

export class Toolbar {
  readonly filter = element("input", {
    type: "search",
    placeholder: "Filter rows",
    "aria-label": "Filter rows"
  })
  readonly find = element("input", {
    type: "search",
    placeholder: "Find slices",
    "aria-label":
      "Find slices by name, row or request; Enter for the next, Shift and Enter for the one before"
  })
  readonly #fold = element("button", { type: "button" })
  readonly element: HTMLElement

  constructor(open: OpenTrace, actions: ToolActions) {
    const perfetto = element("button", { type: "button" }, "Open in Perfetto")
    perfetto.addEventListener("click", () => {
      openInPerfetto(open.trace, open.name).then(
        () => actions.toast("The trace is with Perfetto."),
        (error: unknown) => actions.toast(error instanceof Error ? error.message : String(error))
      )
    })
    this.filter.addEventListener("input", () => actions.filter(this.filter.value))
    this.find.addEventListener("keydown", (event) => {
      if (event.key === "Enter") actions.find(event.shiftKey ? -1 : 1)
    })
    this.#fold.addEventListener("click", actions.fold)
    this.element = element(
      "p",
      { class: "tools" },
      viewButtons("time", actions.set),
      this.filter,
      this.find,
      this.#fold,
      besidePicker(actions.traces, { open: open.id, beside: actions.beside }, (beside) =>
        actions.set({ beside, ...NOT_SHARED })
      ),
      perfetto,
      exportButtons({ name: "timeline", chart: actions.picture })
    )
  }

  show({ filter, all }: Looking, folded: number): void {
    if (document.activeElement !== this.filter) this.filter.value = filter
    this.#fold.hidden = folded === 0 && !all
    this.#fold.textContent = all ? "Fold requests" : `Show ${folded} more requests`
  }
}
