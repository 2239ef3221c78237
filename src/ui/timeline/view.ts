/** An open trace on the screen: minimap, labels, canvas, what is selected: a slice, or a stretch of time. */
import { OCCUPATIONS, Occupations } from "../../trace/occupation.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import { hueOf } from "./colours.ts"
import { areaPanel } from "./area-panel.ts"
import { AXIS_HEIGHT, paint, ROW_HEIGHT } from "./canvas.ts"
import { details } from "./details.ts"
import { Minimap } from "./minimap.ts"
import { type ShownRow, shownRows } from "./shown-rows.ts"
import { type TimelineModel, timelineModel } from "./model.ts"
import { openInPerfetto } from "./open-in-perfetto.ts"
import { timeText } from "./numbers.ts"
import { firstFrom } from "./pyramid.ts"
import { clamped, panned, parsed, spelled, type Viewport, zoomed } from "./viewport.ts"

interface Selection {
  readonly row: number
  readonly slice: number
}

export class View {
  readonly #context: ScreenContext
  readonly #open: OpenTrace
  readonly #model: TimelineModel
  readonly #canvas = element("canvas", { class: "lanes", tabindex: "0", role: "img" })
  readonly #labels = element("div", { class: "row-labels" })
  readonly #minimap: Minimap
  readonly #filter = element("input", {
    type: "search",
    placeholder: "Filter rows",
    "aria-label": "Filter rows"
  })
  readonly #fold = element("button", { type: "button" })
  readonly #range = element("p", { "data-range": "" })
  readonly #panel = element("section", { "aria-live": "polite", "aria-label": "Selection" })
  /** What the time in view went to, in words. */
  readonly #went = element("p", { "data-occupation": "", "data-provenance": "computed from the trace" })
  readonly #occupations: Occupations
  readonly #retire: () => void
  readonly #resized: ResizeObserver
  #view: Viewport
  #selected: Selection | undefined
  #area: Viewport | undefined
  /** What the panel shows, so that it is made anew only when that changes. */
  #panelKey = ""
  #shown: readonly ShownRow[] = []
  #frame = 0

  constructor(host: HTMLElement, context: ScreenContext, open: OpenTrace) {
    this.#context = context
    this.#open = open
    this.#model = timelineModel(open.trace)
    this.#view = this.#model.run
    this.#occupations = new Occupations(open.trace)
    const { rows, slices, run } = this.#model
    this.#canvas.setAttribute(
      "aria-label",
      `Timeline of ${open.name}: ${slices} slices in ${rows.length} rows`
    )
    this.#minimap = new Minimap(
      this.#occupations,
      run,
      (to) => this.#go(to),
      () => this.#view
    )
    this.#filter.addEventListener("input", () => this.#set({ filter: this.#filter.value || undefined }))
    this.#fold.addEventListener("click", () =>
      this.#set({ all: this.#context.state().view["all"] === undefined ? "1" : undefined })
    )
    host.append(
      element("h1", {}, open.name),
      this.#range,
      this.#went,
      element("p", { class: "tools" }, this.#filter, this.#fold, this.#perfetto()),
      legend(this.#model),
      this.#minimap.element,
      element(
        "div",
        { class: "rows", tabindex: "0", role: "group", "aria-label": "Rows" },
        this.#labels,
        this.#canvas
      ),
      this.#panel
    )
    this.#pointer()
    this.#retire = context.commands.register(this.#commands())
    this.#resized = new ResizeObserver(() => this.#draw())
    this.#resized.observe(this.#canvas)
  }

  #perfetto(): HTMLButtonElement {
    const button = element("button", { type: "button" }, "Open in Perfetto")
    button.addEventListener("click", () => {
      const { trace, name } = this.#open
      openInPerfetto(trace, name).then(
        () => this.#context.toast("The trace is with Perfetto."),
        (error: unknown) => this.#context.toast(error instanceof Error ? error.message : String(error))
      )
    })
    return button
  }

  update({ view }: PageState): void {
    this.#view = clamped(parsed(view["range"]) ?? this.#model.run, this.#model.run)
    const [row, slice] = (view["slice"] ?? "").split(".").map(Number)
    this.#selected = this.#slice(row, slice)
    this.#area = parsed(view["area"])
    this.#rows(view["filter"] ?? "", view["all"] !== undefined)
    const key = [view["slice"], view["area"], view["filter"], view["all"]].join("|")
    if (key !== this.#panelKey || this.#panel.childElementCount === 0)
      this.#panel.replaceChildren(...this.#details())
    this.#panelKey = key
    this.#draw()
  }

  /** The rows that filter and fold leave, and their labels. */
  #rows(filter: string, all: boolean): void {
    const { shown, folded } = shownRows(this.#model.rows, { filter, all, view: this.#view })
    const same =
      shown.length === this.#shown.length && shown.every(({ place }, i) => place === this.#shown[i]!.place)
    this.#shown = shown
    if (document.activeElement !== this.#filter) this.#filter.value = filter
    this.#fold.hidden = folded === 0 && !all
    this.#fold.textContent = all ? "Fold requests" : `Show ${folded} more requests`
    if (same) return
    this.#labels.replaceChildren(
      ...shown.map(({ row: { label, depth } }) =>
        element("div", { class: "row-label", title: label, style: `padding-left:${depth * 0.7}em` }, label)
      )
    )
  }

  dispose(): void {
    this.#retire()
    this.#resized.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  #slice(row: number | undefined, slice: number | undefined): Selection | undefined {
    const found = row === undefined ? undefined : this.#model.rows[row]
    if (row === undefined || slice === undefined || found?.type !== "slices") return undefined
    return slice >= 0 && slice < found.start.length ? { row, slice } : undefined
  }

  #commands() {
    const { run } = this.#model
    const zoom = (factor: number) => () => this.#go(zoomed(this.#view, factor, 0.5, run))
    const pan = (share: number) => () => this.#go(panned(this.#view, share, run))
    return [
      { name: "Zoom in", key: "w", run: zoom(0.7) },
      { name: "Zoom out", key: "s", run: zoom(1 / 0.7) },
      { name: "Earlier", key: "a", run: pan(-0.2) },
      { name: "Later", key: "d", run: pan(0.2) },
      { name: "Pan left", key: "ArrowLeft", run: pan(-0.2) },
      { name: "Pan right", key: "ArrowRight", run: pan(0.2) },
      { name: "Fit the whole run", key: "f", run: () => this.#go(run) },
      {
        name: "Statistics of what is in view",
        key: "i",
        run: () => this.#set({ area: spelled(this.#view), slice: undefined })
      },
      { name: "No selection", key: "Escape", run: () => this.#set({ area: undefined, slice: undefined }) },
      { name: "Filter rows", key: "/", run: () => this.#filter.focus() },
      { name: "Previous slice of the row", key: ",", run: () => this.#step(-1) },
      { name: "Next slice of the row", key: ".", run: () => this.#step(1) }
    ]
  }

  #pointer(): void {
    const canvas = this.#canvas
    const { run } = this.#model
    const share = ({ offsetX }: MouseEvent): number => offsetX / canvas.clientWidth
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (event.shiftKey) return
        event.preventDefault()
        this.#go(zoomed(this.#view, 1.002 ** event.deltaY, share(event), run))
      },
      { passive: false }
    )
    // With Shift a drag selects a stretch of time, without it moves the view.
    let anchor: number | undefined
    const timeAt = (event: MouseEvent): number => {
      const { from, to } = this.#view
      return from + (to - from) * Math.min(1, Math.max(0, share(event)))
    }
    canvas.addEventListener("pointerdown", (event) => {
      anchor = event.shiftKey ? timeAt(event) : undefined
      if (event.shiftKey) canvas.setPointerCapture(event.pointerId)
    })
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1) return
      if (anchor === undefined) this.#go(panned(this.#view, -event.movementX / canvas.clientWidth, run))
      else {
        const [from, to] = [anchor, timeAt(event)].toSorted((a, b) => a - b) as [number, number]
        if (to - from >= 1) this.#set({ area: spelled({ from, to }), slice: undefined })
      }
    })
    canvas.addEventListener("click", (event) => {
      if (event.shiftKey) return
      const row = this.#shown[Math.floor((event.offsetY - AXIS_HEIGHT) / ROW_HEIGHT)]?.place
      const found = row === undefined ? undefined : this.#model.rows[row]
      if (row === undefined || found?.type !== "slices") return
      const { from, to } = this.#view
      const at = from + (to - from) * share(event)
      const slice = firstFrom(found.end, at)
      // A pixel's width beside a slice still means that slice.
      if (slice < found.start.length && found.start[slice]! <= at + (to - from) / canvas.clientWidth)
        this.#select({ row, slice })
    })
  }

  /** The next slice of the selected row; without a selection the first one in view. */
  #step(by: number): void {
    const { rows } = this.#model
    const selected = this.#selected
    const first = rows.findIndex(({ type }) => type === "slices")
    const row = rows[selected?.row ?? first]
    if (row?.type !== "slices") return
    const slice = selected === undefined ? firstFrom(row.start, this.#view.from) : selected.slice + by
    const next = this.#slice(selected?.row ?? first, slice)
    if (next === undefined) return
    this.#select(next)
    // What is selected is brought into view, in its middle if it was out of it.
    const { from, to } = this.#view
    const at = row.start[slice]!
    if (at < from || at > to)
      this.#go(panned(this.#view, (at - (from + to) / 2) / (to - from), this.#model.run))
  }

  #select({ row, slice }: Selection): void {
    this.#set({ slice: `${row}.${slice}`, area: undefined })
  }

  #go(to: Viewport): void {
    this.#set({ range: spelled(to) })
  }

  /** Changes what the address says; what is undefined leaves it. */
  #set(changes: Readonly<Record<string, string | undefined>>): void {
    const view = Object.fromEntries(
      Object.entries({ ...this.#context.state().view, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined
      )
    )
    this.#context.navigate({ view }, "replace")
  }

  #details(): readonly HTMLElement[] {
    if (this.#area !== undefined)
      return areaPanel(
        this.#open.trace,
        this.#shown.map(({ row }) => row),
        this.#occupations,
        this.#area
      )
    if (this.#selected === undefined)
      return [
        element(
          "p",
          { class: "muted" },
          "Click a slice, or step through a row with , and . · drag with Shift, or press i, for statistics of a stretch · ? shows all keys"
        )
      ]
    const row = this.#model.rows[this.#selected.row]
    return row?.type === "slices" ? details(this.#open.trace, row, this.#selected.slice) : []
  }

  /** A frame around what is selected. */
  #outline(): void {
    const selected = this.#selected
    const row = selected === undefined ? undefined : this.#model.rows[selected.row]
    if (selected === undefined || row?.type !== "slices") return
    const { from, to } = this.#view
    const x = (at: number): number => ((at - from) / (to - from)) * this.#canvas.width
    const left = x(row.start[selected.slice]!)
    const context = this.#canvas.getContext("2d")!
    context.strokeStyle = getComputedStyle(this.#canvas).color
    context.lineWidth = 2
    const at = this.#shown.findIndex(({ place }) => place === selected.row)
    if (at < 0) return
    const top = AXIS_HEIGHT + at * ROW_HEIGHT - 1
    context.strokeRect(left - 1, top, Math.max(3, x(row.end[selected.slice]!) - left + 2), ROW_HEIGHT - 1)
  }

  /** The selected stretch, behind a veil. */
  #veil(): void {
    if (this.#area === undefined) return
    const { from, to } = this.#view
    const canvas = this.#canvas
    const x = (at: number): number => ((at - from) / (to - from)) * canvas.width
    const context = canvas.getContext("2d")!
    context.fillStyle = "rgb(0 114 178 / 0.16)"
    context.fillRect(x(this.#area.from), 0, Math.max(1, x(this.#area.to) - x(this.#area.from)), canvas.height)
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      const canvas = this.#canvas
      canvas.width = Math.max(1, canvas.clientWidth)
      canvas.height = AXIS_HEIGHT + this.#shown.length * ROW_HEIGHT
      const rows = this.#shown.map(({ row }) => row)
      const primitives = paint(canvas, rows, this.#view, getComputedStyle(canvas).color)
      this.#veil()
      this.#outline()
      this.#minimap.draw(this.#view)
      canvas.dataset["primitives"] = String(primitives)
      const { from, to } = this.#view
      const shares = this.#occupations.shares(from, to)
      // Another tool's tracks do not say what is a GPU.
      this.#went.hidden = this.#open.trace.names !== undefined
      this.#went.textContent = `GPU time in view: ${OCCUPATIONS.filter((name) => shares[name] > 0)
        .map((name) => `${name} ${(shares[name] * 100).toFixed(1)} %`)
        .join(" · ")}`
      this.#range.textContent = `${timeText(from)} to ${timeText(to)}, ${timeText(to - from)} shown (${this.#open.trace.meta.basis})`
    })
  }
}

/** The kinds of slices there are, each with its colour. */
const legend = ({ rows }: TimelineModel): HTMLElement => {
  const kinds = new Set(rows.flatMap((row) => (row.type === "slices" ? [...new Set(row.kind)] : [])))
  return element(
    "p",
    { class: "legend" },
    ...EVENT_KINDS.filter((_, index) => kinds.has(index)).map((kind) =>
      element(
        "span",
        {},
        element("span", { class: "swatch", "aria-hidden": "true", style: `background:${hueOf(kind)}` }),
        kind
      )
    )
  )
}
