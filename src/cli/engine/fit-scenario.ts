/** A scenario as the engine can run it: what it cannot do is a fault, what the device bounds is bounded for the simulator too. */
import type { EngineShape } from "../../engine/kernels/shape.ts"
import { tokenWords } from "../../engine/kernels/shape.ts"
import type { Compressor } from "../../engine/compressors/compressor.ts"
import { findCompressor, UnknownCompressor } from "../../engine/compressors/registry.ts"
import type { ModelConfig } from "../../engine/model/config.ts"
import { rowsWithin } from "../../engine/generate.ts"
import { SLACK_PAGES } from "../../engine/setup.ts"
import type { AdapterCard } from "../../engine/webgpu/device.ts"
import { lookupBounds, type Ngram } from "../../protocol/ngram.ts"
import { closest } from "../../scenario/closest.ts"
import type { Drafter, Method, NamedMethod, Scenario } from "../../scenario/resolved.ts"
import { kvShape } from "../../scenario/model-shape.ts"
import { drafterOf } from "../../sim/setup.ts"
import { groupMemory, workloadLengths } from "../../sim/theory/parameters.ts"

/** Requests in flight at most; each has a place in buffers of the longest request's size. */
const MOST_SLOTS = 64

/** What of a scenario no engine does, each as a sentence. */
export const unsupported = ({ model, engine, deployment, workload, faults }: Scenario): readonly string[] => [
  ...(deployment.kind === "long-context" ? [] : ["deployment: the engine has no remote groups"]),
  ...(engine.tensorParallelSize * engine.dataParallelSize === 1
    ? []
    : ["engine: tensor_parallel_size and data_parallel_size: one adapter runs one replica, expected 1"]),
  ...(workload.context === "prefill"
    ? []
    : [`workload.context: ${workload.context}: the engine computes every prompt itself, expected prefill`]),
  ...(faults.reloadFailure === 0 ? [] : ["faults.reload_failure: real links fail by themselves, expected 0"]),
  ...(model.kvBytesPerElement === 2 || model.kvBytesPerElement === 4
    ? []
    : [`model: a KV cache of ${model.kvBytesPerElement * 8} bits; the engine's full KV has 16 or 32`])
]

/** Why a drafter cannot run on the engine, if it cannot. */
const noDrafter = (drafter: Drafter | undefined): { readonly problem: string } | undefined =>
  drafter === undefined || drafter.kind === "ngram"
    ? undefined
    : {
        problem: `${drafter.name}: of classical drafters the engine has n-gram only, this one is ${drafter.kind}`
      }

/** The n-gram drafter of a method, for the engine. */
export const ngramOf = (method: Method): Ngram | undefined => {
  const drafter = drafterOf(method)
  if (drafter?.kind !== "ngram") return undefined
  const { numSpeculativeTokens, promptLookupMin, promptLookupMax } = drafter
  return { numSpeculativeTokens, ...lookupBounds(promptLookupMin, promptLookupMax) }
}

/** What a method needs of the engine, or why it cannot run there. */
export const compressorOnEngine = (method: Method): Compressor | undefined | { readonly problem: string } => {
  switch (method.kind) {
    case "full-kv":
    case "offloaded":
      return undefined
    case "drafter":
      return noDrafter(method.drafter)
    case "lossy":
    case "sparse":
    case "vericache": {
      if (method.kind === "vericache") {
        const problem = noDrafter(method.drafter)
        if (problem !== undefined) return problem
        if (method.reload === "missing" && method.compressor.kind !== "drop")
          return {
            problem: `${method.compressor.name} keeps no entry as it was, so a reload is spared nothing; reload: full`
          }
      }
      const found = findCompressor(method.compressor.name)
      if (!(found instanceof UnknownCompressor)) return found
      return {
        problem: `the engine has no compressor ${found.name}; ${closest(found.name, found.known) ?? "vericache compressors lists them"}`
      }
    }
  }
}

/** Where scenario and checkpoint speak of different models. */
export const otherModel = ({ model }: Scenario, config: ModelConfig): readonly string[] => {
  const layers = model.layers.reduce((sum, { count }) => sum + count, 0)
  const first = model.layers[0]!.attention
  const pairs: readonly (readonly [string, number, number])[] = [
    ["hidden_size", model.hidden, config.hidden],
    ["vocab_size", model.vocab, config.vocab],
    ["num_hidden_layers", layers, config.layers],
    ...(first.kind === "gqa"
      ? ([
          ["num_attention_heads", first.heads, config.heads],
          ["num_key_value_heads", first.kvHeads, config.kvHeads],
          ["head_dim", first.headDim, config.headDim]
        ] as const)
      : [])
  ]
  return pairs
    .filter(([, scenario, real]) => scenario !== real)
    .map(
      ([field, scenario, real]) => `${field} is ${scenario} in the scenario and ${real} in the model's folder`
    )
}

