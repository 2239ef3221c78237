/** Rounds laid over each other: those of a request or of all, one to a line, aligned where they begin or where they are verified. */
import { rootOf } from "../../trace/occupation.ts"
import { judgedOf } from "../../trace/rounds.ts"
import { exportButtons } from "../components/download.ts"
import { element } from "../components/element.ts"
import type { PageState } from "../shell/page-state.ts"
import type { ScreenContext } from "../shell/screen.ts"
import { ALIGNMENTS, type Alignment, type Cycles, cyclesOf, tokensOf } from "./cycles.ts"
import { HoverCard } from "./hover-card.ts"
import { judgedText } from "./hover.ts"
import { AXIS_HEIGHT } from "./layout.ts"
import { basisText } from "./model.ts"
import { timeText } from "./numbers.ts"
import type { Opened } from "./opening.ts"
import { listen } from "./pointer.ts"
import { Rest } from "./rest.ts"
import { drawRounds, type Lines, roundsDrawing } from "./rounds-canvas.ts"
import { phasesTable, roundsTable } from "./rounds-table.ts"
import { viewButtons } from "./view-buttons.ts"
import { clamped, panned, parsed, spelled, type Viewport, zoomed } from "./viewport.ts"

/** Height of a line, CSS pixels: as much as there is room for, between these. */
const LOWEST = 4
const HIGHEST = 18

const ALIGNED: Readonly<Record<Alignment, string>> = {
  start: "aligned where they begin",
  verify: "aligned where they are verified"
}

