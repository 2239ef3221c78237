/** The sizes kernels are compiled for, and the pieces their sources are put together from. */
import type { ModelConfig } from "../model/config.ts"
import passSource from "./pass.wgsl?raw"
import readRowSource from "./read-row.wgsl?raw"
import sizesSource from "./sizes.wgsl?raw"
import viewSource from "./view.wgsl?raw"

/** Everything about a model and its caches that a kernel must know when it is compiled. */
export interface EngineShape {
  readonly config: ModelConfig
  /** Bits of one element of the KV cache: 16 (pairs in a word) or 32. */
  readonly kvBits: 16 | 32
  /** Tokens of one page (vLLM: block_size), a multiple of 4. */
  readonly pageTokens: number
  /** Most tokens of a request, prompt and output. */
  readonly maxTokens: number
  /** Requests that may hold a cache at once. */
  readonly slots: number
  /** Most rows of one pass. */
  readonly maxRows: number
  /** Rows whose queries are kept for a compression method. */
  readonly queryRows: number
  /** Lanes of a reduction, a power of two: 1 where barriers cost more than they save (software adapters). */
  readonly lanes: number
  /** Several lanes meet in the registers of subgroups as far as those reach, which changes no bit. */
  readonly subgroups: boolean
}

/** A request's views: what drafts attend to, its full KV, and what drafts will attend to next. The same number stands in pass.wgsl. */
export const VIEWS_PER_SLOT = 3

/** Entries of a softmax chunk, entries of a value span; the same numbers stand in pass.wgsl. */
export const CHUNK = 64
export const SPAN = 512

export const VIEW_HEADER = 8
export const LAYER_RECORD = 8

export const pagesPerView = ({ maxTokens, pageTokens }: EngineShape): number =>
  Math.ceil(maxTokens / pageTokens)
export const viewWords = (shape: EngineShape): number =>
  VIEW_HEADER + shape.config.layers * LAYER_RECORD + 2 * pagesPerView(shape)

/** Words of one token's full KV, and of one page. */
export const tokenWords = ({ config, kvBits }: Pick<EngineShape, "config" | "kvBits">): number =>
  (config.layers * 2 * config.kvHeads * config.headDim * kvBits) / 32
/** Bytes of one token's key, or value, of one KV head of one layer. */
export const rowBytes = ({ config, kvBits }: Pick<EngineShape, "config" | "kvBits">): number =>
  (config.headDim * kvBits) / 8
export const pageWords = (shape: EngineShape): number => shape.pageTokens * tokenWords(shape)

/** Sources with the pass's structures in front. */
export const withPass = (...parts: readonly string[]): string => [passSource, ...parts].join("\n")

/** Sources of kernels that know the model's sizes. */
export const withSizes = (source: string): string => withPass(sizesSource, source)

/** Sources of kernels that look into views; `reads`: they read rows of them. */
export const withViews = (source: string, reads = false): string =>
  withPass(sizesSource, viewSource, ...(reads ? [readRowSource] : []), source)

/** Pairs of query heads that share a KV head; sizes.wgsl numbers them. */
export const headPairs = ({ config: { heads, kvHeads } }: EngineShape): number =>
  kvHeads * Math.ceil(heads / kvHeads / 2)

/** Constants of sizes.wgsl. */
export const sizeConstants = (shape: EngineShape): Readonly<Record<string, number>> => ({
  LAYERS: shape.config.layers,
  HEADS: shape.config.heads,
  KV_HEADS: shape.config.kvHeads,
  HEAD_DIM: shape.config.headDim,
  HALF: shape.kvBits === 16 ? 1 : 0,
  PAGE_TOKENS: shape.pageTokens,
  PAGES_PER_VIEW: pagesPerView(shape)
})
