/** One WebGPU device: what it is, its buffers counted, its pipelines compiled once. */
import { Effect, Schema } from "effect"
import { DeviceLost } from "../../runtime/ports.ts"
import { resting } from "./rest.ts"
import { MAP_READ, STORAGE, USAGE } from "./usage.ts"

/** There is no adapter, or it cannot do what the engine needs. */
export class NoAdapter extends Schema.TaggedError<NoAdapter>()("NoAdapter", { reason: Schema.String }) {
  override get message(): string {
    return this.reason
  }
}

/** A buffer that kernels could not see all of; says which, and how far it is off. */
export class TooLarge extends Error {
  constructor(label: string, bytes: number, { name, maxBindingBytes, maxBufferBytes }: AdapterCard) {
    super(
      `${label} needs ${bytes} bytes in one buffer; ${name} allows ${Math.min(maxBindingBytes, maxBufferBytes)}`
    )
  }
}

/** What is known of an adapter; shown wherever a figure measured on it is shown. */
export interface AdapterCard {
  readonly name: string
  readonly vendor: string
  readonly architecture: string
  /** A software adapter computes on the CPU: right in every bit that counts, and no evidence of any GPU's speed. */
  readonly kind: "hardware" | "software"
  readonly features: readonly string[]
  readonly maxBufferBytes: number
  readonly maxBindingBytes: number
}

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|software|warp|basic render/i

/** Features used where the adapter has them. */
const WANTED: readonly GPUFeatureName[] = ["timestamp-query", "shader-f16", "subgroups"]

const cardOf = ({ info, features, limits }: GPUAdapter): AdapterCard => {
  const name = info.description || info.device || info.architecture || "unnamed adapter"
  const software =
    info.isFallbackAdapter || SOFTWARE.test(`${info.vendor} ${info.architecture} ${info.device} ${name}`)
  return {
    name,
    vendor: info.vendor,
    architecture: info.architecture,
    kind: software ? "software" : "hardware",
    features: [...features].toSorted(),
    maxBufferBytes: limits.maxBufferSize,
    maxBindingBytes: limits.maxStorageBufferBindingSize
  }
}

/** One dispatch of a kernel with its buffers bound. */
export interface Bound {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
}

/** A kernel: WGSL and the values of its `override` constants. */
export interface Kernel {
  readonly name: string
  readonly source: string
  readonly constants: Readonly<Record<string, number>>
}

/** Bytes on their way to the host. */
export interface PendingRead {
  readonly bytes: number
  /** Waits for them. Once. */
  readonly collect: Effect.Effect<Uint8Array, DeviceLost>
  /** Gives them up. */
  readonly cancel: () => void
}

export class Device {
  readonly raw: GPUDevice
  readonly card: AdapterCard
  readonly #parent: Device | undefined
  readonly #pipelines: Map<string, GPUComputePipeline>
  readonly #buffers = new Set<GPUBuffer>()
  #lost: string | undefined
  /** First error nobody scoped: a kernel or a copy that WebGPU refused. */
  #fault: string | undefined

  constructor(raw: GPUDevice, card: AdapterCard, parent?: Device) {
    this.raw = raw
    this.card = card
    this.#parent = parent
    this.#pipelines = parent === undefined ? new Map<string, GPUComputePipeline>() : parent.#pipelines
    if (parent !== undefined) return
    void raw.lost.then(({ message, reason }) => {
      this.#lost ??= message || reason
    })
    raw.addEventListener("uncapturederror", (event) => {
      this.#fault ??= event.error.message
    })
  }

  /** Why the device was lost, once it is. */
  get lost(): string | undefined {
    return this.#root.#lost
  }

  /** Whether kernels may use subgroups. */
  get subgroups(): boolean {
    return this.raw.features.has("subgroups")
  }

