import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { folderFiles } from "../../cli/model-files.ts"
import type { ModelConfig } from "../model/config.ts"
import type { Checkpoint } from "./checkpoint.ts"
import {
  allTensors,
  configJson,
  type Folder,
  memoryFiles,
  safetensors,
  sharded,
  type StoredBytes,
  utf8,
  withHeader
} from "./files.fixture.ts"
import { EMBEDDING, HEAD, requiredTensors } from "./names.ts"
import { openCheckpoint } from "./open.ts"
import { randomCheckpoint } from "./random.ts"

const config: ModelConfig = {
  modelType: "llama",
  hidden: 16,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  headDim: 16,
  intermediate: 24,
  vocab: 19,
  maxPositions: 64,
  normEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: { kind: "none" },
  tied: false,
  qkvBias: false,
  outputBias: false,
  qkNorm: false,
  eosTokens: []
}
const json = configJson(config)
const whole = allTensors(randomCheckpoint(config, 1, "F32"))
const single = (tensors: readonly StoredBytes[]): Folder => ({
  "config.json": json,
  "model.safetensors": safetensors(tensors)
})

const open = (folder: Folder): Checkpoint => Effect.runSync(openCheckpoint(memoryFiles(folder)))
const refusal = (folder: Folder): string =>
  Effect.runSync(Effect.flip(openCheckpoint(memoryFiles(folder)))).message
const without = (name: string): readonly StoredBytes[] => whole.filter((tensor) => tensor.name !== name)

