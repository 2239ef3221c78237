/** The demo's plan, as `vericache plan` makes it. `node bench/plan.ts WORKERS` measures once. */
import { join } from "node:path"
import { Effect } from "effect"
import { packageRoot, readCatalog, readFile } from "../src/cli/files.ts"
import { pointWorkers } from "../src/cli/points/pool.ts"
import { loadPlan } from "../src/planning/plan/load-plan.ts"
import { makePlan } from "../src/planning/plan/make-plan.ts"
import { inChild } from "./child.ts"
import type { Section } from "./section.ts"

interface Planned {
  readonly candidates: number
  readonly simulations: number
  readonly gpus: number | undefined
  readonly cpu: number
  readonly wall: number
}

const FILE = join(packageRoot(), "scenarios", "plans", "llama-70b-long-context.yaml")

const perform = async (workers: number): Promise<Planned> => {
  const start = process.cpuUsage()
  const clock = process.hrtime.bigint()
  const made = await Effect.runPromise(
    Effect.gen(function* () {
      const plan = yield* Effect.fromResult(loadPlan(FILE, readFile, yield* readCatalog))
      return yield* makePlan(plan, () => {})
    }).pipe(Effect.provide(pointWorkers(workers)))
  )
  const { user, system } = process.cpuUsage(start)
  return {
    candidates: made.counts.candidates,
    simulations: made.counts.simulations,
    gpus: made.answer?.gpus,
    cpu: (user + system) * 1e-6,
    wall: Number(process.hrtime.bigint() - clock) * 1e-9
  }
}

export const plan = async (): Promise<Section> => {
  const rows = []
  for (const workers of [1, 2]) {
    const { cpu, wall, ...found } = await inChild<Planned>("plan.ts", [String(workers)])
    rows.push({ workers, ...found, cpuSeconds: cpu, wallSeconds: wall })
  }
  return {
    name: "plan",
    title: "Plan: the demo's long documents, four kinds of hardware in groups of 2 and 4",
    columns: [
      { key: "workers", title: "workers" },
      { key: "candidates", title: "candidates" },
      { key: "simulations", title: "simulations" },
      { key: "gpus", title: "GPUs of the answer" },
      { key: "cpuSeconds", title: "CPU s", digits: 1 },
      { key: "wallSeconds", title: "wall s", digits: 1 }
    ],
    rows,
    notes: ["From the file to the verified answer, start of Node left out."]
  }
}

const [workers] = process.argv.slice(2)
if (import.meta.main && workers !== undefined)
  process.stdout.write(JSON.stringify(await perform(Number(workers))))
