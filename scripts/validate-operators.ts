/**
 * Fits the roofline to one half of measured operator tables and judges it by the other, whole and by batch and size:
 *   node scripts/validate-operators.ts HARDWARE FILE.parquet...
 */
import { readFileSync } from "node:fs"
import { boundOf, halves, predict } from "../src/planning/calibrate/fit.ts"
import { type OperatorSample, readOperatorTable } from "../src/planning/calibrate/operator-tables.ts"
import { calibrate } from "../src/planning/calibrate/profile.ts"
import { hardwareOf } from "../src/scenario/entries.ts"
import { readCatalog } from "../src/sim/scenarios.fixture.ts"

const [name, ...files] = process.argv.slice(2)
const entry = readCatalog().hardware.get(name ?? "")
if (entry === undefined || files.length === 0)
  throw new Error("usage: validate-operators.ts HARDWARE FILE.parquet...")
const hardware = hardwareOf(entry)
const { hbm, flops } = hardware
const peaks = { bandwidth: hbm.bandwidth, flops: flops[16] }
const samples: OperatorSample[] = []
for (const file of files) {
  const read = await readOperatorTable(readFileSync(file))
  if ("problem" in read) throw new Error(`${file} ${read.problem}`)
  samples.push(...read.samples)
}
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN
const byOperation = Map.groupBy(samples, ({ operation }) => operation)
const { fits } = calibrate(Object.fromEntries(byOperation), hardware, peaks)
for (const { operation, fit, quality } of fits) {
  console.log(
    `${operation}: memory ${fit.memory.toFixed(3)}, compute ${fit.compute.toFixed(3)}, overhead ${(fit.overhead * 1e6).toFixed(1)} us, per block ${((fit.perBlock ?? 0) * 1e9).toFixed(1)} ns, per token ${((fit.perToken ?? 0) * 1e9).toFixed(1)} ns; ` +
      `${quality.samples} fitted, median error ${percent(quality.medianError)}; ${quality.heldOut} kept apart, median ${percent(quality.heldOutMedianError)}, p90 ${percent(quality.heldOutP90Error)}, bias ${percent(quality.heldOutBias)}`
  )
  const kept = halves(byOperation.get(operation)!)[1] as readonly OperatorSample[]
  for (const by of ["batch", "size"] as const) {
    const groups = Map.groupBy(kept, (one) => 4 ** Math.floor(Math.log2(Math.max(1, one[by])) / 2))
    const cells = [...groups]
      .toSorted(([a], [b]) => a - b)
      .map(([from, group]) => {
        const reached = median(
          group.map(
            (one) => boundOf(one, { memory: 1, compute: 1, overhead: 0 }, peaks).seconds / one.seconds
          )
        )
        const off = median(group.map((one) => Math.abs(predict(one, fit, peaks) / one.seconds - 1)))
        return `${from}: ${percent(reached)} of the roof, off ${percent(off)}`
      })
    console.log(`  by ${by}: ${cells.join("; ")}`)
  }
}