  get #root(): Device {
    return this.#parent ?? this
  }

  /** Buffers alive and their bytes: zero after everything is closed. */
  get allocated(): { readonly buffers: number; readonly bytes: number } {
    let bytes = 0
    for (const { size } of this.#buffers) bytes += size
    return { buffers: this.#buffers.size, bytes }
  }

  /** A buffer of at least `bytes` bytes, rounded up to whole words; zeroed. Throws `TooLarge`. */
  buffer(label: string, bytes: number, usage: number = STORAGE): GPUBuffer {
    const size = Math.max(16, Math.ceil(bytes / 16) * 16)
    const { maxBindingBytes, maxBufferBytes } = this.card
    if (size > maxBufferBytes || ((usage & USAGE.storage) !== 0 && size > maxBindingBytes))
      throw new TooLarge(label, size, this.card)
    const buffer = this.raw.createBuffer({ label, size, usage })
    this.#buffers.add(buffer)
    return buffer
  }

  /** A storage buffer with these contents. */
  upload(label: string, data: Uint8Array | Uint32Array | Float32Array): GPUBuffer {
    const buffer = this.buffer(label, data.byteLength)
    this.write(buffer, 0, data)
    return buffer
  }

  /** Writes at a byte offset. Only plain views: a Float16Array ends the process in some runtimes. */
  write(buffer: GPUBuffer, offset: number, data: Uint8Array | Uint32Array | Float32Array): void {
    this.raw.queue.writeBuffer(buffer, offset, data.buffer, data.byteOffset, data.byteLength)
  }

  destroy(buffer: GPUBuffer): void {
    if (this.#buffers.delete(buffer)) buffer.destroy()
  }

  /** The pipeline of a kernel, compiled on first use. */
  pipeline({ name, source, constants }: Kernel): GPUComputePipeline {
    const key = `${name} ${JSON.stringify(constants)}`
    const known = this.#pipelines.get(key)
    if (known !== undefined) return known
    const pipeline = this.raw.createComputePipeline({
      label: name,
      layout: "auto",
      compute: {
        module: this.raw.createShaderModule({ label: name, code: source }),
        entryPoint: "main",
        constants
      }
    })
    this.#pipelines.set(key, pipeline)
    return pipeline
  }

  /** A kernel with buffers at bindings 0, 1, …; `undefined` leaves a binding out. */
  bind(kernel: Kernel, buffers: readonly (GPUBuffer | undefined)[]): Bound {
    const pipeline = this.pipeline(kernel)
    const entries = buffers.flatMap((buffer, binding) =>
      buffer === undefined ? [] : [{ binding, resource: { buffer } }]
    )
    return {
      pipeline,
      group: this.raw.createBindGroup({ label: kernel.name, layout: pipeline.getBindGroupLayout(0), entries })
    }
  }

  /** Copies `bytes` bytes from each offset, one behind the other, into a buffer the host can read, after everything submitted before. */
  startRead(source: GPUBuffer, offsets: number | readonly number[], bytes: number): PendingRead {
    const each = Math.ceil(bytes / 4) * 4
    const from = typeof offsets === "number" ? [offsets] : offsets
    const all = each * (from.length - 1) + bytes
    const staging = this.buffer("read back", all, USAGE.mapRead | USAGE.copyTarget)
    const encoder = this.raw.createCommandEncoder()
    for (const [i, offset] of from.entries())
      encoder.copyBufferToBuffer(source, offset, staging, each * i, each)
    this.raw.queue.submit([encoder.finish()])
    const cancel = (): void => this.destroy(staging)
    const collect = this.mapped(staging, MAP_READ).pipe(
      Effect.map(() => new Uint8Array(staging.getMappedRange(0, each * from.length).slice(0, all))),
      Effect.ensuring(Effect.sync(cancel))
    )
    return { bytes: all, collect, cancel }
  }

  /** Reads `bytes` bytes from each offset. */
  read(
    source: GPUBuffer,
    offsets: number | readonly number[],
    bytes: number
  ): Effect.Effect<Uint8Array, DeviceLost> {
    return Effect.suspend(() => this.startRead(source, offsets, bytes).collect)
  }

  /** Waits until a buffer is mapped. */
  mapped(buffer: GPUBuffer, mode: number): Effect.Effect<void, DeviceLost> {
    return this.#settled(() => resting(buffer.mapAsync(mode)))
  }

  /** Has a buffer mapped as soon as what was submitted with it is done, and waits for that if run. */
  mapping(buffer: GPUBuffer, mode: number): Effect.Effect<void, DeviceLost> {
    const mapped = resting(buffer.mapAsync(mode))
    // A lost device is for those who wait to hear of.
    mapped.catch(() => {})
    return this.#settled(() => mapped)
  }

  /** Waits until everything submitted so far is done. */
  get idle(): Effect.Effect<void, DeviceLost> {
    return this.#settled(() => resting(this.raw.queue.onSubmittedWorkDone()))
  }

  /** The same device for another user: it shares the pipelines and has buffers of its own. */
  share(): Device {
    return new Device(this.raw, this.card, this)
  }

  /** Destroys every buffer, and the device unless it is shared. */
  close(): void {
    for (const buffer of this.#buffers) buffer.destroy()
    this.#buffers.clear()
    if (this.#parent !== undefined) return
    this.#lost ??= "closed"
    this.#pipelines.clear()
    this.raw.destroy()
  }

  /** Waits for `work` of the device. */
  #settled(work: () => Promise<unknown>): Effect.Effect<void, DeviceLost> {
    return Effect.tryPromise({
      try: work,
      catch: (cause) => new DeviceLost({ reason: this.lost ?? String(cause) })
    }).pipe(
      Effect.andThen(
        Effect.suspend(() => {
          const fault = this.#root.#fault
          if (fault !== undefined) return Effect.die(new Error(`WebGPU refused: ${fault}`))
          return this.lost === undefined ? Effect.void : Effect.fail(new DeviceLost({ reason: this.lost }))
        })
      )
    )
  }
}

/** Opens a device on the best adapter there is, with the largest buffers it allows. The caller closes it. */
export const openDevice = (gpu: GPU): Effect.Effect<Device, NoAdapter> =>
  Effect.gen(function* () {
    const adapter = yield* Effect.promise(() => gpu.requestAdapter({ powerPreference: "high-performance" }))
    if (adapter === null) return yield* new NoAdapter({ reason: "WebGPU finds no adapter here" })
    const { limits } = adapter
    const raw = yield* Effect.tryPromise({
      try: () =>
        adapter.requestDevice({
          requiredFeatures: WANTED.filter((feature) => adapter.features.has(feature)),
          requiredLimits: {
            maxBufferSize: limits.maxBufferSize,
            maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
            maxStorageBuffersPerShaderStage: Math.min(limits.maxStorageBuffersPerShaderStage, 10)
          }
        }),
      catch: (cause) => new NoAdapter({ reason: `the adapter gives no device: ${String(cause)}` })
    })
    return new Device(raw, cardOf(adapter))
  })
