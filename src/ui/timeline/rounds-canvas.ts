/** Rounds on a canvas, one to a line, and as a drawing for files. */
import { svg } from "../components/element.ts"
import type { Rounds } from "../../trace/rounds.ts"
import { hueOf, mixed, MUTED } from "./colours.ts"
import type { Cycles } from "./cycles.ts"
import { AXIS_HEIGHT } from "./layout.ts"
import { timeText, ticks } from "./numbers.ts"
import { type Part, type Shape, shapesOf } from "./rounds-picture.ts"
import type { Viewport } from "./viewport.ts"

export interface Theme {
  readonly ink: string
  readonly ground: string
}

/** Colour of a part, and whether stripes go over it. */
const looks = ({
  ground
}: Theme): Readonly<Record<Part, { readonly fill: string; readonly striped: boolean }>> => {
  const plain = (fill: string, striped = false) => ({ fill, striped })
  return {
    draft: plain(hueOf("draft")),
    reload: plain(mixed(hueOf("reload"), ground, MUTED)),
    "late reload": plain(hueOf("reload"), true),
    wait: plain(hueOf("stalled")),
    verify: plain(hueOf("verify")),
    accepted: plain(hueOf("verify")),
    corrected: plain(hueOf("decode")),
    rejected: plain(hueOf("fault"), true)
  }
}

/** Lines that fit in view. */
export interface Lines {
  readonly first: number
  readonly last: number
  /** Of a line, CSS pixels. */
  readonly height: number
  /** Of the first line's top, CSS pixels. */
  readonly top: number
}

/** Names ticks relative to what the rounds are aligned by. */
export const tickText = (at: number, lead: number): string => (at === lead ? "0" : timeText(at - lead))

/** Draws the lines in view; the canvas has its size. */
export const drawRounds = (
  canvas: HTMLCanvasElement,
  rounds: Rounds,
  cycles: Cycles,
  view: Viewport,
  lines: Lines,
  theme: Theme,
  scale: number
): void => {
  const context = canvas.getContext("2d")!
  context.clearRect(0, 0, canvas.width, canvas.height)
  const look = looks(theme)
  const across = (at: number): number => ((at - view.from) / (view.to - view.from)) * canvas.width
  const stripes = stripesOf(context, theme.ink, scale)
  const inner = (lines.height - (lines.height > 8 ? 4 : 1)) * scale
  for (let line = lines.first; line < lines.last; line++) {
    const top = (lines.top + (line - lines.first) * lines.height) * scale
    for (const { part, from, to, top: high, bottom } of shapesOf(rounds, cycles, line)) {
      const [x0, x1] = [Math.max(-2, across(from)), Math.min(canvas.width + 2, across(to))]
      if (x1 < 0 || x0 > canvas.width) continue
      const box = [
        x0,
        top + high * inner,
        Math.max(scale, x1 - x0),
        Math.max(1, (bottom - high) * inner)
      ] as const
      context.fillStyle = look[part].fill
      context.fillRect(...box)
      if (!look[part].striped) continue
      context.fillStyle = stripes
      context.fillRect(...box)
    }
  }
  context.clearRect(0, 0, canvas.width, AXIS_HEIGHT * scale)
  context.fillStyle = theme.ink
  context.font = `${12 * scale}px system-ui, sans-serif`
  for (const at of ticksAround(view, cycles.lead, canvas.width / (140 * scale))) {
    const x = Math.round(across(at))
    context.globalAlpha = at === cycles.lead ? 0.6 : 0.12
    context.fillRect(x, 0, scale, canvas.height)
    context.globalAlpha = 1
    context.fillText(tickText(at, cycles.lead), x + 4 * scale, 15 * scale)
  }
}

/** Ticks that have what the rounds are aligned by among them. */
const ticksAround = ({ from, to }: Viewport, lead: number, count: number): readonly number[] =>
  ticks(from - lead, to - lead, Math.max(2, count)).map((at) => at + lead)

const stripesOf = (context: CanvasRenderingContext2D, ink: string, scale: number): CanvasPattern => {
  const tile = document.createElement("canvas")
  tile.width = tile.height = Math.round(6 * scale)
  const own = tile.getContext("2d")!
  own.strokeStyle = ink
  own.lineWidth = 1.2 * scale
  own.beginPath()
  for (const shift of [-tile.width, 0, tile.width]) {
    own.moveTo(shift - 1, tile.width + 1)
    own.lineTo(shift + tile.width + 1, -1)
  }
  own.stroke()
  return context.createPattern(tile, "repeat")!
}

const LANES = 1000
const LINE = 16
/** Lines of a picture: with more the file would pass 5 MB. */
const MOST = 400

/** The same as a drawing; lines beyond the first few hundred are left out, and it says so. */
export const roundsDrawing = (
  title: string,
  rounds: Rounds,
  cycles: Cycles,
  view: Viewport,
  theme: Theme
): SVGSVGElement => {
  const shown = Math.min(MOST, cycles.places.length)
  const labels = 150
  const height = AXIS_HEIGHT + (shown + 1) * LINE
  const across = (at: number): number => labels + ((at - view.from) / (view.to - view.from)) * LANES
  const within = (at: number): number => Math.min(labels + LANES, Math.max(labels, across(at)))
  const text = (x: number, y: number, words: string): SVGTextElement =>
    svg("text", { x, y, fill: theme.ink, "font-size": 11, "font-family": "system-ui, sans-serif" }, words)
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${labels + LANES} ${height}`, width: labels + LANES, height },
    svg("title", {}, title),
    svg(
      "defs",
      {},
      svg(
        "pattern",
        {
          id: "stripes",
          width: 6,
          height: 6,
          patternUnits: "userSpaceOnUse",
          patternTransform: "rotate(45)"
        },
        svg("rect", { width: 1.2, height: 6, fill: theme.ink })
      )
    )
  )
  for (const at of ticksAround(view, cycles.lead, 7))
    drawing.append(text(across(at) + 3, 15, tickText(at, cycles.lead)))
  const look = looks(theme)
  for (let line = 0; line < shown; line++) {
    const top = AXIS_HEIGHT + line * LINE
    const place = cycles.places[line]!
    drawing.append(text(4, top + 10, `request ${rounds.request[place]}, round ${rounds.round[place]}`))
    for (const shape of shapesOf(rounds, cycles, line)) {
      const box = boxOf(shape, top, within)
      drawing.append(svg("rect", { ...box, fill: look[shape.part].fill }))
      if (look[shape.part].striped) drawing.append(svg("rect", { ...box, fill: "url(#stripes)" }))
    }
  }
  const left = cycles.places.length - shown
  if (left > 0) drawing.append(text(4, height - 4, `${left} more rounds are not in this picture`))
  return drawing
}

const boxOf = ({ from, to, top: high, bottom }: Shape, top: number, within: (at: number) => number) => ({
  x: within(from),
  y: top + high * (LINE - 4),
  width: within(to) - within(from),
  height: (bottom - high) * (LINE - 4)
})
