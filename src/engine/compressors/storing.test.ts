/** What methods that store rows in fewer bits make of them: packed and unpacked by the plain bodies of the device's kernels. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { packReference, unpackReference } from "../kernels/pack.ts"
import { hadamardReference } from "../kernels/unrotate.ts"
import { fromHalf } from "../weights/dtype.ts"
import type { Observation, RowFormat } from "./compressor.ts"
import { lloyd } from "./lloyd.ts"
import { COMPRESSORS } from "./registry.ts"
import { sampleObservation } from "./sample.ts"

const formats = fc.record({
  bits: fc.constantFrom(2 as const, 4 as const, 8 as const),
  groupTokens: fc.constantFrom(1, 4, 32),
  groupChannels: fc.constantFrom(1, 4, 16)
})
const rowsOf = (row: fc.Arbitrary<number>) =>
  fc.array(fc.array(row, { minLength: 16, maxLength: 16 }), { minLength: 32, maxLength: 32 })

describe("evenly spaced codes", () => {
  it("are off by half a step at most, but for what scale and zero lose as halves", () => {
    fc.assert(
      fc.property(formats, rowsOf(fc.float({ min: -100, max: 100, noNaN: true })), (format, numbers) => {
        const rows = numbers.map((row) => Float32Array.from(row))
        const packed = packReference(rows, format, undefined)
        const found = unpackReference(packed, format, rows.length, 16, undefined)
        for (const [entry, row] of rows.entries())
          for (const [channel, value] of row.entries()) {
            const group =
              Math.floor(entry / format.groupTokens) * (16 / format.groupChannels) +
              Math.floor(channel / format.groupChannels)
            const scale = fromHalf(packed.scales[group]! & 0xffff)
            const zero = fromHalf(packed.scales[group]! >>> 16)
            const lost = (Math.abs(zero) + 2 ** format.bits * scale) * 2 ** -10 + 2 ** format.bits * 2 ** -24
            expect(Math.abs(found[entry]![channel]! - value)).toBeLessThanOrEqual(scale / 2 + lost)
          }
      }),
      { numRuns: 60 }
    )
  })

  it("of equal numbers are exact", () => {
    const rows = Array.from({ length: 32 }, () => new Float32Array(16).fill(0.75))
    const format: RowFormat = { bits: 2, groupTokens: 32, groupChannels: 1 }
    expect(unpackReference(packReference(rows, format, undefined), format, 32, 16, undefined)).toEqual(rows)
  })
})

describe("the Hadamard rotation", () => {
  it("keeps lengths and products, and undoes itself", () => {
    const row = (length: number) =>
      fc.array(fc.float({ min: -10, max: 10, noNaN: true }), { minLength: length, maxLength: length })
    const dot = (a: Float32Array, b: Float32Array): number =>
      a.reduce((sum, value, i) => sum + value * b[i]!, 0)
    fc.assert(
      fc.property(
        fc.constantFrom(16, 32, 64, 128).chain((length) => fc.tuple(row(length), row(length))),
        ([first, second]) => {
          const [a, b] = [Float32Array.from(first), Float32Array.from(second)]
          const [turnedA, turnedB] = [hadamardReference(a), hadamardReference(b)]
          expect(Math.abs(dot(turnedA, turnedB) - dot(a, b))).toBeLessThan(0.01)
          for (const [i, value] of hadamardReference(turnedA).entries())
            expect(Math.abs(value - a[i]!)).toBeLessThan(1e-4)
        }
      )
    )
  })
})

describe("fitted levels", () => {
  it("ascend, and are no worse than even ones", () => {
    const sample = fc.record({
      at: fc.double({ min: -1, max: 1, noNaN: true }),
      weight: fc.double({ min: 0, max: 4, noNaN: true })
    })
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 80 }), fc.constantFrom(4, 16), (samples, count) => {
        const levels = lloyd(samples, count)
        const even = Float32Array.from({ length: count }, (_, i) => (2 * i) / (count - 1) - 1)
        const loss = (set: Float32Array): number =>
          samples.reduce(
            (sum, { at, weight }) => sum + weight * Math.min(...set.map((level) => (level - at) ** 2)),
            0
          )
        expect(levels).toEqual(levels.toSorted())
        expect(loss(levels)).toBeLessThanOrEqual(loss(even) + 1e-5)
      })
    )
  })

  it("lie where the values do", () => {
    const samples = [-1, -1, -0.9, -0.9, 0.5, 0.5, 1].map((at) => ({ at, weight: 1 }))
    const levels = lloyd(samples, 4)
    for (const { at } of samples)
      expect(Math.min(...levels.map((level) => Math.abs(level - at)))).toBeLessThan(0.11)
  })
})

/** Root of the mean squared error of a method's keys over their root mean square, packed and unpacked again. */
const error = (name: string, seen: Observation): number => {
  const method = COMPRESSORS.find((one) => one.name === name)!
  const { kept, format, codebooks } = method.compress(seen, { keep: 1, elementBits: 16, seed: 1 })
  const rowsFormat = format.keys as RowFormat
  const all = seen.keys(0, 0)
  const rows = Array.from(kept[0]![0]!, (position) =>
    all.slice(position * seen.headDim, (position + 1) * seen.headDim)
  )
  const turn = format.rotated ? hadamardReference : (row: Float32Array): Float32Array => row
  const levels = codebooks?.[0]?.keys
  const packed = packReference(rows.map(turn), rowsFormat, levels)
  const found = unpackReference(packed, rowsFormat, rows.length, seen.headDim, levels).map(turn)
  let off = 0
  let size = 0
  for (const [i, row] of rows.entries())
    for (const [channel, value] of row.entries()) {
      off += (found[i]![channel]! - value) ** 2
      size += value ** 2
    }
  return Math.sqrt(off / size)
}

