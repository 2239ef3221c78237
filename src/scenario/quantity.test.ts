import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Dimension, EXAMPLES, MOST, parseQuantity } from "./quantity.ts"

const DIMENSIONS = Object.keys(EXAMPLES) as Dimension[]
const UNITS: Readonly<Record<Dimension, readonly (readonly [string, number])[]>> = {
  bytes: [
    ["B", 1],
    ["kB", 1e3],
    ["KB", 1e3],
    ["GB", 1e9],
    ["KiB", 1024],
    ["GiB", 2 ** 30],
    ["TiB", 2 ** 40]
  ],
  "bytes/s": [
    ["B/s", 1],
    ["GB/s", 1e9],
    ["TB/s", 1e12],
    ["MiB/s", 2 ** 20]
  ],
  "flop/s": [
    ["FLOP/s", 1],
    ["TFLOP/s", 1e12],
    ["TFLOPS", 1e12],
    ["PFLOP/s", 1e15]
  ],
  seconds: [
    ["s", 1],
    ["ms", 1e-3],
    ["us", 1e-6],
    ["µs", 1e-6],
    ["ns", 1e-9],
    ["min", 60],
    ["h", 3600]
  ],
  tokens: [
    ["tokens", 1],
    ["token", 1],
    ["k", 1024],
    ["k tokens", 1024],
    ["M", 2 ** 20]
  ],
  watts: [
    ["W", 1],
    ["kW", 1e3]
  ]
}
const dimension = fc.constantFrom(...DIMENSIONS)
const amount = fc.double({ min: 0, max: 1e6, noNaN: true }).map((value) => Number(value.toPrecision(9)))

describe("a quantity", () => {
  it("is its number times its unit, with or without space", () => {
    fc.assert(
      fc.property(
        dimension.chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...UNITS[name]))),
        amount,
        fc.constantFrom("", " ", "  "),
        ([name, [unit, factor]], value, space) => {
          const written = String(value)
          expect(parseQuantity(`${written}${space}${unit}`, name)).toBe(value * factor)
        }
      )
    )
  })

  it("without a unit is in base units, as a number or a text", () => {
    fc.assert(
      fc.property(dimension, amount, (name, value) => {
        expect(parseQuantity(value, name)).toBe(value)
        expect(parseQuantity(String(value), name)).toBe(value)
      })
    )
  })

  it("does not take another dimension's unit", () => {
    fc.assert(
      fc.property(dimension, dimension, amount, (own, other, value) => {
        const foreign = UNITS[other].map(([unit]) => unit)
        const known = new Set(UNITS[own].map(([unit]) => unit))
        for (const unit of foreign)
          if (!known.has(unit)) expect(parseQuantity(`${value} ${unit}`, own)).toBeUndefined()
      })
    )
  })

  it("is never negative, infinite or not a number", () => {
    for (const name of DIMENSIONS) {
      for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, -Number.MIN_VALUE])
        expect(parseQuantity(value, name)).toBeUndefined()
      for (const text of [
        "",
        " ",
        "-1",
        "NaN",
        "Infinity",
        "1e999",
        "1.2.3",
        "1,000",
        "0x10",
        "GB",
        "1 2",
        "٣"
      ])
        expect(parseQuantity(text, name), text).toBeUndefined()
    }
  })

  it("never throws and is in range, whatever is written", () => {
    fc.assert(
      fc.property(dimension, fc.string({ unit: "binary" }), (name, text) => {
        const parsed = parseQuantity(text, name)
        expect(parsed === undefined || (parsed >= 0 && Number.isFinite(parsed))).toBe(true)
      })
    )
  })

  it("tells binary from decimal prefixes", () => {
    expect(parseQuantity("80 GiB", "bytes")).toBe(80 * 2 ** 30)
    expect(parseQuantity("80 GB", "bytes")).toBe(80e9)
    expect(parseQuantity("32k tokens", "tokens")).toBe(32_768)
  })

  it("has an example of every dimension that is one", () => {
    for (const name of DIMENSIONS) expect(parseQuantity(EXAMPLES[name], name)).toBeLessThan(MOST[name])
  })
})
