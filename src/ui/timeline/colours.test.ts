import { lab, rgb } from "d3"
import { describe, expect, it } from "vitest"
import type { EventKind } from "../../trace/recorder.ts"
import { hueOf, inkOn, luminance, mixed, MUTED } from "./colours.ts"

/** Kinds that stand side by side in one row. */
const ROWS: readonly (readonly EventKind[])[] = [
  ["queued", "prefill", "decode", "draft", "stalled", "verify"],
  ["reload", "fetch", "save"],
  ["reload", "stream", "save"]
]
const GROUNDS = { light: "#ffffff", dark: "#1d2125" }

/** As someone without green cones sees it: Machado, Oliveira and Fernandes 2009, severity 1. */
const withoutGreen = (colour: string): string => {
  const linear = ({ r, g, b }: { r: number; g: number; b: number }) =>
    [r, g, b].map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    }) as [number, number, number]
  const [r, g, b] = linear(rgb(colour))
  const seen = [
    0.367322 * r + 0.860646 * g - 0.227968 * b,
    0.280085 * r + 0.672501 * g + 0.047413 * b,
    -0.01182 * r + 0.04294 * g + 0.968881 * b
  ].map((share) => {
    const part = Math.min(1, Math.max(0, share))
    return Math.round(255 * (part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055))
  })
  return `rgb(${seen.join(", ")})`
}

const difference = (a: string, b: string): number => {
  const [one, other] = [lab(a), lab(b)]
  return Math.hypot(one.l - other.l, one.a - other.a, one.b - other.b)
}

describe("colours of slices", () => {
  it("differ by 10 or more side by side, full and muted, in both themes, with and without green cones", () => {
    for (const kinds of ROWS)
      for (const ground of Object.values(GROUNDS))
        for (const share of [1, MUTED])
          for (const see of [(colour: string) => colour, withoutGreen]) {
            const shown = kinds.map((kind) => see(mixed(hueOf(kind), ground, share)))
            for (const [i, one] of shown.entries())
              for (const [j, other] of shown.entries())
                if (i < j)
                  expect(
                    difference(one, other),
                    `${kinds[i]} and ${kinds[j]} on ${ground} at ${share}`
                  ).toBeGreaterThanOrEqual(10)
          }
  })

  it("bear names in black or white at 4.5 to 1 or better", () => {
    for (const kind of ROWS.flat())
      for (const ground of Object.values(GROUNDS))
        for (const share of [1, MUTED]) {
          const colour = mixed(hueOf(kind), ground, share)
          const [light, dark] = [luminance(colour), luminance(inkOn(colour))].toSorted((a, b) => b - a) as [
            number,
            number
          ]
          expect((light + 0.05) / (dark + 0.05), `${kind} on ${ground}`).toBeGreaterThanOrEqual(4.5)
        }
  })
})
