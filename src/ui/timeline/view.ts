/** An open trace on the screen: minimap, labels, canvas, what is selected. */
import { OCCUPATIONS, Occupations } from "../../trace/occupation.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import { hueOf } from "./colours.ts"
import { AXIS_HEIGHT, paint, ROW_HEIGHT } from "./canvas.ts"
import { details } from "./details.ts"
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
  readonly #canvas = element("canvas", {
    tabindex: "0",
    role: "img",
    style: "display:block;width:100%;touch-action:none"
  })
  readonly #range = element("p", { "data-range": "", style: "font-variant-numeric:tabular-nums" })
  readonly #panel = element("section", { "aria-live": "polite", "aria-label": "Selection" })
  /** What the time in view went to, in words. */
  readonly #went = element("p", { "data-occupation": "", "data-provenance": "computed from the trace" })
  readonly #occupations: Occupations
  readonly #retire: () => void
  readonly #resized: ResizeObserver
  #view: Viewport
  #selected: Selection | undefined
  #frame = 0

  constructor(host: HTMLElement, context: ScreenContext, open: OpenTrace) {
    this.#context = context
    this.#open = open
    this.#model = timelineModel(open.trace)
    this.#view = this.#model.run
    this.#occupations = new Occupations(open.trace)
    const { rows, slices } = this.#model
    this.#canvas.setAttribute(
      "aria-label",
      `Timeline of ${open.name}: ${slices} slices in ${rows.length} rows`
    )
    const labels = rows.map(({ label, depth }) =>
      element(
        "div",
        {
          title: label,
          style: `height:${ROW_HEIGHT}px;padding-left:${depth * 0.7}em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-size:12px;line-height:${ROW_HEIGHT - 2}px`
        },
        label
      )
    )
    host.append(
      element("h1", {}, open.name),
      this.#range,
      this.#went,
      element("p", { class: "tools" }, this.#perfetto()),
      legend(this.#model),
      element(
        "div",
        {
          style:
            "display:grid;grid-template-columns:minmax(7em,15em) minmax(0,1fr);max-height:65vh;overflow-y:auto",
          tabindex: "0",
          role: "group",
          "aria-label": "Rows"
        },
        element("div", { style: `padding-top:${AXIS_HEIGHT}px` }, ...labels),
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
    this.#panel.replaceChildren(...this.#details())
    this.#draw()
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
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) this.#go(panned(this.#view, -event.movementX / canvas.clientWidth, run))
    })
    canvas.addEventListener("click", (event) => {
      const row = Math.floor((event.offsetY - AXIS_HEIGHT) / ROW_HEIGHT)
      const found = this.#model.rows[row]
      if (found?.type !== "slices") return
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
    const view = { ...this.#context.state().view, slice: `${row}.${slice}` }
    this.#context.navigate({ view }, "replace")
  }

  #go(to: Viewport): void {
    this.#context.navigate({ view: { ...this.#context.state().view, range: spelled(to) } }, "replace")
  }

  #details(): readonly HTMLElement[] {
    if (this.#selected === undefined)
      return [element("p", {}, "Select a slice: click it, or step through a row with , and .")]
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
    const top = AXIS_HEIGHT + selected.row * ROW_HEIGHT - 1
    context.strokeRect(left - 1, top, Math.max(3, x(row.end[selected.slice]!) - left + 2), ROW_HEIGHT - 1)
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      const canvas = this.#canvas
      canvas.width = Math.max(1, canvas.clientWidth)
      canvas.height = AXIS_HEIGHT + this.#model.rows.length * ROW_HEIGHT
      const primitives = paint(canvas, this.#model, this.#view, getComputedStyle(canvas).color)
      this.#outline()
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
    { style: "display:flex;flex-wrap:wrap;gap:0 1em;font-size:12px" },
    ...EVENT_KINDS.filter((_, index) => kinds.has(index)).map((kind) =>
      element(
        "span",
        {},
        element("span", {
          "aria-hidden": "true",
          style: `display:inline-block;width:1em;height:.8em;margin-right:.4em;background:${hueOf(kind)}`
        }),
        kind
      )
    )
  )
}
