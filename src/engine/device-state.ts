/** Everything the engine has on the device: weights, caches, activations. Made at the start, and anew when a device is lost. */
import { Effect } from "effect"
import { attentionFloats, type ObservationBuffers, queryFloats } from "./cache/observing.ts"
import { Placing } from "./cache/placing.ts"
import { DeviceCache } from "./cache/device-cache.ts"
import type { Needs } from "./compressors/compressor.ts"
import { type EngineShape, pageWords } from "./kernels/shape.ts"
import { type DeviceModel, loadModel } from "./model/device-model.ts"
import { draftedBytes, Forward, samplerBytes } from "./model/forward.ts"
import { type Device, NoAdapter, openDevice, TooLarge } from "./webgpu/device.ts"
import { Timestamps } from "./webgpu/timestamps.ts"
import { Uploader } from "./webgpu/uploader.ts"
import type { Checkpoint, ModelRefused } from "./weights/checkpoint.ts"

export interface DeviceState {
  readonly device: Device
  readonly weightBytes: number
  readonly cache: DeviceCache
  readonly forward: Forward
  readonly uploader: Uploader
  readonly placing: Placing
  /** Tokens of every slot, `maxTokens` each. */
  readonly tokens: GPUBuffer
  readonly samplers: GPUBuffer
  readonly observations: ObservationBuffers
  /** Stamps of its passes, where they were asked for and the device has a clock. */
  readonly timestamps: Timestamps | undefined
  readonly close: () => void
}

export interface DeviceStateOptions {
  readonly gpu: GPU
  /** A device to share; without one, or once it is lost, the engine opens its own. */
  readonly device?: Device
  readonly checkpoint: Checkpoint
  /** `lanes` and `subgroups` are decided by the adapter. */
  readonly shape: Omit<EngineShape, "lanes" | "subgroups">
  /** Pages of the KV arena. */
  readonly pages: number
  readonly needs: Needs
  /** Drafts of some requests are sampled speculatively: their distributions are kept, which takes room for each slot. */
  readonly speculative?: boolean
  /** Passes are stamped by the device's clock, where it has one. */
  readonly timestamps?: boolean
  readonly onProgress: (read: number, all: number) => void
}

/** Lanes of a reduction on hardware; software adapters pay more for a barrier than they gain. */
const HARDWARE_LANES = 64

export const openDeviceState = (
  options: DeviceStateOptions
): Effect.Effect<DeviceState & { readonly shape: EngineShape }, NoAdapter | ModelRefused> =>
  Effect.gen(function* () {
    const { gpu, checkpoint, pages, onProgress } = options
    const given = options.device
    const device = given !== undefined && given.lost === undefined ? given.share() : yield* openDevice(gpu)
    const shape: EngineShape = {
      ...options.shape,
      lanes: device.card.kind === "software" ? 1 : HARDWARE_LANES,
      subgroups: device.subgroups
    }
    const arenaBytes = pages * pageWords(shape) * 4
    if (arenaBytes > Math.min(device.card.maxBindingBytes, device.card.maxBufferBytes)) {
      device.close()
      return yield* new NoAdapter({
        reason: `the KV caches need ${arenaBytes} bytes in one buffer, ${device.card.name} binds at most ${device.card.maxBindingBytes}; lower the memory for KV`
      })
    }
    const model = yield* loadModel(device, checkpoint, onProgress).pipe(
      Effect.onError(() => Effect.sync(() => device.close()))
    )
    return yield* Effect.try({
      try: () => assemble(device, shape, options, model),
      catch: (cause) => {
        device.close()
        if (!(cause instanceof TooLarge)) throw cause
        return new NoAdapter({ reason: cause.message })
      }
    })
  })

/** Everything but the weights. Throws `TooLarge` if a buffer is more than the adapter allows. */
const assemble = (
  device: Device,
  shape: EngineShape,
  { pages, needs, speculative = false, timestamps: stamped }: DeviceStateOptions,
  model: DeviceModel
): DeviceState & { readonly shape: EngineShape } => {
  const { slots, maxTokens } = shape
  const cache = new DeviceCache(device, shape, pages)
  const uploader = new Uploader(device)
  const tokens = device.buffer("tokens", slots * maxTokens * 4)
  const samplers = device.buffer("samplers", samplerBytes(slots))
  const observations = {
    attention: device.buffer("attention seen", slots * attentionFloats(shape, needs) * 4),
    queries: device.buffer("queries kept", slots * queryFloats(shape, needs) * 4)
  }
  const timestamps = stamped === true ? Timestamps.of(device) : undefined
  const buffers = {
    arena: cache.arena,
    views: cache.views,
    tokens,
    samplers,
    observed: observations.attention,
    queries: observations.queries,
    drafted: device.buffer("draft distributions", speculative ? draftedBytes(shape) : 0)
  }
  const forward = new Forward(device, shape, model, buffers, timestamps)
  return {
    device,
    shape,
    weightBytes: model.bytes,
    cache,
    forward,
    uploader,
    placing: new Placing(device, shape, cache, uploader),
    tokens,
    samplers,
    observations,
    timestamps,
    close: () => {
      timestamps?.close()
      device.close()
    }
  }
}
