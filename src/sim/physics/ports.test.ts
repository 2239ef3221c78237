import { Context, Effect } from "effect"
import { portContract } from "../../runtime/ports.contract.ts"
import { Gpu, LinkIn, LinkOut, type LinkShape, Time, type Transfer } from "../../runtime/ports.ts"
import { makeAcceptance } from "../acceptance/acceptance.ts"
import { CostModel } from "../cost/cost-model.ts"
import type { Kernel } from "../kernel/kernel.ts"
import { readCatalog, readScenario } from "../scenarios.fixture.ts"
import { groupLink } from "../theory/parameters.ts"
import { VirtualTime } from "../virtual-time.ts"
import { SimulatedGpu } from "./gpu.ts"
import { Judge } from "./judge.ts"
import { Dma, SimulatedLinks } from "./links.ts"
import type { GpuModel } from "./priced-run.ts"
import { DeviceQueue, QueuedGpu, queuedLink } from "./queue.ts"

const scenario = readScenario("llama-8b-h100-chat.yaml", readCatalog())

const acceptance = {
  origin: { basis: "assumed", source: "made up for a test" },
  kind: "iid",
  alpha: 0.8
} as const

const { hardware, model: shapes } = scenario
const linkBandwidth = groupLink(scenario, "hostToDevice")
const linkModel = { bandwidth: linkBandwidth, latency: 1e-5, through: [], failure: 0 }

const gpuModel = (): GpuModel => ({
  cost: new CostModel(shapes, hardware, 1, 1),
  judge: new Judge(makeAcceptance(acceptance, 1), undefined),
  draftPairs: 1,
  window: 0,
  drafterWeights: 0,
  drafterKv: 0
})

/** A physics on its own clock; `groups` makes its GPU and a link. */
const physics = (
  groups: (kernel: Kernel) => { readonly gpu: Gpu["Service"]; readonly link: () => LinkShape }
) => {
  const time = new VirtualTime()
  const { kernel } = time
  const { gpu, link } = groups(kernel)
  return {
    linkBandwidth,
    run: <A, E>(program: Effect.Effect<A, E>) => Promise.resolve(time.simulate(program)),
    hold: () => Effect.void,
    carries: ({ bytes }: Transfer) => bytes,
    streams: true,
    close: () => Promise.resolve(),
    ports: Context.make(Gpu, gpu).pipe(
      Context.add(LinkIn, link()),
      Context.add(LinkOut, link()),
      Context.add(
        Time,
        Time.of({
          now: () => kernel.now,
          until: (at) => Effect.suspend(() => time.until(at)),
          settled: Effect.yieldNow
        })
      )
    )
  }
}

portContract("the simulated physics", () =>
  physics((kernel) => {
    const gpu = new SimulatedGpu(kernel, gpuModel())
    const links = new SimulatedLinks(kernel, 1)
    const dma = new Dma(hardware.hbm.bandwidth, gpu)
    return { gpu: Gpu.of(gpu), link: () => links.link(linkModel, dma) }
  })
)

portContract("the simulated physics with one queue", () =>
  physics((kernel) => {
    const queue = new DeviceQueue(kernel)
    const facts = { submission: 1e-4, steps: 16, chunk: 1e6 }
    return {
      gpu: Gpu.of(new QueuedGpu(queue, gpuModel(), facts)),
      link: () => queuedLink(queue, linkModel, facts, "in", 1)
    }
  })
)
