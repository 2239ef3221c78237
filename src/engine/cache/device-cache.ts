/** The KV caches on the device: one paged arena, and the views through which requests see their part of it. */
import type { Compression, Format } from "../compressors/compressor.ts"
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

/** View that drafts of a slot attend to, view of its full KV, and view in which the next compressed copy is packed beside the old one. */
export const draftView = (slot: number): number => slot * VIEWS_PER_SLOT
export const fullView = (slot: number): number => slot * VIEWS_PER_SLOT + 1
export const nextView = (slot: number): number => slot * VIEWS_PER_SLOT + 2

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

  /** Says what is packed in a view and in which pages: in place before anything is packed, or copied to the view's tail. */
  describePacked(
    view: number,
    { format }: Compression,
    layout: PackedLayout,
    pages: readonly number[]
  ): void {
    const table = VIEW_HEADER + this.#shape.config.layers * LAYER_RECORD + pagesPerView(this.#shape)
    this.#writeView(view, 0, this.#record(format, layout))
    if (layout.words > 0) this.#writeView(view, table, Uint32Array.from(pages))
  }

  /**
   * Builds the packed part of a view that has been described from full KV, all layers of it or some: gathers what stays, turns
   * it if the format says so, packs it into `pages`.
   */
  pack(
    from: number,
    to: number,
    compression: Compression,
    layout: PackedLayout,
    pages: readonly number[],
    layers = this.#allLayers
  ): void {
    const { config } = this.#shape
    this.#writeLevels(compression, layout, pages, layers)
    const packed = layout.layers.flatMap(({ count }, layer) =>
      count > 0 && layer >= layers.from && layer < layers.to ? [{ count, layer }] : []
    )
    if (packed.length === 0) return
    const kept = new Uint32Array(packed.reduce((sum, { count }) => sum + count * config.kvHeads, 0))
    let at = 0
    const jobs = packed.map(({ layer }) => {
      const job = this.#device.buffer("packing job", 16, USAGE.uniform | USAGE.copyTarget)
      this.#device.write(job, 0, Uint32Array.of(from, to, at, layer))
      for (const positions of compression.kept[layer]!) {
        kept.set(positions, at)
        at += positions.length
      }
      return job
    })
    const positions = this.#device.upload("kept positions", kept)
    const encoder = this.#device.raw.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const [i, { count }] of packed.entries()) {
      const buffers = [this.arena, this.views, positions, jobs[i]!]
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
  #record(format: Format, layout: PackedLayout): Uint32Array {
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

  #writeLevels(
    compression: Compression,
    layout: PackedLayout,
    pages: readonly number[],
    { from, to }: Layers
  ): void {
    const words = pageWords(this.#shape)
    for (let layer = from; layer < to; layer++) {
      const { keys, values } = layout.layers[layer]!
      const books = compression.codebooks?.[layer]
      for (const [at, levels] of [
        [keys.levels, books?.keys],
        [values.levels, books?.values]
      ] as const) {
        if (at === undefined || levels === undefined) continue
        for (let done = 0; done < levels.length;) {
          const word = at + done
          const offset = pages[Math.floor(word / words)]! * words + (word % words)
          const part = levels.subarray(done, done + words - (word % words))
          this.#device.write(this.arena, offset * 4, part)
          done += part.length
        }
      }
    }
  }
}

/** Pages the packed part of a compression takes. */
export const packedPages = (shape: EngineShape, layout: PackedLayout): number =>
  Math.ceil(layout.words / pageWords(shape))
