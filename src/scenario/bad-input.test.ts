/** A scenario that is wrong in every field in every way is refused with the place of each fault, and nothing throws. */
import fc from "fast-check"
import { stringify } from "yaml"
import { describe, expect, it } from "vitest"
import { CATALOG, faultsOf, scenarioOf, told } from "./catalog.fixture.ts"
import { isRecord } from "./catalog.ts"
import { fieldName, type Path } from "./document.ts"
import type { Fault } from "./fault.ts"

type Tree = Readonly<Record<string, unknown>>

const acceptance = { alpha: 0.9, source: "a test", basis: "assumed" }
const compressor = { compressor: "kvzip", keep: 0.2, acceptance }

/** Every field a scenario can have, given. */
const FULL: Tree = {
  name: "full",
  description: "every field",
  seed: 7,
  model: { ...CATALOG.models.get("llama-3.1-8b"), weight_bytes: "16 GB", kv_bytes_per_token: 131072 },
  hardware: {
    ...CATALOG.hardware.get("h100-sxm"),
    tables: {
      source: "a test",
      basis: "assumed",
      dense: { tokens: [1, 8], seconds: [1e-4, 2e-4] },
      attention_decode: { requests: [1], kv_tokens: [1], seconds: [[1e-5]] },
      attention_prefill: { chunk: [1], cached: [0], seconds: [[1e-5]] },
      lm_head: { sequences: [1], seconds: [1e-5] }
    }
  },
  engine: {
    tensor_parallel_size: 2,
    data_parallel_size: 1,
    max_num_seqs: 64,
    max_num_batched_tokens: 2048,
    block_size: 16,
    gpu_memory_utilization: 0.9,
    num_gpu_blocks_override: 1000,
    reserved: "1 GiB",
    enable_prefix_caching: true,
    horizon: 64
  },
  remote_prefix: {
    local: 1,
    remote: 2,
    local_bandwidth: "50 GB/s",
    remote_bandwidth: "5 GB/s",
    round_trip: "1 ms"
  },
  workload: {
    context: "store",
    timeout: "60 s",
    requests: 10,
    arrivals: { rate: 2, burstiness: 0.5 },
    input: { lognormal: { median: "1k", sigma: 1, min: 1, max: "4k tokens" } },
    output: { uniform: { min: 1, max: 64 } }
  },
  methods: [
    "full-kv",
    { name: "lossy", lossy: compressor },
    { name: "drafter", drafter: { ...CATALOG.drafters.get("ngram") } },
    { name: "sparse", sparse: { ...compressor, window: { adaptive: { min: 1, max: 8 } } } },
    {
      name: "vericache",
      vericache: {
        ...compressor,
        acceptance: { table: [{ context: "1k", alpha: 0.9 }], source: "a test", basis: "assumed" },
        window: 8,
        schedule: "staggered",
        reload: "full",
        granularity: "whole",
        drafter: "ngram"
      }
    }
  ],
  baseline: "full-kv",
  faults: { reload_failure: 0.1, cancel: 0.1 },
  goodput: { ttft: { percentile: 99, at_most: "1 s" } },
  speculative_config: { method: "ngram", num_speculative_tokens: 3 },
  kv_transfer_config: { kv_connector: "LMCacheConnectorV1", kv_role: "kv_both" },
  assumptions: ["none"]
}

const pathsOf = (node: unknown, path: Path = []): readonly Path[] => [
  ...(path.length > 0 ? [path] : []),
  ...(Array.isArray(node)
    ? node.flatMap((one, i) => pathsOf(one, [...path, i]))
    : isRecord(node)
      ? Object.entries(node).flatMap(([key, one]) => pathsOf(one, [...path, key]))
      : [])
]
const PATHS = pathsOf(FULL)

const DELETED = Symbol("deleted")
/** The tree with another value at a path. */
const changedAt = (node: unknown, [key, ...rest]: Path, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(node)) {
    const copy: unknown[] = [...(node as readonly unknown[])]
    const next = changedAt(copy[Number(key)], rest, value)
    copy.splice(Number(key), 1, ...(next === DELETED ? [] : [next]))
    return copy
  }
  const { [String(key)]: old, ...others } = node as Tree
  const next = changedAt(old, rest, value)
  return next === DELETED ? others : { ...others, [String(key)]: next }
}

