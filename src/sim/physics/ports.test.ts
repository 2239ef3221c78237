import { Context, Effect } from "effect"
import { portContract } from "../../runtime/ports.contract.ts"
import { Gpu, LinkIn, LinkOut, Time } from "../../runtime/ports.ts"
import { makeAcceptance } from "../acceptance/acceptance.ts"
import { CostModel } from "../cost/cost-model.ts"
import { readCatalog, readScenario } from "../scenarios.fixture.ts"
import { groupLink } from "../theory/parameters.ts"
import { VirtualTime } from "../virtual-time.ts"
import { SimulatedGpu } from "./gpu.ts"
import { Judge } from "./judge.ts"
import { Dma, SimulatedLinks } from "./links.ts"

const scenario = readScenario("llama-8b-h100-chat.yaml", readCatalog())

portContract("the simulated physics", () => {
  const time = new VirtualTime()
  const { kernel } = time
  const { hardware, model } = scenario
  const acceptance = {
    origin: { basis: "assumed", source: "made up for a test" },
    kind: "iid",
    alpha: 0.8
  } as const
  const gpu = new SimulatedGpu(kernel, {
    cost: new CostModel(model, hardware, 1, 1),
    judge: new Judge(makeAcceptance(acceptance, 1), undefined),
    draftPairs: 1,
    window: 0,
    drafterWeights: 0,
    drafterKv: 0
  })
  const links = new SimulatedLinks(kernel, 1)
  const dma = new Dma(hardware.hbm.bandwidth, gpu)
  const linkBandwidth = groupLink(scenario, "hostToDevice")
  const link = () => links.link({ bandwidth: linkBandwidth, latency: 1e-5, through: [], failure: 0 }, dma)
  return {
    linkBandwidth,
    run: (program) => Promise.resolve(time.simulate(program)),
    hold: () => Effect.void,
    close: () => Promise.resolve(),
    ports: Context.make(Gpu, gpu).pipe(
      Context.add(LinkIn, link()),
      Context.add(LinkOut, link()),
      Context.add(
        Time,
        Time.of({ now: () => kernel.now, until: (at) => Effect.suspend(() => time.until(at)) })
      )
    )
  }
})
