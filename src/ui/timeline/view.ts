/** An open trace on the screen: minimap, rows, canvas, and what is selected: a slice, or a stretch of time. */
import { type Arrow, chainOf } from "../../trace/flows.ts"
import { OCCUPATIONS, Occupations } from "../../trace/occupation.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import { areaPanel } from "./area-panel.ts"
import { details } from "./details.ts"
import { drawFrame } from "./frame.ts"
import { HoverCard } from "./hover-card.ts"
import { hoverLines } from "./hover.ts"
import { laidOut, type Layout, rowAt, wholeHeight } from "./layout.ts"
import { legend } from "./legend.ts"
import { type Looking, lookingAt, toggled } from "./looking.ts"
import { markChips } from "./mark-chips.ts"
import { spelledMarks } from "./marks.ts"
import { Minimap } from "./minimap.ts"
import { type Place, placeOf, type Row } from "./model.ts"
import { timeText } from "./numbers.ts"
import type { Opened } from "./opening.ts"
import { picture } from "./picture.ts"
import { listen } from "./pointer.ts"
import { firstFrom } from "./pyramid.ts"
import { RowTree } from "./row-tree.ts"
import { find } from "./search.ts"
import { type ShownRows, shownRows } from "./shown-rows.ts"
import { Toolbar } from "./toolbar.ts"
import { viewCommands } from "./view-commands.ts"
import { clamped, panned, spelled, type Viewport } from "./viewport.ts"

/** Frames without a change of the view after which the address says where it is: browsers count changes of addresses. */
const SETTLED = 10

type Changes = Readonly<Record<string, string | undefined>>

export class View {
  readonly #context: ScreenContext
  readonly #open: Opened
  readonly #canvas = element("canvas", { class: "lanes", tabindex: "0", role: "img" })
  readonly #rows = element("div", { class: "rows", role: "group", "aria-label": "Timeline" })
  readonly #tree: RowTree
  readonly #toolbar: Toolbar
  readonly #card = new HoverCard()
  readonly #minimap: Minimap
  readonly #marks = element("p", { class: "tools", "aria-label": "Marks", role: "group" })
  readonly #range = element("p", { "data-range": "" })
  /** What the time in view went to, in words. */
  readonly #went = element("p", { "data-occupation": "", "data-provenance": "computed from the trace" })
  readonly #panel = element("section", { "aria-live": "polite", "aria-label": "Selection" })
  readonly #occupations: Occupations
  readonly #roundAt: ReadonlyMap<number, number>
  readonly #retire: () => void
  readonly #resized: ResizeObserver
  #looking: Looking
  #shown: ShownRows = { pinned: [], rows: [], folded: 0 }
  #layout: Layout = []
  #arrows: readonly Arrow[] = []
  /** What the panel shows, so that it is made anew only when that changes. */
  #panelKey = ""
  #frame = 0
  /** Frames since the view moved, while the address does not say so yet. */
  #unsettled: number | undefined

