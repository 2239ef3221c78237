/** The simulated hardware of a deployment: tensor-parallel groups on one clock, behind the ports of the runtime. */
import { Context } from "effect"
import { Gpu, LinkIn, LinkOut, Network } from "../../runtime/ports.ts"
import { kvShape } from "../../scenario/model-shape.ts"
import type { Method, Scenario } from "../../scenario/resolved.ts"
import { makeAcceptance } from "../acceptance/acceptance.ts"
import { CostModel } from "../cost/cost-model.ts"
import type { TableName } from "../cost/interpolate.ts"
import type { Kernel } from "../kernel/kernel.ts"
import { compressorOf, drafterOf } from "../setup.ts"
import { groupLink } from "../theory/parameters.ts"
import { SimulatedGpu } from "./gpu.ts"
import { Judge } from "./judge.ts"
import { Dma, type LinkModel, SimulatedLinks } from "./links.ts"
import type { GpuModel } from "./priced-run.ts"
import { DeviceQueue, QueuedGpu, queuedLink } from "./queue.ts"

/** How passes of a method are priced and judged. */
export const gpuModel = (scenario: Scenario, method: Method): GpuModel => {
  const { model, hardware, engine, acceptanceSeed: seed = scenario.seed } = scenario
  // Work of the host that hides behind the pass before costs nothing.
  const timed =
    engine.asyncScheduling === true ? { ...hardware, stepOverhead: 0, stepOverheadPerRequest: 0 } : hardware
  const compressor = compressorOf(method)
  const drafter = drafterOf(method)
  const what =
    method.kind === "offloaded"
      ? "everything"
      : method.kind === "vericache" && method.granularity === "streaming"
        ? "verifies"
        : undefined
  const layers = model.layers.reduce((sum, { count }) => sum + count, 0)
  return {
    cost: new CostModel(model, timed, engine.tensorParallelSize, compressor?.attentionEfficiency ?? 1),
    // Two models of one seed would share their draws.
    judge: new Judge(
      compressor === undefined ? undefined : makeAcceptance(compressor.acceptance, seed),
      drafter === undefined ? undefined : makeAcceptance(drafter.acceptance, seed + 1)
    ),
    draftPairs: compressor?.kind === "quantize" ? 1 / compressor.keep : 1,
    ...(compressor === undefined
      ? {}
      : {
          compresses: {
            // What is stored in fewer bits is all there.
            entries: compressor.kind === "quantize" ? 1 : compressor.keep,
            verifies: compressor.mode === "online"
          }
        }),
    window: kvShape(model).window,
    drafterWeights: drafter?.weightBytes ?? 0,
    drafterKv: drafter?.kvBytesPerToken ?? 0,
    ...(what === undefined ? {} : { streams: { what, layers } })
  }
}

/** Groups that share the bandwidth of their node's host memory. */
export class SimulatedGroups {
  readonly #kernel: Kernel
  readonly #scenario: Scenario
  readonly #model: GpuModel
  readonly #links: SimulatedLinks
  readonly #hostBandwidth: number

  constructor(kernel: Kernel, scenario: Scenario, method: Method) {
    this.#kernel = kernel
    this.#scenario = scenario
    this.#model = gpuModel(scenario, method)
    this.#links = new SimulatedLinks(kernel, scenario.seed)
    this.#hostBandwidth = this.#links.network.resource(scenario.hardware.host.bandwidth)
  }

  /** Measured kernel times that passes so far went beyond. */
  get extrapolated(): ReadonlySet<TableName> {
    return this.#model.cost.extrapolated
  }

  /** The ports of one more group; `store`: bytes/s at which it reaches the store. */
  group(store: number): Context.Context<Gpu | LinkIn | LinkOut | Network> {
    const { hardware, engine, faults, seed } = this.#scenario
    const { oneQueue } = hardware
    const { latency, deviceToHostLatency = latency } = hardware.link
    const model = (bandwidth: number, through: readonly number[], way: "in" | "out" = "in"): LinkModel => ({
      bandwidth,
      latency: way === "in" ? latency : deviceToHostLatency,
      through,
      failure: faults.reloadFailure
    })
    const into = groupLink(this.#scenario, "hostToDevice")
    const out = groupLink(this.#scenario, "deviceToHost")
    if (oneQueue !== undefined) {
      const queue = new DeviceQueue(this.#kernel)
      const link = (bandwidth: number, way: "in" | "out") =>
        queuedLink(queue, model(Math.min(bandwidth, hardware.host.bandwidth), [], way), oneQueue, way, seed)
      return Context.make(Gpu, new QueuedGpu(queue, this.#model, oneQueue)).pipe(
        Context.add(LinkIn, link(into, "in")),
        Context.add(LinkOut, link(out, "out")),
        Context.add(Network, queuedLink(queue, model(store, []), oneQueue, "in", seed))
      )
    }
    const gpu = new SimulatedGpu(this.#kernel, this.#model)
    const dma = new Dma(hardware.hbm.bandwidth * engine.tensorParallelSize, gpu)
    const link = (bandwidth: number, through: readonly number[], way: "in" | "out" = "in") =>
      this.#links.link(model(bandwidth, through, way), dma)
    return Context.make(Gpu, gpu).pipe(
      Context.add(LinkIn, link(into, [this.#hostBandwidth])),
      Context.add(LinkOut, link(out, [this.#hostBandwidth], "out")),
      Context.add(Network, link(store, []))
    )
  }
}
