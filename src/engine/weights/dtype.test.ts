import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fromFloat32, fromHalf, toFloat32 } from "./dtype.ts"

const halfOf = (value: number): number =>
  new Uint16Array(fromFloat32(Float32Array.of(value), "F16").buffer)[0]!
const brainOf = (value: number): number =>
  new Uint16Array(fromFloat32(Float32Array.of(value), "BF16").buffer)[0]!

describe("half precision", () => {
  it("stands for the numbers of IEEE 754", () => {
    expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x3555].map(fromHalf)).toEqual([
      1,
      -2,
      65_504,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      0.333251953125
    ])
    expect([0x7c00, 0xfc00, 0x7e00].map(fromHalf)).toEqual([Infinity, -Infinity, NaN])
  })

  it("round-trips every pattern that is a number", () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i)
    const back = new Uint16Array(fromFloat32(toFloat32(new Uint8Array(all.buffer), "F16"), "F16").buffer)
    expect(all.filter((half, i) => back[i] !== half && !Number.isNaN(fromHalf(half)))).toHaveLength(0)
  })

  it("rounds to the nearest, ties to even, and overflows to infinity", () => {
    expect(halfOf(1 + 2 ** -11)).toBe(0x3c00)
    expect(halfOf(1 + 3 * 2 ** -11)).toBe(0x3c02)
    expect(halfOf(1.5 * 2 ** -24)).toBe(2)
    expect(halfOf(0.5 * 2 ** -24)).toBe(0)
    expect(halfOf(65_519)).toBe(0x7bff)
    expect(halfOf(65_520)).toBe(0x7c00)
    expect(halfOf(NaN) & 0x7fff).toBeGreaterThan(0x7c00)
  })

  it("is never further off than half the distance to a neighbour", () => {
    fc.assert(
      fc.property(fc.float({ min: -65_504, max: 65_504, noNaN: true }), (value) => {
        const half = halfOf(value)
        const error = Math.abs(fromHalf(half) - value)
        for (const other of [half - 1, half + 1])
          if (other >= 0 && other < 65_536 && (other & 0x8000) === (half & 0x8000))
            expect(error).toBeLessThanOrEqual(Math.abs(fromHalf(other) - value))
      })
    )
  })
})

describe("brain floats", () => {
  it("are the upper half of single precision, rounded", () => {
    expect([1, -2, Infinity].map(brainOf)).toEqual([0x3f80, 0xc000, 0x7f80])
    expect(brainOf(1 + 2 ** -8)).toBe(0x3f80)
    expect(brainOf(1 + 3 * 2 ** -8)).toBe(0x3f82)
    expect(toFloat32(Uint8Array.of(0x80, 0x3f, 0x49, 0x40), "BF16")).toEqual(Float32Array.of(1, 3.140625))
    expect(brainOf(NaN) & 0x7fff).toBeGreaterThan(0x7f80)
  })
})

it("single precision is read at any offset", () => {
  const bytes = new Uint8Array(13)
  bytes.set(new Uint8Array(Float32Array.of(1.5, -2.25, 3).buffer), 1)
  expect(toFloat32(bytes.subarray(1), "F32")).toEqual(Float32Array.of(1.5, -2.25, 3))
})
