import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { readCatalog } from "../../sim/scenarios.fixture.ts"
import { axesOf, pointAt, sizeOf } from "./design.ts"
import { loadSweep, type Sweep } from "./load-sweep.ts"

const catalog = readCatalog()
const SCENARIO = `name: tiny
model: llama-3.1-8b
hardware: h100-sxm
workload: { context: host, requests: 6, arrivals: { concurrency: 3 }, input: 2k tokens, output: 32 }
methods: [full-kv, offloaded]
`
const load = (sweep: string, files: Readonly<Record<string, string>> = { "s/base.yaml": SCENARIO }) =>
  loadSweep(
    "s/sweep.yaml",
    (path) => {
      const text = path === "s/sweep.yaml" ? sweep : files[path]
      return text === undefined ? undefined : new TextEncoder().encode(text)
    },
    catalog
  )
const sound = (sweep: string, files?: Readonly<Record<string, string>>): Sweep =>
  Result.getOrThrow(load(sweep, files))
/** Faults without excerpts: place and words. */
const faults = (sweep: string, files?: Readonly<Record<string, string>>): readonly string[] => {
  const loaded = load(sweep, files)
  return Result.isSuccess(loaded)
    ? []
    : loaded.failure.faults.map(
        ({ file, line, column, message, suggestion }) =>
          `${file}:${line}:${column} ${message}${suggestion === undefined ? "" : `; ${suggestion}`}`
      )
}
/** Values of an axis of a sweep that has no other. */
const cells = (axis: string): readonly unknown[] => {
  const { design } = sound(`name: s\nscenario: base.yaml\nmethods: [full-kv]\naxes:\n  - ${axis}\n`)
  return Array.from({ length: sizeOf(design) }, (_, i) => pointAt(design, i).cells[0])
}

describe("axes", () => {
  it("are lists, ranges and log ranges, in base units", () => {
    expect(cells("{ field: engine.max_num_seqs, values: [1, 8, 64] }")).toEqual([1, 8, 64])
    expect(cells("{ field: hardware.link.host_to_device, values: [10 GB/s, 6.4e10] }")).toEqual([10e9, 64e9])
    expect(cells("{ field: methods.0, values: [full-kv, { full_kv: {} }] }")).toEqual([
      "full-kv",
      '{"full_kv":{}}'
    ])
    expect(cells("{ field: faults.cancel, from: 0.1, to: 0.5, points: 5 }")).toEqual([
      0.1, 0.2, 0.3, 0.4, 0.5
    ])
    expect(cells("{ field: hardware.link.latency, from: 1 us, to: 1 ms, points: 4, scale: log }")).toEqual([
      1e-6, 1e-5, 1e-4, 1e-3
    ])
    expect(cells("{ field: workload.input, from: 1k, to: 4k, points: 3, scale: log }")).toEqual([
      1024, 2048, 4096
    ])
    expect(cells("{ field: engine.max_num_seqs, from: 1, to: 8, points: 3 }")).toEqual([1, 5, 8])
  })

  it("are columns named after field and unit, or as they are told", () => {
    const { design } = sound(`name: s
scenario: base.yaml
axes:
  - { field: hardware.link.host_to_device, values: [10 GB/s], name: link }
  - { field: workload.input, values: [2k] }
  - { field: engine.max_num_seqs, values: [4] }
  - { field: workload.output, values: [16, { uniform: { min: 1, max: 2 } }] }
`)
    expect(axesOf(design).map(({ column, type }) => [column, type])).toEqual([
      ["link_bytes_per_s", "number"],
      ["workload.input_tokens", "number"],
      ["engine.max_num_seqs", "number"],
      ["workload.output", "text"]
    ])
  })

  it("go in step where they are zipped", () => {
    const { design } = sound(`name: s
scenario: base.yaml
methods: [offloaded]
axes:
  - zip:
      - { field: workload.input, values: [2k, 4k] }
      - { field: workload.output, from: 16, to: 32, points: 2 }
replications: 2
`)
    expect(
      Array.from({ length: sizeOf(design) }, (_, i) => pointAt(design, i)).map(({ cells, seed, method }) => [
        ...cells,
        seed,
        method
      ])
    ).toEqual([
      [2048, 16, 1, 1],
      [2048, 16, 2, 1],
      [4096, 32, 1, 1],
      [4096, 32, 2, 1]
    ])
  })

  it("are sampled within their ranges, whole numbers whole, values equally often", () => {
    for (const method of ["sobol", "latin-hypercube"]) {
      const { design } = sound(`name: s
scenario: base.yaml
methods: [full-kv]
sample:
  method: ${method}
  points: 64
  axes:
    - { field: hardware.link.host_to_device, from: 10 GB/s, to: 100 GB/s, scale: log }
    - { field: engine.max_num_seqs, from: 1, to: 100 }
    - { field: hardware, values: [h100-sxm, h200-sxm] }
seeds: [3]
`)
      expect(sizeOf(design)).toBe(64)
      const all = Array.from({ length: 64 }, (_, i) => pointAt(design, i).cells)
      expect(all.filter(([link]) => Number(link) < Math.sqrt(10e9 * 100e9)).length).toBe(32)
      for (const [link, seqs] of all) {
        expect(link).toBeGreaterThanOrEqual(10e9)
        expect(link).toBeLessThanOrEqual(100e9)
        expect(Number.isInteger(seqs)).toBe(true)
      }
      expect(all.filter(([, , hardware]) => hardware === "h200-sxm").length).toBe(32)
    }
  })
})

