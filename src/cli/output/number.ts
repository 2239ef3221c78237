/** Numbers as people read them. */

/** Three significant digits, without exponent for what fits on a line. */
export const significant = (value: number): string => {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "–"
  if (value === 0) return "0"
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toLocaleString("en-US")
  return Number(value.toPrecision(3)).toString()
}

export const seconds = (value: number): string => {
  if (!(value > 0)) return "–"
  if (value >= 120) return `${significant(value / 60)} min`
  if (value >= 1) return `${significant(value)} s`
  if (value >= 1e-3) return `${significant(value * 1e3)} ms`
  return `${significant(value * 1e6)} µs`
}

export const bytes = (value: number): string => {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"]
  let scaled = value
  let unit = 0
  while (scaled >= 1000 && unit < units.length - 1) {
    scaled /= 1000
    unit++
  }
  return `${significant(scaled)} ${units[unit]}`
}

export const percent = (share: number): string => `${Math.round(share * 100)} %`

export const times = (factor: number): string =>
  Number.isFinite(factor) && factor > 0 ? `${factor.toFixed(2)}×` : "–"
