/** WebGPU of this browser, from inside a worker, and the model that comes with the page. */
import { Effect } from "effect"
import { COMPRESSORS } from "../../engine/compressors/registry.ts"
import { type Device, NoAdapter, openDevice } from "../../engine/webgpu/device.ts"
import { fetchedFiles } from "../../engine/weights/fetched-files.ts"
import type { Job } from "./engine-job.ts"

/** The embedded model, bundled with the page file by file. */
const MODEL = import.meta.glob<string>("../../../models/vericache-1m/*.{json,safetensors}", {
  query: "?url",
  import: "default",
  eager: true
})
export const modelFiles = fetchedFiles(
  "vericache-1m",
  (path) => MODEL[`../../../models/vericache-1m/${path}`]
)

/** This browser's WebGPU, or why there is none. */
export const browserGpu: Effect.Effect<GPU, NoAdapter> = Effect.suspend(() => {
  // Types say it is always there; browsers differ.
  const gpu = (navigator as { readonly gpu?: GPU }).gpu
  if (gpu !== undefined) return Effect.succeed(gpu)
  return Effect.fail(
    new NoAdapter({
      reason: isSecureContext
        ? "This browser has no WebGPU, or has it switched off. Current Chrome, Edge, Firefox and Safari have it on most systems."
        : "Browsers give WebGPU only to pages from https:// or from localhost, and this one comes from neither."
    })
  )
})

const NO_ADAPTER =
  "This browser has WebGPU but finds no adapter for it: the graphics driver may be missing, too old or blocked, or hardware acceleration is switched off."

/** A device for one job: closed with its scope, and everything on it freed. */
export const scopedDevice = (gpu: GPU, job: Job) =>
  Effect.acquireRelease(
    Effect.mapError(openDevice(gpu), ({ reason }) =>
      reason.includes("finds no adapter") ? new NoAdapter({ reason: NO_ADAPTER }) : new NoAdapter({ reason })
    ),
    (device) => Effect.sync(() => device.close())
  ).pipe(Effect.tap((device) => Effect.sync(() => watch(device, job))))

const watch = (device: Device, job: Job): void => {
  let lost = false
  job.lose = () => {
    lost = true
    device.raw.destroy()
  }
  void device.raw.lost.then(({ reason, message }) => {
    if (reason !== "destroyed" || lost) job.tell({ kind: "deviceLost", reason: message || reason })
  })
}

/** Limits by name: they are getters of a prototype, so no spread finds them. */
const limitsOf = ({ limits }: GPUAdapter): Readonly<Record<string, number>> => {
  const found: Record<string, number> = {}
  for (const name in limits) {
    const value: unknown = limits[name as keyof GPUSupportedLimits]
    if (typeof value === "number") found[name] = value
  }
  return found
}

export const describe = (job: Job) =>
  Effect.scoped(
    Effect.gen(function* () {
      job.tell({
        kind: "compressors",
        compressors: COMPRESSORS.map(({ name, summary, source, kind, mode, takesKeep }) => ({
          name,
          summary,
          source,
          kind,
          mode,
          takesKeep
        }))
      })
      const gpu = yield* browserGpu
      const { card } = yield* scopedDevice(gpu, job)
      const adapter = yield* Effect.promise(() => gpu.requestAdapter({ powerPreference: "high-performance" }))
      job.tell({ kind: "adapter", card, limits: adapter === null ? {} : limitsOf(adapter) })
    })
  ).pipe(
    Effect.catchTag("NoAdapter", ({ reason }) => Effect.sync(() => job.tell({ kind: "noAdapter", reason })))
  )
