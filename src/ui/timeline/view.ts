/** An open trace on the screen: minimap, rows, canvas, and what is selected: a slice, or a stretch of time. */
import { type Arrow, chainOf } from "../../trace/flows.ts"
import { OCCUPATIONS, Occupations } from "../../trace/occupation.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import { areaPanel } from "./area-panel.ts"
import { details } from "./details.ts"
import { legend } from "./legend.ts"
import { type Looking, lookingAt, toggled } from "./looking.ts"
import { markChips } from "./mark-chips.ts"
import { spelledMarks } from "./marks.ts"
import { LimitWords } from "./limit-words.ts"
import { Limits } from "./limits.ts"
import { Minimap } from "./minimap.ts"
import { basisText, type Place, placeOf, type Row } from "./model.ts"
import { timeText } from "./numbers.ts"
import type { Opened } from "./opening.ts"
import { picture } from "./picture.ts"
import { firstFrom } from "./pyramid.ts"
import { Rest } from "./rest.ts"
import { find } from "./search.ts"
import { type ShownRows, shownRows } from "./shown-rows.ts"
import { type Showing, Stage } from "./stage.ts"
import { Toolbar } from "./toolbar.ts"
import { viewCommands } from "./view-commands.ts"
import { clamped, panned, spelled, type Viewport } from "./viewport.ts"

type Changes = Readonly<Record<string, string | undefined>>

export class View {
  readonly #context: ScreenContext
  readonly #open: Opened
  readonly #stage: Stage
  readonly #toolbar: Toolbar
  readonly #minimap: Minimap
  readonly #marks = element("p", { class: "tools", "aria-label": "Marks", role: "group" })
  readonly #range = element("p", { "data-range": "" })
  /** What the time in view went to, in words. */
  readonly #went = element("p", { "data-occupation": "", "data-provenance": "computed from the trace" })
  readonly #limiting: LimitWords
  readonly #panel = element("section", { "aria-live": "polite", "aria-label": "Selection" })
  readonly #occupations: Occupations
  readonly #limits: Limits | undefined
  readonly #roundAt: ReadonlyMap<number, number>
  readonly #retire: () => void
  #looking: Looking
  #shown: ShownRows = { pinned: [], rows: [], folded: 0 }
  #arrows: readonly Arrow[] = []
  /** What the panel shows, so that it is made anew only when that changes. */
  #panelKey = ""
  /** The marks that have chips. */
  #marked: string | undefined
  /** The address says where the view is once that has come to rest. */
  readonly #rest = new Rest(() => this.#set({ range: spelled(this.#looking.view) }))

