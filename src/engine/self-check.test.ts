import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { softwareDevice } from "./engine.fixture.ts"
import { type Bound, Device, type Kernel } from "./webgpu/device.ts"
import { selfCheck } from "./self-check.ts"

/** A device whose kernels are changed on their way to it. */
class Tampered extends Device {
  readonly #tamper: (kernel: Kernel) => Kernel
  readonly #owner: Device

  constructor(owner: Device, tamper: (kernel: Kernel) => Kernel) {
    super(owner.raw, owner.card, owner)
    this.#owner = owner
    this.#tamper = tamper
  }

  override bind(kernel: Kernel, buffers: readonly (GPUBuffer | undefined)[]): Bound {
    return super.bind(this.#tamper(kernel), buffers)
  }

  override share(): Device {
    return new Tampered(this.#owner, this.#tamper)
  }
}

/** Replaces a piece of one kernel's source. */
const changed =
  (name: string, from: string, to: string) =>
  (kernel: Kernel): Kernel => {
    if (!kernel.name.startsWith(name)) return kernel
    expect(kernel.source).toContain(from)
    return { ...kernel, name: `broken ${kernel.name}`, source: kernel.source.replace(from, to) }
  }

const check = async (
  tamper?: (kernel: Kernel) => Kernel,
  kvBits: 16 | 32 = 16
): Promise<readonly string[]> => {
  const { gpu, device } = await softwareDevice()
  const used = tamper === undefined ? device : new Tampered(device, tamper)
  return Effect.runPromise(selfCheck({ gpu, device: used, kvBits, dtype: "F16" }))
}

describe("the check at start-up", () => {
  it("finds nothing to say of the software adapter, and leaves no buffers behind", async () => {
    const { device } = await softwareDevice()
    const before = device.allocated
    expect(await check()).toEqual([])
    expect(await check(undefined, 32)).toEqual([])
    expect(device.allocated).toEqual(before)
  })

  it("notices a matmul that adds up in another order when it has several rows", async () => {
    const broken = changed(
      "matmul",
      "for (var k = begin; k < end; k++) {\n      let at = k * 4u * quads + column;\n      let w0",
      `for (var i = begin; i < end; i++) {
      let k = end - 1u - (i - begin);
      let at = k * 4u * quads + column;
      let w0`
    )
    const said = await check(broken)
    expect(said).toContain("logits of 7 of 7 positions verified in a span differ from those computed alone")
    expect(said).toContain("KV computed in chunks of a prompt differs from KV computed position by position")
  })

  it("notices attention whose chunks depend on the batch", async () => {
    const exponent = "exp(scores[base + entry] - most)"
    const scaled = "exp((scores[base + entry] - most) * select(1f, 1.0001f, pass_.rows > 7u))"
    const broken = changed("softmax", exponent, scaled)
    const said = await check(broken)
    expect(said.some((one) => one.includes("in a batch with another request differ"))).toBe(true)
  })

  it("notices tokens that are drawn by their row", async () => {
    const broken = changed(
      "choose",
      "let row = rows[chosen[choice]];",
      "var row = rows[chosen[choice]]; let noise_row = choice;"
    )
    const other = (kernel: Kernel): Kernel => {
      const one = broken(kernel)
      return {
        ...one,
        source: one.source.replace("gumbel(sampler.seed ^ salt,", "gumbel(sampler.seed ^ salt ^ noise_row,")
      }
    }
    expect(await check(other)).toContainEqual(expect.stringMatching(/tokens drawn verified in a span differ/))
  })
})