describe("a sweep that is wrong", () => {
  it("is told all its faults at once, each in its place, with what was meant", () => {
    expect(
      faults(`name: s
scenario: base.yaml
methods: [full-vk]
axes:
  - { field: engine.max_num_sqs, values: [1] }
  - { field: methods.7, values: [full-kv] }
  - { field: hardware.link.host_to_device, from: 10 GB, to: 20 GB/s, points: 3 }
  - { field: engine.block_size, from: 1, to: 4, points: 9 }
  - { field: workload.timeout, from: 0, to: 10 s, points: 2, scale: log }
  - { field: workload.context, from: 1, to: 2, points: 2 }
  - zip:
      - { field: faults.cancel, values: [0, 0.1] }
      - { field: faults.reload_failure, values: [0, 0.1, 0.2] }
sample:
  method: sobol
  points: 4
  axes:
    - { field: seed, from: 1, to: 5 }
`)
    ).toEqual([
      "s/sweep.yaml:3:11 no method is called full-vk; did you mean full-kv?",
      "s/sweep.yaml:5:7 no field engine.max_num_sqs in a scenario; did you mean engine.max_num_seqs?",
      "s/sweep.yaml:6:7 methods has 2 items, counted from 0",
      's/sweep.yaml:7:44 expected bytes/s such as "64 GB/s", found "10 GB"',
      "s/sweep.yaml:8:49 9 points between 1 and 4, but 4 whole numbers",
      "s/sweep.yaml:9:32 expected more than 0 on a log scale",
      "s/sweep.yaml:10:32 workload.context takes no numbers; list its values",
      "s/sweep.yaml:11:5 axes that go in step are of one length, found 2, 3",
      "s/sweep.yaml:18:9 seed is no axis; give seeds or replications beside the axes"
    ])
  })

  it("is told where an axis leads nowhere in its scenario, or meets another", () => {
    expect(
      faults(`name: s
scenario: base.yaml
axes:
  - { field: methods.7.vericache.keep, values: [0.2] }
  - { field: workload.input.uniform.max, values: [4k] }
  - { field: engine.block_size, values: [16] }
  - { field: engine.block_size, values: [32] }
  - { field: engine.horizon, values: [64], name: tokens_per_s }
sample:
  method: sobol
  points: 2
  axes:
    - { field: hardware, values: [h100-sxm, h200-smx] }
`)
    ).toEqual([
      "s/sweep.yaml:4:7 methods has 2 items, counted from 0",
      's/sweep.yaml:5:7 workload.input is "2k tokens": it has no field uniform',
      "s/sweep.yaml:7:7 engine.block_size varies twice",
      "s/sweep.yaml:8:7 two columns would be called tokens_per_s; give it a name: of its own",
      "s/sweep.yaml:13:45 no h200-smx in the catalog; did you mean h200-sxm?"
    ])
  })

  it("is told faults of form with those of its axes and of its scenario", () => {
    expect(
      faults(
        `nmae: s
scenario: base.yaml
axes:
  - { field: engine.block_sise, value: [16] }
  - { field: engine.horizon, values: [64], from: 4 }
  - { field: engine.horizon, from: 4 }
`,
        { "s/base.yaml": SCENARIO.replace("h100-sxm", "h100-sxn") }
      )
    ).toEqual([
      "s/sweep.yaml:1:1 unknown field; did you mean name?",
      "s/sweep.yaml:1:1 is missing",
      "s/sweep.yaml:4:7 no field engine.block_sise in a scenario; did you mean engine.block_size?",
      "s/sweep.yaml:4:33 unknown field; did you mean values?",
      "s/sweep.yaml:5:5 expected values or a range, found values beside from",
      "s/sweep.yaml:6:5 a range needs from, to, points; to and points not given",
      "s/base.yaml:3:1 no h100-sxn in the catalog; did you mean h100-sxm?"
    ])
  })

  it("is told of brackets that YAML takes for a list, once, and of the method it wrote", () => {
    expect(
      faults(`name: s
scenario: base.yaml
axes:
  - { field: methods[0].vericache.window, values: [1] }
  - { field: "methods[1].full_kv", values: [1] }
`)
    ).toEqual([
      "s/sweep.yaml:4:21 brackets within { } begin a list; write methods.0, or put the path in quotes"
    ])
    expect(
      faults("name: s\nscenario: base.yaml\naxes: [{ field: methods.V.vericache.windw, values: [1] }]")
    ).toEqual([
      "s/sweep.yaml:3:10 no field methods.V.vericache.windw in a scenario; did you mean methods.V.vericache.window?"
    ])
  })

  it("is told the faults of a scenario written in it where they stand", () => {
    expect(
      faults(`name: s
scenario:
  extends: base.yaml
  engine: { block_sise: 16 }
  workload: { input: 200k }
`)
    ).toEqual([
      "s/sweep.yaml:4:13 unknown field; did you mean block_size?",
      "s/sweep.yaml:5:15 prompt and output of up to 204832 tokens are beyond llama-3.1-8b's 131072 positions"
    ])
    expect(faults("name: s\nscenario: bse.yaml\n")).toEqual(["s/sweep.yaml:2:1 s/bse.yaml cannot be read"])
    expect(
      faults("name: s\nscenario: base.yaml\nreplications: 5000000\naxes: [{ field: seed, values: [1] }]")
    ).toEqual([
      "s/sweep.yaml:3:1 expected a value between 1 and 1000000, found 5000000",
      "s/sweep.yaml:4:10 seed is no axis; give seeds or replications beside the axes"
    ])
    expect(faults("name: s\nscenario: base.yaml\nreplications: 600000\n")).toEqual([
      "s/sweep.yaml:1:1 comes to 1,200,000 points; at most 1,000,000 are taken"
    ])
  })
})

describe("what a sweep's results depend on", () => {
  const SWEEP = "name: s\nscenario: base.yaml\naxes: [{ field: model.config, values: [m.json] }]\n"
  const files = { "s/base.yaml": SCENARIO, "s/m.json": "{}" }

  it("is not how it is written, but all that is said in it and in what it names", () => {
    const { ingredients } = sound(SWEEP, files)
    expect(sound(`# a comment\n${SWEEP}`, files).ingredients).toEqual(ingredients)
    expect(sound(SWEEP, { ...files, "s/base.yaml": `# another\n${SCENARIO}` }).ingredients).toEqual(
      ingredients
    )
    const changed = [
      sound(`${SWEEP}replications: 2\n`, files),
      sound(SWEEP, { ...files, "s/base.yaml": SCENARIO.replace("32", "33") }),
      sound(SWEEP, { ...files, "s/m.json": "{ }" })
    ].map((one) =>
      (["sweep", "scenario", "files"] as const).filter((key) => one.ingredients[key] !== ingredients[key])
    )
    expect(changed).toEqual([["sweep"], ["scenario"], ["files"]])
  })
})
