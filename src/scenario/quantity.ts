/**
 * Quantities as people write them: a number in base units, or a number with a unit. Decimal prefixes are powers of 1000,
 * binary ones (Ki, Mi, Gi, Ti) of 1024; in token counts k is 1024, as in "a 32k context".
 */

export type Dimension = "bytes" | "bytes/s" | "flop/s" | "seconds" | "tokens" | "watts"

const DECIMAL = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 }
const BINARY = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 }

const prefixed = (unit: string, prefixes: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(prefixes).map(([prefix, factor]) => [prefix + unit, factor])

const UNITS: Readonly<Record<Dimension, ReadonlyMap<string, number>>> = {
  bytes: new Map([...prefixed("B", DECIMAL), ...prefixed("B", BINARY)]),
  "bytes/s": new Map([...prefixed("B/s", DECIMAL), ...prefixed("B/s", BINARY)]),
  "flop/s": new Map([...prefixed("FLOP/s", DECIMAL), ...prefixed("FLOPS", DECIMAL)]),
  seconds: new Map([
    ["s", 1],
    ["ms", 1e-3],
    ["us", 1e-6],
    ["µs", 1e-6],
    ["ns", 1e-9],
    ["min", 60],
    ["h", 3600]
  ]),
  tokens: new Map([
    ["tokens", 1],
    ["token", 1],
    ["k", 1024],
    ["k tokens", 1024],
    ["M", 1024 ** 2],
    ["M tokens", 1024 ** 2]
  ]),
  watts: new Map([
    ["W", 1],
    ["kW", 1e3]
  ])
}

/** An example of each dimension, for messages and the schema's help. */
export const EXAMPLES: Readonly<Record<Dimension, string>> = {
  bytes: "80 GiB",
  "bytes/s": "64 GB/s",
  "flop/s": "989 TFLOP/s",
  seconds: "10 us",
  tokens: "32k tokens",
  watts: "700 W"
}

/** Above these nothing is meant but a slip of the keyboard; arithmetic below them stays finite. Base units. */
export const MOST: Readonly<Record<Dimension, number>> = {
  bytes: 1e18,
  "bytes/s": 1e18,
  "flop/s": 1e21,
  seconds: 1e9,
  tokens: 1e12,
  watts: 1e9
}

/** A quantity in base units, or undefined if it is none: not a finite number ≥ 0, or a unit of another dimension. */
export const parseQuantity = (value: number | string, dimension: Dimension): number | undefined => {
  if (typeof value === "number") return value >= 0 && Number.isFinite(value) ? value : undefined
  const match = /^\s*(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*$/.exec(value)
  if (match === null) return undefined
  const factor = match[2] === undefined ? 1 : UNITS[dimension].get(match[2])
  const number = Number(match[1]) * (factor ?? Number.NaN)
  return Number.isFinite(number) ? number : undefined
}
