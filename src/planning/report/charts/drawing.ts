/**
 * What all drawings share. They are 400 wide, for the narrowest screen, and grow with the page; colours are classes of the
 * page's style (`html.ts`), so that light and dark are one drawing.
 */
import type { Basis } from "../../../scenario/resolved.ts"
import { element, escaped } from "../markup.ts"

/** Width of every drawing, in its own units. */
export const WIDTH = 400

/** Hues of the palette, given out in order; beyond the last they begin anew, and labels tell. */
export const HUES = 7

/** Class of the hue of the i-th series. */
export const hue = (i: number): string => `h${i % HUES}`

/** Solid is measured; dashed is not. */
export const stroke = (basis: Basis): string => (basis === "measured" ? "measured" : "modelled")

interface TextStyle {
  readonly anchor?: "start" | "middle" | "end"
  readonly class?: string
}

export const label = (x: number, y: number, text: string, style: TextStyle = {}): string =>
  element("text", { x, y, "text-anchor": style.anchor, class: style.class }, escaped(text))

export const line = (x1: number, y1: number, x2: number, y2: number, name: string): string =>
  element("line", { x1, y1, x2, y2, class: name })

/** About how wide a text of the drawing's size is; a figure of a proportional face's average. */
export const textWidth = (text: string): number => Array.from(text).length * 6.2

/** Text cut to a width, with an ellipsis; a `<title>` with the whole is the reader's other way to it. */
export const fitted = (text: string, width: number): string => {
  if (textWidth(text) <= width) return text
  return `${Array.from(text)
    .slice(0, Math.max(1, Math.floor(width / 6.2) - 1))
    .join("")}…`
}

/** Of ascending ticks those whose texts, centred below them, have room beside one another and within the drawing. */
export const withRoom = (
  ticks: readonly number[],
  place: (value: number) => number,
  show: (value: number) => string
): readonly number[] => {
  const kept: number[] = []
  for (const value of ticks) {
    const half = textWidth(show(value)) / 2
    const before = kept.at(-1)
    const free = before === undefined ? 0 : place(before) + textWidth(show(before)) / 2 + 8
    if (place(value) - half >= free && place(value) + half <= WIDTH) kept.push(value)
  }
  return kept
}

/** A drawing with a name and a description for those who do not see it. */
export const drawing = (
  title: string,
  description: string,
  height: number,
  parts: readonly string[]
): string =>
  element(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${Math.ceil(height)}`, role: "img", "aria-label": `${title}. ${description}` },
    ...parts
  )

/** A row of swatches with their names, as many to a line as fit. `height` is what it takes up. */
export const legend = (
  names: readonly string[],
  y: number,
  classOf: (i: number) => string
): { readonly markup: string; readonly height: number } => {
  let x = 0
  let row = 0
  const parts = names.map((name, i) => {
    const shown = fitted(name, WIDTH - 24)
    const width = textWidth(shown) + 30
    if (x > 0 && x + width > WIDTH) {
      x = 0
      row++
    }
    const at = x
    x += width
    return (
      element("rect", { x: at, y: y + row * 18, width: 10, height: 10, class: classOf(i) }) +
      label(at + 14, y + row * 18 + 9, shown)
    )
  })
  return { markup: parts.join(""), height: names.length === 0 ? 0 : (row + 1) * 18 + 6 }
}
