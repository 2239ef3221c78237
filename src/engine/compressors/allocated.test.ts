/** What a method is said to take on the device is what is allocated there, and what its bits come to. */
import { describe, expect, it } from "vitest"
import { layOut } from "../cache/packed-layout.ts"
import type { Engine } from "../engine.ts"
import { tinyCheckpoint, trial } from "../engine.fixture.ts"
import { tokenWords } from "../kernels/shape.ts"
import type { Compression, RowFormat } from "./compressor.ts"
import { COMPRESSORS, findCompressor } from "./registry.ts"

const checkpoint = tinyCheckpoint(3, { headDim: 32 })
const PROMPT = 200
const KEEP = 0.4

interface Seen {
  readonly reported: number
  /** Pages taken of the arena beyond those of the full KV, in bytes. */
  readonly taken: number
  readonly pageBytes: number
  readonly tailTokens: number
  readonly compression: Compression
}

const look = (engine: Engine): Seen => {
  const session = engine.session(0)
  const { pages, pageBytes } = engine.state.cache
  return {
    reported: engine.compressedBytes(session),
    taken: (pages.used - session.full!.pages.length) * pageBytes,
    pageBytes,
    tailTokens: session.full!.end - session.tail!.start,
    compression: session.compression!
  }
}

/** Bits of a packed element: its code, and its part of a group's scale and zero, 16 bits each. */
const bitsOf = (rows: RowFormat | "raw"): number =>
  rows === "raw" ? 16 : rows.bits + 32 / (rows.groupTokens * rows.groupChannels)

const pairs = ["h2o+k8v4", "verify-fed+kivi-2"].map((name) => findCompressor(name))

describe("bytes on the device", () => {
  it.each([...COMPRESSORS, ...pairs].filter((one) => "compress" in one))(
    "of $name are those allocated, and no more than its bits",
    async (compressor) => {
      let seen: Seen | undefined
      await trial({
        checkpoint,
        kind: "sparse",
        compressor,
        keep: KEEP,
        slots: 1,
        asked: [{ prompt: Array.from({ length: PROMPT }, (_, i) => (i * i) % 61), output: 2 }],
        onCommit: (engine) => {
          seen ??= look(engine)
        }
      })
      const { reported, taken, pageBytes, tailTokens, compression } = seen!
      expect(reported).toBe(taken)
      const { headDim } = checkpoint.config
      const { keys, values } = compression.format
      const entries = compression.kept.flat().reduce((sum, heads) => sum + heads.length, 0)
      const codes = (entries * headDim * (bitsOf(keys) + bitsOf(values))) / 8
      // Uneven levels are 4 bytes each, for keys and values of each layer; codes, scales and levels begin at whole rows of words.
      const sides = 2 * checkpoint.config.layers
      const levels = compression.codebooks === undefined ? 0 : sides * 16 * 4
      const padding = 3 * sides * 4 * headDim
      const { words } = layOut(compression, { ...checkpoint.config, kvBits: 16 })
      expect(4 * words).toBeGreaterThanOrEqual(codes)
      expect(4 * words).toBeLessThanOrEqual(codes + levels + padding)
      const tail = tailTokens * tokenWords({ config: checkpoint.config, kvBits: 16 }) * 4
      const parts = [4 * words, tail].map((bytes) => Math.ceil(bytes / pageBytes) * pageBytes)
      expect(reported).toBe(parts[0]! + parts[1]!)
    }
  )
})
