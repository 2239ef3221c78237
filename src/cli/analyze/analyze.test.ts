/** Analyses and comparisons as a user gives them, on a scenario small enough to know the answer. */
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const ROOT = join(import.meta.dirname, "..", "..", "..")
let folder = ""
const vericache = (line: string) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, "src", "cli", "main.ts"), ...line.split(" ")],
    { cwd: folder, encoding: "utf8" }
  )
  return { status, stdout, stderr }
}
const rows = (stdout: string) =>
  (JSON.parse(stdout) as { readonly rows: readonly Readonly<Record<string, unknown>>[] }).rows

const SCENARIO = `name: small
model: llama-3.1-8b
hardware: rtx-4090
workload: { context: host, requests: 6, arrivals: { concurrency: 2 }, input: 8k tokens, output: 48 }
methods:
  - full-kv
  - name: VeriCache
    vericache: { compressor: kvzip, keep: 0.25, window: 8 }
`
const SWEEP = `name: link
scenario: small.yaml
axes:
  - { field: hardware.link.host_to_device, name: link, values: [2 GB/s, 25 GB/s] }
`
const SAMPLE = `name: unknowns
scenario: small.yaml
methods: [full-kv]
sample:
  method: sobol
  points: 8
  axes:
    - { field: hardware.efficiency.attention-decode.memory, name: attention, from: 0.5, to: 0.9 }
    - { field: hardware.power, name: power, from: 200 W, to: 400 W }
`

describe("analyses", () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "vericache-analyze-"))
    writeFileSync(join(folder, "small.yaml"), SCENARIO)
    writeFileSync(join(folder, "faster.yaml"), `extends: small.yaml\nname: faster\nhardware: h100-sxm\n`)
    writeFileSync(join(folder, "link.yaml"), SWEEP)
    writeFileSync(join(folder, "unknowns.yaml"), SAMPLE)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it("find what a result depends on, and what it does not depend on", () => {
    const { status, stdout } = vericache("analyze sensitivity unknowns.yaml -f json")
    expect(status).toBe(0)
    const found = rows(stdout)
    expect(found.map(({ input }) => input)).toEqual(["attention", "power_w"])
    expect(found[0]!["total_order"]).toBeGreaterThan(0.9)
    expect(found[1]).toMatchObject({ swing: 0, total_order: 0 })
  })

  it("find break-even and best windows along a link", () => {
    const even = vericache("analyze break-even link.yaml -f json")
    expect(even.status).toBe(0)
    expect(rows(even.stdout)[0]!["sentence"]).toMatch(/VeriCache|full-kv/)
    const window = vericache("analyze window link.yaml --most 16 -f json")
    expect(window.status).toBe(0)
    const best = rows(window.stdout).map(({ window: tokens }) => Number(tokens))
    expect(best.length).toBe(2)
    expect(best[0]).toBeGreaterThanOrEqual(best[1]!)
  })

  it("give means of replications with intervals, and say what the steady state rests on", () => {
    const { status, stdout } = vericache("analyze replicate small.yaml --seeds 3 --metric throughput")
    expect(status).toBe(0)
    expect(stdout).toMatch(/VeriCache +tokens_per_s +[\d.]+ ± [\d.]+ +3/)
    expect(stdout).toContain("MSER-5")
    const failing = "analyze replicate small.yaml --seeds 2 --metric throughput --fail-on tokens_per_s<1e6"
    expect(vericache(failing)).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/fail-on tokens_per_s<1e6: VeriCache, [\d.]+ in the mean/)
    })
  })

  it("compare scenarios seed by seed, and fail on a threshold with exit code 3", () => {
    const same = vericache("compare small.yaml small.yaml --seeds 2 -f json")
    expect(same.status).toBe(0)
    const { deltas } = JSON.parse(same.stdout) as {
      readonly deltas: readonly { readonly a: number; readonly b: number }[]
    }
    for (const { a, b } of deltas) expect(b).toBe(a)
    const worse = vericache("compare faster.yaml small.yaml --seeds 2 --fail-on throughput<-2%")
    expect(worse.status).toBe(3)
    expect(worse.stderr).toContain("fail-on throughput<-2%: full-kv, tokens_per_s -")
    expect(vericache("simulate small.yaml --fail-on tokens_per_s<1").status).toBe(0)
    expect(vericache("simulate small.yaml --fail-on tokens_per_s>1").status).toBe(3)
  })

  it("join sweeps' results and find their Pareto front", () => {
    expect(vericache("sweep link.yaml -o link.csv").status).toBe(0)
    const front = vericache("analyze pareto link.csv -f json")
    expect(front.status).toBe(0)
    expect(rows(front.stdout).length).toBeGreaterThan(0)
    expect(vericache("compare link.csv link.csv").stdout).toContain("same")
    expect(vericache("analyze pareto link.csv --metric gpus").status).toBe(2)
  })

  it("write reports that are made again to the same results", () => {
    for (const command of [
      "analyze break-even link.yaml",
      "analyze replicate small.yaml --seeds 2",
      "compare small.yaml faster.yaml --seeds 2",
      "compare link.csv link.csv"
    ]) {
      const asked = vericache(`${command} --report page.html`)
      expect(asked.stderr).toContain("report: page.html")
      const again = vericache("rerun page.html")
      expect(again.status).toBe(0)
      expect(again.stderr).toContain("the same results")
    }
    expect(vericache("compare small.yaml faster.yaml --report page.pdf").status).toBe(2)
  })

  it("repeat what makes their figures weaker evidence, for people and programs", () => {
    const caveat = "software adapter: no evidence of GPU speed"
    writeFileSync(
      join(folder, "soft.yaml"),
      SWEEP.replace(
        "small.yaml",
        "{ extends: small.yaml, hardware: { extends: rtx-4090, source: x, adapter: { name: cpu, kind: software } } }"
      )
    )
    expect(vericache("analyze break-even soft.yaml").stdout).toContain(
      `Weaker evidence than others: ${caveat}.`
    )
    const json = JSON.parse(vericache("analyze break-even soft.yaml -f json").stdout) as object
    expect(json).toMatchObject({ basis: "modelled", caveats: [caveat] })
    expect(vericache("sweep soft.yaml -o soft.csv").status).toBe(0)
    const front = vericache("analyze pareto soft.csv -f jsonl").stdout.trim().split("\n")
    for (const row of front) expect(JSON.parse(row)).toMatchObject({ basis: "modelled", caveats: caveat })
    expect(vericache("analyze pareto link.csv").stdout).not.toContain("Weaker")
  })

  it("say what is wrong with what they are given", () => {
    expect(vericache("analyze sensitivity link.yaml").stderr).toContain("expected a sample")
    expect(vericache("analyze break-even unknowns.yaml").stderr).toContain("expected 1 to 2 axes")
    expect(vericache("analyze window link.yaml -m full-kv").stderr).toContain("has no draft window")
    expect(vericache("compare small.yaml small.yaml --fail-on thruput<3")).toMatchObject({ status: 2 })
  })
})
