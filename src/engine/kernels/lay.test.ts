import fc from "fast-check"
import { expect, it } from "vitest"
import { runKernel, runs } from "./kernel.fixture.ts"
import { lay, LAY_HEADER, layGroups, layReference } from "./lay.ts"

it("stored rows become columns beside those that are there, bit for bit", async () => {
  const shapes = fc.record({
    elementBytes: fc.constantFrom(2 as const, 4 as const),
    rows: fc.integer({ min: 1, max: 9 }),
    depth: fc.integer({ min: 1, max: 70 }),
    first: fc.nat(7),
    more: fc.nat(5),
    seed: fc.nat(1000)
  })
  await fc.assert(
    fc.asyncProperty(shapes, async ({ elementBytes, rows, depth, first, more, seed }) => {
      const width = 4 * Math.ceil((first + rows + more) / 4)
      const elements = elementBytes === 2 ? Uint16Array : Uint32Array
      const filled = (length: number, from: number) =>
        elements.from(Array.from({ length }, (_, i) => Math.imul(i + from, 2654435761) >>> 3))
      const source = filled(rows * depth, seed)
      const before = filled(width * depth, seed + 17)
      const bytes = new Uint8Array(4 * LAY_HEADER + 4 * Math.ceil(source.byteLength / 4))
      new Uint32Array(bytes.buffer).set([rows, depth, first, width])
      bytes.set(new Uint8Array(source.buffer), 4 * LAY_HEADER)
      const [words] = await runKernel(
        lay(elementBytes),
        [bytes, new Uint8Array(before.buffer)],
        layGroups(elementBytes, rows, depth),
        [1]
      )
      layReference(source, before, { rows, depth, first, width })
      expect(new Uint8Array(words!.buffer).subarray(0, before.byteLength)).toEqual(
        new Uint8Array(before.buffer)
      )
    }),
    runs(40)
  )
})
