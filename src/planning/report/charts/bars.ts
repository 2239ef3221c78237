/** Bars: one amount each, or an amount split into shares. */
import { scaleLinear } from "d3"
import type { Basis } from "../../../scenario/resolved.ts"
import { element, escaped } from "../markup.ts"
import { drawing, fitted, hue, label, legend, line, stroke, textWidth, WIDTH } from "./drawing.ts"

export interface Bar {
  readonly name: string
  /** Undefined: there is none, and `text` says why. */
  readonly value: number | undefined
  /** The value as people read it. */
  readonly text: string
  readonly basis: Basis
}

const ROW = 36

/** A bar for each amount, from zero, with its name above and its value beside it. */
export const barChart = (title: string, bars: readonly Bar[]): string => {
  const most = Math.max(0, ...bars.map(({ value }) => value ?? 0))
  const widest = Math.max(0, ...bars.map(({ text }) => textWidth(text)))
  const x = scaleLinear([0, most || 1], [0, WIDTH - widest - 12])
  const parts = bars.map(({ name, value, text, basis }, i) => {
    const y = i * ROW
    const width = x(value ?? 0)
    return element(
      "g",
      {},
      element("title", {}, escaped(`${name}: ${text} (${basis})`)),
      label(0, y + 12, fitted(name, WIDTH)),
      value === undefined
        ? ""
        : element("rect", {
            x: 1,
            y: y + 17,
            width: Math.max(1, width),
            height: 13,
            class: `bar ${hue(0)} ${stroke(basis)}`
          }),
      label(value === undefined ? 0 : width + 8, y + 28, text, { class: "value" })
    )
  })
  const words = bars.map(({ name, text }) => `${name}: ${text}`).join("; ")
  return drawing(title, words, bars.length * ROW + 2, [...parts, line(1, 2, 1, bars.length * ROW, "axis")])
}

export interface Shares {
  readonly name: string
  /** In the order of the parts, summing to 1; none: did not run. */
  readonly shares: readonly number[]
}

/** Bars of equal length, each split into the shares of the same parts. */
export const sharesChart = (
  title: string,
  parts: readonly string[],
  rows: readonly Shares[],
  percent: (share: number) => string
): string => {
  const used = parts
    .map((name, i) => ({ name, i }))
    .filter(({ i }) => rows.some(({ shares }) => (shares[i] ?? 0) >= 0.005))
  const key = legend(
    used.map(({ name }) => name),
    2,
    (at) => `share ${hue(used[at]!.i)}`
  )
  const x = scaleLinear([0, 1], [0, WIDTH])
  const bars = rows.map(({ name, shares }, row) => {
    const y = key.height + row * ROW
    let before = 0
    const segments = used.map(({ name: part, i }) => {
      const share = shares[i] ?? 0
      const start = x(before)
      before += share
      const width = x(share)
      const text = percent(share)
      if (share <= 0) return ""
      return (
        element(
          "rect",
          { x: start, y: y + 17, width, height: 15, class: `share ${hue(i)}` },
          element("title", {}, escaped(`${name}: ${part} ${text}`))
        ) +
        (width > textWidth(text) + 6
          ? label(start + width / 2, y + 28.5, text, { anchor: "middle", class: `on-${hue(i)}` })
          : "")
      )
    })
    return (
      label(0, y + 12, fitted(name, WIDTH)) +
      (shares.length === 0 ? label(0, y + 28, "does not fit", { class: "value" }) : segments.join(""))
    )
  })
  const words = rows
    .map(
      ({ name, shares }) =>
        `${name}: ${shares.length === 0 ? "does not fit" : used.map(({ name: part, i }) => `${part} ${percent(shares[i] ?? 0)}`).join(", ")}`
    )
    .join("; ")
  return drawing(title, words, key.height + rows.length * ROW, [key.markup, ...bars])
}
