/** Where rows and slices are on the canvas: an axis, the pinned rows, then what of the others the scrolling leaves. Pure. */
import type { Place, Row } from "./model.ts"
import type { ShownRows } from "./shown-rows.ts"
import type { Viewport } from "./viewport.ts"

/** CSS pixels. */
export const ROW_HEIGHT = 20
export const AXIS_HEIGHT = 26
/** Of a row, below what is drawn in it. */
export const ROW_GAP = 3

/** A row that is at least partly visible: it begins at `top`, and nothing of it is seen above `clip`. CSS pixels of the canvas. */
export interface Laid {
  readonly row: Row
  readonly top: number
  readonly clip: number
}

/** The visible rows: those that scroll, then the pinned ones above them. */
export type Layout = readonly Laid[]

/** Height of everything, as if nothing scrolled. CSS pixels. */
export const wholeHeight = ({ pinned, rows }: ShownRows): number =>
  AXIS_HEIGHT + (pinned.length + rows.length) * ROW_HEIGHT

export const laidOut = ({ pinned, rows }: ShownRows, scroll: number, height: number): Layout => {
  const head = AXIS_HEIGHT + pinned.length * ROW_HEIGHT
  const first = Math.max(0, Math.floor(scroll / ROW_HEIGHT))
  const last = Math.min(rows.length, Math.ceil((scroll + height - head) / ROW_HEIGHT))
  return [
    ...rows
      .slice(first, Math.max(first, last))
      .map((row, i) => ({ row, top: head + (first + i) * ROW_HEIGHT - scroll, clip: head })),
    ...pinned.map((row, i) => ({ row, top: AXIS_HEIGHT + i * ROW_HEIGHT, clip: AXIS_HEIGHT }))
  ]
}

/** The row at this height of the canvas, CSS pixels. */
export const rowAt = (layout: Layout, y: number): Row | undefined =>
  layout.findLast(({ top, clip }) => y >= Math.max(top, clip) && y < top + ROW_HEIGHT)?.row

/** A place on the canvas. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What is on the screen. */
export interface Shown {
  readonly layout: Layout
  readonly view: Viewport
  /** Of the canvas, in device pixels, of which `scale` make one of CSS. */
  readonly width: number
  readonly scale: number
}

/** A slice in device pixels; undefined where its row is not visible. */
export const boxOf = (
  { layout, view: { from, to }, width, scale }: Shown,
  { row, slice }: Place
): Box | undefined => {
  // The pinned one of two, which comes last.
  const found = layout.findLast((one) => one.row === row)
  if (found === undefined || found.top < found.clip) return undefined
  const x = (time: number): number => ((time - from) / (to - from)) * width
  const left = x(row.start[slice]!)
  return {
    x: left,
    y: Math.round(found.top * scale),
    width: Math.max(1, x(row.end[slice]!) - left),
    height: Math.round((ROW_HEIGHT - ROW_GAP) * scale)
  }
}
