/**
 * The forward pass: one set of kernels for prompts, decode and draft steps, and verifies. A row is one position of one
 * request; what it computes depends on its own token, position and view and on nothing else in the pass.
 */
import { Effect } from "effect"
import { advance } from "../kernels/advance.ts"
import { choose, KEPT_DISTRIBUTIONS, SAMPLER_WORDS } from "../kernels/choose.ts"
import { embed } from "../kernels/embed.ts"
import { MATMUL_COLUMNS, MATMUL_ROWS, matmul } from "../kernels/matmul.ts"
import { merge } from "../kernels/merge.ts"
import { norm } from "../kernels/norm.ts"
import { normalise } from "../kernels/normalise.ts"
import { observe } from "../kernels/observe.ts"
import { queries } from "../kernels/queries.ts"
import { rope } from "../kernels/rope.ts"
import { scores, scoresGroups } from "../kernels/scores.ts"
import { CHUNK, type EngineShape, SPAN } from "../kernels/shape.ts"
import { softmax } from "../kernels/softmax.ts"
import { swiglu } from "../kernels/swiglu.ts"
import { unrotate } from "../kernels/unrotate.ts"
import { values, valuesGroups } from "../kernels/values.ts"
import type { Bound, Device } from "../webgpu/device.ts"
import type { Timestamps } from "../webgpu/timestamps.ts"
import { USAGE } from "../webgpu/usage.ts"
import { ropeTable } from "./config.ts"
import { type DeviceModel, type Matrix, noBias } from "./device-model.ts"

/** Bits of a row's flags; pass.wgsl explains them. */
export const ROW = {
  next: 1,
  verify: 2,
  drafted: 4,
  most: 8,
  queries: 16,
  observed: 32,
  slotShift: 8
} as const

/** One position of one request. */
export interface Row {
  readonly view: number
  readonly position: number
  /** Entry of the view's tail its own key and value go to. */
  readonly tail: number
  readonly flags: number
}

/** What one submission computes. */
export interface Batch {
  readonly rows: readonly Row[]
  /** Rows whose next token is wanted, by index. */
  readonly choices: readonly number[]
  /** Times the pass is repeated, every row moving on by one position; more than one only if every row is chosen. */
  readonly steps: number
  /** Most entries a row sees in the last step. */
  readonly entries: number
  /** Some row attends to a rotated view; some row is observed; some row's queries are kept. */
  readonly rotated: boolean
  readonly observed: boolean
  readonly queried: boolean
}

/** A product with a matrix: one dispatch for each of its pieces. */
type Product = readonly { readonly bound: Bound; readonly width: number }[]

interface LayerKernels {
  readonly norm: Bound
  readonly qkv: Product
  readonly rope: Bound
  readonly queries: Bound
  readonly scores: Bound
  readonly softmax: Bound
  readonly normalise: Bound
  readonly values: Bound
  readonly observe: Bound
  readonly merge: Bound
  readonly output: Product
  readonly mlpNorm: Bound
  readonly gateUp: Product
  readonly down: Product
}

/** Buffers the pass shares with the caches. */
export interface ForwardBuffers {
  readonly arena: GPUBuffer
  readonly views: GPUBuffer
  readonly tokens: GPUBuffer
  readonly samplers: GPUBuffer
  readonly observed: GPUBuffer
  readonly queries: GPUBuffer
  readonly drafted: GPUBuffer
}

/** Kinds of operations that can be timed apart from a pass. */
export type Repeated = "matmul" | "attention" | "elementwise" | "lm-head"

/** Most steps of one submission. */
export const MAX_STEPS = 64

export class Forward {
  /** Tokens chosen in the last submission: [step][choice]. */
  readonly out: GPUBuffer
  /** Logits of the last step: [choice][vocab rounded up to 4]. */
  readonly logits: GPUBuffer
  readonly #device: Device
  readonly #shape: EngineShape
  readonly #timestamps: Timestamps | undefined
  readonly #rows: GPUBuffer
  readonly #chosen: GPUBuffer
  readonly #pass: GPUBuffer
  readonly #layers: readonly LayerKernels[]
  readonly #embed: readonly Bound[]
  readonly #unrotate: Bound
  readonly #swiglu: Bound
  readonly #finalNorm: Bound
  readonly #head: Product
  readonly #choose: Bound
  readonly #advance: Bound

