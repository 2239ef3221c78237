/**
 * Devices that are lost as WebGPU has it, on a real one that lives on: buffers gone, waits refused, submissions void. What a real
 * loss adds is compiling every kernel anew, which takes longer than all a random case does.
 */
import { Effect } from "effect"
import { nodeGpu } from "../cli/gpu.ts"
import { type Device, openDevice } from "./webgpu/device.ts"

/** Compiled once for all devices that come and go. */
class Compiled {
  readonly #real: GPUDevice
  readonly #modules = new Map<string, GPUShaderModule>()
  readonly #pipelines = new Map<string, GPUComputePipeline>()

  constructor(real: GPUDevice) {
    this.#real = real
  }

  module(descriptor: GPUShaderModuleDescriptor): GPUShaderModule {
    const known = this.#modules.get(descriptor.code)
    if (known !== undefined) return known
    const module = this.#real.createShaderModule(descriptor)
    this.#modules.set(descriptor.code, module)
    return module
  }

  pipeline(descriptor: GPUComputePipelineDescriptor): GPUComputePipeline {
    const { module, constants } = descriptor.compute
    const code = [...this.#modules].find(([, one]) => one === module)![0]
    const key = `${JSON.stringify(constants)} ${code}`
    const known = this.#pipelines.get(key)
    if (known !== undefined) return known
    const pipeline = this.#real.createComputePipeline(descriptor)
    this.#pipelines.set(key, pipeline)
    return pipeline
  }
}

const GONE = "A mortal device was destroyed."

/** A device on `real` that can be destroyed alone. */
const mortal = (real: GPUDevice, compiled: Compiled): GPUDevice => {
  const buffers = new Set<GPUBuffer>()
  const lost = Promise.withResolvers<GPUDeviceLostInfo>()
  let alive = true
  let deaf = (): void => {}
  const queue: Pick<GPUQueue, "submit" | "writeBuffer" | "onSubmittedWorkDone"> = {
    submit: (commands) => {
      if (alive) real.queue.submit(commands)
      return undefined
    },
    writeBuffer: (...written) => {
      if (alive) real.queue.writeBuffer(...written)
      return undefined
    },
    onSubmittedWorkDone: () => real.queue.onSubmittedWorkDone()
  }
  const device = {
    queue,
    lost: lost.promise,
    features: real.features,
    limits: real.limits,
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      const buffer = real.createBuffer(descriptor)
      if (alive) buffers.add(buffer)
      else buffer.destroy()
      const map = buffer.mapAsync.bind(buffer)
      buffer.mapAsync = (...range) => (alive ? map(...range) : Promise.reject(new Error(GONE)))
      return buffer
    },
    createShaderModule: (descriptor: GPUShaderModuleDescriptor) => compiled.module(descriptor),
    createComputePipeline: (descriptor: GPUComputePipelineDescriptor) => compiled.pipeline(descriptor),
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => real.createBindGroup(descriptor),
    createCommandEncoder: () => real.createCommandEncoder(),
    addEventListener: (kind: "uncapturederror", listener: (event: GPUUncapturedErrorEvent) => void) => {
      real.addEventListener(kind, listener)
      deaf = () => real.removeEventListener(kind, listener)
    },
    destroy: () => {
      if (!alive) return
      alive = false
      deaf()
      for (const buffer of buffers) buffer.destroy()
      lost.resolve({ reason: "destroyed", message: GONE } as GPUDeviceLostInfo)
    }
  }
  return device as unknown as GPUDevice
}

let adapter: GPU | undefined

/** The software adapter, whose devices are mortal. */
const mortalAdapter = async (): Promise<GPU> => {
  if (adapter !== undefined) return adapter
  const gpu = await Effect.runPromise(nodeGpu("software"))
  const software = (await gpu.requestAdapter())!
  const { raw } = await Effect.runPromise(openDevice(gpu))
  const compiled = new Compiled(raw)
  const { info, features, limits } = software
  const mortals = { info, features, limits, requestDevice: () => Promise.resolve(mortal(raw, compiled)) }
  adapter = { requestAdapter: () => Promise.resolve(mortals) } as unknown as GPU
  return adapter
}

/** An adapter and its first device, which the caller closes. */
export const mortalDevice = async (): Promise<{ readonly gpu: GPU; readonly device: Device }> => {
  const gpu = await mortalAdapter()
  return { gpu, device: await Effect.runPromise(openDevice(gpu)) }
}
