/** Attention of a pass over its KV, all layers together: affine in the KV read and in the query–key pairs. */
import { kvShape } from "../../scenario/model-shape.ts"
import type { Attention, KernelTables, Model, QueryBlock } from "../../scenario/resolved.ts"
import { covers, interpolate2, interpolateGrid, type TableName } from "./interpolate.ts"
import type { AttentionLoad, PassCost } from "./load.ts"
import { queryBlocks } from "./query-blocks.ts"
import type { AttentionWork, Roofline } from "./roofline.ts"

/** Something for layers that keep the whole context and for layers that keep a window of it. */
interface ByReach {
  readonly global: number
  readonly local: number
}

const isLocal = (attention: Attention): boolean => attention.kind === "gqa" && attention.window !== undefined

/** Sum over the layers of each reach. */
const sumLayers = (model: Model, value: (attention: Attention) => number): ByReach => {
  const sum = (local: boolean): number =>
    model.layers
      .filter(({ attention }) => isLocal(attention) === local)
      .reduce((total, { count, attention }) => total + count * value(attention), 0)
  return { global: sum(false), local: sum(true) }
}

/**
 * FLOPs of one query–key pair over all heads of a layer: a multiplication and an addition per element of the score and of
 * the value. MLA decodes in its latent (the absorbed form of arXiv:2405.04434, 2.1.2) and prefills with keys and values of
 * each head.
 */
export const flopsPerPair = (attention: Attention, phase: "decode" | "prefill"): number => {
  if (attention.kind === "gqa") return 4 * attention.heads * attention.headDim
  const { heads, kvRank, ropeDim, nopeDim, vDim } = attention
  return 2 * heads * (phase === "decode" ? 2 * kvRank + ropeDim : nopeDim + ropeDim + vDim)
}

/** FLOPs that bring one cached token back from MLA's latent to the keys and values of each head, before a prefill uses it. */
const flopsPerCached = (attention: Attention): number =>
  attention.kind === "gqa" ? 0 : 2 * attention.kvRank * attention.heads * (attention.nopeDim + attention.vDim)

/**
 * Several prompts' chunks as one that has as many query–key pairs after as many cached tokens as they have on average: that is
 * the work of the kernel they share.
 */
const asOneChunk = ({
  requests,
  positions,
  kvTokens,
  pairs
}: AttentionLoad): { chunk: number; cached: number } => {
  const cached = (kvTokens - positions) / requests
  if (requests === 1) return { chunk: positions, cached }
  // pairs = chunk·cached + chunk·(chunk + 1) / 2
  const b = cached + 0.5
  return { chunk: Math.sqrt(b * b + 2 * pairs) - b, cached }
}

/** Layers of one shape. */
interface Shape {
  readonly layers: number
  readonly local: boolean
  readonly heads: number
  /** Heads of keys and values that blocks can share: of MLA the latent when it decodes, each head's own when it prefills. */
  readonly kvHeads: number
  readonly flopsPerPair: number
}

const shapesOf = (model: Model, phase: "decode" | "prefill"): readonly Shape[] =>
  model.layers.map(({ count, attention }) => ({
    layers: count,
    local: isLocal(attention),
    heads: attention.heads,
    kvHeads: attention.kind === "gqa" ? attention.kvHeads : phase === "decode" ? 1 : attention.heads,
    flopsPerPair: flopsPerPair(attention, phase)
  }))

/** The work of two loads in one call. */
const together = (a: AttentionWork, b: AttentionWork): AttentionWork => ({
  stored: a.stored + b.stored,
  flops: a.flops + b.flops,
  computed: a.computed + b.computed,
  blocks: a.blocks + b.blocks,
  walk: Math.max(a.walk, b.walk)
})

/** Attention of one phase; decode serves every position that reads a cache: decoded, drafted, verified. */
export class AttentionLayers {
  readonly #phase: "decode" | "prefill"
  readonly #block: QueryBlock
  readonly #shapes: readonly Shape[]
  readonly #bytes: ByReach
  readonly #cached: number
  readonly #layers: ByReach
  readonly #tables: KernelTables | undefined
  readonly #extrapolated: Set<TableName>

  /** `block`: how queries are cut. Notes in `extrapolated` when it goes beyond a table. */
  constructor(
    model: Model,
    phase: "decode" | "prefill",
    block: QueryBlock,
    tables: KernelTables | undefined,
    extrapolated: Set<TableName>
  ) {
    const { globalBytesPerToken, localBytesPerToken } = kvShape(model)
    this.#phase = phase
    this.#block = block
    this.#shapes = shapesOf(model, phase)
    this.#bytes = { global: globalBytesPerToken, local: localBytesPerToken }
    this.#cached = phase === "prefill" ? sumLayers(model, flopsPerCached).global : 0
    this.#layers = sumLayers(model, () => 1)
    this.#tables = tables
    this.#extrapolated = extrapolated
  }

