/**
 * Time of a pass from the model's shapes: a roofline per layer and operation, each at the share of the peak its kind
 * reaches, plus fixed overheads; or measured tables where the hardware has them. Tensor-parallel ranks act as one device with
 * all their bandwidth and arithmetic, joined by the collectives that vLLM issues; weights and KV are split over them without copies.
 */
import { weightBytes } from "../../scenario/model-shape.ts"
import type { Efficiency, Hardware, Model } from "../../scenario/resolved.ts"
import { AttentionLayers } from "./attention.ts"
import { covers, interpolate, type TableName } from "./interpolate.ts"
import { ACTIVATION, layerCount, LinearLayers, readBytesPerParameter } from "./linear.ts"
import { type AttentionLoad, costSeconds, floorSeconds, type PassCost, type PassLoad } from "./load.ts"
import { DECODING } from "./query-blocks.ts"
import { Roofline } from "./roofline.ts"
import { rowBlocks } from "./row-blocks.ts"

/** Kernels a layer launches by kind: QKV, O, gate-up, down; norms, rotary embedding, activation, residuals. */
const MATMULS = 4
const ELEMENTWISE = 4
/** Rounding errors of the sums a price is compared with its floor by. */
const SLACK = 1e-9

/** A price below what the peaks allow at their best: broken kernel times, or peaks that are too low. */
export class BelowFloor extends Error {
  override readonly name = "BelowFloor"

  /** Seconds of a pass as priced, and at the least. */
  constructor(hardware: string, seconds: number, floor: number) {
    const ms = (value: number): string => `${(value * 1e3).toPrecision(4)} ms`
    super(
      `hardware ${hardware}: a pass of ${ms(seconds)} is below the physical floor of ${ms(floor)} that its peaks set. Its kernel times (tables, in seconds) or its peaks (hbm, flops) cannot both be right.`
    )
  }
}

export class CostModel {
  /** Bytes of all weights. */
  readonly weightBytes: number
  /** Measured tables that passes so far went beyond: what they price is extrapolated. */
  readonly extrapolated: ReadonlySet<TableName>
  readonly #extrapolated = new Set<TableName>()
  readonly #hardware: Hardware
  readonly #model: Model
  readonly #ranks: number
  readonly #layers: number
  readonly #draftEfficiency: number
  readonly #linear: LinearLayers
  readonly #decode: AttentionLayers
  readonly #prefill: AttentionLayers
  readonly #plain: Roofline
  readonly #compressed: Roofline
  readonly #chunked: Roofline
  readonly #lmHead: Roofline
  readonly #drafter: Roofline
  /** Launches of linear and elementwise kernels, and of one kind of attention, seconds. */
  readonly #launches: number
  readonly #attentionLaunches: { readonly decode: number; readonly prefill: number }
  /** Whether one call serves prompts and the requests that decode beside them: not so with MLA, which computes them differently. */
  readonly #oneCall: boolean
  /** Bytes and FLOPs of the output head: its weights; of one row. */
  readonly #head: { readonly bytes: number; readonly rowBytes: number; readonly rowFlops: number }

