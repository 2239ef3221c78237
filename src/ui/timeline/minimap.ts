/** The whole run in a strip: what the GPUs' time went to, column by column, and the stretch in view as a window to drag. */
import { OCCUPATIONS, type Occupation, type Occupations } from "../../trace/occupation.ts"
import { element } from "../components/element.ts"
import { hueOf } from "./colours.ts"
import { clamped, type Viewport } from "./viewport.ts"

const HEIGHT = 34

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
  readonly #run: Viewport
  #strip: ImageData | undefined

  /** `go`: what dragging asks for. */
  constructor(occupations: Occupations, run: Viewport, go: (to: Viewport) => void, view: () => Viewport) {
    this.#occupations = occupations
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
    for (let column = 0; column < width; column++) {
      const from = this.#run.from + column * step
      const shares = this.#occupations.shares(from, from + step)
      let bottom = HEIGHT
      for (const name of OCCUPATIONS) {
        const high = shares[name] * HEIGHT
        context.fillStyle = COLOURS[name]
        context.fillRect(column, bottom - high, 1, high)
        bottom -= high
      }
    }
    return context.getImageData(0, 0, width, HEIGHT)
  }
}
