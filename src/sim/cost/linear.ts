/** Linear layers and elementwise work of a pass: they depend on nothing but how many positions it computes. */
import { attentionParameters, mlpParameters } from "../../scenario/model-shape.ts"
import type { KernelTables, LayerGroup, Model } from "../../scenario/resolved.ts"
import { covers, interpolate, type TableName } from "./interpolate.ts"
import { costSeconds, emptyCost, floorSeconds, type PassCost } from "./load.ts"
import type { Roofline } from "./roofline.ts"
import { rowBlocks } from "./row-blocks.ts"

/** Bytes of an activation: 16 bits, whatever the weights. */
export const ACTIVATION = 2
/** Costs are remembered up to this many positions in a pass. */
const REMEMBERED = 4096

export const layerCount = (model: Model): number => model.layers.reduce((sum, { count }) => sum + count, 0)

/**
 * Parameters of a layer's MLP that `tokens` positions touch. Of E experts with k per token, positions that choose alike and
 * apart from each other touch E·(1 − (1 − k/E)^tokens).
 */
export const touchedParameters = ({ mlp }: LayerGroup, hidden: number, tokens: number): number => {
  const { all } = mlpParameters(mlp, hidden)
  if (mlp.kind === "dense") return all
  const missed = mlp.experts * (1 - mlp.expertsPerToken / mlp.experts) ** tokens
  return all - missed * 3 * hidden * mlp.intermediate
}

/** Bytes of the weights a pass can read: all layers and the output head. */
const readableBytes = ({ hidden, vocab, layers, weightBytesPerParam }: Model): number => {
  const parameters = layers.map(
    ({ count, attention, mlp }) =>
      count * (attentionParameters(attention, hidden) + mlpParameters(mlp, hidden).all)
  )
  return weightBytesPerParam * parameters.reduce((sum, n) => sum + n, hidden * vocab)
}

/**
 * Bytes of one parameter as a pass reads it. Stated weights are taken to be what passes read, so they are spread over the
 * layers and the output head; the rows of the embedding that a pass looks up are not worth counting.
 */
export const readBytesPerParameter = (model: Model): number =>
  model.weightBytesPerParam * (model.weightBytes === undefined ? 1 : model.weightBytes / readableBytes(model))

/** Rows that a layer's matmuls compute with the weights they have loaded, and seconds such a block costs besides its arithmetic. */
export interface MatmulBlock {
  readonly rows: number
  readonly seconds: number
}

export class LinearLayers {
  readonly #model: Model
  readonly #matmul: Roofline
  readonly #elementwise: Roofline
  readonly #block: MatmulBlock | undefined
  readonly #table: KernelTables["dense"]
  readonly #extrapolated: Set<TableName>
  readonly #known: (PassCost | undefined)[] = Array.from({ length: REMEMBERED + 1 }, () => undefined)

  /** Notes in `extrapolated` when it goes beyond its table. */
  constructor(
    model: Model,
    matmul: Roofline,
    elementwise: Roofline,
    block: MatmulBlock | undefined,
    table: KernelTables["dense"],
    extrapolated: Set<TableName>
  ) {
    this.#model = model
    this.#matmul = matmul
    this.#elementwise = elementwise
    this.#block = block
    this.#table = table
    this.#extrapolated = extrapolated
  }

  /** Cost of all layers for `tokens` positions, launches left out. */
  at(tokens: number): Readonly<PassCost> {
    const known = this.#known[tokens]
    if (known !== undefined) return known
    const cost = this.#cost(tokens)
    if (tokens <= REMEMBERED && Number.isInteger(tokens)) this.#known[tokens] = cost
    return cost
  }

  #cost(tokens: number): PassCost {
    const cost = emptyCost()
    const cut = this.#block && rowBlocks(tokens, this.#block.rows)
    for (const layer of this.#model.layers) this.#layer(layer, tokens, cut?.computed ?? tokens, cost)
    if (cut !== undefined) cost.compute += layerCount(this.#model) * cut.blocks * this.#block!.seconds
    const table = this.#table
    if (table === undefined || tokens === 0) return cost
    // A measured time says how long, not what bounds it: it keeps the roofline's proportions.
    let measured = layerCount(this.#model) * interpolate(table.tokens, table.seconds, tokens)
    if (!covers(table.tokens, tokens)) {
      this.#extrapolated.add("dense")
      measured = Math.max(measured, floorSeconds(cost))
    }
    const scale = measured / costSeconds(cost)
    cost.hbm *= scale
    cost.compute *= scale
    return cost
  }

  /** `computed`: rows that matmuls compute for `tokens` positions. */
  #layer(layer: LayerGroup, tokens: number, computed: number, out: PassCost): void {
    const { count, attention, mlp } = layer
    const { hidden } = this.#model
    const perParameter = readBytesPerParameter(this.#model)
    const positions = count * tokens
    const projections = attentionParameters(attention, hidden)
    const { active } = mlpParameters(mlp, hidden)
    const width =
      mlp.kind === "dense"
        ? mlp.intermediate
        : mlp.expertsPerToken * mlp.intermediate + mlp.sharedIntermediate
    // In and out of QKV and O; of gate, up and down; of two norms, two residuals and the activation.
    const aroundAttention = positions * 4 * hidden * ACTIVATION
    const aroundMlp = positions * (2 * hidden + 3 * width) * ACTIVATION
    const between = positions * (6 * hidden + 2 * width) * ACTIVATION
    const touched = count * touchedParameters(layer, hidden, tokens)
    const rows = count * computed
    this.#matmul.add(out, count * projections * perParameter, aroundAttention, 2 * projections * positions, {
      computed: 2 * projections * rows
    })
    this.#matmul.add(out, touched * perParameter, aroundMlp, 2 * active * positions, {
      computed: 2 * active * rows
    })
    this.#elementwise.add(out, 0, between, 0)
  }
}