/** Keys of noise, changed channel by channel. */
const context = (change: (value: number, channel: number) => number): Observation => {
  const seen = sampleObservation(
    { layers: 1, heads: 1, kvHeads: 1, headDim: 64, tokens: 288 },
    { keys: true, values: true }
  )
  const keys = seen.keys(0, 0).map((value, i) => change(value, i % 64))
  return { ...seen, keys: () => keys }
}

describe("methods that store in fewer bits", () => {
  const plain = context((value) => value)
  // A tenth of the channels far larger than the others, as keys have them.
  const outliers = context((value, channel) => (channel % 32 === 5 ? 20 + value : value))
  // Most values near nothing.
  const peaked = context((value) => value ** 5)

  it.each([
    ["int8", 0.008],
    ["int4", 0.08],
    ["kivi-4", 0.08],
    ["kivi-2", 0.4],
    ["kvquant", 0.08],
    ["rotatekv", 0.12],
    ["rotatekv-2", 0.6]
  ])("of %s lose a share of the keys below %d", (name, most) => {
    expect(error(name, plain)).toBeLessThan(most)
    expect(error(name, plain)).toBeGreaterThan(most / 10)
  })

  it("per channel bear outlying channels, and so do rotations, unlike those per token", () => {
    const small = (name: string): number => {
      // Error against what is not outlying: the outliers' own size would hide it.
      const whole = Math.sqrt(outliers.keys(0, 0).reduce((sum, value) => sum + value ** 2, 0))
      const rest = Math.sqrt(plain.keys(0, 0).reduce((sum, value) => sum + value ** 2, 0))
      return (error(name, outliers) * whole) / rest
    }
    expect(small("kivi-4")).toBeLessThan(0.1)
    expect(small("int4")).toBeGreaterThan(0.5)
    expect(small("rotatekv")).toBeLessThan(small("int4"))
  })

  it("at fitted levels lose less than evenly spaced ones where values crowd", () => {
    expect(error("kvquant", peaked)).toBeLessThan(0.9 * error("kivi-4", peaked))
  })
})
