import fc from "fast-check"
import { describe, expect, it } from "vitest"
import type { Compression } from "../compressors/compressor.ts"
import { lackingRows, packedRows } from "./lacking.ts"

const rows = { bits: 8, groupTokens: 1, groupChannels: 16 } as const

const compressions = fc
  .record({
    tokens: fc.integer({ min: 0, max: 60 }),
    tailStart: fc.integer({ min: 0, max: 60 }),
    lateTail: fc.integer({ min: 0, max: 5 }),
    heads: fc.array(fc.infiniteStream(fc.boolean()), { minLength: 1, maxLength: 3 }),
    stored: fc.boolean(),
    rotated: fc.boolean()
  })
  .map(({ tokens, tailStart, lateTail, heads, stored, rotated }) => {
    const start = Math.min(tailStart, tokens)
    const picks = heads.map((stream) => {
      const picked: number[] = []
      for (let position = 0; position < start; position++) if (stream.next().value) picked.push(position)
      return picked
    })
    const count = Math.min(...picks.map(({ length }) => length))
    const format = { keys: stored ? rows : "raw", values: "raw", rotated } as const
    const compression: Compression = {
      tailStart: start,
      kept: [picks.map((one) => Uint32Array.from(one.slice(0, count)))],
      format
    }
    return { compression, reach: { tokens, tailEnd: Math.max(start, tokens - lateTail) }, exact: !stored }
  })

describe("what a compressed copy lacks", () => {
  it("and what it has are the full KV, each row once", () => {
    fc.assert(
      fc.property(compressions, ({ compression, reach, exact }) => {
        const { format, kept, tailStart } = compression
        const lacking = lackingRows(compression, 0, reach)
        const packed = packedRows(compression, 0)
        for (let head = 0; head < kept[0]!.length; head++) {
          const here = [...lacking, ...packed].filter((row) => row.head === head).map((row) => row.position)
          const inTail: number[] = []
          if (!format.rotated)
            for (let position = tailStart; position < reach.tailEnd; position++) inTail.push(position)
          expect([...here, ...inTail].toSorted((a, b) => a - b)).toEqual(
            Array.from({ length: reach.tokens }, (_, position) => position)
          )
        }
        // What is turned or in fewer bits is not there.
        if (!exact || format.rotated) expect(packed).toEqual([])
      })
    )
  })

  it("is nothing where all of it stayed as it was", () => {
    const compression: Compression = {
      tailStart: 2,
      kept: [[Uint32Array.of(0, 1)]],
      format: { keys: "raw", values: "raw", rotated: false }
    }
    expect(lackingRows(compression, 0, { tokens: 5, tailEnd: 5 })).toEqual([])
    expect(lackingRows(compression, 0, { tokens: 5, tailEnd: 4 })).toEqual([{ head: 0, position: 4 }])
  })
})
