/** A place for a chart that is drawn as wide as its place is, so that words in it have one size on every screen. */
import { element } from "./element.ts"

/** Narrower places scroll. */
const LEAST = 280

export class Fitted {
  readonly root = element("div", { class: "fitted" })
  #draw: ((width: number) => Element) | undefined
  #width = 0

  constructor() {
    let frame = 0
    new ResizeObserver(() => {
      // Not within the observation: what is drawn may change what is observed.
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => {
        const width = Math.max(LEAST, Math.round(this.root.clientWidth))
        if (width === this.#width) return
        this.#width = width
        this.#redraw()
      })
    }).observe(this.root)
  }

  /** The chart, for saving. */
  get chart(): SVGSVGElement | undefined {
    return this.root.querySelector("svg") ?? undefined
  }

  /** Shows what `draw` makes of a width in pixels, now and whenever that changes. */
  show(draw: (width: number) => Element): void {
    this.#draw = draw
    if (this.#width > 0) this.#redraw()
  }

  /** The chart is made anew: the element that had the focus keeps it, by its name. */
  #redraw(): void {
    if (this.#draw === undefined) return
    const active = this.root.contains(document.activeElement) ? document.activeElement : undefined
    const name = active?.getAttribute("aria-label")
    this.root.replaceChildren(this.#draw(this.#width))
    if (name !== null && name !== undefined)
      [...this.root.querySelectorAll<SVGElement | HTMLElement>("[aria-label]")]
        .find((one) => one.getAttribute("aria-label") === name)
        ?.focus()
  }
}
