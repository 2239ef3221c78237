import { Effect } from "effect"
import { expect, it } from "vitest"
import { softwareDevice, tinyConfig } from "../engine.fixture.ts"
import { allTensors, configJson, memoryFiles, sharded } from "../weights/files.fixture.ts"
import { openCheckpoint } from "../weights/open.ts"
import { randomCheckpoint } from "../weights/random.ts"
import { loadModel } from "./device-model.ts"

it("a model in shards is read tensor by tensor, each once: never a whole shard", async () => {
  const config = tinyConfig({ layers: 4 })
  const tensors = allTensors(randomCheckpoint(config, 1, "F16"))
  const folder = { ...sharded(tensors, 3), "config.json": configJson(config) }
  const files = memoryFiles(folder)
  const reads: number[] = []
  const checkpoint = await Effect.runPromise(
    openCheckpoint({
      ...files,
      read: (path, from, bytes) => {
        reads.push(bytes)
        return files.read(path, from, bytes)
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
  own.close()
  const stored = tensors.map(({ bytes }) => bytes.length)
  expect(reads.toSorted((a, b) => a - b)).toEqual(stored.toSorted((a, b) => a - b))
  const shards = Object.entries(folder).flatMap(([name, { length }]) =>
    name.endsWith(".safetensors") ? [length] : []
  )
  expect(shards).toHaveLength(3)
  // Matrices that belong together lie side by side on the device; with the tensor being read that is less than a shard.
  const { hidden, intermediate } = config
  expect(2 * hidden * intermediate * 2 + Math.max(...reads)).toBeLessThan(Math.min(...shards))
  expect(model.bytes).toBeGreaterThanOrEqual(stored.reduce((sum, bytes) => sum + bytes, 0))
  expect(progress.at(-1)).toBe(`${tensors.length}/${tensors.length}`)
})
