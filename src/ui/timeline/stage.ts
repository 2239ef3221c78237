/** Rows and canvas: labels as a tree beside what is painted, and what the pointer does there. */
import type { Arrow } from "../../trace/flows.ts"
import { element } from "../components/element.ts"
import { drawFrame } from "./frame.ts"
import { HoverCard } from "./hover-card.ts"
import { hoverLines } from "./hover.ts"
import { laidOut, type Layout, rowAt, wholeHeight } from "./layout.ts"
import type { Looking } from "./looking.ts"
import type { Place, Row } from "./model.ts"
import type { Opened } from "./opening.ts"
import { listen } from "./pointer.ts"
import { firstFrom } from "./pyramid.ts"
import { RowTree, type TreeActions } from "./row-tree.ts"
import type { ShownRows } from "./shown-rows.ts"
import type { Viewport } from "./viewport.ts"

export interface StageActions extends TreeActions {
  readonly go: (to: Viewport) => void
  readonly area: (area: Viewport) => void
  readonly select: (place: Place) => void
  /** A frame has been painted. */
  readonly painted: () => void
}

/** What the stage shows. */
export interface Showing {
  readonly shown: ShownRows
  readonly looking: Looking
  readonly arrows: readonly Arrow[]
}

export class Stage {
  readonly #open: Opened
  readonly #actions: StageActions
  readonly #canvas = element("canvas", { class: "lanes", tabindex: "0", role: "img" })
  readonly #rows = element("div", { class: "rows", role: "group", "aria-label": "Timeline" })
  readonly #card = new HoverCard()
  readonly #tree: RowTree
  readonly #roundAt: ReadonlyMap<number, number>
  readonly #resized: ResizeObserver
  readonly element = element("div", { class: "rows-frame" }, this.#rows, this.#card.element)
  #showing: Showing
  #layout: Layout = []
  #frame = 0

  constructor(open: Opened, roundAt: ReadonlyMap<number, number>, showing: Showing, actions: StageActions) {
    this.#open = open
    this.#roundAt = roundAt
    this.#showing = showing
    this.#actions = actions
    const { model } = open.prepared
    this.#tree = new RowTree(model, actions)
    this.#canvas.setAttribute(
      "aria-label",
      `Timeline of ${open.name}: ${model.slices} slices in ${model.rows.length} rows. The rows are a tree, and i gives a table.`
    )
    this.#rows.append(this.#tree.element, element("div", {}, this.#canvas))
    this.#rows.addEventListener("scroll", () => this.draw())
    listen(this.#canvas, {
      run: () => model.run,
      view: () => this.#showing.looking.view,
      go: actions.go,
      area: actions.area,
      pick: (x, y) => this.#pick(x, y),
      hover: (at) => this.#hover(at)
    })
    this.#resized = new ResizeObserver(() => this.draw())
    this.#resized.observe(this.#rows)
  }

  show(showing: Showing): void {
    this.#showing = showing
    this.#tree.show(showing.shown, showing.looking)
    this.draw()
  }

  /** Paints with the next frame. */
  draw(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      this.#paint()
      this.#actions.painted()
    })
  }

  /** Scrolls a row into view. */
  reveal(row: Row): void {
    this.#tree.reveal(row)
  }

  focusRows(): void {
    this.#tree.focus()
  }

  /** Colours of the page's theme. */
  get theme(): { readonly ink: string; readonly ground: string } {
    const style = getComputedStyle(this.#rows)
    return { ink: style.color, ground: style.backgroundColor }
  }

  dispose(): void {
    this.#resized.disconnect()
    cancelAnimationFrame(this.#frame)
  }

  /** The slice under a click. A pixel's width beside a slice still means that slice. */
  #pick(x: number, y: number): void {
    const row = rowAt(this.#layout, y)
    if (row?.type !== "slices") return
    const { from, to } = this.#showing.looking.view
    const perPixel = (to - from) / this.#canvas.clientWidth
    const at = from + x * perPixel
    const slice = firstFrom(row.end, at)
    if (slice < row.start.length && row.start[slice]! <= at + perPixel) this.#actions.select({ row, slice })
  }

  #hover(at: { readonly x: number; readonly y: number } | undefined): void {
    if (at === undefined) return this.#card.show([], { x: 0, y: 0 })
    const row = rowAt(this.#layout, at.y)
    const width = this.#canvas.clientWidth
    const { view } = this.#showing.looking
    const lines = hoverLines(this.#open.prepared, this.#roundAt, row, view, { x: at.x, width })
    this.#card.show(lines, { x: at.x + this.#canvas.offsetLeft, y: at.y })
  }

  #paint(): void {
    const canvas = this.#canvas
    const { shown, looking, arrows } = this.#showing
    const scale = devicePixelRatio
    const high = Math.min(wholeHeight(shown), this.#rows.clientHeight)
    const width = Math.max(1, Math.round(canvas.clientWidth * scale))
    const height = Math.max(1, Math.round(high * scale))
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width
      canvas.height = height
      canvas.style.height = `${high}px`
    }
    this.#layout = laidOut(shown, this.#rows.scrollTop, high)
    const primitives = drawFrame(
      canvas,
      { prepared: this.#open.prepared, roundAt: this.#roundAt, layout: this.#layout, looking, arrows },
      { ...this.theme, scale }
    )
    canvas.dataset["primitives"] = String(primitives)
  }
}
