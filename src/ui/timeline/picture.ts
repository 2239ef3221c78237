/** The view as a drawing with text that can be selected: what the canvas shows, for files. */
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { judgedOf } from "../../trace/rounds.ts"
import { svg } from "../components/element.ts"
import { hueOf, inkOn } from "./colours.ts"
import { judgedText } from "./hover.ts"
import { AXIS_HEIGHT, ROW_GAP, ROW_HEIGHT } from "./layout.ts"
import type { Looking } from "./looking.ts"
import { type CounterRow, kindName, type Row, type SliceRow } from "./model.ts"
import { timeText, ticks } from "./numbers.ts"
import type { Opened } from "./opening.ts"
import { NAMED_FROM } from "./overlay.ts"
import { drawCounter, drawCover, drawInstants, drawSlices } from "./painter.ts"
import { coloursOf, type Paints, paintsOf } from "./pixels.ts"

/** CSS pixels: of the labels' column, and of the lanes. With more rows than these the file would pass 5 MB. */
const LABELS = 180
const LANES = 1000
const MOST_ROWS = 60
const INNER = ROW_HEIGHT - ROW_GAP

interface Theme {
  readonly ink: string
  readonly ground: string
}

/** Rows beyond the first sixty are left out, and the picture says so. What the picture is of stands in its metadata. */
export const picture = (
  { name, prepared }: Opened,
  rows: readonly Row[],
  looking: Looking,
  roundAt: ReadonlyMap<number, number>,
  theme: Theme
): SVGSVGElement => {
  const shown = rows.slice(0, MOST_ROWS)
  const left = rows.length - shown.length
  const height = AXIS_HEIGHT + (shown.length + (left > 0 ? 1 : 0)) * ROW_HEIGHT
  const { view, marks } = looking
  const across = (at: number): number => LABELS + ((at - view.from) / (view.to - view.from)) * LANES
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${LABELS + LANES} ${height}`, width: LABELS + LANES, height },
    svg("title", {}, name),
    svg("metadata", {}, JSON.stringify({ ...prepared.trace.meta, view })),
    svg(
      "defs",
      {},
      svg(
        "pattern",
        {
          id: "exposed",
          width: 6,
          height: 6,
          patternUnits: "userSpaceOnUse",
          patternTransform: "rotate(45)"
        },
        svg("rect", { width: 1.5, height: 6, fill: theme.ink })
      )
    )
  )
  const text = textIn(theme.ink)
  for (const at of ticks(view.from, view.to, 7)) {
    drawing.append(svg("path", { d: `M${across(at)} 0V${height}`, stroke: theme.ink, opacity: 0.12 }))
    drawing.append(text(across(at) + 3, 15, timeText(at)))
  }
  const paints = paintsOf(theme.ink, theme.ground)
  for (const [place, row] of shown.entries()) {
    const top = AXIS_HEIGHT + place * ROW_HEIGHT
    drawing.append(text(4 + row.depth * 8, top + 13, row.label.slice(0, 26)))
    if (row.type === "slices") drawing.append(...sliceShapes(prepared, roundAt, row, top, looking, paints))
    if (row.type === "counter") drawing.append(counterShape(row, top, looking, paints))
    if (row.type !== "counter" && row.instants !== undefined)
      drawing.append(instantShapes(row.instants.at, top, looking, theme.ink))
    if (row.type !== "heading") drawing.append(base(top + INNER + 0.5, row.basis === "measured", theme.ink))
  }
  for (const { at, name: mark } of marks) {
    if (at < view.from || at > view.to) continue
    drawing.append(
      svg("path", { d: `M${across(at)} 0V${height}`, stroke: theme.ink, "stroke-dasharray": "4 3" }),
      text(across(at) + 3, 25, mark)
    )
  }
  if (left > 0) drawing.append(text(4, height - 6, `${left} more rows are not in this picture`))
  return drawing
}

const textIn =
  (ink: string) =>
  (x: number, y: number, words: string, fill = ink): SVGTextElement =>
    svg("text", { x, y, fill, "font-size": 11, "font-family": "system-ui, sans-serif" }, words)

/** The line a row stands on: solid where it was measured, dashed where it was modelled. */
const base = (y: number, measured: boolean, ink: string): SVGElement =>
  svg("path", {
    d: `M${LABELS} ${y}h${LANES}`,
    stroke: ink,
    opacity: 0.35,
    "stroke-dasharray": measured ? undefined : "3 3"
  })

/** One path for each colour, so that a file stays small; names of wide slices, tokens of verifications as their titles. */
const sliceShapes = (
  { trace, rounds }: Opened["prepared"],
  roundAt: ReadonlyMap<number, number>,
  row: SliceRow,
  top: number,
  { view }: Looking,
  paints: Paints
): readonly SVGElement[] => {
  const paths = new Map<string, string[]>()
  const names: SVGElement[] = []
  const colours = coloursOf(row, paints)
  drawSlices(row, view, LANES, (x0, x1, slice, merged) => {
    const hue = colours[row.kind[slice]!]!
    const path = paths.get(hue) ?? []
    path.push(box(x0, x1, top))
    paths.set(hue, path)
    const round = merged === 1 ? roundAt.get(row.source[slice]!) : undefined
    const words = kindName(trace, row, slice)
    if (merged > 1 || x1 - x0 < NAMED_FROM || words.length * 7 > x1 - x0) return
    const name = textIn(inkOn(hue))(LABELS + x0 + 4, top + 12, words)
    if (round !== undefined) name.append(svg("title", {}, judgedText(judgedOf(rounds, round))))
    names.push(name)
  })
  const exposed: string[] = []
  if (row.exposed !== undefined)
    drawCover(row.exposed, view, LANES, (x0, x1) => exposed.push(box(x0, x1, top)))
  const full = hueOf(EVENT_KINDS[row.kind[0]!]!)
  return [
    ...[...paths].map(([fill, path]) => svg("path", { fill, d: path.join("") })),
    ...[full, "url(#exposed)"].flatMap((fill) =>
      exposed.length === 0 ? [] : [svg("path", { fill, d: exposed.join("") })]
    ),
    ...names
  ]
}

const box = (x0: number, x1: number, top: number): string =>
  `M${LABELS + x0} ${top}h${x1 - x0}v${INNER}h${x0 - x1}z`

const instantShapes = (at: Float64Array, top: number, { view }: Looking, ink: string): SVGElement => {
  const path: string[] = []
  drawInstants(at, view, LANES, (x) => path.push(`M${LABELS + x} ${top}v6`))
  return svg("path", { d: path.join(""), stroke: ink })
}

const counterShape = (row: CounterRow, top: number, { view }: Looking, { ink }: Paints): SVGElement => {
  const path: string[] = []
  drawCounter(row, view, LANES, (x, _least, most) => {
    const high = row.most > 0 ? Math.round((Math.max(0, most) / row.most) * INNER) : 0
    path.push(`M${LABELS + x} ${top + INNER}h1v${-Math.max(1, high)}h-1z`)
  })
  return svg("path", { fill: ink, opacity: 0.45, d: path.join("") })
}