  constructor(host: HTMLElement, context: ScreenContext, open: Opened) {
    this.#context = context
    this.#open = open
    const { model, trace, stretches, rounds } = open.prepared
    this.#looking = lookingAt({}, model.run)
    this.#roundAt = new Map(Array.from(rounds.verify, (row, place) => [row, place]))
    this.#occupations = new Occupations(trace, stretches)
    this.#canvas.setAttribute(
      "aria-label",
      `Timeline of ${open.name}: ${model.slices} slices in ${model.rows.length} rows. The rows are a tree, and i gives a table.`
    )
    this.#minimap = new Minimap(
      this.#occupations,
      model.run,
      (to) => this.#go(to),
      () => this.#looking.view
    )
    this.#tree = new RowTree(model, {
      pin: ({ key }) => this.#set({ pins: toggled(this.#looking.pins, key) }),
      collapse: ({ key }) => this.#set({ shut: toggled(this.#looking.shut, key) }),
      enter: (row) => this.#enter(row)
    })
    this.#toolbar = new Toolbar(open, {
      filter: (words) => this.#set({ filter: words === "" ? undefined : words }),
      find: (by) => this.#next(by),
      fold: () => this.#set({ all: this.#looking.all ? undefined : "1" }),
      picture: () => this.#picture(),
      toast: context.toast,
      set: (changes) => this.#set(changes)
    })
    this.#rows.append(this.#tree.element, element("div", { class: "stage" }, this.#canvas))
    host.append(
      element("h1", {}, open.name),
      this.#range,
      this.#went,
      this.#toolbar.element,
      legend(model),
      this.#marks,
      this.#minimap.element,
      element("div", { class: "rows-frame" }, this.#rows, this.#card.element),
      this.#panel
    )
    this.#rows.addEventListener("scroll", () => this.#draw())
    listen(this.#canvas, {
      run: () => model.run,
      view: () => this.#looking.view,
      go: (to) => this.#go(to),
      area: (area) => this.#set({ area: spelled(area), slice: undefined }),
      pick: (x, y) => this.#pick(x, y),
      hover: (at) => this.#hover(at)
    })
    this.#retire = context.commands.register(this.#commands())
    this.#resized = new ResizeObserver(() => this.#draw())
    this.#resized.observe(this.#rows)
  }

  update({ view }: PageState): void {
    const { model, trace } = this.#open.prepared
    this.#looking = lookingAt(view, model.run)
    this.#unsettled = undefined
    const key = [view["slice"], view["area"], view["filter"], view["all"], view["shut"]].join("|")
    this.#arrange()
    if (key !== this.#panelKey || this.#panel.childElementCount === 0) {
      this.#panelKey = key
      this.#arrows = this.#looking.slice === undefined ? [] : chainOf(trace, this.#looking.slice)
      this.#panel.replaceChildren(...this.#details())
    }
    this.#marks.replaceChildren(
      ...markChips(
        this.#looking.marks,
        (at) => this.#reveal(at),
        (marks) => this.#set({ marks: spelledMarks(marks) })
      )
    )
    this.#draw()
  }

  dispose(): void {
    this.#retire()
    this.#resized.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  #commands() {
    return viewCommands({
      run: this.#open.prepared.model.run,
      view: () => this.#looking.view,
      go: (to) => this.#go(to),
      area: () => this.#set({ area: spelled(this.#looking.view), slice: undefined }),
      none: () => this.#set({ area: undefined, slice: undefined }),
      mark: () => this.#mark(),
      find: () => this.#toolbar.find.focus(),
      next: (by) => this.#next(by),
      filter: () => this.#toolbar.filter.focus(),
      step: (by) => this.#step(by),
      pin: () => {
        const row = this.#selected()?.row
        if (row === undefined) this.#context.toast("Select a slice first; or press g and Space on its row.")
        else this.#set({ pins: toggled(this.#looking.pins, row.key) })
      },
      selected: () => this.#fitSelected(),
      rows: () => this.#tree.focus(),
      rounds: () => this.#rounds()
    })
  }

  /** The rows that filter, fold and collapse leave, and their labels. */
  #arrange(): void {
    this.#shown = shownRows(this.#open.prepared.model.rows, this.#looking)
    this.#toolbar.show(this.#looking, this.#shown.folded)
    this.#tree.show(this.#shown, this.#looking)
  }

  #selected(): Place | undefined {
    const { model, trace } = this.#open.prepared
    const { slice } = this.#looking
    return slice === undefined ? undefined : placeOf(model, trace, slice)
  }

  #select({ row, slice }: Place): void {
    this.#set({ slice: String(row.source[slice]!), area: undefined })
    this.#tree.reveal(row)
    this.#reveal(row.start[slice]!)
  }

  /** The slice under a click. A pixel's width beside a slice still means that slice. */
  #pick(x: number, y: number): void {
    const row = rowAt(this.#layout, y)
    if (row?.type !== "slices") return
    const { from, to } = this.#looking.view
    const perPixel = (to - from) / this.#canvas.clientWidth
    const at = from + x * perPixel
    const slice = firstFrom(row.end, at)
    if (slice < row.start.length && row.start[slice]! <= at + perPixel) this.#select({ row, slice })
  }

  #hover(at: { readonly x: number; readonly y: number } | undefined): void {
    if (at === undefined) return this.#card.show([], { x: 0, y: 0 })
    const row = rowAt(this.#layout, at.y)
    const width = this.#canvas.clientWidth
    const { prepared } = this.#open
    const lines = hoverLines(prepared, this.#roundAt, row, this.#looking.view, { x: at.x, width })
    this.#card.show(lines, { x: at.x + this.#canvas.offsetLeft, y: at.y })
  }

  /** The first slice of a row that is in view. */
  #enter(row: Row): void {
    if (row.type !== "slices") return this.#context.toast(`${row.label} has no slices to go to.`)
    const slice = Math.min(firstFrom(row.end, this.#looking.view.from), row.start.length - 1)
    this.#select({ row, slice })
  }

  /** The next slice of the selected row; without a selection the first one in view. */
  #step(by: number): void {
    const selected = this.#selected()
    if (selected === undefined) {
      const first = this.#shown.rows.find((row) => row.type === "slices")
      if (first !== undefined) this.#enter(first)
      return
    }
    const slice = selected.slice + by
    if (slice >= 0 && slice < selected.row.start.length) this.#select({ row: selected.row, slice })
  }

  /** Brings a time into the middle of the view if it is out of it. */
  #reveal(at: number): void {
    const { from, to } = this.#looking.view
    if (at < from || at > to)
      this.#go(
        panned(this.#looking.view, (at - (from + to) / 2) / (to - from), this.#open.prepared.model.run)
      )
  }

  #fitSelected(): void {
    const { area } = this.#looking
    const selected = this.#selected()
    const stretch =
      area ??
      (selected === undefined
        ? undefined
        : { from: selected.row.start[selected.slice]!, to: selected.row.end[selected.slice]! })
    if (stretch === undefined) return this.#context.toast("Nothing is selected.")
    const margin = (stretch.to - stretch.from) * 0.1
    const { run } = this.#open.prepared.model
    this.#go(clamped({ from: stretch.from - margin, to: stretch.to + margin }, run))
  }

  /** Selects the next slice that is looked for. */
  #next(by: 1 | -1): void {
    const words = this.#toolbar.find.value
    const { trace, model } = this.#open.prepared
    const found = find(trace, model.rows, words, this.#selected(), by)
    if (found === undefined)
      return this.#context.toast(`No slice has “${words}” in its name, row or request.`)
    this.#select(found)
  }

  /** The rounds of the selected request, or of all. */
  #rounds(): void {
    const { slice } = this.#looking
    const request = slice === undefined ? 0 : (this.#open.prepared.trace.slices.request[slice] ?? 0)
    this.#set({ rounds: request === 0 ? "all" : String(request - 1) })
  }

  #mark(): void {
    const { view, marks } = this.#looking
    const selected = this.#selected()
    const at = Math.round(selected?.row.start[selected.slice] ?? (view.from + view.to) / 2)
    this.#set({ marks: spelledMarks([...marks, { at, name: `mark ${marks.length + 1}` }]) })
    this.#context.toast(`Marked ${timeText(at, 9)}.`)
  }

  #picture(): SVGSVGElement {
    const { ink, ground } = this.#theme()
    return picture(this.#open, [...this.#shown.pinned, ...this.#shown.rows], this.#looking, this.#roundAt, {
      ink,
      ground
    })
  }

  /** Moves the view at once; the address follows when it has come to rest. */
  #go(to: Viewport): void {
    this.#looking = { ...this.#looking, view: to }
    this.#unsettled = 0
    this.#arrange()
    this.#draw()
  }

  /** Changes what the address says; what is undefined leaves it. */
  #set(changes: Changes): void {
    const moved = this.#unsettled === undefined ? {} : { range: spelled(this.#looking.view) }
    const view = Object.fromEntries(
      Object.entries({ ...this.#context.state().view, ...moved, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined
      )
    )
    this.#context.navigate({ view }, "replace")
  }

  #details(): readonly HTMLElement[] {
    const { prepared } = this.#open
    if (this.#looking.area !== undefined)
      return areaPanel(
        prepared.trace,
        this.#shown.rows,
        prepared.model.rows,
        this.#occupations,
        this.#looking.area
      )
    const selected = this.#selected()
    if (selected !== undefined) return details(prepared, this.#roundAt, selected)
    return [
      element(
        "p",
        { class: "muted" },
        "Click a slice, or step through a row with , and . · drag with Shift, or press i, for statistics of a stretch · ? shows all keys"
      )
    ]
  }

  #theme(): { readonly ink: string; readonly ground: string } {
    const style = getComputedStyle(this.#rows)
    return { ink: style.color, ground: style.backgroundColor }
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#paint())
  }

  #paint(): void {
    const canvas = this.#canvas
    const scale = devicePixelRatio
    const high = Math.min(wholeHeight(this.#shown), this.#rows.clientHeight)
    const width = Math.max(1, Math.round(canvas.clientWidth * scale))
    const height = Math.max(1, Math.round(high * scale))
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
      canvas.style.height = `${high}px`
    }
    this.#layout = laidOut(this.#shown, this.#rows.scrollTop, high)
    const { prepared } = this.#open
    const primitives = drawFrame(
      canvas,
      {
        prepared,
        roundAt: this.#roundAt,
        layout: this.#layout,
        looking: this.#looking,
        arrows: this.#arrows
      },
      { ...this.#theme(), scale }
    )
    canvas.dataset["primitives"] = String(primitives)
    const { view } = this.#looking
    this.#minimap.draw(view)
    this.#words(view)
    if (this.#unsettled === undefined) return
    if (this.#unsettled++ < SETTLED) this.#frame = requestAnimationFrame(() => this.#paint())
    else this.#set({})
  }

  #words({ from, to }: Viewport): void {
    const { trace } = this.#open.prepared
    const shares = this.#occupations.shares(from, to)
    // Another tool's tracks do not say what is a GPU.
    this.#went.hidden = trace.names !== undefined
    this.#went.textContent = `GPU time in view: ${OCCUPATIONS.filter((name) => shares[name] > 0)
      .map((name) => `${name} ${(shares[name] * 100).toFixed(1)} %`)
      .join(" · ")}`
    this.#range.textContent = `${timeText(from)} to ${timeText(to)}, ${timeText(to - from)} shown (${trace.meta.basis})`
  }
}
