/** Figures of a run as people read them, by their names. */
import type { Interval } from "../../planning/analysis/student.ts"
import { bytes, seconds, significant } from "./number.ts"

/** A value in base units, with the unit its name ends in. */
export const figureText = (name: string, value: number): string => {
  if (name.endsWith("_bytes")) return bytes(value)
  if (name.endsWith("_bytes_per_s")) return `${bytes(value)}/s`
  if (/_per_s(_|$)/.test(name)) return significant(value)
  return name.endsWith("_s") && value > 0 ? seconds(value) : significant(value)
}

/** A value with its interval. */
export const intervalText = (name: string, { mean, half }: Interval): string =>
  `${figureText(name, mean)}${half === undefined ? "" : ` ± ${figureText(name, half)}`}`

const signed = (share: number): string => {
  const percent = share * 100
  const digits = Math.abs(percent) >= 10 ? 0 : Math.abs(percent) >= 1 ? 1 : 2
  const text = Number.isFinite(percent) ? percent.toFixed(digits) : percent > 0 ? "∞" : "-∞"
  return `${percent > 0 ? "+" : ""}${text}`
}

/** A share as a change: `+3.2 ± 0.4 %`. */
export const changeText = ({ mean, half }: Interval): string =>
  half === undefined ? `${signed(mean)} %` : `${signed(mean)} ± ${signed(half).replace("+", "")} %`
