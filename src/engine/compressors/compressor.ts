/**
 * The seam for compression methods: a pure function from what was observed of a context to what stays of it. The engine
 * observes on the device, asks the method, then gathers, rotates and packs on the device; a method touches no GPU.
 *
 * A compressed context is a packed part, chosen entry by entry for each layer and KV head, and a tail of the newest tokens
 * that stays as it is; drafted and committed tokens join the tail. Keys are stored after RoPE, so an entry keeps its place
 * whatever lies around it.
 */

/** How the packed keys, or the packed values, are stored. A code `c` stands for `zero + scale · (codebook?.[c] ?? c)`. */
export interface RowFormat {
  /** Bits of one element. */
  readonly bits: 2 | 4 | 8
  /** Entries that share a scale and zero: 1 = per token. Packed entries come in whole groups of this many. */
  readonly groupTokens: number
  /** Channels that share a scale and zero: head_dim = one for the row, 1 = per channel. Divides head_dim. */
  readonly groupChannels: number
}

/** `raw`: the cache's own element type. */
export interface Format {
  readonly keys: RowFormat | "raw"
  readonly values: RowFormat | "raw"
  /** Rows are multiplied by the orthonormal Hadamard matrix of head_dim before they are packed, queries likewise. */
  readonly rotated: boolean
}

/** What a method must see. All of it is gathered on the device and costs what it costs; asking for nothing is free. */
export interface Needs {
  /** Attention mass each position received, summed over these query rows and over the query heads of a KV head. */
  readonly attention?: {
    /** `prompt`: every prompt row; `recent`: the last `rows` prompt rows; `reconstruction`: the context read a second time. */
    readonly over: "prompt" | "recent" | "reconstruction"
    /** Of `recent`, 32 by default. Of `reconstruction`: only the last so many tokens are read again; all by default. */
    readonly rows?: number
    /** How rows combine. */
    readonly reduce: "sum" | "max"
    /** The rows of verify passes count as well (they see the full KV, and their attention is there anyway). */
    readonly verify?: boolean
  }
  readonly keys?: boolean
  readonly values?: boolean
  /** Queries of the last so many prompt rows. */
  readonly queries?: number
}

/** What was seen of one context. Getters of what was not asked for throw. */
export interface Observation {
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Tokens of the context. */
  readonly tokens: number
  /** Tokens of the prompt, ≤ tokens. */
  readonly prompt: number
  /** Length `tokens`. */
  readonly attention: (layer: number, kvHead: number) => Float32Array
  /** tokens × headDim, after RoPE. */
  readonly keys: (layer: number, kvHead: number) => Float32Array
  /** tokens × headDim. */
  readonly values: (layer: number, kvHead: number) => Float32Array
  /** rows × headDim of one query head, after RoPE, oldest row first. */
  readonly queries: (layer: number, head: number) => Float32Array
}

/** What stays of a context. */
export interface Compression {
  /** Tokens from here to the end stay in the tail. */
  readonly tailStart: number
  /**
   * `kept[layer][kvHead]`: ascending positions below `tailStart` that are packed. The heads of a layer keep equally many
   * (the layout's only demand); layers may differ. A multiple of the format's `groupTokens`.
   */
  readonly kept: readonly (readonly Uint32Array[])[]
  readonly format: Format
  /** Levels of non-uniform codes per layer, 2^bits values each, for the keys and for the values. */
  readonly codebooks?: readonly { readonly keys?: Float32Array; readonly values?: Float32Array }[]
}

/** The budget a method is given. */
export interface Budget {
  /** Bytes of compressed KV over bytes of full KV aimed at, 0–1; methods of a fixed width ignore it. */
  readonly keep: number
  /** Bits of one element of the full KV. */
  readonly elementBits: 16 | 32
  /** Keys the random numbers of methods that draw any. */
  readonly seed: number
}

export interface Compressor {
  readonly name: string
  /** One sentence for lists, and where the method is from. */
  readonly summary: string
  readonly source: string
  readonly kind: "none" | "drop" | "quantize" | "hybrid"
  /** `online`: compresses anew from the full KV at every verify; `offline`: once, after the prompt. */
  readonly mode: "offline" | "online"
  /** The method has a `keep` to choose; otherwise its width decides. */
  readonly takesKeep: boolean
  readonly needs: Needs
  readonly compress: (observation: Observation, budget: Budget) => Compression
}
