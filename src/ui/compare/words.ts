/** How the screen writes differences, and what it takes for none. */
import { timeText } from "../timeline/numbers.ts"

/** A time with its sign: "+9.06 ms", "−3 µs", "0 ns". */
export const signedTime = (ns: number): string =>
  ns === 0 ? "0 ns" : `${ns > 0 ? "+" : "−"}${timeText(Math.abs(ns), 4)}`

/** A share with its sign, in percent. */
export const signedPercent = (share: number, digits = 1): string => {
  const percent = (Math.abs(share) * 100).toFixed(digits)
  return Number(percent) === 0 ? "0 %" : `${share > 0 ? "+" : "−"}${percent} %`
}

/** Classes of residuals, B over A less one, from much shorter to much longer; each has a colour in the style sheet. */
export const RESIDUALS = [
  { name: "much-shorter", words: "B shorter by more than 20 %", sign: -1 },
  { name: "shorter", words: "by 5 to 20 %", sign: -1 },
  { name: "bit-shorter", words: "by 0.5 to 5 %", sign: -1 },
  { name: "same", words: "within 0.5 %", sign: 0 },
  { name: "bit-longer", words: "B longer by 0.5 to 5 %", sign: 1 },
  { name: "longer", words: "by 5 to 20 %", sign: 1 },
  { name: "much-longer", words: "by more than 20 %", sign: 1 },
  { name: "unpaired", words: "in B only (low where narrow)", sign: 0 }
] as const

export const UNPAIRED = RESIDUALS.length - 1
const SAME = 3

/** Index into `RESIDUALS` of a slice that took `a` ns in A and `b` in B. */
export const residualClass = (a: number, b: number): number => {
  const share = a === 0 ? (b === 0 ? 0 : 1) : b / a - 1
  const size = Math.abs(share)
  const step = size < 0.005 ? 0 : size < 0.05 ? 1 : size <= 0.2 ? 2 : 3
  return SAME + Math.sign(share) * step
}
