/** The KV caches on the device: one paged arena, and the views through which requests see their part of it. */
import type { Compression } from "../compressors/compressor.ts"
import { copy } from "../kernels/copy.ts"
import { packCodes, packScales } from "../kernels/pack.ts"
import {
  type EngineShape,
  LAYER_RECORD,
  pagesPerView,
  pageWords,
  tokenWords,
  VIEW_HEADER,
  VIEWS_PER_SLOT,
  viewWords
} from "../kernels/shape.ts"
import type { Tail } from "../session.ts"
import type { Bound, Device, Kernel, PendingRead } from "../webgpu/device.ts"
import { USAGE } from "../webgpu/usage.ts"
import { bitsOf, type PackedLayout } from "./packed-layout.ts"
import { PageAllocator } from "./pages.ts"

/** A token's row, from one view's tail to another's. */
export interface Move {
  readonly fromView: number
  readonly from: number
  readonly toView: number
  readonly to: number
}

/** Pages of a tail of which `held` layers are here at a time. */
export type RingedTail = Pick<Tail, "held" | "pages">

/** Layers [from, to) of the model. */
export interface Layers {
  readonly from: number
  readonly to: number
}

const NONE = 0xffffffff
/** Rows copied by one dispatch at most. */
const MOVES = 4096

/** View that drafts of a slot attend to, and view of its full KV. */
export const draftView = (slot: number): number => slot * VIEWS_PER_SLOT
export const fullView = (slot: number): number => slot * VIEWS_PER_SLOT + 1

export class DeviceCache {
  readonly arena: GPUBuffer
  readonly views: GPUBuffer
  readonly pages: PageAllocator
  readonly #device: Device
  readonly #shape: EngineShape
  readonly #moves: GPUBuffer
  readonly #linear: GPUBuffer
  /** Layers the next copy is of. */
  readonly #layers: GPUBuffer
  readonly #copy: Bound
  readonly #gather: Bound
  readonly #packing: readonly Kernel[]

