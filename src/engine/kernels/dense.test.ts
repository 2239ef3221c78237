/** Kernels that know nothing of caches, each against its plain TypeScript body. */
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { fromFloat32, toFloat32 } from "../weights/dtype.ts"
import { advance, advanceReference } from "./advance.ts"
import { embed, embedReference } from "./embed.ts"
import { distance, floatsOf, noise, passWords, runKernel, runs, tinyShape } from "./kernel.fixture.ts"
import { MATMUL_COLUMNS, MATMUL_ROWS, matmul, matmulReference } from "./matmul.ts"
import { norm, normReference } from "./norm.ts"
import { swiglu, swigluReference } from "./swiglu.ts"

const dtypes = fc.constantFrom("F32" as const, "F16" as const, "BF16" as const)
const seeds = fc.integer({ min: 0, max: 1000 })
const counts = fc.integer({ min: 1, max: 9 })

/** Numbers a format holds exactly, and their bytes. */
const stored = (values: Float32Array, dtype: "F32" | "F16" | "BF16") => {
  const bytes = fromFloat32(values, dtype)
  return { bytes, values: toFloat32(bytes, dtype) }
}

/** Columns of a table of `stride` columns, from `first` on. */
const columns = (
  bytes: Uint8Array,
  type: "F32" | "F16" | "BF16",
  stride: number,
  first: number
): Uint8Array => {
  const size = type === "F32" ? 4 : 2
  const rows = bytes.length / size / stride
  return Uint8Array.from(
    Array.from({ length: rows }, (_, row) => [
      ...bytes.subarray((row * stride + first) * size, (row + 1) * stride * size)
    ]).flat()
  )
}

