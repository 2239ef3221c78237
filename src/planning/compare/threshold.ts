/** Conditions under which a build is to fail: `throughput < -2%`, `ttft_p99 > 2 s`, `tokens_per_s < 200`. */
import { parseQuantity } from "../../scenario/quantity.ts"
import { type Figure, figureNamed } from "../analysis/figure.ts"

const OPERATORS = {
  "<": (a: number, b: number) => a < b,
  "<=": (a: number, b: number) => a <= b,
  ">": (a: number, b: number) => a > b,
  ">=": (a: number, b: number) => a >= b
} as const
type Operator = keyof typeof OPERATORS

export interface Threshold {
  /** As it was written. */
  readonly text: string
  readonly figure: Figure
  readonly operator: Operator
  /** Base units; of a change, a share: -2 % is -0.02. */
  readonly bound: number
  /** It is about the change and not the value. */
  readonly isChange: boolean
}

const FORM = /^\s*([A-Za-z][\w]*)\s*(<=|>=|<|>)\s*([+-]?)\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*$/

/** A condition, or what is wrong with it. */
export const parseThreshold = (text: string): Threshold | { readonly problem: string } => {
  const match = FORM.exec(text)
  if (match === null)
    return { problem: `${text}: expected a figure, <, <=, > or >=, and a number: throughput < -2%` }
  const [, name, operator, sign, digits, unit] = match
  const figure = figureNamed(name!)
  if ("suggestion" in figure)
    return {
      problem: `${text}: no figure is called ${name}${figure.suggestion === undefined ? "" : `; ${figure.suggestion}`}`
    }
  const direction = sign === "-" ? -1 : 1
  const common = { text, figure, operator: operator as Operator }
  if (unit === "%") return { ...common, bound: (direction * Number(digits)) / 100, isChange: true }
  const dimension = figure.name.endsWith("_bytes") ? "bytes" : "seconds"
  const bound = unit === undefined ? Number(digits) : parseQuantity(`${digits} ${unit}`, dimension)
  if (bound === undefined || (unit !== undefined && !/(?<!_per)_s$|_bytes$/.test(figure.name)))
    return { problem: `${text}: ${unit} is no unit of ${figure.name}` }
  return { ...common, bound: direction * bound, isChange: false }
}

/** Whether the condition to fail on holds. */
export const isBeyond = ({ operator, bound }: Threshold, value: number): boolean =>
  OPERATORS[operator](value, bound)
