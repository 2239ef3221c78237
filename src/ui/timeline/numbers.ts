/** How the timeline writes times. */
const SCALES = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "µs"]
] as const

/** Nanoseconds with the unit that keeps them short; `digits` significant ones. */
export const timeText = (ns: number, digits = 6): string => {
  const [scale, unit] = SCALES.find(([scale]) => Math.abs(ns) >= scale) ?? [1, "ns"]
  return `${Number((ns / scale).toPrecision(digits))} ${unit}`
}

/** Times of the axis in a view, 1, 2 or 5 times a power of ten apart, about `count` of them. */
export const ticks = (from: number, to: number, count: number): readonly number[] => {
  const rough = (to - from) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power
  const first = Math.ceil(from / step)
  return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, i) => (first + i) * step)
}

const BYTE_UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const

/** Bytes with the binary unit that keeps them short. */
export const bytesText = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 1024 ** power).toPrecision(4)).toLocaleString("en")} ${BYTE_UNITS[power]}`
}

/** A rate: bytes a nanosecond are GB/s. */
export const rateText = (bytes: number, ns: number): string =>
  `${Number((bytes / ns).toPrecision(3)).toLocaleString("en")} GB/s`

/** A counter's value in its unit. */
export const amountText = (value: number, unit: string): string => {
  if (unit === "bytes") return bytesText(value)
  if (unit === "bytes/s") return rateText(value, 1e9)
  return `${Number(value.toPrecision(6)).toLocaleString("en")} ${unit}`.trim()
}
