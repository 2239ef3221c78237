/** What mouse and pen do on the canvas: wheel and drag move the view, Shift and drag select a stretch, a click selects a slice. */
import { panned, type Viewport, zoomed } from "./viewport.ts"

/** What gestures ask for; times in ns, heights in CSS pixels. */
export interface Gestures {
  readonly run: () => Viewport
  readonly view: () => Viewport
  readonly go: (to: Viewport) => void
  readonly area: (area: Viewport) => void
  readonly pick: (x: number, y: number) => void
  /** Where the pointer is; undefined when it leaves. */
  readonly hover: (at: { readonly x: number; readonly y: number } | undefined) => void
}

/** Pixels a pointer may tremble in a click. */
const STILL = 3

export const listen = (canvas: HTMLCanvasElement, { run, view, go, area, pick, hover }: Gestures): void => {
  const share = ({ offsetX }: MouseEvent): number => offsetX / canvas.clientWidth
  canvas.addEventListener(
    "wheel",
    (event) => {
      // With Shift the wheel scrolls the rows, as without a canvas.
      if (event.shiftKey) return
      event.preventDefault()
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY))
        go(panned(view(), event.deltaX / canvas.clientWidth, run()))
      else go(zoomed(view(), 1.002 ** event.deltaY, share(event), run()))
    },
    { passive: false }
  )
  const timeAt = (event: MouseEvent): number => {
    const { from, to } = view()
    return from + (to - from) * Math.min(1, Math.max(0, share(event)))
  }
  let anchor: number | undefined
  let travelled = 0
  canvas.addEventListener("pointerdown", (event) => {
    anchor = event.shiftKey ? timeAt(event) : undefined
    travelled = 0
    canvas.setPointerCapture(event.pointerId)
  })
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 1) return hover({ x: event.offsetX, y: event.offsetY })
    hover(undefined)
    travelled += Math.abs(event.movementX)
    if (anchor === undefined) {
      if (travelled > STILL) go(panned(view(), -event.movementX / canvas.clientWidth, run()))
      return
    }
    const [from, to] = [anchor, timeAt(event)].toSorted((a, b) => a - b) as [number, number]
    if (to - from >= 1) area({ from, to })
  })
  canvas.addEventListener("pointerleave", () => hover(undefined))
  canvas.addEventListener("click", (event) => {
    if (!event.shiftKey && travelled <= STILL) pick(event.offsetX, event.offsetY)
  })
}
