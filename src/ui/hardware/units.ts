/** How this screen writes amounts. */

const SCALES = [
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"]
] as const

/** Bytes in the binary unit that keeps them short. */
export const bytesText = (bytes: number): string => {
  const [scale, unit] = SCALES.find(([least]) => bytes >= least) ?? [1, "B"]
  return `${Number((bytes / scale).toPrecision(3))} ${unit}`
}

/** Bytes per second in decimal units, as datasheets have them. */
export const rateText = (rate: number): string =>
  rate >= 1e9 ? `${(rate / 1e9).toPrecision(3)} GB/s` : `${(rate / 1e6).toPrecision(3)} MB/s`

export const percentText = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${((100 * part) / whole).toFixed(0)} %`
