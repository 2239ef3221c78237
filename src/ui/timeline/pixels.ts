/** Paints the visible rows into one buffer of pixels: the cost of a frame is that of its pixels, whatever is behind them. */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { hueOf, mixed, MUTED, packed } from "./colours.ts"
import { type Laid, type Layout, ROW_GAP, ROW_HEIGHT } from "./layout.ts"
import type { CounterRow, Instants, SliceRow } from "./model.ts"
import { drawCounter, drawCover, drawInstants, drawSlices } from "./painter.ts"
import type { Viewport } from "./viewport.ts"

/** Colours of a theme, ready for the buffer. */
export interface Paints {
  readonly ink: string
  readonly ground: string
  /** By kind of event. */
  readonly full: readonly string[]
  readonly muted: readonly string[]
  readonly packedFull: Uint32Array
  readonly packedMuted: Uint32Array
  readonly counter: number
  readonly counterFaint: number
  readonly packedInk: number
}

export const paintsOf = (ink: string, ground: string): Paints => {
  const full = EVENT_KINDS.map((kind) => hueOf(kind))
  const muted = full.map((hue) => mixed(hue, ground, MUTED))
  return {
    ink,
    ground,
    full,
    muted,
    packedFull: Uint32Array.from(full, packed),
    packedMuted: Uint32Array.from(muted, packed),
    counter: packed(mixed(ink, ground, 0.55)),
    counterFaint: packed(mixed(ink, ground, 0.14)),
    packedInk: packed(ink)
  }
}

/** Colour of saturated and of muted rows: passes are what limits, and so are transfers while nothing else runs. */
export const coloursOf = (row: SliceRow, paints: Paints): readonly string[] =>
  row.what === "gpu" || row.what === "other" ? paints.full : paints.muted

/** A slice wide enough to be named, from column `x0` to `x1`. */
export interface Wide {
  readonly row: SliceRow
  readonly slice: number
  readonly laid: Laid
  readonly x0: number
  readonly x1: number
}

interface Target {
  readonly pixels: Uint32Array
  readonly width: number
  /** First and last line that may be painted. */
  readonly y0: number
  readonly y1: number
}

/** Paints all rows; returns how many primitives that took. `wide` hears of slices of `namedFrom` columns or more. */
export const paintRows = (
  image: ImageData,
  layout: Layout,
  view: Viewport,
  paints: Paints,
  scale: number,
  namedFrom: number,
  wide: (one: Wide) => void
): number => {
  const { width, height } = image
  const pixels = new Uint32Array(image.data.buffer)
  let primitives = 0
  for (const one of layout) {
    const y0 = Math.round(Math.max(one.top, one.clip) * scale)
    const y1 = Math.min(height, Math.round((one.top + ROW_HEIGHT - ROW_GAP) * scale))
    if (y1 <= y0) continue
    const target = { pixels, width, y0, y1 }
    const { row } = one
    if (row.type === "counter") primitives += paintCounter(target, row, view, paints)
    if (row.type === "slices") {
      primitives += paintSlices(target, row, view, paints, (slice, x0, x1) => {
        if (x1 - x0 >= namedFrom) wide({ row, slice, laid: one, x0, x1 })
      })
      if (row.exposed !== undefined) primitives += paintExposed(target, row, view, paints, scale)
    }
    if (row.type !== "counter" && row.instants !== undefined && !("exposed" in row))
      primitives += paintInstants(target, row.instants, view, paints, row.type === "slices")
  }
  return primitives
}

/** Slices are as high as the row: one line of pixels is painted and the others are copies of it. */
const paintSlices = (
  { pixels, width, y0, y1 }: Target,
  row: SliceRow,
  view: Viewport,
  paints: Paints,
  one: (slice: number, x0: number, x1: number) => void
): number => {
  const colours = coloursOf(row, paints) === paints.full ? paints.packedFull : paints.packedMuted
  const line = y0 * width
  const drawn = drawSlices(row, view, width, (x0, x1, slice, merged) => {
    if (merged === 1) one(slice, x0, x1)
    const colour = colours[row.kind[slice]!]!
    if (x1 === x0 + 1) pixels[line + x0] = colour
    else pixels.fill(colour, line + x0, line + x1)
    // A column's gap on the right tells neighbours of one kind apart.
    if (x1 - x0 > 4) pixels[line + x1 - 1] = 0
  })
  for (let y = y0 + 1; y < y1; y++) pixels.copyWithin(y * width, line, line + width)
  return drawn
}

/** Transfers that passes do not hide: full colour with stripes. */
const paintExposed = (
  { pixels, width, y0, y1 }: Target,
  { exposed, kind }: SliceRow,
  view: Viewport,
  { packedFull, packedInk }: Paints,
  scale: number
): number => {
  const colour = packedFull[kind[0]!]!
  const [stripe, every] = [Math.max(1, Math.round(1.5 * scale)), Math.round(6 * scale)]
  return drawCover(exposed!, view, width, (x0, x1) => {
    for (let y = y0; y < y1; y++) {
      pixels.fill(colour, y * width + x0, y * width + x1)
      for (let x = x0; x < x1; x++) if ((x + y) % every < stripe) pixels[y * width + x] = packedInk
    }
  })
}

/** Instants stand over the upper part of slices, or fill a row that has none. */
const paintInstants = (
  { pixels, width, y0, y1 }: Target,
  { at, kind }: Instants,
  view: Viewport,
  { packedFull, packedInk }: Paints,
  over: boolean
): number =>
  drawInstants(at, view, width, (x, instant) => {
    const bottom = over ? y0 + Math.ceil((y1 - y0) / 3) : y1
    const plain = hueOf(EVENT_KINDS[kind[instant]!]!) === hueOf("other")
    const colour = plain ? packedInk : packedFull[kind[instant]!]!
    for (let y = y0; y < bottom; y++) pixels[y * width + x] = colour
  })

/** A line from the least to the most of every column, faint below it. */
const paintCounter = (
  { pixels, width, y0, y1 }: Target,
  row: CounterRow,
  view: Viewport,
  { counter, counterFaint }: Paints
): number => {
  const high = (value: number): number =>
    row.most > 0 ? Math.round((Math.max(0, value) / row.most) * (y1 - y0)) : 0
  return drawCounter(row, view, width, (x, least, most) => {
    const [low, top] = [Math.min(y1 - 1, y1 - high(least)), y1 - Math.max(1, high(most))]
    for (let y = top; y < y1; y++) pixels[y * width + x] = y <= low ? counter : counterFaint
  })
}
