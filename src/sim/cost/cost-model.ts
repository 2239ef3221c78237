/**
 * Time of a pass from the model's shapes: a roofline per layer and operation, each at the share of the peak its kind
 * reaches, plus fixed overheads; or measured tables where the hardware has them. Tensor-parallel ranks act as one device with
 * all their bandwidth and arithmetic, joined by two all-reduces a layer.
 */
import { attentionParameters, kvShape, mlpParameters, weightBytes } from "../../scenario/model-shape.ts"
import type { Attention, Efficiency, Hardware, LayerGroup, Model } from "../../scenario/resolved.ts"
import { interpolate, interpolate2 } from "./interpolate.ts"
import { type AttentionLoad, costSeconds, type PassCost, type PassLoad } from "./load.ts"

/** Bytes of an activation. */
const ACTIVATION = 2
/** Kernels a layer launches by kind: QKV, O, gate-up, down; attention; norms, rotary embedding, activation, residuals. */
const MATMULS = 4
const ELEMENTWISE = 4
/** Linear-layer costs are remembered up to this many tokens in a pass. */
const REMEMBERED = 4096

interface Linear {
  hbm: number
  compute: number
  bytes: number
  flops: number
}

export class CostModel {
  readonly weightBytes: number
  readonly #hardware: Hardware
  readonly #model: Model
  readonly #ranks: number
  readonly #bandwidth: number
  readonly #flops: number
  readonly #layers: number
  readonly #overhead: number
  readonly #kv: { readonly global: number; readonly local: number }
  readonly #pairFlops: { readonly global: number; readonly local: number }
  readonly #draftEfficiency: number
  readonly #linear: (Linear | undefined)[] = []
  /** Stated weights over those a pass reads by count: spread over all layers alike. */
  readonly #weightScale: number

  /** `draftEfficiency`: bandwidth efficiency of attention over compressed KV relative to plain KV, 0–1. */
  constructor(model: Model, hardware: Hardware, tensorParallelSize: number, draftEfficiency: number) {
    this.#model = model
    this.#hardware = hardware
    this.#ranks = tensorParallelSize
    this.#bandwidth = hardware.hbm.bandwidth * tensorParallelSize
    this.#flops = peakFlops(hardware, model.weightBytesPerParam) * tensorParallelSize
    this.#layers = model.layers.reduce((sum, layer) => sum + layer.count, 0)
    this.#draftEfficiency = draftEfficiency
    this.weightBytes = weightBytes(model)
    // Stated weights are what a pass reads: they replace the layers and the output head, not the embedding rows.
    this.#weightScale = model.weightBytes === undefined ? 1 : model.weightBytes / readBytes(model)
    const shape = kvShape(model)
    this.#kv = { global: shape.globalBytesPerToken, local: shape.localBytesPerToken }
    const pairs = (windowed: boolean): number =>
      model.layers
        .filter(({ attention }) => isLocal(attention) === windowed)
        .reduce((sum, layer) => sum + layer.count * flopsPerPair(layer.attention), 0)
    this.#pairFlops = { global: pairs(false), local: pairs(true) }
    const { matmul, elementwise } = hardware.efficiency
    this.#overhead = this.#layers * (MATMULS * matmul.overhead + ELEMENTWISE * elementwise.overhead)
  }