export class RoundsView {
  readonly #context: ScreenContext
  readonly #open: Opened
  readonly #canvas = element("canvas", { class: "lanes", tabindex: "0", role: "img" })
  readonly #space = element("div", { class: "space" })
  readonly #stage = element(
    "div",
    { class: "rows rounds", role: "group", "aria-label": "Rounds" },
    this.#canvas,
    this.#space
  )
  readonly #card = new HoverCard()
  readonly #request = element("select", { "aria-label": "Rounds of" })
  readonly #align = element("select", { "aria-label": "Aligned" })
  readonly #summary = element("p", { "data-rounds": "", "aria-live": "polite" })
  readonly #tables = element("section", { "aria-label": "Rounds in numbers" })
  readonly #retire: () => void
  readonly #resized: ResizeObserver
  /** The address says where the view is once that has come to rest. */
  readonly #rest = new Rest(() => {
    const whole = this.#view.from <= 0 && this.#view.to >= this.#cycles.length
    this.#set({ cycle: whole ? undefined : spelled(this.#view) })
  })
  #cycles: Cycles
  #shown = ""
  #view: Viewport = { from: 0, to: 1 }
  #frame = 0

  constructor(host: HTMLElement, context: ScreenContext, open: Opened) {
    this.#context = context
    this.#open = open
    const { rounds } = open.prepared
    this.#cycles = cyclesOf(rounds, undefined, "start")
    const requests = [...new Set(rounds.request)].toSorted((a, b) => a - b)
    this.#request.append(
      element("option", { value: "all" }, "all requests"),
      ...requests.map((id) => element("option", { value: String(id) }, `request ${id}`))
    )
    this.#align.append(...ALIGNMENTS.map((by) => element("option", { value: by }, ALIGNED[by])))
    this.#request.addEventListener("change", () =>
      this.#set({ rounds: this.#request.value, cycle: undefined })
    )
    this.#align.addEventListener("change", () => this.#set({ align: this.#align.value, cycle: undefined }))
    host.append(
      element("h1", {}, open.name),
      this.#summary,
      element(
        "p",
        { class: "tools" },
        viewButtons("rounds", (changes) => this.#set(changes)),
        this.#request,
        this.#align,
        exportButtons({ name: "rounds", chart: () => this.#drawing() })
      ),
      element("div", { class: "rows-frame" }, this.#stage, this.#card.element),
      element(
        "p",
        { class: "muted small" },
        "Above: draft, wait, verification. Below: the reload, pale while the draft hides it and striped after; under the verification its accepted, corrected and rejected tokens (striped). Click a round to see it in the timeline."
      ),
      this.#tables
    )
    this.#stage.addEventListener("scroll", () => this.#draw())
    listen(this.#canvas, {
      run: () => this.#run,
      view: () => this.#view,
      go: (to) => this.#go(to),
      area: (area) => this.#go(area),
      pick: (_, y) => this.#goTo(this.#lineAt(y)),
      hover: (at) => this.#hover(at)
    })
    this.#retire = context.commands.register(this.#commands())
    this.#resized = new ResizeObserver(() => this.#draw())
    this.#resized.observe(this.#stage)
  }

  update({ view }: PageState): void {
    const { rounds, model } = this.#open.prepared
    const request = /^\d+$/.test(view["rounds"] ?? "") ? Number(view["rounds"]) : undefined
    const by = ALIGNMENTS.find((one) => one === view["align"]) ?? "start"
    const shown = `${request} ${by}`
    if (shown !== this.#shown) {
      this.#shown = shown
      this.#cycles = cyclesOf(rounds, request, by)
      this.#request.value = request === undefined ? "all" : String(request)
      this.#align.value = by
      const basis = basisText(model.rows)
      this.#tables.replaceChildren(
        ...phasesTable(rounds, this.#cycles, basis),
        roundsTable(rounds, this.#cycles, this.#runOf, basis)
      )
      const { places } = this.#cycles
      const { drafted, accepted, brought } = tokensOf(rounds, places)
      this.#summary.dataset["provenance"] = basis
      this.#summary.textContent =
        places.length === 0
          ? "This trace has no rounds: a round is a draft with its verification, as the vericache methods make them."
          : `${places.length.toLocaleString("en")} rounds (${basis}): of ${drafted.toLocaleString("en")} drafted tokens ${accepted.toLocaleString("en")} were accepted (${((100 * accepted) / Math.max(1, drafted)).toFixed(1)} %); with the full model's own they brought ${brought.toLocaleString("en")}.`
      this.#canvas.setAttribute(
        "aria-label",
        `${places.length} rounds, ${ALIGNED[by]}; the table below says the same`
      )
    }
    this.#rest.stop()
    this.#view = clamped(parsed(view["cycle"]) ?? this.#run, this.#run)
    this.#draw()
  }

  dispose(): void {
    this.#retire()
    this.#rest.stop()
    this.#resized.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  /** Which of two runs side by side a round is of. */
  get #runOf(): ((place: number) => string) | undefined {
    const { trace, rounds } = this.#open.prepared
    if (trace.bases === undefined) return undefined
    return (place) => trace.tracks[rootOf(trace.tracks, trace.slices.track[rounds.verify[place]!]!)]!.name
  }

  get #run(): Viewport {
    return { from: 0, to: this.#cycles.length }
  }

  #commands() {
    const zoom = (factor: number) => () => this.#go(zoomed(this.#view, factor, 0.5, this.#run))
    const pan = (share: number) => () => this.#go(panned(this.#view, share, this.#run))
    return [
      { name: "Zoom in", key: "w", run: zoom(0.7) },
      { name: "Zoom out", key: "s", run: zoom(1 / 0.7) },
      { name: "Earlier", key: "a", run: pan(-0.2) },
      { name: "Later", key: "d", run: pan(0.2) },
      { name: "Fit the longest round", key: "f", run: () => this.#go(this.#run) },
      { name: "Choose a request", key: "r", run: () => this.#request.focus() },
      { name: "Choose the alignment", key: "l", run: () => this.#align.focus() },
      {
        name: "Back to the timeline",
        key: "v",
        run: () => this.#set({ rounds: undefined, cycle: undefined })
      }
    ]
  }

  /** Height of a line, CSS pixels. */
  get #line(): number {
    const room = this.#stage.clientHeight - AXIS_HEIGHT
    const lines = Math.max(1, this.#cycles.places.length)
    return Math.max(LOWEST, Math.min(HIGHEST, Math.floor(Math.max(room, 360) / lines)))
  }

  #lines(height: number): Lines {
    const line = this.#line
    const { scrollTop } = this.#stage
    const first = Math.floor(scrollTop / line)
    return {
      first,
      last: Math.min(this.#cycles.places.length, Math.ceil((scrollTop + height - AXIS_HEIGHT) / line)),
      height: line,
      top: AXIS_HEIGHT + first * line - scrollTop
    }
  }

  #lineAt(y: number): number | undefined {
    const line = Math.floor((y - AXIS_HEIGHT + this.#stage.scrollTop) / this.#line)
    return y < AXIS_HEIGHT || line >= this.#cycles.places.length ? undefined : line
  }

  #hover(at: { readonly x: number; readonly y: number } | undefined): void {
    const line = at === undefined ? undefined : this.#lineAt(at.y)
    if (at === undefined || line === undefined) return this.#card.show([], { x: 0, y: 0 })
    const { rounds } = this.#open.prepared
    const place = this.#cycles.places[line]!
    const took = (name: string, from: Float64Array, to: Float64Array): readonly string[] => {
      const ns = to[place]! - from[place]!
      return ns > 0 ? [`${name} ${timeText(ns, 4)}`] : []
    }
    this.#card.show(
      [
        `${this.#runOf === undefined ? "" : `${this.#runOf(place)}: `}request ${rounds.request[place]}, round ${rounds.round[place]}`,
        [
          ...took("draft", rounds.draftStart, rounds.draftEnd),
          ...took("reload", rounds.reloadStart, rounds.reloadEnd),
          ...took("wait", rounds.draftEnd, rounds.verifyStart),
          ...took("verify", rounds.verifyStart, rounds.verifyEnd)
        ].join(" · "),
        judgedText(judgedOf(rounds, place)),
        `verified at ${timeText(rounds.verifyStart[place]!, 9)}`
      ],
      at
    )
  }

  /** Shows a round in the timeline, its verification selected. */
  #goTo(line: number | undefined): void {
    if (line === undefined) return
    const { rounds, model } = this.#open.prepared
    const place = this.#cycles.places[line]!
    const from = this.#cycles.zero[line]!
    const margin = (rounds.verifyEnd[place]! - from) * 0.1
    const range = clamped({ from: from - margin, to: rounds.verifyEnd[place]! + margin }, model.run)
    this.#set(
      { rounds: undefined, cycle: undefined, slice: String(rounds.verify[place]!), range: spelled(range) },
      "push"
    )
  }

  #drawing(): SVGSVGElement {
    const { prepared, name } = this.#open
    return roundsDrawing(name, prepared.rounds, this.#cycles, this.#view, this.#theme())
  }

  #go(to: Viewport): void {
    this.#view = to
    this.#rest.moved()
    this.#draw()
  }

  #set(changes: Readonly<Record<string, string | undefined>>, how: "push" | "replace" = "replace"): void {
    const view = Object.fromEntries(
      Object.entries({ ...this.#context.state().view, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined
      )
    )
    this.#context.navigate({ view }, how)
  }

  #theme() {
    const style = getComputedStyle(this.#stage)
    return { ink: style.color, ground: style.backgroundColor }
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      const canvas = this.#canvas
      const scale = devicePixelRatio
      this.#space.style.height = `${this.#cycles.places.length * this.#line}px`
      const high = Math.min(this.#stage.clientHeight, AXIS_HEIGHT + this.#cycles.places.length * this.#line)
      canvas.width = Math.max(1, Math.round(canvas.clientWidth * scale))
      canvas.height = Math.max(1, Math.round(high * scale))
      canvas.style.height = `${high}px`
      drawRounds(
        canvas,
        this.#open.prepared.rounds,
        this.#cycles,
        this.#view,
        this.#lines(high),
        this.#theme(),
        scale
      )
      canvas.dataset["lines"] = String(this.#cycles.places.length)
    })
  }
}