describe("kernels without caches", () => {
  it("embed", async () => {
    await fc.assert(
      fc.asyncProperty(
        dtypes,
        counts,
        fc.constantFrom(4, 20, 132),
        fc.constantFrom(5, 61),
        seeds,
        async (type, count, hidden, vocab, seed) => {
          const shape = tinyShape({ hidden, vocab })
          const stride = Math.ceil(vocab / 4) * 4
          const table = stored(noise(hidden * stride, seed), type)
          const tokens = Uint32Array.from({ length: 256 }, (_, i) => (i * 7 + seed) % vocab)
          // View 3 belongs to the second slot.
          const rows = Uint32Array.from({ length: count }, (_, i) => 5 * i + (seed % 40))
          // A piece of the table holds some of the tokens; rows of others stay as they are.
          const first = seed % 3 === 0 ? 0 : 4
          const piece = { first, tokens: stride - first }
          const words = Uint32Array.from({ length: 4 * count }, (_, i) =>
            i % 4 === 0 ? 3 : i % 4 === 1 ? rows[Math.floor(i / 4)]! : 0
          )
          const [x] = await runKernel(
            embed(shape, type, piece.first, piece.tokens),
            [
              columns(table.bytes, type, stride, piece.first),
              tokens,
              words,
              passWords(count),
              new Float32Array((count + 1) * hidden).fill(9)
            ],
            [Math.ceil(hidden / 64), count + 1],
            [4]
          )
          for (const [i, position] of rows.entries()) {
            const token = tokens[128 + position]!
            const expected =
              token < piece.first
                ? new Float32Array(hidden).fill(9)
                : embedReference(table.values, stride, hidden, token)
            expect(floatsOf(x!).slice(i * hidden, (i + 1) * hidden)).toEqual(expected)
          }
          // Rows beyond the pass are left alone.
          expect(floatsOf(x!)[count * hidden]).toBe(9)
        }
      ),
      runs(10)
    )
  })

  it("norm", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(1, 8, 64),
        fc.constantFrom(4, 20, 132),
        counts,
        fc.boolean(),
        seeds,
        async (lanes, hidden, count, isChosen, seed) => {
          const x = noise(count * hidden, seed, 3)
          const gain = noise(hidden, seed + 1)
          const chosen = Uint32Array.from({ length: count }, (_, i) => (count - 1 - i) & ~1)
          const choices = Math.ceil(count / 2)
          const run = (subgroups: boolean) =>
            runKernel(
              norm(tinyShape({ hidden }, { lanes, subgroups }), isChosen),
              [x, gain, chosen, passWords(count, choices), new Float32Array((count + 1) * hidden).fill(9)],
              [count + 1],
              [4]
            )
          const [y] = await run(false)
          expect(await run(true)).toEqual([y])
          const rows = isChosen
            ? [...chosen.subarray(0, choices)]
            : Array.from({ length: count }, (_, i) => i)
          for (const [i, row] of rows.entries()) {
            const expected = normReference(x.slice(row * hidden, (row + 1) * hidden), gain, 1e-5)
            const found = floatsOf(y!).subarray(i * hidden, (i + 1) * hidden)
            expect(distance(found, expected)).toBeLessThan(1e-5)
          }
          expect(floatsOf(y!)[rows.length * hidden]).toBe(9)
        }
      ),
      runs(12)
    )
  })

  it("matmul", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          type: dtypes,
          depth: fc.constantFrom(4, 36, 100),
          width: fc.constantFrom(4, 64, 68, 132),
          splits: fc.constantFrom(1, 8),
          accumulate: fc.boolean(),
          bias: fc.boolean(),
          chosen: fc.boolean(),
          first: fc.constantFrom(0, 8),
          beyond: fc.constantFrom(0, 12)
        }),
        counts,
        seeds,
        async (shape, count, seed) => {
          const { depth, width, type, accumulate, bias, chosen, first, beyond } = shape
          // The outputs of a row whose weights lie in other buffers are others' business.
          const stride = first + width + beyond
          const w = stored(noise(depth * width, seed), type)
          const x = noise(count * depth, seed + 1)
          const biases = noise(stride, seed + 2)
          const before = noise((count + 1) * stride, seed + 3)
          const [y] = await runKernel(
            matmul({ ...shape, stride }),
            [w.bytes, x, biases, chosen ? passWords(1, count) : passWords(count, 1), before],
            [Math.ceil(width / 4 / MATMUL_COLUMNS), 1, Math.ceil((count + 1) / MATMUL_ROWS)],
            [4]
          )
          for (let row = 0; row < count; row++) {
            const product = matmulReference(
              x.subarray(row * depth, (row + 1) * depth),
              w.values,
              width,
              bias ? biases.subarray(first) : undefined
            )
            const at = row * stride + first
            const expected = product.map((value, n) => value + (accumulate ? before[at + n]! : 0))
            expect(distance(floatsOf(y!).subarray(at, at + width), expected)).toBeLessThan(1e-5)
            for (const [from, to] of [
              [row * stride, at],
              [at + width, (row + 1) * stride]
            ] as const)
              expect(floatsOf(y!).slice(from, to)).toEqual(before.slice(from, to))
          }
          expect(floatsOf(y!).slice(count * stride, (count + 1) * stride)).toEqual(
            before.slice(count * stride)
          )
        }
      ),
      runs(8)
    )
  })

  it("swiglu", async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(4, 48, 132), counts, seeds, async (width, count, seed) => {
        const rows = noise(count * 2 * width, seed, 12)
        const [y] = await runKernel(
          swiglu(tinyShape({ intermediate: width })),
          [rows, passWords(count), new Float32Array(count * width)],
          [Math.ceil(width / 128), count],
          [2]
        )
        for (let row = 0; row < count; row++) {
          const expected = swigluReference(rows.slice(row * 2 * width, (row + 1) * 2 * width))
          expect(distance(floatsOf(y!).subarray(row * width, (row + 1) * width), expected)).toBeLessThan(1e-5)
        }
      }),
      runs(6)
    )
  })

  it("advance", async () => {
    for (const count of [1, 64, 65]) {
      const rows = Uint32Array.from({ length: 4 * count }, (_, i) => i * 3)
      const [moved, pass] = await runKernel(
        advance,
        [rows, passWords(count, count, 64, 5)],
        [Math.ceil(count / 64)],
        [0, 1]
      )
      expect(moved).toEqual(advanceReference(rows))
      expect(pass).toEqual(passWords(count, count, 64, 6))
    }
  })
})