  /** Prices a pass into `out`. Throws if the price is below the physical floor: a broken calibration or a broken model. */
  price(load: PassLoad, out: PassCost): void {
    const { decode, draft, verify, prefill } = load
    const tokens = decode.positions + draft.positions + verify.positions + prefill.positions
    const linear = this.#linearAt(tokens)
    out.hbm = linear.hbm
    out.compute = linear.compute
    out.bytes = linear.bytes
    out.flops = linear.flops
    out.interconnect = this.#allReduce(tokens)
    const requests = decode.requests + draft.requests + verify.requests + prefill.requests
    out.scheduling = this.#hardware.stepOverhead + this.#hardware.stepOverheadPerRequest * requests
    if (this.#hardware.tables?.dense === undefined) out.scheduling += this.#overhead
    const { efficiency } = this.#hardware
    this.#attention(decode, efficiency["attention-decode"], 1, out)
    this.#attention(draft, efficiency["attention-decode"], this.#draftEfficiency, out)
    this.#attention(verify, efficiency["attention-decode"], 1, out)
    this.#attention(prefill, efficiency["attention-prefill"], 1, out)
    this.#head(load.logits, out)
    if (load.drafterBytes > 0) {
      out.hbm += load.drafterBytes / (this.#bandwidth * efficiency.matmul.memory)
      out.bytes += load.drafterBytes
    }
    const floor = Math.max(out.bytes / this.#bandwidth, out.flops / this.#flops)
    if (costSeconds(out) < floor * (1 - 1e-9)) {
      throw new Error(`a pass of ${costSeconds(out)} s is below the physical floor of ${floor} s`)
    }
  }

  /** Linear layers and elementwise work of all layers for `tokens` positions. */
  #linearAt(tokens: number): Linear {
    const known = tokens <= REMEMBERED ? this.#linear[tokens] : undefined
    if (known !== undefined) return known
    const cost = { hbm: 0, compute: 0, bytes: 0, flops: 0 }
    for (const layer of this.#model.layers) this.#layer(layer, tokens, cost)
    const dense = this.#hardware.tables?.dense
    if (dense !== undefined) {
      // A measured time says how long, not what bounds it: it keeps the roofline's split.
      const measured = this.#layers * interpolate(dense.tokens, dense.seconds, tokens)
      const modelled = cost.hbm + cost.compute
      cost.hbm *= measured / modelled
      cost.compute *= measured / modelled
    }
    if (tokens <= REMEMBERED && Number.isInteger(tokens)) this.#linear[tokens] = cost
    return cost
  }

  #layer({ count, attention, mlp }: LayerGroup, tokens: number, cost: Linear): void {
    const { hidden, weightBytesPerParam } = this.#model
    const { matmul, elementwise } = this.#hardware.efficiency
    const projections = attentionParameters(attention, hidden)
    const { all, active } = mlpParameters(mlp, hidden)
    const touched =
      mlp.kind === "dense"
        ? all
        : all -
          mlp.experts * 3 * hidden * mlp.intermediate * (1 - mlp.expertsPerToken / mlp.experts) ** tokens
    const add = (bytes: number, flops: number, kind: Efficiency): void => {
      const memory = bytes / (this.#bandwidth * kind.memory)
      const compute = flops / (this.#flops * kind.compute)
      if (memory >= compute) cost.hbm += count * memory
      else cost.compute += count * compute
      cost.bytes += count * bytes
      cost.flops += count * flops
    }
    const weights = weightBytesPerParam * this.#weightScale
    const width =
      mlp.kind === "dense"
        ? mlp.intermediate
        : mlp.expertsPerToken * mlp.intermediate + mlp.sharedIntermediate
    add(projections * weights + 4 * tokens * hidden * ACTIVATION, 2 * projections * tokens, matmul)
    add(touched * weights + tokens * (2 * hidden + 3 * width) * ACTIVATION, 2 * active * tokens, matmul)
    add(tokens * (6 * hidden + 2 * width) * ACTIVATION, 0, elementwise)
  }

  #attention(load: AttentionLoad, kind: Efficiency, relative: number, out: PassCost): void {
    if (load.requests === 0) return
    const bytes = load.kvTokens * this.#kv.global + load.localKvTokens * this.#kv.local
    const flops = load.pairs * this.#pairFlops.global + load.localPairs * this.#pairFlops.local
    out.bytes += bytes
    out.flops += flops
    const measured = this.#measuredAttention(load)
    if (measured !== undefined) {
      out.hbm += Math.max(measured / relative, bytes / this.#bandwidth)
      return
    }
    const memory = bytes / (this.#bandwidth * kind.memory * relative)
    const compute = flops / (this.#flops * kind.compute)
    if (memory >= compute) out.hbm += memory
    else out.compute += compute
    out.scheduling += this.#layers * kind.overhead
  }

  #measuredAttention({ requests, positions, kvTokens }: AttentionLoad): number | undefined {
    const { tables } = this.#hardware
    if (positions === requests) {
      const decode = tables?.attentionDecode
      return decode === undefined
        ? undefined
        : this.#layers *
            interpolate2(decode.requests, decode.kvTokens, decode.seconds, requests, kvTokens / requests)
    }
    const prefill = tables?.attentionPrefill
    if (prefill === undefined) return undefined
    const chunk = positions / requests
    return (
      this.#layers *
      requests *
      interpolate2(
        prefill.chunk,
        prefill.cached,
        prefill.seconds,
        chunk,
        Math.max(0, kvTokens / requests - chunk)
      )
    )
  }

  #head(rows: number, out: PassCost): void {
    if (rows === 0) return
    const { hidden, vocab, weightBytesPerParam } = this.#model
    const { "lm-head": kind } = this.#hardware.efficiency
    const bytes = hidden * vocab * weightBytesPerParam * this.#weightScale + rows * vocab * ACTIVATION
    const flops = 2 * hidden * vocab * rows
    out.bytes += bytes
    out.flops += flops
    const table = this.#hardware.tables?.lmHead
    const memory = bytes / (this.#bandwidth * kind.memory)
    const compute = flops / (this.#flops * kind.compute)
    if (table !== undefined)
      out.hbm += Math.max(interpolate(table.sequences, table.seconds, rows), bytes / this.#bandwidth)
    else if (memory >= compute) out.hbm += memory
    else out.compute += compute
    if (table === undefined) out.scheduling += kind.overhead
  }

  /** Two ring all-reduces a layer: 2(n−1)/n of the activations over each rank's link, and a latency. */
  #allReduce(tokens: number): number {
    if (this.#ranks === 1) return 0
    const { bandwidth, latency } = this.#hardware.interconnect
    const bytes = ((2 * (this.#ranks - 1)) / this.#ranks) * tokens * this.#model.hidden * ACTIVATION
    return 2 * this.#layers * (bytes / bandwidth + latency)
  }
}

/** Bytes of the weights that every pass reads: all layers and the output head. */
const readBytes = (model: Model): number =>
  model.weightBytesPerParam *
  model.layers.reduce(
    (sum, { count, attention, mlp }) =>
      sum + count * (attentionParameters(attention, model.hidden) + mlpParameters(mlp, model.hidden).all),
    model.hidden * model.vocab
  )

const isLocal = (attention: Attention): boolean => attention.kind === "gqa" && attention.window !== undefined

/** FLOPs of one query–key pair over all heads of a layer: scores and values. MLA as decoded, over its latent. */
const flopsPerPair = (attention: Attention): number =>
  attention.kind === "gqa"
    ? 4 * attention.heads * attention.headDim
    : 2 * attention.heads * (2 * attention.kvRank + attention.ropeDim)

/** Peak for weights of a width; a GPU without units for it computes in 16 bits. */
const peakFlops = ({ flops }: Hardware, bytesPerParam: number): number =>
  (bytesPerParam <= 0.5 ? flops[4] : bytesPerParam <= 1 ? flops[8] : undefined) ?? flops[16]