  constructor(host: HTMLElement, context: ScreenContext, open: Opened) {
    this.#context = context
    this.#open = open
    const { model, trace, stretches, bounded, rounds } = open.prepared
    this.#looking = lookingAt({}, model.run)
    this.#roundAt = new Map(Array.from(rounds.verify, (row, place) => [row, place]))
    this.#occupations = new Occupations(trace, stretches)
    this.#limits = trace.names === undefined ? Limits.of(trace, model, this.#occupations, bounded) : undefined
    this.#limiting = new LimitWords(this.#limits)
    this.#limiting.element.hidden = trace.names !== undefined
    this.#minimap = new Minimap(
      { occupations: this.#occupations, limits: this.#limits },
      model.run,
      (to) => this.#go(to),
      () => this.#looking.view
    )
    this.#stage = new Stage(open, this.#roundAt, this.#showing, {
      pin: ({ key }) => this.#set({ pins: toggled(this.#looking.pins, key) }),
      collapse: ({ key }) => this.#set({ shut: toggled(this.#looking.shut, key) }),
      enter: (row) => this.#enter(row),
      go: (to) => this.#go(to),
      area: (area) => this.#set({ area: spelled(area), slice: undefined }),
      select: (place) => this.#select(place),
      painted: () => this.#painted()
    })
    this.#toolbar = new Toolbar(open, {
      filter: (words) => this.#set({ filter: words === "" ? undefined : words }),
      find: (by) => this.#next(by),
      fold: () => this.#set({ all: this.#looking.all ? undefined : "1" }),
      picture: () => this.#picture(),
      traces: context.traces,
      beside: context.state().view["beside"],
      toast: context.toast,
      set: (changes) => this.#set(changes)
    })
    host.append(
      element("h1", {}, open.name),
      this.#range,
      this.#went,
      this.#toolbar.element,
      legend(model),
      this.#marks,
      this.#minimap.element,
      this.#limiting.element,
      this.#stage.element,
      this.#panel
    )
    this.#retire = context.commands.register(this.#commands())
  }

  update({ view }: PageState): void {
    const { model, trace } = this.#open.prepared
    this.#looking = lookingAt(view, model.run)
    this.#rest.stop()
    const key = [view["slice"], view["area"], view["filter"], view["all"], view["shut"]].join("|")
    this.#shown = shownRows(model.rows, this.#looking)
    if (key !== this.#panelKey || this.#panel.childElementCount === 0) {
      this.#panelKey = key
      this.#arrows = this.#looking.slice === undefined ? [] : chainOf(trace, this.#looking.slice)
      this.#panel.replaceChildren(...this.#details())
    }
    if (view["marks"] !== this.#marked)
      this.#marks.replaceChildren(
        ...markChips(
          this.#looking.marks,
          (at) => this.#reveal(at),
          (marks) => this.#set({ marks: spelledMarks(marks) })
        )
      )
    this.#marked = view["marks"]
    this.#arrange()
  }

  dispose(): void {
    this.#retire()
    this.#rest.stop()
    this.#stage.dispose()
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
      rows: () => this.#stage.focusRows(),
      rounds: () => this.#rounds()
    })
  }

  /** The rows that filter, fold and collapse leave, and their labels. */
  #arrange(): void {
    this.#shown = shownRows(this.#open.prepared.model.rows, this.#looking)
    this.#toolbar.show(this.#looking, this.#shown.folded)
    this.#stage.show(this.#showing)
  }

  get #showing(): Showing {
    return { shown: this.#shown, looking: this.#looking, arrows: this.#arrows }
  }

  #selected(): Place | undefined {
    const { model, trace } = this.#open.prepared
    const { slice } = this.#looking
    return slice === undefined ? undefined : placeOf(model, trace, slice)
  }

  #select({ row, slice }: Place): void {
    this.#set({ slice: String(row.source[slice]!), area: undefined })
    this.#stage.reveal(row)
    this.#reveal(row.start[slice]!)
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
    const rows = [...this.#shown.pinned, ...this.#shown.rows]
    return picture(this.#open, rows, this.#looking, this.#roundAt, this.#stage.theme)
  }

  /** Moves the view at once; the address follows when it has come to rest. */
  #go(to: Viewport): void {
    this.#looking = { ...this.#looking, view: to }
    this.#rest.moved()
    this.#arrange()
  }

  /** Changes what the address says; what is undefined leaves it. */
  #set(changes: Changes): void {
    const moved = this.#rest.pending ? { range: spelled(this.#looking.view) } : {}
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

  /** A frame is on the screen: the rest of the page follows it. */
  #painted(): void {
    const { view } = this.#looking
    this.#minimap.draw(view)
    this.#words(view)
  }

  #words({ from, to }: Viewport): void {
    const { trace, model } = this.#open.prepared
    const shares = this.#occupations.shares(from, to)
    // Another tool's tracks do not say what is a GPU.
    this.#went.hidden = trace.names !== undefined
    this.#went.textContent = `GPU time in view: ${OCCUPATIONS.filter((name) => shares[name] > 0)
      .map((name) => `${name} ${(shares[name] * 100).toFixed(1)} %`)
      .join(" · ")}`
    this.#limiting.show({ from, to })
    this.#range.textContent = `${timeText(from)} to ${timeText(to)}, ${timeText(to - from)} shown (${basisText(model.rows)})`
  }
}