  /**
   * Adds the attention of a load to a pass. `relative`: bandwidth efficiency over its layout relative to plain KV, which
   * `roofline` knows and a measured table does not; `measured`: seconds, where they are known already. Returns whether a table said how long it takes, launches included.
   */
  add(out: PassCost, load: AttentionLoad, roofline: Roofline, relative: number, measured?: number): boolean {
    const work = this.#work(load)
    const seconds =
      this.#tables === undefined
        ? undefined
        : (measured ?? this.#measured(load, roofline.floor(work.stored, work.flops)))
    roofline.addAttention(out, work, seconds === undefined ? undefined : seconds / relative)
    return seconds !== undefined
  }

  /** Adds the attention of prompts and of the requests that decode beside them, in one call. */
  addTogether(out: PassCost, prompts: AttentionLoad, decoding: AttentionLoad, roofline: Roofline): void {
    roofline.addAttention(out, together(this.#work(prompts), this.#work(decoding)), undefined)
  }

  /** What blocks do for requests that are all alike, as long as their mean. */
  #work(load: AttentionLoad): AttentionWork {
    const { requests, positions, kvTokens, localKvTokens, pairs, localPairs } = load
    const rebuilt = (kvTokens - positions) * this.#cached
    let [flops, computed, blocks] = [rebuilt, rebuilt, 0]
    for (const { layers, local, heads, kvHeads, flopsPerPair: perPair } of this.#shapes) {
      const cut = queryBlocks(positions / requests, heads, kvHeads, this.#block)
      const done = layers * perPair * (local ? localPairs : pairs)
      flops += done
      // Without prompts, verifies count what they need: which kernel serves them is the engine's choice.
      computed += this.#phase === "prefill" ? done * cut.padding : done
      blocks += layers * requests * cut.blocks
    }
    return {
      stored: kvTokens * this.#bytes.global + localKvTokens * this.#bytes.local,
      flops,
      computed,
      blocks,
      walk:
        this.#phase === "decode"
          ? 0
          : (kvTokens * this.#layers.global + localKvTokens * this.#layers.local) / requests
    }
  }

  /**
   * Seconds by table that a pass with both kinds takes more than its decode attention alone (`decoding` seconds). One kernel
   * runs over both, mostly slower than two would: decoding requests get no split of their KV there. Undefined without a table.
   */
  beyondDecode(prefill: AttentionLoad, decode: AttentionLoad, decoding: number): number | undefined {
    const table = this.#tables?.attentionMixed
    if (table === undefined || this.#layers.local > 0 || decode.positions !== decode.requests)
      return undefined
    const { chunk, cached } = asOneChunk(prefill)
    const axes = [table.chunk, table.cached, table.requests, table.kvTokens]
    const at = [chunk, cached, decode.requests, decode.kvTokens / decode.requests]
    if (!axes.every((axis, i) => covers(axis, at[i]!))) this.#extrapolated.add("attentionMixed")
    return Math.max(0, this.#layers.global * interpolateGrid(axes, table.seconds, at) - decoding)
  }

  /** Seconds by table of requests that are all alike, as long as their mean; at least `floor` where it extrapolates. */
  #measured(load: AttentionLoad, floor: number): number | undefined {
    const { requests, positions, kvTokens, localKvTokens } = load
    const single = this.#phase === "decode" && positions === requests
    const table = single ? this.#tables?.attentionDecode : this.#tables?.attentionPrefill
    if (table === undefined) return undefined
    if (!single && this.#phase === "prefill" && this.#layers.local === 0) return this.#oneChunk(load, floor)
    const chunk = positions / requests
    const rows = "requests" in table ? table.requests : table.chunk
    const columns = "requests" in table ? table.kvTokens : table.cached
    const row = single ? requests : chunk
    // The decode table goes by the KV read, the prefill table by what is cached before the chunk.
    const column = (tokens: number): number =>
      single ? tokens / requests : Math.max(0, tokens / requests - chunk)
    const times = single ? 1 : requests
    let seconds = 0
    let inside = true
    const addLayers = (layers: number, tokens: number): void => {
      if (layers === 0) return
      seconds += layers * times * interpolate2(rows, columns, table.seconds, row, column(tokens))
      inside &&= covers(rows, row) && covers(columns, column(tokens))
    }
    addLayers(this.#layers.global, kvTokens)
    addLayers(this.#layers.local, localKvTokens)
    if (inside) return seconds
    this.#extrapolated.add(single ? "attentionDecode" : "attentionPrefill")
    return Math.max(seconds, floor)
  }

  /** Seconds by table of the chunks of a pass; at least `floor` where it extrapolates. */
  #oneChunk(load: AttentionLoad, floor: number): number {
    const table = this.#tables!.attentionPrefill!
    const { chunk, cached } = asOneChunk(load)
    const seconds =
      this.#layers.global * interpolate2(table.chunk, table.cached, table.seconds, chunk, cached)
    if (covers(table.chunk, chunk) && covers(table.cached, cached)) return seconds
    this.#extrapolated.add("attentionPrefill")
    return Math.max(seconds, floor)
  }
}
