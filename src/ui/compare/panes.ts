/** The linked panes: one view of both runs, moved by keys, wheel and pointer; a slice at a time told in words. */
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { Command } from "../shell/commands.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import type { OpenTrace } from "../shell/traces.ts"
import { timeText } from "../timeline/numbers.ts"
import { firstFrom } from "../timeline/pyramid.ts"
import { clamped, panned, parsed, spelled, type Viewport, zoomed } from "../timeline/viewport.ts"
import { type Alignment, ALIGNMENTS } from "./alignment.ts"
import type { Comparison } from "./comparison.ts"
import { firstShared, type Lanes, lanesOf, residualOf, type Side } from "./lanes.ts"
import { gutterOf, LANE, panesChart, paneTop, spanWords } from "./panes-chart.ts"
import { residualClass, RESIDUALS, signedPercent, signedTime, UNPAIRED } from "./words.ts"

interface Selected {
  readonly side: Side
  readonly lane: number
  readonly slice: number
}

export class Panes {
  readonly element: HTMLElement
  readonly #context: ScreenContext
  readonly #runs: Readonly<Record<Side, OpenTrace>>
  readonly #comparison: Comparison
  readonly #first: number
  readonly #align = element(
    "select",
    { id: "compare-align", "aria-label": "aligned by" },
    ...ALIGNMENTS.map((name) => element("option", { value: name }, name))
  )
  readonly #request = element("input", {
    id: "compare-request",
    "aria-label": "request",
    type: "number",
    min: 0,
    step: 1
  })
  readonly #chart = element("div", { class: "lanes", tabindex: "0", role: "group" })
  readonly #note = element("p", { class: "muted small", "data-range": "" })
  readonly #told = element("p", { "aria-live": "polite", "aria-label": "Selected slice", class: "told" })
  readonly #resized: ResizeObserver
  #key = ""
  #lanes: Lanes | undefined
  #view: Viewport = { from: 0, to: 1 }
  #selected: Selected | undefined
  #frame = 0

  constructor(context: ScreenContext, a: OpenTrace, b: OpenTrace, comparison: Comparison) {
    this.#context = context
    this.#runs = { a, b }
    this.#comparison = comparison
    this.#first = firstShared(a.trace, b.trace)
    this.#chart.setAttribute(
      "aria-label",
      "Lanes of both runs. Keys: w s zoom, a d move, f fit, , and . slices"
    )
    this.element = element(
      "section",
      { class: "card linked", "aria-label": "Lanes of both runs" },
      element(
        "header",
        {},
        element("h2", {}, "Both runs, linked"),
        element("label", { class: "pick", for: "compare-align" }, "aligned by ", this.#align),
        element("label", { class: "pick", for: "compare-request" }, "request ", this.#request),
        exportButtons({
          name: "compare-lanes",
          chart: () => this.#chart.querySelector("svg") ?? undefined,
          table: () => this.#csv()
        })
      ),
      this.#chart,
      this.#note,
      this.#told,
      legend()
    )
    this.#align.addEventListener("change", () =>
      this.#put({ align: this.#align.value, range: "", slice: "" })
    )
    this.#request.addEventListener("change", () =>
      this.#put({ request: this.#request.value, range: "", slice: "" })
    )
    this.#pointer()
    this.#resized = new ResizeObserver(() => this.#draw())
    this.#resized.observe(this.#chart)
  }

  update({ view }: PageState): void {
    const align = ALIGNMENTS.find((name) => name === view["align"]) ?? "time"
    const request = /^\d{1,9}$/.test(view["request"] ?? "") ? Number(view["request"]) : this.#first
    this.#align.value = align
    this.#request.value = String(request)
    const key = `${align} ${request}`
    if (key !== this.#key) {
      this.#key = key
      this.#lanes = lanesOf(this.#runs.a, this.#runs.b, align, request)
    }
    const lanes = this.#lanes!
    this.#view = clamped(parsed(view["range"]) ?? lanes.span, lanes.span)
    const [side, lane, slice] = (view["slice"] ?? "").split(".")
    this.#selected = this.#found({
      side: side === "a" ? "a" : "b",
      lane: Number(lane ?? -1),
      slice: Number(slice ?? -1)
    })
    this.#tell()
    this.#draw()
  }

  dispose(): void {
    this.#resized.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  get commands(): readonly Command[] {
    const span = (): Viewport => this.#lanes!.span
    const zoom = (factor: number) => () => this.#go(zoomed(this.#view, factor, 0.5, span()))
    const pan = (share: number) => () => this.#go(panned(this.#view, share, span()))
    return [
      { name: "Zoom in", key: "w", run: zoom(0.7) },
      { name: "Zoom out", key: "s", run: zoom(1 / 0.7) },
      { name: "Earlier", key: "a", run: pan(-0.2) },
      { name: "Later", key: "d", run: pan(0.2) },
      { name: "Fit both runs", key: "f", run: () => this.#go(span()) },
      { name: "Previous slice of the lane", key: ",", run: () => this.#step(-1) },
      { name: "Next slice of the lane", key: ".", run: () => this.#step(1) },
      { name: "Lane above", key: "[", run: () => this.#lane(-1) },
      { name: "Lane below", key: "]", run: () => this.#lane(1) }
    ]
  }

  #put(to: Readonly<Record<string, string>>, how: "push" | "replace" = "replace"): void {
    const view = Object.entries({ ...this.#context.state().view, ...to }).filter(([, value]) => value !== "")
    this.#context.navigate({ view: Object.fromEntries(view) }, how)
  }

  #go(to: Viewport): void {
    this.#put({ range: spelled(to) })
  }

  #found(selected: Selected): Selected | undefined {
    const row = this.#lanes?.[selected.side][selected.lane]?.row
    return row?.start[selected.slice] === undefined ? undefined : selected
  }

  #select(selected: Selected): void {
    if (this.#found(selected) === undefined) return
    const { start, end } = this.#lanes![selected.side][selected.lane]!.row!
    const { from, to } = this.#view
    const [begin, finish] = [start[selected.slice]!, end[selected.slice]!]
    const range =
      finish < from || begin > to
        ? { range: spelled(panned(this.#view, (begin - (from + to) / 2) / (to - from), this.#lanes!.span)) }
        : {}
    this.#put({ slice: `${selected.side}.${selected.lane}.${selected.slice}`, ...range })
  }

  /** The next slice of the selected lane; without a selection the first in view of B's first lane that has any. */
  #step(by: number): void {
    const selected = this.#selected
    if (selected !== undefined) return this.#select({ ...selected, slice: selected.slice + by })
    const lane = this.#lanes!.b.findIndex(({ row }) => row !== undefined)
    if (lane >= 0) this.#select({ side: "b", lane, slice: this.#inView("b", lane) })
  }

  #inView(side: Side, lane: number): number {
    const row = this.#lanes![side][lane]!.row!
    return Math.min(row.start.length - 1, firstFrom(row.end, this.#view.from))
  }

  #lane(by: number): void {
    const lanes = this.#lanes!
    const all = (["a", "b"] as const).flatMap((side) =>
      lanes[side].flatMap(({ row }, lane) => (row === undefined ? [] : [{ side, lane }]))
    )
    const now = all.findIndex(
      ({ side, lane }) => side === this.#selected?.side && lane === this.#selected.lane
    )
    const next = all[Math.min(all.length - 1, Math.max(0, now + by))]
    if (next !== undefined) this.#select({ ...next, slice: this.#inView(next.side, next.lane) })
  }

  #pointer(): void {
    const chart = this.#chart
    const share = ({ clientX }: MouseEvent): number => {
      const { left, width } = chart.getBoundingClientRect()
      const gutter = gutterOf(width)
      return Math.min(1, Math.max(0, (clientX - left - gutter) / (width - gutter)))
    }
    chart.addEventListener(
      "wheel",
      (event) => {
        if (event.shiftKey) return
        event.preventDefault()
        this.#go(zoomed(this.#view, 1.002 ** event.deltaY, share(event), this.#lanes!.span))
      },
      { passive: false }
    )
    chart.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1) return
      const width = chart.clientWidth - gutterOf(chart.clientWidth)
      this.#go(panned(this.#view, -event.movementX / width, this.#lanes!.span))
    })
    chart.addEventListener("click", (event) => {
      const lanes = this.#lanes!
      const y = event.clientY - chart.getBoundingClientRect().top
      const { from, to } = this.#view
      const at = from + (to - from) * share(event)
      const side = y >= paneTop(lanes, "b") ? "b" : "a"
      const lane = Math.floor((y - paneTop(lanes, side)) / LANE)
      const row = lanes[side][lane]?.row
      if (row === undefined) return
      const slice = firstFrom(row.end, at)
      if (slice < row.start.length && row.start[slice]! <= at + (to - from) / chart.clientWidth)
        this.#select({ side, lane, slice })
    })
  }

  #residual = (side: Side, row: number): { readonly index: number; readonly share: number | undefined } => {
    const { a, b } = residualOf(
      { a: this.#runs.a.trace, b: this.#runs.b.trace },
      this.#comparison.pairing,
      side,
      row
    )
    if (a === undefined || b === undefined) return { index: UNPAIRED, share: undefined }
    return { index: residualClass(a, b), share: a === 0 ? (b === 0 ? 0 : 1) : b / a - 1 }
  }

  #tell(): void {
    const selected = this.#selected
    const row = selected === undefined ? undefined : this.#lanes![selected.side][selected.lane]!.row!
    if (selected === undefined || row === undefined) {
      this.#told.textContent =
        "Select a slice: click it, or step with , and . through a lane, [ and ] through lanes."
      return
    }
    const { a: runA, b: runB } = this.#runs
    const { kind, request, round, a, b } = residualOf(
      { a: runA.trace, b: runB.trace },
      this.#comparison.pairing,
      selected.side,
      row.source[selected.slice]!
    )
    const whose = request === undefined ? "" : ` of request ${request}`
    const which = round === undefined ? "" : `, round ${round}`
    const own = (selected.side === "a" ? a : b) ?? 0
    this.#told.textContent =
      a === undefined || b === undefined
        ? `${kind}${whose}${which}: ${timeText(own, 5)} in ${selected.side.toUpperCase()}, not paired with the other run.`
        : `${kind}${whose}${which}: ${timeText(a, 5)} in A (${runA.trace.meta.basis}), ${timeText(b, 5)} in B (${runB.trace.meta.basis}), B − A ${signedTime(b - a)}${a === 0 ? "" : `, ${signedPercent(b / a - 1)}`}.`
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      if (this.#lanes === undefined) return
      const align: Alignment = ALIGNMENTS.find((name) => name === this.#align.value) ?? "time"
      const { a, b } = this.#runs
      const picture = panesChart({
        lanes: this.#lanes,
        view: this.#view,
        width: Math.max(240, this.#chart.clientWidth),
        align,
        names: { a: a.name, b: b.name },
        residual: this.#residual,
        selected: this.#selected
      })
      this.#chart.replaceChildren(picture)
      const missing = this.#lanes.missing.map((side) => side.toUpperCase()).join(" and ")
      const lacks =
        align === "time"
          ? "no slices"
          : `no ${align === "round" ? "rounds of" : ""} request ${this.#request.value}`
      this.#note.textContent = `${spanWords(this.#view, align)}${
        missing === ""
          ? ""
          : `. ${missing} has ${lacks}, so its lanes are empty: choose another request or align by time.`
      }`
    })
  }

  #csv(): readonly (readonly (string | number)[])[] {
    const { a, b } = this.#runs
    const runs = { a: a.trace, b: b.trace }
    const { inB } = this.#comparison.pairing
    return [
      ["kind", "request", "round", "A ns", "B ns", "B - A ns"],
      ...Array.from(inB).flatMap((partner, row) => {
        if (partner < 0) return []
        const one = residualOf(runs, this.#comparison.pairing, "a", row)
        return [[one.kind, one.request ?? "", one.round ?? "", one.a!, one.b!, one.b! - one.a!]]
      })
    ]
  }
}

/** What the colours and strokes of B's slices say. */
const legend = (): HTMLElement =>
  element(
    "p",
    { class: "legend small" },
    element("span", {}, "A: colours of the timeline. B, against A:"),
    ...RESIDUALS.map(({ name, words, sign }) =>
      element(
        "span",
        {},
        element("span", {
          "aria-hidden": "true",
          class: `key ${name} ${sign > 0 ? "up" : sign < 0 ? "down" : ""}`
        }),
        words
      )
    )
  )