export interface FittedScenario {
  readonly scenario: Scenario
  readonly shape: Omit<EngineShape, "lanes" | "subgroups">
  /** Pages of the arena: the scheduler's and those the engine rounds up to. */
  readonly arenaPages: number
  readonly notes: readonly string[]
}

/** The scenario within the bounds of an adapter: KV that fits one buffer, passes whose scores fit another. */
export const fitScenario = (
  scenario: Scenario,
  config: ModelConfig,
  queryRows: number,
  weightBytes: number,
  card: Pick<AdapterCard, "maxBindingBytes" | "maxBufferBytes" | "name">
): FittedScenario => {
  const { engine, workload, model } = scenario
  const { longest } = workloadLengths(scenario)
  const inFlight =
    workload.kind === "synthetic" && workload.arrivals.kind === "closed"
      ? workload.arrivals.concurrency
      : workload.kind === "synthetic"
        ? workload.requests
        : workload.requests.length
  const maxRows = rowsWithin(config.heads, longest)
  // A step over offloaded KV is one submission.
  const slots = Math.max(1, Math.min(engine.maxNumSeqs, inFlight, MOST_SLOTS, maxRows))
  const shape: Omit<EngineShape, "lanes" | "subgroups"> = {
    config,
    kvBits: model.kvBytesPerElement === 2 ? 16 : 32,
    pageTokens: engine.blockSize,
    maxTokens: longest,
    slots,
    maxRows,
    queryRows
  }
  const pageBytes = tokenWords(shape) * 4 * engine.blockSize
  const each = Math.ceil(longest / engine.blockSize)
  // A request's parts are rounded up to pages each, and its full KV lies here while it goes home.
  const beside = slots * (SLACK_PAGES + each)
  const bound = Math.floor(Math.min(card.maxBindingBytes, card.maxBufferBytes) / pageBytes) - beside
  const wanted = engine.numGpuBlocks ?? Math.floor((groupMemory(scenario) - weightBytes) / pageBytes)
  // More than all requests at their longest could ever hold would lie idle.
  const useful = 3 * each * slots
  const pages = Math.max(1, Math.min(wanted, bound, useful))
  const notes = [
    ...(pages < Math.min(wanted, useful)
      ? [`KV of ${pages} pages in place of ${wanted}: ${card.name} binds no larger buffer`]
      : []),
    ...(slots < Math.min(engine.maxNumSeqs, inFlight)
      ? [`${slots} requests at once in place of ${Math.min(engine.maxNumSeqs, inFlight)}`]
      : [])
  ]
  return {
    scenario: {
      ...scenario,
      engine: {
        ...engine,
        maxNumSeqs: slots,
        maxNumBatchedTokens: Math.min(engine.maxNumBatchedTokens, maxRows),
        numGpuBlocks: pages,
        asyncScheduling: false,
        stagesWhole: true
      }
    },
    shape,
    arenaPages: pages + beside,
    notes
  }
}

/** Bytes of a token's full KV agree in scenario and engine; a scenario that states others cannot be run. */
export const sameKvBytes = (scenario: Scenario, shape: Omit<EngineShape, "lanes" | "subgroups">): boolean =>
  kvShape(scenario.model).globalBytesPerToken === tokenWords(shape) * 4

/** Methods that can run, and why the others cannot. */
export const runnable = (
  methods: readonly NamedMethod[]
): {
  readonly runs: readonly { readonly named: NamedMethod; readonly compressor: Compressor | undefined }[]
  readonly skipped: readonly string[]
} => {
  const found = methods.map((named) => ({ named, compressor: compressorOnEngine(named.method) }))
  return {
    runs: found.flatMap(({ named, compressor }) =>
      compressor !== undefined && "problem" in compressor ? [] : [{ named, compressor }]
    ),
    skipped: found.flatMap(({ named, compressor }) =>
      compressor !== undefined && "problem" in compressor ? [`${named.name}: ${compressor.problem}`] : []
    )
  }
}
