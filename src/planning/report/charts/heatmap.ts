/** A table of amounts as shades, every cell with its number. */
import { scaleLinear } from "d3"
import { element, escaped } from "../markup.ts"
import { drawing, fitted, label, textWidth, WIDTH } from "./drawing.ts"

export interface Heat {
  readonly across: { readonly title: string; readonly values: readonly string[] }
  readonly down: { readonly title: string; readonly values: readonly string[] }
  /** `cells[down][across]`; undefined: nothing there. */
  readonly cells: readonly (readonly (number | undefined)[])[]
  readonly show: (value: number) => string
}

const ROW = 26

/** Shades of one hue from zero to `most`, so that maps drawn with the same `most` can be compared. */
export const heatmap = (title: string, { across, down, cells, show }: Heat, most: number): string => {
  const left = Math.min(110, Math.max(...down.values.map(textWidth), 20) + 10)
  const width = (WIDTH - left) / across.values.length
  const shade = scaleLinear([0, most > 0 ? most : 1], [0.06, 1]).clamp(true)
  const top = 38
  const parts = cells.flatMap((row, i) =>
    row.map((value, j) => {
      const [x, y] = [left + j * width, top + i * ROW]
      const text = value === undefined ? "–" : show(value)
      const dark = value !== undefined && shade(value) > 0.55
      return element(
        "g",
        {},
        element(
          "rect",
          {
            x: x + 1,
            y: y + 1,
            width: width - 2,
            height: ROW - 2,
            class: "heat",
            "fill-opacity": value === undefined ? 0 : shade(value)
          },
          element("title", {}, escaped(`${across.values[j]!}, ${down.values[i]!}: ${text}`))
        ),
        label(x + width / 2, y + 17, fitted(text, width), {
          anchor: "middle",
          class: dark ? "on-h0" : "value"
        })
      )
    })
  )
  const words = cells
    .map(
      (row, i) =>
        `${down.values[i]!}: ${row.map((value) => (value === undefined ? "none" : show(value))).join(", ")}`
    )
    .join("; ")
  return drawing(title, words, top + cells.length * ROW + 4, [
    label(0, 12, `↓ ${down.title}`, { class: "tick" }),
    label(WIDTH, 12, `${across.title} →`, { anchor: "end", class: "tick" }),
    ...across.values.map((value, j) =>
      label(left + (j + 0.5) * width, 32, fitted(value, width), { anchor: "middle", class: "tick" })
    ),
    ...down.values.map((value, i) =>
      label(left - 8, top + i * ROW + 17, fitted(value, left - 8), { anchor: "end", class: "tick" })
    ),
    ...parts
  ])
}
