/** What lies over the painted rows: axis, names, tokens of verifications, arrows, marks, the selection. Device pixels. */
import type { Arrow } from "../../trace/flows.ts"
import type { Judged } from "../../trace/rounds.ts"
import { hueOf, inkOn } from "./colours.ts"
import { AXIS_HEIGHT, type Box } from "./layout.ts"
import type { Mark } from "./marks.ts"
import { timeText, ticks } from "./numbers.ts"
import type { Viewport } from "./viewport.ts"

/** Slices narrower than this many CSS pixels bear no name. */
export const NAMED_FROM = 40
/** Verifications narrower than this do not show their tokens. */
export const JUDGED_FROM = 8

/** A canvas to draw on. */
export interface Board {
  readonly context: CanvasRenderingContext2D
  readonly scale: number
  readonly ink: string
  readonly ground: string
}

const font = (size: number, scale: number, weight = ""): string =>
  `${weight} ${size * scale}px system-ui, sans-serif`

const across = ({ context: { canvas } }: Board, { from, to }: Viewport, at: number): number =>
  ((at - from) / (to - from)) * canvas.width

export const drawAxis = (board: Board, view: Viewport): void => {
  const { context, scale, ink } = board
  const { width, height } = context.canvas
  context.fillStyle = ink
  context.font = font(12, scale)
  for (const at of ticks(view.from, view.to, Math.max(2, width / (140 * scale)))) {
    const x = Math.round(across(board, view, at))
    context.globalAlpha = 0.12
    context.fillRect(x, 0, 1, height)
    context.globalAlpha = 1
    context.fillText(timeText(at), x + 4 * scale, 15 * scale)
  }
}

/** The line a row stands on: solid where it was measured, dashed where it was modelled. */
export const drawBase = ({ context, scale, ink }: Board, y: number, measured: boolean): void => {
  context.globalAlpha = 0.35
  context.strokeStyle = ink
  context.lineWidth = scale
  context.setLineDash(measured ? [] : [3 * scale, 3 * scale])
  context.beginPath()
  context.moveTo(0, y + 0.5 * scale)
  context.lineTo(context.canvas.width, y + 0.5 * scale)
  context.stroke()
  context.setLineDash([])
  context.globalAlpha = 1
}

/** The name in a slice, as much of it as fits. */
export const drawName = (
  { context, scale }: Board,
  { x, y, width, height }: Box,
  text: string,
  colour: string
): void => {
  context.font = font(11, scale)
  context.fillStyle = inkOn(colour)
  const room = width - 8 * scale
  const fits = Math.floor((text.length * room) / Math.max(1, context.measureText(text).width))
  if (fits < 3) return
  const shown = fits >= text.length ? text : `${text.slice(0, fits - 1)}…`
  context.fillText(shown, x + 4 * scale, y + height - 5 * scale)
}

/** A verification's tokens along its lower edge: accepted solid, corrected dotted, rejected hatched, each in its colour. */
export const drawJudged = (
  { context, scale, ground }: Board,
  { x, y, width, height }: Box,
  { accepted, corrected, rejected }: Judged
): void => {
  const total = accepted + corrected + rejected
  if (total === 0) return
  const high = 5 * scale
  const top = y + height - high
  context.fillStyle = ground
  context.fillRect(x, top - scale, width, high + scale)
  const first = x + (width * accepted) / total
  const second = first + Math.max(2 * scale, (width * corrected) / total)
  context.fillStyle = hueOf("verify")
  context.fillRect(x, top, first - x, high)
  context.fillStyle = hueOf("decode")
  for (let at = first; at < Math.min(second, x + width) - scale / 2; at += 2 * scale)
    context.fillRect(at, top + scale, scale, 3 * scale)
  context.save()
  context.beginPath()
  context.rect(second, top, Math.max(0, x + width - second), high)
  context.clip()
  context.strokeStyle = hueOf("fault")
  context.lineWidth = 1.5 * scale
  context.beginPath()
  for (let at = second - high; at < x + width; at += 4 * scale) {
    context.moveTo(at, top + high)
    context.lineTo(at + high, top)
  }
  context.stroke()
  context.restore()
}

/** A frame around what is selected. */
export const drawOutline = ({ context, scale, ink }: Board, { x, y, width, height }: Box): void => {
  context.strokeStyle = ink
  context.lineWidth = 2 * scale
  context.strokeRect(x - 1, y - 1, width + 2, height + 2)
}

/** Arrows from the end of one slice to the start of another; `place` says where a slice is, if its row is visible. */
export const drawArrows = (
  { context, scale, ink }: Board,
  arrows: readonly Arrow[],
  place: (source: number) => Box | undefined
): void => {
  context.strokeStyle = context.fillStyle = ink
  context.lineWidth = 1.5 * scale
  for (const arrow of arrows) {
    const from = place(arrow.from)
    const to = place(arrow.to)
    if (from === undefined || to === undefined) continue
    const [x0, y0] = [from.x + from.width, from.y + from.height / 2]
    const [x1, y1] = [to.x, to.y + to.height / 2]
    const bend = Math.max(20 * scale, Math.abs(x1 - x0) / 2)
    context.beginPath()
    context.moveTo(x0, y0)
    context.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1 - 4 * scale, y1)
    context.stroke()
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(x1 - 7 * scale, y1 - 4 * scale)
    context.lineTo(x1 - 7 * scale, y1 + 4 * scale)
    context.fill()
  }
}

/** The selected stretch, behind a veil. */
export const drawVeil = (board: Board, view: Viewport, area: Viewport): void => {
  const { context, ink, scale } = board
  const [x0, x1] = [across(board, view, area.from), across(board, view, area.to)]
  context.fillStyle = "rgb(0 114 178 / 0.1)"
  context.fillRect(x0, 0, Math.max(1, x1 - x0), context.canvas.height)
  context.fillStyle = ink
  for (const x of [x0, x1]) context.fillRect(x, 0, scale, context.canvas.height)
}

/** A dashed line at each mark, its name on the axis. */
export const drawMarks = (board: Board, view: Viewport, marks: readonly Mark[]): void => {
  const { context, scale, ink, ground } = board
  context.font = font(11, scale, "bold")
  context.lineWidth = scale
  for (const { at, name } of marks) {
    const x = across(board, view, at)
    context.strokeStyle = ink
    context.setLineDash([4 * scale, 3 * scale])
    context.beginPath()
    context.moveTo(x, 0)
    context.lineTo(x, context.canvas.height)
    context.stroke()
    context.setLineDash([])
    const width = context.measureText(name).width + 8 * scale
    context.fillStyle = ink
    context.fillRect(x, 0, width, (AXIS_HEIGHT - 8) * scale)
    context.fillStyle = ground
    context.fillText(name, x + 4 * scale, 13 * scale)
  }
}
