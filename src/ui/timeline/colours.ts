/** Hues of what slices stand for, after Okabe and Ito; label, pattern or panel say the same in another way. */
import type { EventKind } from "../../trace/recorder.ts"

const HUES: Partial<Readonly<Record<EventKind, string>>> = {
  prefill: "#56b4e9",
  decode: "#0072b2",
  draft: "#e69f00",
  verify: "#009e73",
  reload: "#cc79a7",
  save: "#8c6bb1",
  fetch: "#0072b2",
  stream: "#56b4e9",
  stalled: "#d55e00",
  preempt: "#d55e00",
  fallback: "#d55e00",
  retry: "#d55e00",
  reject: "#d55e00",
  timeout: "#d55e00",
  fault: "#d55e00"
}
const OTHER = "#a5aab2"

/** Share of a hue in what is muted: lanes of requests, and transfers that passes hide. Less could not be told apart by everyone. */
export const MUTED = 0.6

export const hueOf = (kind: EventKind): string => HUES[kind] ?? OTHER

type Rgb = readonly [red: number, green: number, blue: number]

/** Of `#rrggbb` or `rgb(r, g, b)`, 0–255 each. */
const rgbOf = (colour: string): Rgb => {
  const [red = 0, green = 0, blue = 0] = colour.startsWith("#")
    ? [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16))
    : [...colour.matchAll(/[\d.]+/g)].map(([number]) => Number(number))
  return [red, green, blue]
}

/** `share` of one colour over another, 0–1, as `rgb(r, g, b)`. */
export const mixed = (colour: string, ground: string, share: number): string => {
  const below = rgbOf(ground)
  return `rgb(${rgbOf(colour)
    .map((part, i) => Math.round(part * share + below[i]! * (1 - share)))
    .join(", ")})`
}

/** A colour as a buffer of pixels holds it: 0xAABBGGRR. */
export const packed = (colour: string): number => {
  const [red, green, blue] = rgbOf(colour)
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0
}

/** Luminance as WCAG defines it, 0–1. */
export const luminance = (colour: string): number => {
  const [red, green, blue] = rgbOf(colour).map((part) => {
    const share = part / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Black or white, whichever reads better on it. */
export const inkOn = (colour: string): string => (luminance(colour) > 0.179 ? "#000000" : "#ffffff")
