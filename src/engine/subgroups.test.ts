/** A model computed as hardware adapters compute it, with subgroups and without: the software adapter plays one that has them. */
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { openDeviceState } from "./device-state.ts"
import { softwareDevice, tinyCheckpoint } from "./engine.fixture.ts"
import { noise } from "./kernels/kernel.fixture.ts"
import { GREEDY } from "./kernels/choose.ts"
import { Positions } from "./model/positions.ts"
import { selfCheck } from "./self-check.ts"
import { Device, type Kernel } from "./webgpu/device.ts"

/** A device that says it is hardware, so that reductions take many lanes, with subgroups or without. */
class Posing extends Device {
  readonly #owner: Device
  readonly #subgroups: boolean
  readonly kernels: Set<string>

  constructor(owner: Device, subgroups: boolean, kernels = new Set<string>()) {
    super(owner.raw, { ...owner.card, kind: "hardware" }, owner)
    this.#owner = owner
    this.#subgroups = subgroups
    this.kernels = kernels
  }

  override get subgroups(): boolean {
    return this.#subgroups
  }

  override bind(kernel: Kernel, buffers: readonly (GPUBuffer | undefined)[]) {
    this.kernels.add(kernel.name)
    return super.bind(kernel, buffers)
  }

  override share(): Device {
    return new Posing(this.#owner, this.#subgroups, this.kernels)
  }
}

const LENGTH = 70
const WANTED = 7

/** Matrices share kernels with each other and with the self-check's: several shares of a sum take long to compile. */
const checkpoint = tinyCheckpoint(4, { hidden: 64, layers: 2, intermediate: 64, vocab: 128 })
const { config } = checkpoint

/** What the model says of the last positions of a request, the KV behind it, and what the self-check says. */
const saidOn = async (subgroups: boolean) => {
  const { gpu, device: software } = await softwareDevice()
  const device = new Posing(software, subgroups)
  const state = await Effect.runPromise(
    openDeviceState({
      gpu,
      device,
      checkpoint,
      shape: { config, kvBits: 16, pageTokens: 16, maxTokens: 128, slots: 1, maxRows: 64, queryRows: 1 },
      pages: 5,
      needs: {},
      onProgress: () => {}
    })
  )
  const positions = new Positions(state, state.shape)
  const tokens = Array.from(noise(LENGTH, 5), (value) => Math.floor(64 * (value + 1)))
  const sampling = { ...GREEDY, temperature: 1, topK: 40, topP: 0.9, repetitionPenalty: 1.1, seed: 3 }
  positions.open(0, tokens, [0, 1, 2, 3, 4], sampling)
  const span = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => ({ slot: 0, position: from + i }))
  positions.feed(span(0, LENGTH - WANTED))
  const said = await Effect.runPromise(positions.compute(span(LENGTH - WANTED, LENGTH)))
  const kv = await Effect.runPromise(positions.kv(0, LENGTH))
  state.close()
  const differing = await Effect.runPromise(selfCheck({ gpu, device, kvBits: 16, dtype: "F32" }))
  return {
    lanes: state.shape.lanes,
    reductions: [...device.kernels].filter((name) => /^(norm|choose)\b/.test(name)),
    said,
    kv,
    differing
  }
}

describe("an adapter with subgroups", () => {
  it("computes the very bits that one without computes, and repeats them", async () => {
    const plain = await saidOn(false)
    const registers = await saidOn(true)
    expect([plain.lanes, registers.lanes]).toEqual([64, 64])
    expect(plain.reductions).toEqual(["norm", "choose"])
    expect(registers.reductions).toEqual(["norm, subgroups", "choose, subgroups"])
    expect(registers.said).toEqual(plain.said)
    expect(registers.kv).toEqual(plain.kv)
    expect([plain.differing, registers.differing]).toEqual([[], []])
    expect(new Set(plain.said.map(({ token }) => token)).size).toBeGreaterThan(1)
  })
})
