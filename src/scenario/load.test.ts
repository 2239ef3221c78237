import { readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { faultsOf, GOOD, scenarioOf, SCENARIOS, told } from "./catalog.fixture.ts"
import { renderFault } from "./fault.ts"
import { ENGINE_DEFAULTS } from "./resolve/engine.ts"

const bad = (text: string): readonly string[] => told(faultsOf({ "s.yaml": text }))
/** The good scenario with a line replaced, or with more lines at its end. */
const changed = (from: string | RegExp, to: string): string => {
  const text = GOOD.replace(from, to)
  if (text === GOOD) throw new Error(`nothing matches ${from}`)
  return text
}

describe("a good scenario", () => {
  it("is resolved with the defaults of vLLM and without units", () => {
    const scenario = scenarioOf({ "s.yaml": GOOD })
    expect(scenario).toMatchObject({
      name: "small",
      seed: 1,
      engine: ENGINE_DEFAULTS,
      deployment: { kind: "long-context" },
      methods: [{ name: "full-kv", method: { kind: "full-kv" } }],
      baseline: "full-kv",
      faults: { reloadFailure: 0, cancel: 0 },
      objectives: [],
      assumptions: [],
      workload: {
        kind: "synthetic",
        requests: 20,
        arrivals: { kind: "closed", concurrency: 4 },
        input: { kind: "fixed", tokens: 1024 },
        output: { kind: "fixed", tokens: 64 }
      }
    })
  })

  it("may be JSON", () => {
    const json = JSON.stringify({
      name: "small",
      model: "llama-3.1-8b",
      hardware: "h100-sxm",
      workload: { context: "prefill", requests: 20, arrivals: { concurrency: 4 }, input: 1024, output: 64 },
      methods: ["full-kv"]
    })
    expect(scenarioOf({ "s.json": json }, "s.json")).toEqual(scenarioOf({ "s.yaml": GOOD }))
  })

  it("may name its schema for editors", () => {
    expect(scenarioOf({ "s.yaml": `$schema: schema.json\n${GOOD}` })).toEqual(scenarioOf({ "s.yaml": GOOD }))
  })

  it("may begin with a byte order mark and end its lines as Windows does", () => {
    expect(scenarioOf({ "s.yaml": `\u{FEFF}${GOOD.replaceAll("\n", "\r\n")}` })).toEqual(
      scenarioOf({ "s.yaml": GOOD })
    )
  })

  it("may change a catalog entry", () => {
    const text = changed(
      "model: llama-3.1-8b",
      "model: { extends: llama-3.1-8b, name: narrow, weight_bits: 4, kv_bytes_per_token: 1 KiB }"
    )
    const { model } = scenarioOf({ "s.yaml": text })
    expect([model.name, model.weightBytesPerParam, model.kvBytesPerToken, model.hidden]).toEqual([
      "narrow",
      0.5,
      1024,
      4096
    ])
  })

  it.each([
    ["{ rate: 2 }", { kind: "poisson", rate: 2 }],
    ["{ rate: 2, burstiness: 0.5 }", { kind: "gamma", rate: 2, burstiness: 0.5 }]
  ])("may have arrivals %s", (text, arrivals) => {
    expect(scenarioOf({ "s.yaml": changed("{ concurrency: 4 }", text) }).workload).toMatchObject({ arrivals })
  })

  it.each([
    ["{ uniform: { min: 1k, max: 2k } }", { kind: "uniform", min: 1024, max: 2048 }],
    [
      "{ lognormal: { median: 500, sigma: 1, min: 1, max: 4k tokens } }",
      { kind: "lognormal", median: 500, sigma: 1, min: 1, max: 4096 }
    ],
    ["{ empirical: [1, 2k] }", { kind: "empirical", values: [1, 2048] }]
  ])("may have lengths %s", (text, input) => {
    expect(scenarioOf({ "s.yaml": changed("1k tokens", text) }).workload).toMatchObject({ input })
  })
})

describe("vLLM's spellings", () => {
  it("of a drafter are one more method", () => {
    const text = `${GOOD}speculative_config: { method: ngram, num_speculative_tokens: 3 }\n`
    const { methods } = scenarioOf({ "s.yaml": text })
    expect(methods[1]).toMatchObject({
      name: "speculative_config",
      method: { kind: "drafter", drafter: { name: "ngram", numSpeculativeTokens: 3 } }
    })
  })

  it("of a drafter model name one of the catalog", () => {
    const text = `${GOOD}speculative_config: { model: llama-3.2-2b, num_speculative_tokens: 3 }\n`
    expect(bad(text)).toEqual([
      "s.yaml:12:23 speculative_config.model: no llama-3.2-2b in the catalog; did you mean llama-3.2-1b?"
    ])
  })

  it("of stored context mean host memory", () => {
    const text = `${GOOD}kv_transfer_config: { kv_connector: LMCacheConnectorV1, kv_role: kv_both }\n`
    expect(scenarioOf({ "s.yaml": text }).workload.context).toBe("host")
    const store = text.replace("context: prefill", "context: store")
    expect(scenarioOf({ "s.yaml": store }).workload.context).toBe("store")
    expect(
      bad(text.replace("LMCacheConnectorV1", "NixlConnector").replace("kv_both", "kv_producer"))
    ).toEqual([
      "s.yaml:12:23 kv_transfer_config.kv_connector: NixlConnector has no meaning here; known: LMCacheConnectorV1, LMCacheMPConnector, OffloadingConnector, SimpleCPUOffloadConnector",
      "s.yaml:12:52 kv_transfer_config.kv_role: kv_producer has no meaning here; every engine reads and writes: kv_both"
    ])
  })

  it.each([
    ["{ num_speculative_tokens: 3 }", ": names no drafter"],
    ["{ method: medusa }", ".method: no medusa in the catalog"],
    ["{ method: medusa, model: eagle-70b }", ".method: medusa has no meaning here"],
    ["{ method: ngram, model: eagle-70b }", ".method: eagle-70b is no ngram drafter but eagle"]
  ])("of a drafter that mean nothing are refused: %s", (config, message) => {
    const faults = bad(`${GOOD}speculative_config: ${config}\n`)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(`speculative_config${message}`)
  })

  it("of a drafter may name its kind beside it", () => {
    const text = `${GOOD}speculative_config: { method: eagle3, model: eagle-70b }\n`
    expect(scenarioOf({ "s.yaml": text }).methods[1]?.method).toMatchObject({
      drafter: { name: "eagle-70b" }
    })
  })

  it("of objectives are goodput", () => {
    const text = `${GOOD}goodput: { ttft: { percentile: 99, at_most: 2 s }, e2el: { percentile: 50, at_most: 1 min } }\n`
    expect(scenarioOf({ "s.yaml": text }).objectives).toEqual([
      { metric: "ttft", percentile: 99, atMost: 2 },
      { metric: "e2el", percentile: 50, atMost: 60 }
    ])
  })
})

describe("a file that cannot be read", () => {
  it.each<readonly [string, string | Uint8Array | undefined, string]>([
    ["missing", undefined, "s.yaml:1:1 : cannot be read: no such file, or no permission"],
    ["empty", "", "s.yaml:1:1 : expected fields, found an empty file"],
    ["a comment", "# nothing\n", "s.yaml:1:1 : expected fields, found an empty file"],
    ["a list", "- a\n- b\n", 's.yaml:1:1 : expected fields, found ["a","b"]'],
    ["a text", "hello\n", 's.yaml:1:1 : expected fields, found "hello"'],
    [
      "not UTF-8",
      Uint8Array.from([...new TextEncoder().encode("name: a\nmodel: é"), 0xff, 0x0a]),
      "s.yaml:2:9 : expected UTF-8 text, found a byte that is none"
    ]
  ])("because it is %s", (_, content, message) => {
    expect(told(faultsOf(content === undefined ? {} : { "s.yaml": content }))).toEqual([message])
  })

  it("because it is no YAML", () => {
    const [fault] = faultsOf({ "s.yaml": "name: a\nmodel: [1, 2\nhardware: b\n" })
    expect([fault?.file, fault?.line]).toEqual(["s.yaml", 3])
  })

  it("because it gives a field twice", () => {
    expect(bad(`${GOOD}name: again\n`)).toEqual(["s.yaml:12:1 : name is given twice"])
  })

  it("because its aliases grow without end", () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]
b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]
c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]
d: [*c, *c, *c, *c, *c, *c, *c, *c, *c]
`
    expect(bad(bomb)).toEqual(["s.yaml:2:8 : its aliases grow without end"])
  })

  it.each([
    [
      "an alias leads nowhere",
      "seed: *nope",
      "12:7 : Unresolved alias (the anchor must be set before the alias): nope"
    ],
    ["it is several documents", "---\nname: b", "12:1 : expected one document, found another"]
  ])("because %s", (_, line, message) => {
    expect(bad(`${GOOD}${line}\n`)).toEqual([`s.yaml:${message}`])
  })

  it("because its keys are no names", () => {
    expect(bad(`${GOOD}? [1, 2]\n: 3\n? { a: b }\n: 3\n`)).toEqual([
      "s.yaml:12:3 : expected a name, found a list or fields as one",
      "s.yaml:14:3 : expected a name, found a list or fields as one"
    ])
    expect(bad(`${GOOD}1: 2\nnull: 3\n`).map((fault) => fault.split(";")[0])).toEqual([
      "s.yaml:12:1 1: unknown field",
      "s.yaml:13:1 : unknown field"
    ])
  })

  it("because it is nested too deeply", () => {
    // How often the parser says so depends on the stack it happens to have.
    const open = bad("[".repeat(50_000))
    expect(open.length).toBeGreaterThanOrEqual(1)
    expect(open.length).toBeLessThanOrEqual(10)
    const closed = bad(`a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`)
    expect(closed.length).toBeGreaterThanOrEqual(1)
    for (const fault of closed) expect(fault).toMatch(/nested too deeply$/)
  })
})

describe("faults", () => {
  it("come all at once, in reading order, each where it is", () => {
    const text = `name: small
model: llama-3.1-9b
hardware: h100-sxm
engine:
  block_sise: 16
  gpu_memory_utilization: 90 %
workload:
  context: hots
  requests: 1.5
  arrivals: { concurrency: 0 }
  input: 3 GB
  output: -5
methods:
  - full-kv
  - vericache: { compressor: kvzipp, keep: 2, window: { adaptve: 3 } }
  - { lossy: { compressor: kvzip, keep: 0.2 }, sparse: { compressor: kvzip, keep: 0.2 } }
  - 7
goodput:
  tpot:
seed: .nan
`
    expect(bad(text)).toEqual([
      "s.yaml:2:1 model: no llama-3.1-9b in the catalog; did you mean llama-3.1-8b?",
      "s.yaml:5:3 engine.block_sise: unknown field; did you mean block_size?",
      's.yaml:6:3 engine.gpu_memory_utilization: expected number, found "90 %"; write 0.9',
      's.yaml:8:3 workload.context: expected "prefill" | "host" | "store", found "hots"',
      "s.yaml:9:3 workload.requests: expected an integer, found 1.5",
      "s.yaml:10:15 workload.arrivals.concurrency: expected a value between 1 and 1000000000, found 0",
      's.yaml:11:3 workload.input: expected tokens ≥ 0 such as "32k tokens", found "3 GB"',
      's.yaml:12:3 workload.output: expected tokens ≥ 0 such as "32k tokens", found -5',
      "s.yaml:15:18 methods[1].vericache.compressor: no kvzipp in the catalog; did you mean kvzip?",
      "s.yaml:15:38 methods[1].vericache.keep: expected a value less than or equal to 1, found 2",
      "s.yaml:15:47 methods[1].vericache.window.adaptive: is missing",
      "s.yaml:15:57 methods[1].vericache.window.adaptve: unknown field; did you mean adaptive?",
      "s.yaml:16:5 methods[2]: expected exactly one of full_kv, offloaded, lossy, drafter, sparse, vericache; found lossy, sparse",
      's.yaml:17:5 methods[3]: expected "full-kv" | "offloaded" | object, found 7',
      "s.yaml:19:3 goodput.tpot: expected object, found nothing",
      "s.yaml:20:1 seed: expected an integer, found NaN"
    ])
  })

  it.each([
    ["requests: 20", "requests: .inf", "s.yaml:6:3 workload.requests: expected an integer, found Infinity"],
    [
      "requests: 20",
      "requests: 1e10",
      "s.yaml:6:3 workload.requests: expected a value between 1 and 1000000000, found 10000000000"
    ],
    ["requests: 20", "requests:", "s.yaml:6:3 workload.requests: expected number, found nothing"],
    [
      "requests: 20",
      "seed: 20",
      "s.yaml:6:3 workload.seed: unknown field; known: arrivals, context, input, output, requests, timeout, trace"
    ],
    ["1k tokens", "1e300", "s.yaml:8:3 workload.input: expected at most 1000000000000 tokens, found 1e+300"],
    ["1k tokens", "0", "s.yaml:8:3 workload.input: expected at least 1 token, found 0"],
    ["1k tokens", "{ uniform: { min: 9, max: 3 } }", "s.yaml:8:3 workload.input: min 9 is above max 3"],
    [
      "1k tokens",
      "200k",
      "s.yaml:8:3 workload.input: prompt and output of up to 204864 tokens are beyond llama-3.1-8b's 131072 positions"
    ],
    [
      "{ concurrency: 4 }",
      "{ rate: -1 }",
      "s.yaml:7:15 workload.arrivals.rate: expected a value between 1e-9 and 1000000000, found -1"
    ],
    ["{ concurrency: 4 }", "{ burstiness: 2 }", "s.yaml:7:3 workload.arrivals.rate: is missing"],
    [
      "  output: 64\n",
      "",
      "s.yaml:4:1 workload.output: is missing; a workload has either a trace, or requests, arrivals, input and output"
    ],
    ["model: llama-3.1-8b", "model: 8", "s.yaml:2:1 model: expected string | object, found 8"],
    [
      "model: llama-3.1-8b",
      "model: { extends: llama-3.1-8b, weight_bits: 5 }",
      "s.yaml:2:33 model.weight_bits: expected 4 | 8 | 16 | 32, found 5"
    ],
    [
      "model: llama-3.1-8b",
      "model: { extends: llama, weight_bits: 4 }",
      "s.yaml:2:10 model.extends: no llama in the catalog; known: "
    ],
    [
      "h100-sxm",
      "{ extends: h100-sxm, hbm: { bandwidth: 0 } }",
      "s.yaml:3:39 hardware.hbm.bandwidth: expected at least 1"
    ],
    ["  - full-kv", "  []", "s.yaml:10:1 methods: expected a value with a length of at least 1"],
    [
      "  - full-kv",
      "  - full-kv\n  - full-kv",
      "s.yaml:12:5 methods[1]: two methods are called full-kv; give one a name: of its own"
    ],
    [
      "  - full-kv",
      "  - sparse: { compressor: pillar-attention, keep: 0.05, window: 500 }",
      "s.yaml:11:57 methods[0].sparse.window: a window of 500 is beyond engine.horizon 128; raise engine.horizon"
    ],
    [
      "name: small",
      "name: small\nbaseline: fullkv",
      "s.yaml:2:1 baseline: no method is called fullkv; did you mean full-kv?"
    ],
    [
      "name: small",
      "name: small\nengine: { tensor_parallel_size: 3 }",
      "s.yaml:2:11 engine.tensor_parallel_size: 32 attention heads do not divide by 3"
    ],
    [
      "name: small",
      "name: small\nengine: { tensor_parallel_size: 16 }",
      "s.yaml:2:11 engine.tensor_parallel_size: 8 KV heads do not divide by 16"
    ],
    [
      "name: small",
      "name: small\nengine: { max_model_len: 1k }",
      "s.yaml:9:3 workload.input: prompt and output of up to 1088 tokens are beyond engine.max_model_len 1024"
    ],
    [
      "name: small",
      "name: small\nengine: { max_model_len: 1M }",
      "s.yaml:2:11 engine.max_model_len: is beyond llama-3.1-8b's 131072 positions"
    ],
    [
      "name: small",
      "name: small\ngoodput: { ttft: { percentile: 98, at_most: 1 s } }",
      "s.yaml:2:20 goodput.ttft.percentile: expected 50 | 90 | 95 | 99 | 100, found 98"
    ],
    [
      "{ concurrency: 4 }",
      "{ rate: 0.000001 }",
      "s.yaml:7:3 workload.arrivals: arrivals go on for 231 days; at most 60 can be simulated"
    ],
    [
      "requests: 20",
      "requests: 20\n  timeout: 0",
      "s.yaml:7:3 workload.timeout: expected at least 0.001 seconds, found 0"
    ],
    [
      "1k tokens",
      "{ lognormal: { median: 500, sigma: 5, min: 1, max: 4k } }",
      "s.yaml:8:38 workload.input.lognormal.sigma: expected a value between 1e-9 and 4, found 5"
    ],
    [
      "h100-sxm",
      "{ extends: h100-sxm, step_overhead: 2 s }",
      's.yaml:3:32 hardware.step_overhead: expected at most 1 seconds, found "2 s"'
    ],
    [
      "name: small",
      "name: small\nremote_prefix: { local: 1, remote: 1, local_bandwidth: 0, remote_bandwidth: 1 GB/s, round_trip: 1 ms }",
      "s.yaml:2:39 remote_prefix.local_bandwidth: expected at least 1000000 bytes/s, found 0"
    ],
    ["name: small", "name:", "s.yaml:1:1 name: expected string, found nothing"],
    ["name: small\n", "", "s.yaml:1:1 name: is missing"]
  ])("of %j as %j", (from, to, message) => {
    const faults = bad(changed(from, to))
    expect(faults).toHaveLength(1)
    expect(faults[0]!.slice(0, message.length)).toBe(message)
  })

  it("of meaning come with those of form", () => {
    const text = changed("model: llama-3.1-8b", "model: { extends: llama-3.1-8b, weight_bits: 5 }")
      .replace("h100-sxm", "{ extends: h100 }")
      .replace("64", "0")
      .replace("  - full-kv", "  - full-kv\n  - full-kv\n  - { sparse: { compressor: kvzip } }")
    expect(
      bad(
        `${text}seed: x\nkv_transfer_config: { kv_connector: Nixl }\nspeculative_config: { method: magic }\n`
      ).map((fault) => fault.split(";")[0])
    ).toEqual([
      "s.yaml:2:33 model.weight_bits: expected 4 | 8 | 16 | 32, found 5",
      "s.yaml:3:13 hardware.extends: no h100 in the catalog",
      "s.yaml:9:3 workload.output: expected at least 1 token, found 0",
      "s.yaml:12:5 methods[1]: two methods are called full-kv",
      "s.yaml:13:7 methods[2].sparse.keep: is missing",
      's.yaml:14:1 seed: expected number, found "x"',
      "s.yaml:15:23 kv_transfer_config.kv_connector: Nixl has no meaning here",
      "s.yaml:16:23 speculative_config.method: no magic in the catalog"
    ])
  })

  it("do not follow from one another", () => {
    // What the baseline, the window and the acceptance are compared with is not known.
    const text = changed(
      "  - full-kv",
      "  - sparse: { compressor: pillar-attention, keep: 0.05, window: 500 }\n  - lossy: { compressor: snapkv, keep: 0.2 }\n  - 7"
    ).replace("llama-3.1-8b", "llama")
    expect(
      bad(`${text}baseline: other\nengine: { horizon: 600, tensor_parallel_size: 1.5 }\n`).map(
        (fault) => fault.split(/[:;] /)[0]
      )
    ).toEqual(["s.yaml:2:1 model", "s.yaml:13:5 methods[2]", "s.yaml:15:25 engine.tensor_parallel_size"])
  })

  it("show the line and point at the column", () => {
    const [fault] = faultsOf({ "s.yaml": changed("requests: 20", "requests: many") })
    expect(renderFault(fault!)).toBe(
      [
        's.yaml:6:3: workload.requests: expected number, found "many"',
        "    6 |   requests: many",
        "      |   ^"
      ].join("\n")
    )
  })
})

describe("an acceptance", () => {
  const vericache = (fields: string): string =>
    changed("  - full-kv", `  - full-kv\n  - vericache: { compressor: kvzip, ${fields} }`)

  it("that nobody has measured is refused, with what the catalog has", () => {
    const [fault] = faultsOf({ "s.yaml": vericache("keep: 0.123") })
    expect([fault?.line, fault?.column, fault?.field]).toEqual([12, 5, "methods[1].vericache.acceptance"])
    expect(fault?.message).toBe(
      "is missing, and the catalog has no acceptance of kvzip at keep 0.123 on llama-3.1-8b"
    )
    expect(fault?.suggestion).toMatch(/^give acceptance: with its source; the catalog has keep 0\.\d+ on /)
  })

  it("of its own is taken, with its source", () => {
    const { methods } = scenarioOf({
      "s.yaml": vericache("keep: 0.123, acceptance: { alpha: 0.9, source: our run, basis: measured }")
    })
    expect(methods[1]).toMatchObject({
      method: {
        compressor: {
          keep: 0.123,
          acceptance: { kind: "iid", alpha: 0.9, origin: { basis: "measured", source: "our run" } }
        }
      }
    })
  })

  it("measured by accept is found by compressor and keep, or refused with what the file has", () => {
    const measured = `acceptance:
  - { compressor: kvzip, models: [any], keep: 0.25, basis: measured, source: our run, curve: [0.9, 0.8] }`
    const { methods } = scenarioOf({
      "s.yaml": vericache("keep: 0.25, acceptance_profile: measured.yaml"),
      "measured.yaml": measured
    })
    expect(methods[1]).toMatchObject({
      method: { compressor: { acceptance: { kind: "curve", perPosition: [0.9, 0.8] } } }
    })
    const [fault] = faultsOf({
      "s.yaml": vericache("keep: 0.5, acceptance_profile: measured.yaml"),
      "measured.yaml": measured
    })
    expect(fault?.field).toBe("methods[1].vericache.acceptance_profile")
    expect(fault?.message).toContain("has no acceptance of kvzip at keep 0.5")
    expect(fault?.suggestion).toBe("it has keep 0.25 on any")
  })

  it.each([
    ["{ alpha: 0.9, basis: measured }", "methods[1].vericache.acceptance.source: is missing"],
    [
      "{ alpha: 1.1, source: a, basis: measured }",
      "methods[1].vericache.acceptance.alpha: expected a value between 0 and 1, found 1.1"
    ],
    [
      "{ source: a, basis: measured }",
      "methods[1].vericache.acceptance: expected exactly one of alpha, curve, table, recorded; found 0"
    ],
    [
      "{ alpha: 0.9, curve: [1], source: a, basis: measured }",
      "methods[1].vericache.acceptance: expected exactly one of alpha, curve, table, recorded; found 2"
    ],
    [
      "{ table: [{ context: 1k, alpha: 1 }, { context: 1024, alpha: 0 }], source: a, basis: measured }",
      "methods[1].vericache.acceptance.table: expected every context once"
    ]
  ])("%s is refused", (acceptance, message) => {
    const faults = faultsOf({ "s.yaml": vericache(`keep: 0.2, acceptance: ${acceptance}`) })
    expect(faults.map(({ field, message: text }) => `${field}: ${text}`)).toEqual([message])
  })
})

describe("the scenarios of this package", () => {
  it("have faults nowhere when their first line is a blank more", () => {
    const path = join(SCENARIOS, "llama-70b-2xh100-long-context.yaml")
    const text = readFileSync(path, "utf8")
    expect(told(faultsOf({ "s.yaml": `\n${text}` }))).toEqual([])
    const faults = faultsOf({
      "s.yaml": `\n${text.replace("h100-nvl", "h100-nlv")}`
    })
    const line = text.split("\n").findIndex((one) => one.startsWith("hardware:")) + 2
    expect(faults.map((fault) => [fault.line, fault.column])).toEqual([[line, 1]])
  })
})