  /** `pages`: pages of the arena; the caller has seen to it that they fit the device's buffers. */
  constructor(device: Device, shape: EngineShape, pages: number) {
    this.#device = device
    this.#shape = shape
    this.pages = new PageAllocator(pages)
    this.arena = device.buffer("KV arena", pages * pageWords(shape) * 4)
    this.views = device.buffer("views", shape.slots * VIEWS_PER_SLOT * viewWords(shape) * 4)
    this.#moves = device.buffer("moves", MOVES * 16)
    this.#linear = device.buffer("rows going home", shape.maxRows * tokenWords(shape) * 4)
    this.#layers = device.buffer("layers copied", 16, USAGE.uniform | USAGE.copyTarget)
    const copying = [this.arena, this.views, this.#moves, this.#linear, this.#layers]
    this.#copy = device.bind(copy(shape, false), copying)
    this.#gather = device.bind(copy(shape, true), copying)
    this.#packing = [packScales(shape), packCodes(shape)]
    // Compiled before there are requests: the first prompt that is compressed does not wait for it.
    for (const kernel of this.#packing) device.pipeline(kernel)
  }

  get pageBytes(): number {
    return pageWords(this.#shape) * 4
  }

  /** Says which pages a view's tail has, from its `first` page on. */
  setTail(view: number, pages: readonly number[], first = 0): void {
    if (pages.length === 0) return
    if (first + pages.length > pagesPerView(this.#shape)) throw new Error("a tail longer than a view")
    const { layers } = this.#shape.config
    const table = VIEW_HEADER + layers * LAYER_RECORD
    this.#writeView(
      view,
      table + first,
      Uint32Array.from(pages, (page) => page * layers)
    )
  }

  /** Points a view of which `held` layers are here at a time at the places of one of them. */
  setLayer(view: number, tail: RingedTail, layer: number): void {
    const { layers } = this.#shape.config
    const blocks = Math.floor((tail.pages.length * layers) / tail.held)
    const table = VIEW_HEADER + layers * LAYER_RECORD
    // Kernels add the layer's number to what the table says.
    const places = Uint32Array.from({ length: blocks }, (_, block) => this.#place(tail, layer, block) - layer)
    this.#writeView(view, table, places)
  }

  /** Byte of the arena at which a layer of a block of tokens lies, and the bytes it has. */
  layerOffset(tail: RingedTail, layer: number, block: number): number {
    return this.#place(tail, layer, block) * this.layerBytes
  }

  /** Bytes of one layer of a page. */
  get layerBytes(): number {
    return this.pageBytes / this.#shape.config.layers
  }

  /** Place of a layer of a block: each block of tokens has `held` of them, which layers take in turn. */
  #place({ held, pages }: RingedTail, layer: number, block: number): number {
    const { layers } = this.#shape.config
    const place = block * held + (layer % held)
    return pages[Math.floor(place / layers)]! * layers + (place % layers)
  }

  /** Says that nothing is packed in a view. */
  clearPacked(view: number): void {
    this.#writeView(view, 0, new Uint32Array(VIEW_HEADER + this.#shape.config.layers * LAYER_RECORD))
  }

  /**
   * Builds the packed part of a view from full KV: gathers what stays, turns it if the format says so, packs it into
   * `pages`. The format's record must be in place before rows are copied to the view's tail.
   */
  pack(
    from: number,
    to: number,
    compression: Compression,
    layout: PackedLayout,
    pages: readonly number[]
  ): void {
    const { config } = this.#shape
    const table = VIEW_HEADER + config.layers * LAYER_RECORD + pagesPerView(this.#shape)
    this.#writeView(to, 0, this.#record(compression, layout))
    if (layout.words === 0) return
    this.#writeView(to, table, Uint32Array.from(pages))
    this.#writeLevels(compression, layout, pages)
    const kept = new Uint32Array(layout.layers.reduce((sum, { count }) => sum + count * config.kvHeads, 0))
    const starts: number[] = []
    let at = 0
    for (const heads of compression.kept) {
      starts.push(at)
      for (const positions of heads) {
        kept.set(positions, at)
        at += positions.length
      }
    }
    const positions = this.#device.upload("kept positions", kept)
    const jobs = layout.layers.map((_, layer) => {
      const job = this.#device.buffer("packing job", 16, USAGE.uniform | USAGE.copyTarget)
      this.#device.write(job, 0, Uint32Array.of(from, to, starts[layer]!, layer))
      return job
    })
    const encoder = this.#device.raw.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const [layer, { count }] of layout.layers.entries()) {
      if (count === 0) continue
      const buffers = [this.arena, this.views, positions, jobs[layer]!]
      for (const kernel of this.#packing) {
        const { pipeline, group } = this.#device.bind(kernel, buffers)
        pass.setPipeline(pipeline)
        pass.setBindGroup(0, group)
        pass.dispatchWorkgroups(Math.ceil((count * config.headDim) / 16), config.kvHeads, 2)
      }
    }
    pass.end()
    this.#device.raw.queue.submit([encoder.finish()])
    // Destroying a buffer lets work that was submitted finish first.
    for (const buffer of [positions, ...jobs]) this.#device.destroy(buffer)
  }

  /** Copies rows between tails, of all layers or some, in order of submission. */
  copyRows(moves: readonly Move[], layers = this.#allLayers): void {
    for (let from = 0; from < moves.length; from += MOVES)
      this.#submit(this.#copy, moves.slice(from, from + MOVES), layers)
  }

  /**
   * Sends rows of a view's tail home, in as many reads as it takes: one after another, each
   * [layer][key, value][kv head][channel].
   */
  startReading(view: number, from: number, count: number): PendingRead[] {
    const { maxRows } = this.#shape
    return Array.from({ length: Math.ceil(count / maxRows) }, (_read, read) => {
      const first = from + read * maxRows
      const rows = Math.min(maxRows, from + count - first)
      const moves = Array.from({ length: rows }, (_row, i) => ({
        fromView: view,
        from: first + i,
        toView: 0,
        to: i
      }))
      this.#submit(this.#gather, moves, this.#allLayers)
      return this.#device.startRead(this.#linear, 0, rows * tokenWords(this.#shape) * 4)
    })
  }

  /** Puts some layers of rows side by side on their way home. At most `maxRows` rows; all layers before they are read. */
  gather(rows: readonly Pick<Move, "fromView" | "from">[], layers: Layers): void {
    this.#submit(
      this.#gather,
      rows.map(({ fromView, from }, to) => ({ fromView, from, toView: 0, to })),
      layers
    )
  }

  /** Sends gathered rows [first, first + count) home. */
  startReadingGathered(first: number, count: number): PendingRead {
    const bytes = tokenWords(this.#shape) * 4
    return this.#device.startRead(this.#linear, first * bytes, count * bytes)
  }

  close(): void {
    for (const buffer of [this.arena, this.views, this.#moves, this.#linear, this.#layers])
      this.#device.destroy(buffer)
  }

  get #allLayers(): Layers {
    return { from: 0, to: this.#shape.config.layers }
  }

  #submit({ pipeline, group }: Bound, moves: readonly Move[], { from: first, to: end }: Layers): void {
    if (moves.length === 0) return
    const words = new Uint32Array(moves.length * 4)
    for (const [i, { fromView, from, toView, to }] of moves.entries())
      words.set([fromView, from, toView, to], 4 * i)
    this.#device.write(this.#moves, 0, words)
    this.#device.write(this.#layers, 0, Uint32Array.of(first, end - first, 0, 0))
    const encoder = this.#device.raw.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, group)
    const layerWords = tokenWords(this.#shape) / this.#shape.config.layers
    pass.dispatchWorkgroups(Math.ceil(((end - first) * layerWords) / 64), moves.length)
    pass.end()
    this.#device.raw.queue.submit([encoder.finish()])
  }

  #writeView(view: number, word: number, data: Uint32Array): void {
    this.#device.write(this.views, (view * viewWords(this.#shape) + word) * 4, data)
  }

  /** Header and layer records of a view; view.wgsl and read-row.wgsl read them. */
  #record({ format }: Compression, layout: PackedLayout): Uint32Array {
    const { kvBits, config } = this.#shape
    const words = new Uint32Array(VIEW_HEADER + config.layers * LAYER_RECORD)
    for (const [side, rows] of [format.keys, format.values].entries()) {
      words[3 * side] = bitsOf(rows, kvBits)
      words[3 * side + 1] = rows === "raw" ? 1 : rows.groupTokens
      words[3 * side + 2] = rows === "raw" ? config.headDim : rows.groupChannels
    }
    words[6] = format.rotated ? 1 : 0
    for (const [layer, { count, keys, values }] of layout.layers.entries()) {
      words.set(
        [
          count,
          keys.codes,
          keys.scales ?? NONE,
          values.codes,
          values.scales ?? NONE,
          keys.levels ?? NONE,
          values.levels ?? NONE
        ],
        VIEW_HEADER + layer * LAYER_RECORD
      )
    }
    return words
  }

  #writeLevels(compression: Compression, layout: PackedLayout, pages: readonly number[]): void {
    const words = pageWords(this.#shape)
    for (const [layer, { keys, values }] of layout.layers.entries()) {
      const books = compression.codebooks?.[layer]
      for (const [at, levels] of [
        [keys.levels, books?.keys],
        [values.levels, books?.values]
      ] as const) {
        if (at === undefined || levels === undefined) continue
        for (let from = 0; from < levels.length;) {
          const word = at + from
          const offset = pages[Math.floor(word / words)]! * words + (word % words)
          const part = levels.subarray(from, from + words - (word % words))
          this.#device.write(this.arena, offset * 4, part)
          from += part.length
        }
      }
    }
  }
}

/** Pages the packed part of a compression takes. */
export const packedPages = (shape: EngineShape, layout: PackedLayout): number =>
  Math.ceil(layout.words / pageWords(shape))