  /** `timestamps`: told of every compute pass. */
  constructor(
    device: Device,
    shape: EngineShape,
    model: DeviceModel,
    shared: ForwardBuffers,
    timestamps?: Timestamps
  ) {
    this.#device = device
    this.#timestamps = timestamps
    this.#shape = shape
    const { config, maxRows, lanes, maxTokens } = shape
    const { hidden, heads, kvHeads, headDim, intermediate, vocab } = config
    const { arena, views, tokens } = shared
    const floats = (label: string, count: number): GPUBuffer => device.buffer(label, 4 * count)
    const entries = Math.ceil(maxTokens / SPAN) * SPAN + SPAN
    const vocabStride = Math.ceil(vocab / 4) * 4
    const x = floats("activations", maxRows * hidden)
    const normed = floats("normed", maxRows * hidden)
    const projected = floats("projected", maxRows * (heads + 2 * kvHeads) * headDim)
    const scored = floats("scores", maxRows * heads * entries)
    const chunks = floats("chunks", (2 * maxRows * heads * entries) / CHUNK)
    const parts = floats("parts", (maxRows * heads * headDim * entries) / SPAN)
    const attended = floats("attended", maxRows * heads * headDim)
    const gateUp = floats("gate and up", maxRows * 2 * intermediate)
    const activated = floats("activated", maxRows * intermediate)
    const seen = device.buffer("seen", maxRows * Math.ceil(vocab / 32) * 4)
    const turns = device.upload("turns", ropeTable(config, maxTokens))
    const none = noBias(device)
    this.#rows = device.buffer("rows", maxRows * 16)
    this.#chosen = device.buffer("chosen", maxRows * 4)
    this.#pass = device.buffer("pass", 16)
    this.logits = floats("logits", maxRows * vocabStride)
    this.out = device.buffer("out", MAX_STEPS * maxRows * 4)

    const rows = this.#rows
    const pass = this.#pass
    const multiply = (
      matrix: Matrix,
      input: GPUBuffer,
      output: GPUBuffer,
      accumulate: boolean,
      chosen = false
    ): Product =>
      matrix.pieces.map(({ buffer, first, width }) => ({
        width,
        bound: device.bind(
          matmul({
            depth: matrix.depth,
            width,
            first,
            stride: matrix.width,
            type: matrix.type,
            splits: lanes === 1 ? 1 : 8,
            accumulate,
            bias: matrix.bias !== undefined,
            chosen
          }),
          [buffer, input, matrix.bias ?? none, pass, output]
        )
      }))
    this.#layers = model.layers.map((layer, index) => {
      const number = device.buffer("layer", 16, USAGE.uniform | USAGE.copyTarget)
      device.write(number, 0, Uint32Array.of(index, 0, 0, 0))
      return {
        norm: device.bind(norm(shape, false), [x, layer.inputNorm, this.#chosen, pass, normed]),
        qkv: multiply(layer.qkv, normed, projected, false),
        rope: device.bind(rope(shape), [projected, arena, views, rows, pass, turns, layer.qkGains, number]),
        queries: device.bind(queries(shape), [projected, rows, number, shared.queries]),
        scores: device.bind(scores(shape), [projected, arena, views, rows, pass, number, scored]),
        softmax: device.bind(softmax(shape), [scored, views, rows, pass, number, chunks]),
        normalise: device.bind(normalise(shape), [chunks, views, rows, pass, number]),
        values: device.bind(values(shape), [scored, chunks, arena, views, rows, pass, number, parts]),
        observe: device.bind(observe(shape), [scored, chunks, rows, pass, number, shared.observed]),
        merge: device.bind(merge(shape), [parts, views, rows, pass, number, attended]),
        output: multiply(layer.output, attended, x, true),
        mlpNorm: device.bind(norm(shape, false), [x, layer.mlpNorm, this.#chosen, pass, normed]),
        gateUp: multiply(layer.gateUp, normed, gateUp, false),
        down: multiply(layer.down, activated, x, true)
      }
    })
    this.#embed = model.embedding.pieces.map(({ buffer, first, width }) =>
      device.bind(embed(shape, model.embedding.type, first, width), [buffer, tokens, rows, pass, x])
    )
    this.#unrotate = device.bind(unrotate(shape), [attended, views, rows, pass])
    this.#swiglu = device.bind(swiglu(shape), [gateUp, pass, activated])
    this.#finalNorm = device.bind(norm(shape, true), [x, model.finalNorm, this.#chosen, pass, normed])
    this.#head = multiply(model.head, normed, this.logits, false, true)
    this.#choose = device.bind(choose(shape), [
      this.logits,
      rows,
      this.#chosen,
      pass,
      tokens,
      shared.samplers,
      seen,
      shared.drafted,
      this.out
    ])
    this.#advance = device.bind(advance, [rows, pass])
  }

  /** Submits a batch; nothing is waited for. */
  submit(batch: Batch): void {
    const { rows, steps } = batch
    if (rows.length === 0) return
    const entries = this.#write(batch)
    this.#encode((pass) => {
      for (let step = 0; step < steps; step++) {
        if (step > 0) run(pass, this.#advance, Math.ceil(rows.length / 64))
        this.#begin(pass, batch)
        for (const layer of this.#layers) this.#layer(pass, layer, batch, entries)
        this.#end(pass, batch)
      }
    })
  }

  /**
   * Submits a batch of one step layer by layer: the same kernels in the same order. Before each layer it waits until that is
   * `ready`; `around` submits what has to go right before and right after it.
   */
  submitInLayers<E>(
    batch: Batch,
    ready: (layer: number) => Effect.Effect<void, E>,
    around: { readonly before: (layer: number) => void; readonly after: (layer: number) => void }
  ): Effect.Effect<void, E> {
    return Effect.gen({ self: this }, function* () {
      const entries = this.#write(batch)
      this.#encode((pass) => this.#begin(pass, batch))
      for (const [index, layer] of this.#layers.entries()) {
        yield* ready(index)
        around.before(index)
        this.#encode((pass) => this.#layer(pass, layer, batch, entries))
        around.after(index)
      }
      this.#encode((pass) => this.#end(pass, batch))
    })
  }

  /**
   * Submits one kind of operation of a batch's pass, all layers of it, `times` over: what a probe times. Nobody reads what it computes;
   * the batch's tokens and KV stay as they are.
   */
  repeat(operation: Repeated, batch: Batch, times: number): void {
    const { intermediate } = this.#shape.config
    const entries = this.#write(batch)
    const count = batch.rows.length
    const record: Readonly<Record<Repeated, (pass: GPUComputePassEncoder, layer: LayerKernels) => void>> = {
      matmul: (pass, layer) => {
        multiply(pass, layer.qkv, count)
        multiply(pass, layer.output, count)
        multiply(pass, layer.gateUp, count)
        multiply(pass, layer.down, count)
      },
      attention: (pass, layer) => this.#attend(pass, layer, count, entries),
      elementwise: (pass, layer) => {
        run(pass, layer.norm, count)
        run(pass, layer.mlpNorm, count)
        run(pass, this.#swiglu, Math.ceil(intermediate / 128), count)
      },
      "lm-head": () => {}
    }
    this.#encode((pass) => {
      for (let time = 0; time < times; time++) {
        for (const layer of this.#layers) record[operation](pass, layer)
        if (operation === "lm-head") multiply(pass, this.#head, batch.choices.length)
      }
    })
  }

  /** Attention of a layer before what its kernels leave is observed and merged. */
  #attend(pass: GPUComputePassEncoder, layer: LayerKernels, count: number, entries: number): void {
    const { heads } = this.#shape.config
    run(pass, layer.scores, ...scoresGroups(this.#shape, entries, count))
    run(pass, layer.softmax, Math.ceil(entries / CHUNK / 16), heads, count)
    run(pass, layer.normalise, Math.ceil(heads / 4), Math.ceil(count / 4))
    run(pass, layer.values, ...valuesGroups(this.#shape, entries, count))
  }

  /** Says what the batch computes; the entries its scores have room for. */
  #write(batch: Batch): number {
    const { rows, choices, steps } = batch
    if (rows.length > this.#shape.maxRows || steps > MAX_STEPS)
      throw new Error("a batch larger than its buffers")
    const entries = Math.ceil(batch.entries / CHUNK) * CHUNK
    const words = new Uint32Array(rows.length * 4)
    for (const [i, row] of rows.entries()) words.set([row.view, row.position, row.tail, row.flags], 4 * i)
    this.#device.write(this.#rows, 0, words)
    if (choices.length > 0) this.#device.write(this.#chosen, 0, Uint32Array.from(choices))
    this.#device.write(this.#pass, 0, Uint32Array.of(rows.length, choices.length, 0, entries))
    return entries
  }

  #encode(record: (pass: GPUComputePassEncoder) => void): void {
    const encoder = this.#device.raw.createCommandEncoder()
    const timestampWrites = this.#timestamps?.writes()
    const pass = encoder.beginComputePass(timestampWrites === undefined ? {} : { timestampWrites })
    record(pass)
    pass.end()
    this.#device.raw.queue.submit([encoder.finish()])
  }

  #begin(pass: GPUComputePassEncoder, { rows }: Batch): void {
    for (const piece of this.#embed) run(pass, piece, Math.ceil(this.#shape.config.hidden / 64), rows.length)
  }

  #layer(pass: GPUComputePassEncoder, layer: LayerKernels, batch: Batch, entries: number): void {
    const { heads, kvHeads, headDim, intermediate } = this.#shape.config
    const count = batch.rows.length
    run(pass, layer.norm, count)
    multiply(pass, layer.qkv, count)
    run(pass, layer.rope, Math.ceil((heads + 2 * kvHeads) / 4), Math.ceil(count / 4))
    if (batch.queried) run(pass, layer.queries, Math.ceil((heads * headDim) / 128), count)
    this.#attend(pass, layer, count, entries)
    if (batch.observed) run(pass, layer.observe, Math.ceil(entries / 64), kvHeads)
    run(pass, layer.merge, Math.ceil((heads * headDim) / 64), 1, count)
    if (batch.rotated) run(pass, this.#unrotate, Math.ceil(heads / 4), Math.ceil(count / 4))
    multiply(pass, layer.output, count)
    run(pass, layer.mlpNorm, count)
    multiply(pass, layer.gateUp, count)
    run(pass, this.#swiglu, Math.ceil(intermediate / 128), count)
    multiply(pass, layer.down, count)
  }

  #end(pass: GPUComputePassEncoder, { choices }: Batch): void {
    if (choices.length === 0) return
    run(pass, this.#finalNorm, choices.length)
    multiply(pass, this.#head, choices.length)
    run(pass, this.#choose, choices.length)
  }
}

const run = (pass: GPUComputePassEncoder, { pipeline, group }: Bound, x: number, y = 1, z = 1): void => {
  pass.setPipeline(pipeline)
  pass.setBindGroup(0, group)
  pass.dispatchWorkgroups(x, y, z)
}

const multiply = (pass: GPUComputePassEncoder, product: Product, rows: number): void => {
  for (const { bound, width } of product)
    run(pass, bound, Math.ceil(width / 4 / MATMUL_COLUMNS), 1, Math.ceil(rows / MATMUL_ROWS))
}

/** Words of the sampler buffer, and bytes of the draft distributions of `slots` requests. */
export const samplerBytes = (slots: number): number => slots * SAMPLER_WORDS * 4
export const draftedBytes = ({ config, slots }: EngineShape): number =>
  slots * KEPT_DISTRIBUTIONS * config.vocab * 4
