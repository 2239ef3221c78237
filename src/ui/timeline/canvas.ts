/** Paints the rows in view into one buffer of pixels, labels and axis above it as text. */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { hueOf } from "./colours.ts"
import type { Row } from "./model.ts"
import { timeText, ticks } from "./numbers.ts"
import { drawCounter, drawSlices } from "./painter.ts"
import type { Viewport } from "./viewport.ts"

/** CSS pixels. */
export const ROW_HEIGHT = 20
export const AXIS_HEIGHT = 24

/** A colour as the buffer holds it: 0xAABBGGRR. */
const packed = (hex: string): number => {
  const rgb = Number.parseInt(hex.slice(1), 16)
  return (0xff000000 | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0
}
const KIND_COLOURS = EVENT_KINDS.map((kind) => packed(hueOf(kind)))
const COUNTER_COLOUR = packed("#8a8f98")

/** Paints all rows; returns how many slices and columns of counters that took. */
export const paint = (
  canvas: HTMLCanvasElement,
  rows: readonly Row[],
  view: Viewport,
  ink: string
): number => {
  const context = canvas.getContext("2d")!
  const { width, height } = canvas
  const image = context.createImageData(width, height)
  const pixels = new Uint32Array(image.data.buffer)
  let drawn = 0
  for (const [index, row] of rows.entries())
    drawn += paintRow(pixels, width, AXIS_HEIGHT + index * ROW_HEIGHT, row, view)
  context.putImageData(image, 0, 0)
  axis(context, view, width, height, ink)
  return drawn
}

const paintRow = (pixels: Uint32Array, width: number, top: number, row: Row, view: Viewport): number => {
  const inner = ROW_HEIGHT - 3
  const column = (x0: number, x1: number, y0: number, y1: number, colour: number): void => {
    for (let y = y0; y < y1; y++) pixels.fill(colour, y * width + x0, y * width + x1)
  }
  if (row.type === "slices") {
    // Slices are as high as the row: one line of pixels is painted and the others are copies of it.
    const line = top * width
    const drawn = drawSlices(row, view, width, (x0, x1, slice) => {
      pixels.fill(KIND_COLOURS[row.kind[slice]!]!, line + x0, line + x1)
      // A column's gap on the right tells neighbours of one kind apart.
      if (x1 - x0 > 4) pixels[line + x1 - 1] = 0
    })
    for (let y = 1; y < inner; y++) pixels.copyWithin(line + y * width, line, line + width)
    return drawn
  }
  if (row.type === "counter")
    return drawCounter(row, view, width, (x, least, most) => {
      const high = row.most > 0 ? Math.round((Math.max(0, most) / row.most) * inner) : 0
      column(x, x + 1, top + inner - Math.max(1, high), top + inner, COUNTER_COLOUR)
      const low = row.most > 0 ? Math.round((Math.max(0, least) / row.most) * inner) : 0
      if (low < high) column(x, x + 1, top + inner - high, top + inner - low, COUNTER_COLOUR - 0x80000000)
    })
  return 0
}

const axis = (
  context: CanvasRenderingContext2D,
  { from, to }: Viewport,
  width: number,
  height: number,
  ink: string
): void => {
  context.fillStyle = ink
  context.font = "12px system-ui, sans-serif"
  for (const at of ticks(from, to, Math.max(2, width / 140))) {
    const x = Math.round(((at - from) / (to - from)) * width)
    context.globalAlpha = 0.15
    context.fillRect(x, 0, 1, height)
    context.globalAlpha = 1
    context.fillText(timeText(at), x + 4, 15)
  }
}
