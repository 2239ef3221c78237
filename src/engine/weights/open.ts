/** Opens a model in Hugging Face layout: config.json and *.safetensors, whole or in shards. Tensors are read one at a time. */
import { Effect } from "effect"
import { type ModelConfig, parseConfig, tokenIds } from "../model/config.ts"
import { type Checkpoint, ModelRefused, type Part } from "./checkpoint.ts"
import { EMBEDDING, HEAD, requiredTensors } from "./names.ts"
import { headerLength, parseHeader, type StoredTensor } from "./safetensors.ts"

/** Where a model's files are: a folder, or a web server. Paths are relative to it. */
export interface ModelFiles {
  /** Shown in errors. */
  readonly name: string
  /** Bytes of a file; undefined if there is none of this name. */
  readonly size: (path: string) => Effect.Effect<number | undefined, ModelRefused>
  /** `into`: where to put them, an array of its own otherwise; that array is the answer. */
  readonly read: (
    path: string,
    from: number,
    bytes: number,
    into?: Uint8Array
  ) => Effect.Effect<Uint8Array, ModelRefused>
}

const INDEX = "model.safetensors.index.json"
const SINGLE = "model.safetensors"
const GENERATION = "generation_config.json"

/** After so many faults the rest are of the same kind. */
const MOST_FAULTS = 10

/** Tensors that a model would not compute the same without: those of layers, stored frequencies apart, and biases. */
const CHANGES_RESULT = /^model\.layers\.(?!.*rotary_emb\.inv_freq$)|^(model\.norm|lm_head)\.bias$/

interface Located extends StoredTensor {
  readonly file: string
}

/** A file as text; undefined if there is none. */
export const readText = (files: ModelFiles, path: string): Effect.Effect<string | undefined, ModelRefused> =>
  Effect.gen(function* () {
    const bytes = yield* files.size(path)
    return bytes === undefined ? undefined : new TextDecoder().decode(yield* files.read(path, 0, bytes))
  })

const readJson = Effect.fnUntraced(function* (files: ModelFiles, path: string) {
  const text = yield* readText(files, path)
  if (text === undefined) return undefined
  return yield* Effect.try({
    try: () => JSON.parse(text) as unknown,
    catch: (error) => new ModelRefused({ file: `${files.name}/${path}`, reason: `no JSON: ${String(error)}` })
  })
})

const readShard = Effect.fnUntraced(function* (files: ModelFiles, file: string) {
  const refuse = (reason: string) => new ModelRefused({ file: `${files.name}/${file}`, reason })
  const size = yield* files.size(file)
  if (size === undefined) return yield* refuse("is not there, though the index names it")
  const length = headerLength(yield* files.read(file, 0, Math.min(8, size)), size)
  if (typeof length === "string") return yield* refuse(length)
  const tensors = parseHeader(yield* files.read(file, 8, length), size)
  if (typeof tensors === "string") return yield* refuse(tensors)
  return [...tensors.values()].map((tensor): Located => ({ ...tensor, file }))
})

const shardNames = Effect.fnUntraced(function* (files: ModelFiles) {
  const index = yield* readJson(files, INDEX)
  if (index === undefined) {
    if ((yield* files.size(SINGLE)) === undefined)
      return yield* new ModelRefused({ file: files.name, reason: `has neither ${SINGLE} nor ${INDEX}` })
    return [SINGLE]
  }
  const map = (index as { readonly weight_map?: unknown }).weight_map
  if (typeof map !== "object" || map === null)
    return yield* new ModelRefused({ file: `${files.name}/${INDEX}`, reason: "has no weight_map" })
  const names = [...new Set(Object.values(map).map(String))].toSorted()
  const outside = names.find((name) => /[/\\]/.test(name))
  if (names.length === 0 || outside !== undefined)
    return yield* new ModelRefused({
      file: `${files.name}/${INDEX}`,
      reason: outside === undefined ? "names no shard" : `names ${outside}, which is not beside it`
    })
  return names
})

/** Opens a model. Everything its config needs is there with the right shape, or the model is refused with all that is wrong. */
export const openCheckpoint = (files: ModelFiles): Effect.Effect<Checkpoint, ModelRefused> =>
  Effect.gen(function* () {
    const json = yield* readJson(files, "config.json")
    if (json === undefined)
      return yield* new ModelRefused({
        file: files.name,
        reason: "has no config.json; a folder in Hugging Face layout is expected"
      })
    const config = parseConfig(json)
    if (!("hidden" in config))
      return yield* new ModelRefused({ file: `${files.name}/config.json`, reason: config.join("; ") })
    const located = new Map<string, Located>()
    const faults: string[] = []
    for (const shard of yield* shardNames(files))
      for (const tensor of yield* readShard(files, shard)) {
        const other = located.get(tensor.name)
        if (other !== undefined) faults.push(`${tensor.name} is both in ${other.file} and in ${shard}`)
        located.set(tensor.name, tensor)
      }
    // Tied models store the table under either name.
    const table = located.get(EMBEDDING) ?? (config.tied ? located.get(HEAD) : undefined)
    if (table !== undefined) located.set(EMBEDDING, { ...table, name: EMBEDDING })

    const required = requiredTensors(config)
    for (const [name, shape] of required) {
      const found = located.get(name)
      if (found === undefined) faults.push(`${name} is missing`)
      else if (found.shape.join() !== shape.join())
        faults.push(`${name} is ${found.shape.join("×")}, config.json needs ${shape.join("×")}`)
    }
    for (const name of located.keys())
      if (!required.has(name) && CHANGES_RESULT.test(name))
        faults.push(`${name} is there, but nothing in config.json says how the model uses it`)
    if (faults.length > 0) {
      const more = faults.length > MOST_FAULTS ? `; and ${faults.length - MOST_FAULTS} more` : ""
      return yield* new ModelRefused({
        file: files.name,
        reason: faults.slice(0, MOST_FAULTS).join("; ") + more
      })
    }
    const read = (name: string, part?: Part): Effect.Effect<Uint8Array, ModelRefused> => {
      const tensor = located.get(name)
      if (tensor === undefined)
        return Effect.fail(new ModelRefused({ file: files.name, reason: `${name} is missing` }))
      const { file, from, bytes } = tensor
      return part === undefined
        ? files.read(file, from, bytes)
        : files.read(file, from + part.from, part.into.length, part.into)
    }
    return { config: yield* withStops(files, config), tensors: located, read }
  })

/** Chat models often name their end-of-turn token in generation_config.json alone; generation ends at either. */
const withStops = Effect.fnUntraced(function* (files: ModelFiles, config: ModelConfig) {
  const json = yield* readJson(files, GENERATION)
  const more = tokenIds((json as { readonly eos_token_id?: unknown } | undefined)?.eos_token_id)
  return { ...config, eosTokens: [...new Set([...config.eosTokens, ...more])] }
})
