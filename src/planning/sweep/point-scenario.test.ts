import { Effect, Result } from "effect"
import { describe, expect, it } from "vitest"
import { loadScenario } from "../../scenario/load.ts"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { parquetFormat } from "../files/parquet.ts"
import { evaluate, PointRunner, simulatePoint } from "../points.ts"
import { axesOf, pointAt, sizeOf } from "./design.ts"
import { loadSweep, type Sweep } from "./load-sweep.ts"
import { scenarioOfRow } from "./point-scenario.ts"
import { columnsOf, fixedType, rowOf } from "./row.ts"

const catalog = readCatalog()
const FILES: Readonly<Record<string, string>> = {
  "deep/parent.yaml": `name: parent
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 4, arrivals: { concurrency: 2 }, input: 2k tokens, output: 16 }
methods:
  - full-kv
  - { name: ours, vericache: { compressor: kvzip, keep: 0.2, window: 8, acceptance: { alpha: 0.9, basis: assumed, source: test } } }
`,
  "deep/base.yaml": "extends: parent.yaml\nname: base\n",
  "sweep.yaml": `name: small
scenario: deep/base.yaml
axes:
  - { field: hardware.link.host_to_device, name: link, values: [25 GB/s, 50 GB/s] }
  - { field: model.weight_bits, values: [8, 16] }
  - zip:
      - { field: methods.ours.vericache.window, name: window, values: [4, optimal] }
      - { field: methods.ours.vericache.acceptance.alpha, name: alpha, values: [0.8, 0.95] }
sample:
  method: sobol
  points: 2
  axes: [{ field: engine.max_num_seqs, name: seqs, from: 1, to: 8 }]
replications: 2
`
}
const reading =
  (files: Readonly<Record<string, string>>) =>
  (path: string): Uint8Array | undefined =>
    files[path] === undefined ? undefined : new TextEncoder().encode(files[path])
const read = reading(FILES)
const load = (file: string, files = FILES): Sweep =>
  Result.getOrThrow(loadSweep(file, reading(files), catalog))
const sweep = load("sweep.yaml")
const columns = columnsOf(axesOf(sweep.design), {})
const SIZE = sizeOf(sweep.design)

const rows = await Effect.runPromise(
  evaluate(
    sweep.base,
    Array.from({ length: SIZE }, (_, i) => pointAt(sweep.design, i))
  ).pipe(
    Effect.provide(PointRunner.inProcess(read, catalog)),
    Effect.map((outcomes) =>
      outcomes.map((outcome, i) =>
        rowOf({ sweep: "id", points: SIZE }, i, pointAt(sweep.design, i), sweep.methodNames, outcome, {})
      )
    )
  )
)

describe("the scenario of a row", () => {
  it("comes to the row's figures again, through a Parquet file that knows nothing but itself", async () => {
    const bytes = Buffer.concat(
      [...parquetFormat.encode(columns, rows, sweep.recipe)].map((part) => Buffer.from(part))
    )
    const table = await parquetFormat.decode(bytes, fixedType)
    const files = { "link.parquet": table.recipe! }
    const again = load("link.parquet", files)
    expect(table.rows).toHaveLength(64)
    for (const [i, row] of table.rows.entries()) {
      const { text, method } = Result.getOrThrow(
        scenarioOfRow(again, table.columns, row, reading(files), catalog)
      )
      const scenario = Result.getOrThrow(loadScenario("point.yaml", reading({ "point.yaml": text }), catalog))
      const outcome = simulatePoint(scenario, scenario.methods[method]!)
      const remade = rowOf(
        { sweep: "id", points: SIZE },
        i,
        pointAt(again.design, i),
        again.methodNames,
        outcome,
        {}
      )
      expect(remade).toEqual(rows[i])
    }
  })

  it("is refused of another sweep, and says what differs", () => {
    const other = (from: string, to: string): unknown => {
      const files = { ...FILES, "sweep.yaml": FILES["sweep.yaml"]!.replace(from, to) }
      return Result.getFailure(
        scenarioOfRow(load("sweep.yaml", files), columns, rows[0]!, reading(files), catalog)
      )
    }
    expect(other("replications: 2", "replications: 3")).toMatchObject({
      value: 'the sweep "small" has 96 points, the results are of one with 64'
    })
    expect(other("25 GB/s", "30 GB/s")).toMatchObject({
      value: 'at point 0 the sweep "small" has link_bytes_per_s 30000000000, the results have 25000000000'
    })
  })
})