  /** `draftEfficiency`: bandwidth efficiency of attention over compressed KV relative to plain KV, 0–1. */
  constructor(model: Model, hardware: Hardware, tensorParallelSize: number, draftEfficiency: number) {
    const { efficiency, tables } = hardware
    const peaks = peaksOf(hardware, model, tensorParallelSize)
    const roofline = (flops: number, kind: Efficiency): Roofline =>
      new Roofline(peaks.bandwidth, flops, kind, tensorParallelSize)
    const decode = efficiency["attention-decode"]
    const prefill = efficiency["attention-prefill"]
    const matmul = roofline(peaks.matmul, efficiency.matmul)
    this.#hardware = hardware
    this.#model = model
    this.#ranks = tensorParallelSize
    this.#layers = layerCount(model)
    this.#draftEfficiency = draftEfficiency
    this.extrapolated = this.#extrapolated
    this.weightBytes = weightBytes(model)
    this.#linear = new LinearLayers(
      model,
      matmul,
      roofline(peaks.matmul, efficiency.elementwise),
      hardware.matmulBlock && {
        rows: hardware.matmulBlock.rows,
        seconds: (efficiency.matmul.perBlock ?? 0) / tensorParallelSize
      },
      tables?.dense,
      this.#extrapolated
    )
    this.#decode = new AttentionLayers(model, "decode", DECODING, tables, this.#extrapolated)
    this.#prefill = new AttentionLayers(model, "prefill", hardware.queryBlock, tables, this.#extrapolated)
    this.#oneCall =
      tables?.attentionDecode === undefined &&
      tables?.attentionPrefill === undefined &&
      model.layers.every(({ attention }) => attention.kind === "gqa")
    this.#plain = roofline(peaks.attention, decode)
    this.#compressed = roofline(peaks.attention, { ...decode, memory: decode.memory * draftEfficiency })
    this.#chunked = roofline(peaks.attention, prefill)
    this.#lmHead = roofline(peaks.matmul, efficiency["lm-head"])
    this.#drafter = matmul
    this.#launches =
      tables?.dense === undefined
        ? this.#layers *
          (MATMULS * efficiency.matmul.overhead + ELEMENTWISE * efficiency.elementwise.overhead)
        : 0
    this.#attentionLaunches = {
      decode: this.#layers * decode.overhead,
      prefill: this.#layers * prefill.overhead
    }
    const { hidden, vocab } = model
    this.#head = {
      bytes: hidden * vocab * readBytesPerParameter(model),
      rowBytes: vocab * ACTIVATION,
      rowFlops: 2 * hidden * vocab
    }
  }

  /** Prices a pass into `out`. Throws `BelowFloor` for what no such hardware could do. */
  price(load: PassLoad, out: PassCost): void {
    const { decode, draft, verify, prefill } = load
    const tokens = decode.positions + draft.positions + verify.positions + prefill.positions
    const linear = this.#linear.at(tokens)
    out.hbm = linear.hbm
    out.compute = linear.compute
    out.bytes = linear.bytes
    out.flops = linear.flops
    out.memoryFloor = linear.memoryFloor
    out.computeFloor = linear.computeFloor
    out.interconnect = this.#collectives(tokens, load.logits)
    const requests = decode.requests + draft.requests + verify.requests + prefill.requests
    const { stepOverhead, stepOverheadPerRequest, compressionPerEntry = 0 } = this.#hardware
    out.host = stepOverhead + stepOverheadPerRequest * requests
    out.scheduling = out.host + compressionPerEntry * load.packed + this.#launches
    this.#attend(out, draft, this.#compressed, this.#draftEfficiency)
    this.#attend(out, verify, this.#plain, 1)
    if (prefill.requests === 0) this.#attend(out, decode, this.#plain, 1)
    else this.#attendWithPrompts(out, prefill, decode)
    if (load.logits > 0) this.#addHead(out, load.logits)
    if (load.drafterBytes > 0) this.#drafter.add(out, load.drafterBytes, 0, 0)
    if (costSeconds(out) < floorSeconds(out) * (1 - SLACK)) {
      throw new BelowFloor(this.#hardware.name, costSeconds(out), floorSeconds(out))
    }
  }

  #attend(out: PassCost, load: AttentionLoad, roofline: Roofline, relative: number): void {
    if (load.requests > 0 && !this.#decode.add(out, load, roofline, relative))
      out.scheduling += this.#attentionLaunches.decode
  }

  #attendWithPrompts(out: PassCost, prompts: AttentionLoad, decoding: AttentionLoad): void {
    const launches = this.#attentionLaunches.prefill
    if (decoding.requests > 0 && this.#oneCall) {
      this.#prefill.addTogether(out, prompts, decoding, this.#chunked)
      out.scheduling += launches
      return
    }
    const before = out.hbm + out.compute
    this.#attend(out, decoding, this.#plain, 1)
    const alone = out.hbm + out.compute - before
    const beyond = decoding.requests > 0 ? this.#prefill.beyondDecode(prompts, decoding, alone) : undefined
    if (!this.#prefill.add(out, prompts, this.#chunked, 1, beyond)) out.scheduling += launches
  }

  #addHead(out: PassCost, rows: number): void {
    const { bytes, rowBytes, rowFlops } = this.#head
    const table = this.#hardware.tables?.lmHead
    const flops = rows * rowFlops
    if (table === undefined) {
      const { efficiency, matmulBlock } = this.#hardware
      const { overhead, perBlock = 0 } = efficiency["lm-head"]
      const cut = matmulBlock && rowBlocks(rows, matmulBlock.rows)
      this.#lmHead.add(out, bytes, rows * rowBytes, flops, { computed: (cut?.computed ?? rows) * rowFlops })
      if (cut !== undefined) out.compute += (cut.blocks * perBlock) / this.#ranks
      out.scheduling += overhead
      return
    }
    let seconds = interpolate(table.sequences, table.seconds, rows)
    if (!covers(table.sequences, rows)) {
      this.#extrapolated.add("lmHead")
      seconds = Math.max(seconds, this.#lmHead.floor(bytes, flops))
    }
    this.#lmHead.add(out, bytes, rows * rowBytes, flops, { measured: seconds })
  }

  /**
   * What ranks tell each other over their links, 2(n−1)/n of the bytes for a ring's all-reduce and (n−1)/n for a gather, each
   * with a latency: activations after the embedding, attention and MLP of each layer; logits, of which each rank computes its part of
   * the vocabulary (vLLM's VocabParallelEmbedding and LogitsProcessor).
   */
  #collectives(tokens: number, rows: number): number {
    if (this.#ranks === 1) return 0
    const { bandwidth, latency } = this.#hardware.interconnect
    const others = (this.#ranks - 1) / this.#ranks
    const activations = (2 * others * tokens * this.#model.hidden * ACTIVATION) / bandwidth + latency
    const logits = rows === 0 ? 0 : (others * rows * this.#model.vocab * ACTIVATION) / bandwidth + latency
    return (2 * this.#layers + 1) * activations + logits
  }
}

/** Best rates of a group: HBM in bytes/s; FLOP/s of linear layers and of attention at the width of weights and of KV. */
const peaksOf = ({ hbm, flops }: Hardware, model: Model, ranks: number) => {
  // A GPU without units for a width computes in 16 bits; attention is never computed in less than 8.
  const { weightBytesPerParam, kvBytesPerElement } = model
  const matmul = weightBytesPerParam <= 0.5 ? flops[4] : weightBytesPerParam <= 1 ? flops[8] : undefined
  const attention = kvBytesPerElement <= 1 ? flops[8] : undefined
  return {
    bandwidth: hbm.bandwidth * ranks,
    matmul: (matmul ?? flops[16]) * ranks,
    attention: (attention ?? flops[16]) * ranks
  }
}
