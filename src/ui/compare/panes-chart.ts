/** Both panes as one picture. One path a lane and colour, so that a hundred thousand slices cost a few elements. */
import { svg } from "../components/element.ts"
import { EVENT_KINDS } from "../../trace/recorder.ts"
import { hueOf } from "../timeline/colours.ts"
import { timeText, ticks } from "../timeline/numbers.ts"
import { drawSlices } from "../timeline/painter.ts"
import type { Viewport } from "../timeline/viewport.ts"
import { type Alignment, ROUND } from "./alignment.ts"
import type { Lane, Lanes, Side } from "./lanes.ts"
import { signPatterns } from "./patterns.ts"
import { RESIDUALS, signedPercent, UNPAIRED } from "./words.ts"

/** CSS pixels. */
export const LANE = 24
const BAR = 18
/** Height of narrow slices that are not paired. */
const LOW = 6
const AXIS = 22
const HEAD = 24
/** A label is written where there is room for it. */
const LABEL = 52

export interface Picture {
  readonly lanes: Lanes
  readonly view: Viewport
  readonly width: number
  readonly align: Alignment
  readonly names: Readonly<Record<Side, string>>
  /** Class of a slice of a trace's row, and B over A less one where it is paired. */
  readonly residual: (
    side: Side,
    row: number
  ) => { readonly index: number; readonly share: number | undefined }
  readonly selected: { readonly side: Side; readonly lane: number; readonly slice: number } | undefined
}

/** Where lanes begin, px. */
export const gutterOf = (width: number): number => Math.min(150, Math.max(64, width * 0.16))

/** Height above the first lane of a pane, px. */
export const paneTop = (lanes: Lanes, side: Side): number =>
  side === "a" ? AXIS + HEAD : AXIS + HEAD * 2 + lanes.a.length * LANE + 8

export const panesChart = (picture: Picture): SVGSVGElement => {
  const { lanes, width, names, align, view } = picture
  const height = paneTop(lanes, "b") + lanes.b.length * LANE + 4
  const gutter = gutterOf(width)
  const clip = svg(
    "clipPath",
    { id: "panes-clip" },
    svg("rect", { x: 0, y: -2, width: width - gutter, height: LANE })
  )
  const defs = signPatterns("panes")
  defs.append(clip)
  return svg(
    "svg",
    {
      class: "chart panes",
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": `Lanes of A, ${names.a}, above those of B, ${names.b}, aligned by ${align}, ${spanWords(view, align)}`
    },
    defs,
    ...axis(picture, gutter, height),
    ...(["a", "b"] as const).flatMap((side) => pane(picture, side, gutter))
  )
}

/** What is in view, in words. */
export const spanWords = ({ from, to }: Viewport, align: Alignment): string =>
  align === "round"
    ? `rounds ${(from / ROUND).toFixed(2)} to ${(to / ROUND).toFixed(2)}`
    : `${timeText(from, 4)} to ${timeText(to, 4)}`

const axis = ({ view, width, align }: Picture, gutter: number, height: number): readonly SVGElement[] =>
  ticks(view.from, view.to, Math.max(2, (width - gutter) / 130)).flatMap((at) => {
    const x = gutter + ((at - view.from) / (view.to - view.from)) * (width - gutter)
    const text = align === "round" ? `round ${Number((at / ROUND).toFixed(3))}` : timeText(at)
    return [
      svg("line", { x1: x, x2: x, y1: 0, y2: height, class: "axis" }),
      ...(x > width - 40 ? [] : [svg("text", { x: x + 4, y: 14 }, text)])
    ]
  })

const pane = (picture: Picture, side: Side, gutter: number): readonly SVGElement[] => {
  const top = paneTop(picture.lanes, side)
  return [
    svg(
      "text",
      { x: 0, y: top - 8, class: "head" },
      `${side.toUpperCase()}  ${ending(picture.names[side], picture.width / 7.4 - 3)}`
    ),
    ...picture.lanes[side].flatMap((lane, index) => {
      const y = top + index * LANE
      return [
        svg("text", { x: 0, y: y + 13, class: "label" }, shortened(lane.label, gutter / 6.6)),
        svg(
          "g",
          { "clip-path": "url(#panes-clip)", transform: `translate(${gutter} ${y})` },
          ...slices(picture, side, lane, index, picture.width - gutter)
        )
      ]
    })
  ]
}

const shortened = (text: string, letters: number): string =>
  text.length <= letters ? text : `${text.slice(0, Math.max(1, Math.floor(letters) - 1))}…`

/** The end of a name: there stands the method, before it the scenario both runs may share. */
const ending = (text: string, letters: number): string =>
  text.length <= letters ? text : `…${text.slice(1 - Math.floor(letters))}`

const slices = (
  { view, residual, selected }: Picture,
  side: Side,
  { row }: Lane,
  index: number,
  width: number
): readonly SVGElement[] => {
  if (row === undefined) return []
  const paths = new Map<string, string>()
  const labels: SVGTextElement[] = []
  const add = (name: string, d: string): void => void paths.set(name, (paths.get(name) ?? "") + d)
  drawSlices(row, view, Math.max(1, Math.floor(width)), (x0, x1, slice, merged) => {
    const { index: found, share } = residual(side, row.source[slice]!)
    const gap = x1 - x0 > 4 ? 1 : 0
    const d = `M${x0} 0h${x1 - x0 - gap}v${BAR}h${x0 - x1 + gap}z`
    const kind = EVENT_KINDS[row.kind[slice]!]!
    // A dashed outline needs room; narrower ones are told by their height.
    const thin = side === "b" && found === UNPAIRED && x1 - x0 < 6
    if (thin) add("thin", `M${x0} ${BAR - LOW}h${x1 - x0 - gap}v${LOW}h${x0 - x1 + gap}z`)
    else add(side === "a" ? `kind ${hueOf(kind)}` : `residual ${found}`, d)
    if (merged > 1 || x1 - x0 < LABEL) return
    const text = side === "a" ? kind : share === undefined ? "only here" : signedPercent(share)
    labels.push(svg("text", { x: (x0 + x1) / 2, y: 13, "text-anchor": "middle", class: "on" }, text))
  })
  const shapes = [...paths].flatMap(([name, d]) => {
    const [what, which] = name.split(" ")
    if (what === "kind") return [svg("path", { d, fill: which, class: "own" })]
    if (what === "thin") return [svg("path", { d, class: "thin" })]
    const { name: named, sign } = RESIDUALS[Number(which)]!
    return [
      svg("path", { d, class: named }),
      ...(sign === 0 ? [] : [svg("path", { d, fill: `url(#panes-${sign > 0 ? "longer" : "shorter"})` })])
    ]
  })
  const outline =
    selected?.side === side && selected.lane === index && row.start[selected.slice] !== undefined
      ? [frame(row.start[selected.slice]!, row.end[selected.slice]!, view, width)]
      : []
  return [...shapes, ...labels, ...outline]
}

const frame = (start: number, end: number, { from, to }: Viewport, width: number): SVGRectElement => {
  const x = (at: number): number => ((at - from) / (to - from)) * width
  return svg("rect", {
    x: x(start) - 1,
    y: -1,
    width: Math.max(3, x(end) - x(start) + 1),
    height: BAR + 2,
    class: "selected"
  })
}