const located = (faults: readonly Fault[], text: string): void => {
  const lines = text.split("\n")
  for (const fault of faults) {
    expect(fault.file).toBe("s.yaml")
    expect(fault.line).toBeGreaterThanOrEqual(1)
    expect(fault.line).toBeLessThanOrEqual(lines.length)
    expect(fault.column).toBeGreaterThanOrEqual(1)
    expect(fault.column).toBeLessThanOrEqual(lines[fault.line - 1]!.length + 1)
    expect(fault.message.length).toBeGreaterThan(3)
    expect(fault.field).not.toBe("")
  }
}

const WRONG = [
  -1,
  0,
  0.5,
  1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "",
  "lots",
  "3 parsec",
  "-5 GB",
  "90 %",
  null,
  true,
  [],
  ["x"],
  {},
  { x: 1 },
  DELETED
]

describe("a scenario with every field", () => {
  it("has no faults", () => {
    expect(told(faultsOf({ "s.yaml": stringify(FULL) }))).toEqual([])
    expect(scenarioOf({ "s.yaml": stringify(FULL) }).methods).toHaveLength(6)
  })

  it("and one of them wrong is refused at its place, or means something", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PATHS), fc.constantFrom(...WRONG), (path, value) => {
        const text = stringify(changedAt(FULL, path, value))
        located(faultsOf({ "s.yaml": text }), text)
      }),
      { numRuns: 400 }
    )
  })

  it("and one of another type is refused by its name", () => {
    const plain = PATHS.filter((path) => {
      const value = path.reduce<unknown>((node, key) => (node as Tree)[String(key)], FULL)
      return typeof value === "number" || typeof value === "boolean"
    })
    expect(plain.length).toBeGreaterThan(60)
    for (const path of plain) {
      const faults = faultsOf({ "s.yaml": stringify(changedAt(FULL, path, ["lots"])) })
      expect(faults.map(({ field }) => field).some((field) => field.startsWith(fieldName(path)))).toBe(true)
    }
  })

  it("and an unknown one beside any other is refused where it stands", () => {
    const owners = [[], ...PATHS].filter((path) =>
      isRecord(path.reduce<unknown>((node, key) => (node as Tree)[String(key)], FULL))
    )
    expect(owners.length).toBeGreaterThan(25)
    for (const owner of owners) {
      const path = [...owner, "unheard_of"]
      const text = stringify(changedAt(FULL, path, 1))
      const fault = faultsOf({ "s.yaml": text }).find(({ field }) => field === fieldName(path))
      expect(fault, fieldName(path)).toBeDefined()
      expect(fault!.message).toBe("unknown field")
      expect(text.split("\n")[fault!.line - 1]!.slice(fault!.column - 1)).toMatch(/^unheard_of: 1$/)
    }
  })

  it("and several wrong at once has a fault for each", () => {
    const fields = [
      ["seed"],
      ["engine", "block_size"],
      ["workload", "requests"],
      ["faults", "cancel"],
      ["methods", 1, "lossy", "keep"],
      ["goodput", "ttft", "percentile"]
    ]
    fc.assert(
      fc.property(fc.subarray(fields, { minLength: 1 }), (wrong) => {
        const text = stringify(wrong.reduce<unknown>((tree, path) => changedAt(tree, path, "lots"), FULL))
        expect(faultsOf({ "s.yaml": text }).map(({ field }) => field)).toEqual(
          expect.arrayContaining(wrong.map(fieldName))
        )
        expect(faultsOf({ "s.yaml": text })).toHaveLength(wrong.length)
      })
    )
  })
})

describe("any file", () => {
  it("is a scenario or has faults; nothing throws", () => {
    const full = stringify(FULL)
    const cut = fc.nat(full.length).map((end) => full.slice(0, end))
    const spoilt = fc
      .tuple(fc.nat(full.length), fc.string({ unit: "binary", maxLength: 5 }))
      .map(([at, text]) => full.slice(0, at) + text + full.slice(at))
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json(), cut, spoilt), (text) => {
        for (const fault of faultsOf({ "s.yaml": text }))
          expect(Math.min(fault.line, fault.column)).toBeGreaterThan(0)
      }),
      { numRuns: 150 }
    )
  })

  it("of any bytes has faults", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(faultsOf({ "s.yaml": bytes }).length).toBeGreaterThan(0)
      })
    )
  })
})
