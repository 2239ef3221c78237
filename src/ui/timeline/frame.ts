/** One frame of the timeline's canvas. */
import type { Arrow } from "../../trace/flows.ts"
import { judgedOf } from "../../trace/rounds.ts"
import { type Box, boxOf, type Layout, ROW_GAP, ROW_HEIGHT, type Shown } from "./layout.ts"
import type { Looking } from "./looking.ts"
import { kindName, placeOf } from "./model.ts"
import {
  type Board,
  drawArrows,
  drawAxis,
  drawBase,
  drawJudged,
  drawMarks,
  drawName,
  drawOutline,
  drawVeil,
  JUDGED_FROM,
  NAMED_FROM
} from "./overlay.ts"
import { coloursOf, paintRows, paintsOf, type Paints, type Wide } from "./pixels.ts"
import type { Prepared } from "./prepare.ts"

/** What a frame shows. */
export interface Scene {
  readonly prepared: Prepared
  /** Place in the trace's rounds by the row of their verification. */
  readonly roundAt: ReadonlyMap<number, number>
  readonly layout: Layout
  readonly looking: Looking
  readonly arrows: readonly Arrow[]
}

/** Draws the scene; returns how many primitives the rows took. The canvas has its size already. */
export const drawFrame = (
  canvas: HTMLCanvasElement,
  { prepared, roundAt, layout, looking, arrows }: Scene,
  { ink, ground, scale }: { readonly ink: string; readonly ground: string; readonly scale: number }
): number => {
  const context = canvas.getContext("2d")!
  const { view } = looking
  const { trace, model, rounds } = prepared
  const board: Board = { context, scale, ink, ground }
  const paints = paintsFor(ink, ground)
  const image = imageOf(canvas.width, canvas.height)
  const wide: Wide[] = []
  const primitives = paintRows(image, layout, view, paints, scale, JUDGED_FROM * scale, (one) =>
    wide.push(one)
  )
  context.putImageData(image, 0, 0)
  drawAxis(board, view)
  for (const { row, top, clip } of layout)
    if (row.type !== "heading" && top >= clip)
      drawBase(board, Math.round((top + ROW_HEIGHT - ROW_GAP) * scale), row.basis === "measured")
  for (const { row, slice, laid, x0, x1 } of wide) {
    if (laid.top < laid.clip) continue
    const box: Box = {
      x: x0,
      y: Math.round(laid.top * scale),
      width: x1 - x0,
      height: Math.round((ROW_HEIGHT - ROW_GAP) * scale)
    }
    const round = roundAt.get(row.source[slice]!)
    if (round !== undefined) drawJudged(board, box, judgedOf(rounds, round))
    if (x1 - x0 < NAMED_FROM * scale) continue
    // The name stands above the tokens.
    const named = round === undefined ? box : { ...box, height: box.height - 3 * scale }
    drawName(board, named, kindName(trace, row, slice), coloursOf(row, paints)[row.kind[slice]!]!)
  }
  if (looking.area !== undefined) drawVeil(board, view, looking.area)
  drawMarks(board, view, looking.marks)
  const shown: Shown = { layout, view, width: canvas.width, scale }
  const at = (source: number): Box | undefined => {
    const place = placeOf(model, trace, source)
    return place === undefined ? undefined : boxOf(shown, place)
  }
  const selected = looking.slice === undefined ? undefined : at(looking.slice)
  if (selected !== undefined) drawOutline(board, selected)
  drawArrows(board, arrows, at)
  return primitives
}

let buffer: ImageData | undefined

/** The pixels of the frame before, cleared: a new buffer every frame would be megabytes for the garbage collector. */
const imageOf = (width: number, height: number): ImageData => {
  if (buffer?.width === width && buffer.height === height) buffer.data.fill(0)
  else buffer = new ImageData(width, height)
  return buffer
}

let last: Paints | undefined

/** The paints of a theme are made once. */
const paintsFor = (ink: string, ground: string): Paints => {
  if (last === undefined || last.ink !== ink || last.ground !== ground) last = paintsOf(ink, ground)
  return last
}
