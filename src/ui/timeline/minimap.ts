/**
 * The whole run in two strips: what the GPUs' time went to, column by column, and under it what limits; the stretch in view is a window
 * to drag.
 */
import { OCCUPATIONS, type Occupation, type Occupations } from "../../trace/occupation.ts"
import { element } from "../components/element.ts"
import { hueOf } from "./colours.ts"
import { LIMIT_COLOURS, LIMITS, type Limits } from "./limits.ts"
import { clamped, type Viewport } from "./viewport.ts"

/** Pixels: of the upper strip, from there to the lower one, and of all. */
const [WENT, GAP, HEIGHT] = [30, 4, 44]

const COLOURS: Readonly<Record<Occupation, string>> = {
  verify: hueOf("verify"),
  prefill: hueOf("prefill"),
  decode: hueOf("decode"),
  draft: hueOf("draft"),
  "exposed transfer": hueOf("reload"),
  idle: "transparent"
}

export class Minimap {
  readonly element = element("canvas", { class: "minimap", "aria-hidden": "true" })
  readonly #occupations: Occupations
  readonly #limits: Limits | undefined
  readonly #run: Viewport
  #strip: ImageData | undefined

  /** `go`: what dragging asks for. */
  constructor(
    { occupations, limits }: { readonly occupations: Occupations; readonly limits: Limits | undefined },
    run: Viewport,
    go: (to: Viewport) => void,
    view: () => Viewport
  ) {
    this.#occupations = occupations
    this.#limits = limits
    this.#run = run
    const jump = (event: PointerEvent): void => {
      if (event.buttons !== 1) return
      const { from, to } = view()
      const at = run.from + ((run.to - run.from) * event.offsetX) / this.element.clientWidth
      go(clamped({ from: at - (to - from) / 2, to: at + (to - from) / 2 }, run))
    }
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId)
      jump(event)
    })
    this.element.addEventListener("pointermove", jump)
  }

  draw({ from, to }: Viewport): void {
    const canvas = this.element
    const width = Math.max(1, canvas.clientWidth)
    const context = canvas.getContext("2d")!
    if (canvas.width !== width || this.#strip === undefined) {
      canvas.width = width
      canvas.height = HEIGHT
      this.#strip = this.#paint(context, width)
    }
    context.putImageData(this.#strip, 0, 0)
    const x = (at: number): number => ((at - this.#run.from) / (this.#run.to - this.#run.from)) * width
    context.fillStyle = "rgb(128 128 128 / 0.45)"
    context.fillRect(0, 0, x(from), HEIGHT)
    context.fillRect(x(to), 0, width - x(to), HEIGHT)
    context.strokeStyle = getComputedStyle(canvas).color
    context.lineWidth = 2
    context.strokeRect(x(from) + 1, 1, Math.max(4, x(to) - x(from)) - 2, HEIGHT - 2)
  }

  /** Shares of each column stacked; painted once for a width. */
  #paint(context: CanvasRenderingContext2D, width: number): ImageData {
    context.clearRect(0, 0, width, HEIGHT)
    const step = (this.#run.to - this.#run.from) / width
    const style = getComputedStyle(this.element)
    const limiting = LIMITS.map((name) => style.getPropertyValue(LIMIT_COLOURS[name]))
    const stack = (column: number, bottom: number, colour: string, high: number): number => {
      context.fillStyle = colour
      context.fillRect(column, bottom - high, 1, high)
      return bottom - high
    }
    for (let column = 0; column < width; column++) {
      const from = this.#run.from + column * step
      const shares = this.#occupations.shares(from, from + step)
      let bottom = WENT
      for (const name of OCCUPATIONS) bottom = stack(column, bottom, COLOURS[name], shares[name] * WENT)
      const limits = this.#limits?.shares(from, from + step)
      if (limits === undefined) continue
      bottom = HEIGHT
      for (const [i, name] of LIMITS.entries())
        bottom = stack(column, bottom, limiting[i]!, limits[name] * (HEIGHT - WENT - GAP))
    }
    return context.getImageData(0, 0, width, HEIGHT)
  }
}