describe("a checkpoint", () => {
  it.each(["F32", "F16", "BF16"] as const)("comes back as it was written, in %s, from a folder", (dtype) => {
    const tensors = allTensors(randomCheckpoint(config, 7, dtype))
    const folder = mkdtempSync(join(tmpdir(), "vericache-model-"))
    try {
      for (const [file, bytes] of Object.entries({ "config.json": json, ...sharded(tensors, 3) }))
        writeFileSync(join(folder, file), bytes)
      const opened = Effect.runSync(openCheckpoint(folderFiles(folder)))
      expect(opened.config).toEqual(config)
      for (const { name, shape, bytes } of tensors) {
        expect(opened.tensors.get(name)).toMatchObject({ dtype, shape })
        expect(Effect.runSync(opened.read(name))).toEqual(bytes)
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it("is the same in one file and in shards", () => {
    expect(allTensorsOf(open(single(whole)))).toEqual(
      allTensorsOf(open({ "config.json": json, ...sharded(whole, 2) }))
    )
  })

  it.each([EMBEDDING, HEAD])("with tied embeddings may store the table as %s alone", (stored) => {
    const table = { ...whole.find(({ name }) => name === EMBEDDING)!, name: stored }
    const tensors = [...whole.filter(({ name }) => name !== EMBEDDING && name !== HEAD), table]
    const opened = open({
      "config.json": configJson({ ...config, tied: true }),
      "model.safetensors": safetensors(tensors)
    })
    expect(Effect.runSync(opened.read(EMBEDDING))).toEqual(table.bytes)
  })

  it("ends at the tokens of config.json and of generation_config.json", () => {
    const opened = open({
      ...single(whole),
      "config.json": configJson(config, { eos_token_id: 3 }),
      "generation_config.json": utf8('{"eos_token_id":[3,5]}')
    })
    expect(opened.config.eosTokens).toEqual([3, 5])
  })

  it("may hold what changes nothing", () => {
    const extra = { dtype: "F32", shape: [8], bytes: new Uint8Array(32) }
    const names = ["model.layers.0.self_attn.rotary_emb.inv_freq", "training.step"]
    const opened = open(single([...whole, ...names.map((name) => ({ ...extra, name }))]))
    expect(opened.config.layers).toBe(2)
  })
})

/** Names and bytes, in order of names. */
const allTensorsOf = (checkpoint: Checkpoint) =>
  allTensors(checkpoint)
    .map(({ name, bytes }) => ({ name, bytes }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))

describe("a folder is refused", () => {
  it("without config, without weights, with a config that is no JSON", () => {
    expect(refusal({})).toContain("no config.json")
    expect(refusal({ "config.json": json })).toContain("neither model.safetensors nor")
    expect(refusal({ ...single(whole), "config.json": utf8("{") })).toMatch(/^model\/config.json: no JSON/)
  })

  it("with every tensor that is missing or of a wrong shape named", () => {
    const name = "model.layers.1.mlp.up_proj.weight"
    const turned = without("model.norm.weight").map((tensor) =>
      tensor.name === name ? { ...tensor, shape: [16, 24] } : tensor
    )
    const message = refusal(single(turned))
    expect(message).toContain("model.norm.weight is missing")
    expect(message).toContain(`${name} is 16×24, config.json needs 24×16`)
  })

  it("where it has biases, norms or layers the config does not speak of", () => {
    const extra = (name: string): StoredBytes => ({
      name,
      dtype: "F32",
      shape: [16],
      bytes: new Uint8Array(64)
    })
    for (const name of [
      "model.layers.0.self_attn.q_proj.bias",
      "model.layers.0.self_attn.k_norm.weight",
      "model.layers.2.input_layernorm.weight",
      "lm_head.bias"
    ])
      expect(refusal(single([...whole, extra(name)]))).toContain(`${name} is there`)
  })

  it("where a shard is missing, lies elsewhere, or repeats a tensor", () => {
    const { "model-2-of-2.safetensors": _, ...rest } = sharded(whole, 2)
    expect(refusal({ "config.json": json, ...rest })).toContain("model-2-of-2.safetensors: is not there")
    const index = (map: unknown) => utf8(JSON.stringify({ weight_map: map }))
    const name = "model.safetensors.index.json"
    expect(refusal({ ...single(whole), [name]: index({ a: "../b.safetensors" }) })).toContain("not beside it")
    expect(refusal({ ...single(whole), [name]: index({}) })).toContain("names no shard")
    expect(refusal({ ...single(whole), [name]: utf8("[]") })).toContain("has no weight_map")
    const twice = index({ a: "a.safetensors", b: "b.safetensors" })
    const file = safetensors(whole)
    expect(
      refusal({ "config.json": json, "a.safetensors": file, "b.safetensors": file, [name]: twice })
    ).toContain(`${whole[0]!.name} is both in a.safetensors and in b.safetensors`)
  })
})

describe("a safetensors file is refused", () => {
  const inFile = (file: Uint8Array): string => refusal({ "config.json": json, "model.safetensors": file })
  const entry = (from: number, to: number, fields = {}) => ({
    dtype: "F32",
    shape: [(to - from) / 4],
    data_offsets: [from, to],
    ...fields
  })

  it("cut off at any byte", () => {
    const file = safetensors(whole)
    fc.assert(
      fc.property(fc.nat(file.length - 1), (length) => {
        expect(inFile(file.slice(0, length))).toMatch(/cut off|shorter than eight bytes/)
      })
    )
  })

  it("with a header that cannot be one", () => {
    const huge = new Uint8Array(64).fill(0xff)
    expect(inFile(huge)).toContain("so it is no safetensors file")
    expect(inFile(withHeader("{,}", new Uint8Array(4)))).toContain("no JSON")
    expect(inFile(withHeader("[1]", new Uint8Array(4)))).toContain("no JSON object")
    expect(inFile(withHeader({ a: null }, new Uint8Array(4)))).toContain("a has no dtype")
  })

  it("with tensors that overlap, leave the file, or do not fit their shape", () => {
    const data = new Uint8Array(16)
    expect(inFile(withHeader({ a: entry(0, 8), b: entry(4, 16) }, data))).toContain("a and b overlap")
    expect(inFile(withHeader({ a: entry(0, 20) }, data))).toContain("a lies outside the file")
    expect(inFile(withHeader({ a: entry(8, 4, { shape: [1] }) }, data))).toContain("a lies outside the file")
    expect(inFile(withHeader({ a: entry(0, 8, { shape: [3] }) }, data))).toContain("its shape needs 12")
    expect(inFile(withHeader({ a: entry(-4, 8) }, data))).toContain("a has no dtype, shape and data_offsets")
  })

  it("with quantised weights", () => {
    const file = withHeader({ "a.weight": entry(0, 4, { dtype: "I8", shape: [4] }) }, new Uint8Array(4))
    expect(inFile(file)).toContain("a.weight is I8; the engine reads F32, F16 and BF16")
  })

  it("but never with a defect, whatever the header says", () => {
    fc.assert(
      fc.property(fc.json(), fc.uint8Array({ maxLength: 40 }), (header, data) => {
        expect(inFile(withHeader(header, data))).toMatch(/^model/)
      })
    )
  })
})

describe("random weights", () => {
  const bytesOf = (seed: number) =>
    allTensors(randomCheckpoint(config, seed, "BF16")).map(({ bytes }) => bytes)
  it("are the same for the same seed alone, and as the config needs them", () => {
    expect(bytesOf(3)).toEqual(bytesOf(3))
    expect(bytesOf(3)).not.toEqual(bytesOf(4))
    const { tensors } = randomCheckpoint(config, 3, "BF16")
    expect([...tensors.keys()]).toEqual([...requiredTensors(config).keys()])
  })
})
