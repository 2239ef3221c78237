import { Effect } from "effect"
import { expect, it } from "vitest"
import type { ModelConfig } from "./config.ts"
import { softwareDevice, tinyConfig } from "../engine.fixture.ts"
import { allTensors, configJson, memoryFiles, sharded } from "../weights/files.fixture.ts"
import { openCheckpoint } from "../weights/open.ts"
import { randomCheckpoint } from "../weights/random.ts"
import { loadModel } from "./device-model.ts"

const loaded = async (config: ModelConfig, shards: number) => {
  const tensors = allTensors(randomCheckpoint(config, 1, "F16"))
  const folder = { ...sharded(tensors, shards), "config.json": configJson(config) }
  const files = memoryFiles(folder)
  const reads: { readonly path: string; readonly from: number; readonly bytes: number }[] = []
  const checkpoint = await Effect.runPromise(
    openCheckpoint({
      ...files,
      read: (path, from, bytes, into) => {
        reads.push({ path, from, bytes })
        return files.read(path, from, bytes, into)
      }
    })
  )
  reads.length = 0
  const { device } = await softwareDevice()
  const own = device.share()
  const progress: string[] = []
  const model = await Effect.runPromise(
    loadModel(own, checkpoint, (read, all) => progress.push(`${read}/${all}`))
  )
  const buffers = own.allocated
  own.close()
  return { tensors, reads, progress, model, buffers }
}

it("a model in shards is read piece by piece, every byte once, and no more at a time than a piece has", async () => {
  const config = tinyConfig({ layers: 4, hidden: 512, intermediate: 1200 })
  const { tensors, reads, progress, model, buffers } = await loaded(config, 3)
  const piece = 1 << 20
  expect(512 * 1200 * 2).toBeGreaterThan(piece)
  expect(Math.max(...reads.map(({ bytes }) => bytes))).toBeLessThanOrEqual(piece)
  for (const path of new Set(reads.map((one) => one.path))) {
    const own = reads.filter((one) => one.path === path).toSorted((a, b) => a.from - b.from)
    for (const [i, { from, bytes }] of own.slice(0, -1).entries())
      expect(own[i + 1]!.from).toBeGreaterThanOrEqual(from + bytes)
  }
  const stored = tensors.reduce((sum, { bytes }) => sum + bytes.length, 0)
  expect(reads.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(stored)
  expect(model.bytes).toBeGreaterThanOrEqual(stored)
  // The landing is gone; what is left is the model.
  expect(buffers.bytes).toBeLessThan(model.bytes + 16 * buffers.buffers)
  expect(progress.at(-1)).toBe(`${tensors.length}/${tensors.length}`)
})
