/** The shape of a model the engine runs, read from a Hugging Face config.json; what it cannot run is refused with the reason. */

export type RopeScaling =
  | { readonly kind: "none" }
  | { readonly kind: "linear"; readonly factor: number }
  | {
      readonly kind: "llama3"
      readonly factor: number
      readonly lowFreqFactor: number
      readonly highFreqFactor: number
      readonly originalPositions: number
    }
  | {
      readonly kind: "yarn"
      readonly factor: number
      readonly originalPositions: number
      readonly betaFast: number
      readonly betaSlow: number
      readonly attentionFactor: number
    }

export interface ModelConfig {
  readonly modelType: string
  readonly hidden: number
  readonly layers: number
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly intermediate: number
  readonly vocab: number
  readonly maxPositions: number
  readonly normEps: number
  readonly ropeTheta: number
  readonly ropeScaling: RopeScaling
  /** The output head is the embedding table. */
  readonly tied: boolean
  /** Biases on the query, key and value projections (Qwen2), and on the output projection. */
  readonly qkvBias: boolean
  readonly outputBias: boolean
  /** RMSNorm on each query and key head before RoPE (Qwen3). */
  readonly qkNorm: boolean
  /** Tokens every layer looks back, where the model really uses a window. */
  readonly slidingWindow?: number
  readonly eosTokens: readonly number[]
  readonly bosToken?: number
}

/** Architectures whose forward pass is the engine's. */
const ARCHITECTURES: Readonly<
  Record<
    string,
    {
      readonly modelType: string
      /** Whether `attention_bias` decides on all four projections; other architectures do not read it. */
      readonly biasField: boolean
      readonly qkvBias: boolean
      readonly qkNorm: boolean
      /** `none`: no window; `stated`: used when given; `switched`: only with `use_sliding_window`. */
      readonly window: "none" | "stated" | "switched"
      /** Where it is not hidden_size / num_attention_heads. */
      readonly headDim?: number
    }
  >
> = {
  LlamaForCausalLM: { modelType: "llama", biasField: true, qkvBias: false, qkNorm: false, window: "none" },
  MistralForCausalLM: {
    modelType: "mistral",
    biasField: false,
    qkvBias: false,
    qkNorm: false,
    window: "stated"
  },
  Qwen2ForCausalLM: {
    modelType: "qwen2",
    biasField: false,
    qkvBias: true,
    qkNorm: false,
    window: "switched"
  },
  Qwen3ForCausalLM: {
    modelType: "qwen3",
    biasField: true,
    qkvBias: false,
    qkNorm: true,
    window: "switched",
    headDim: 128
  }
}

type Json = Readonly<Record<string, unknown>>

/** A field's value as a message tells it. */
const told = (value: unknown): string =>
  value === undefined || value === null ? "missing" : JSON.stringify(value)

/** Reads a parsed config.json. Returns every fault found, in words, if there is any. */
export const parseConfig = (json: unknown): ModelConfig | readonly string[] => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return ["it is not a JSON object"]
  const raw = json as Json
  const faults: string[] = []
  const names = Array.isArray(raw["architectures"]) ? raw["architectures"].map(String) : []
  const architecture = ARCHITECTURES[names[0] ?? ""]
  if (architecture === undefined) {
    const known = Object.keys(ARCHITECTURES).join(", ")
    return [`architectures is ${told(raw["architectures"])}; the engine runs ${known}`]
  }
  const positive = (key: string, fallback?: number): number => {
    const value = raw[key] ?? fallback
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value
    faults.push(`${key} is ${told(value)}; a number above 0 is expected`)
    return 1
  }
  const whole = (key: string, fallback?: number): number => {
    const value = positive(key, fallback)
    if (!Number.isInteger(value)) faults.push(`${key} is ${value}; a whole number is expected`)
    return value
  }
  const refuse = (key: string, why: string): void => {
    if (raw[key] !== undefined && raw[key] !== null && raw[key] !== false) faults.push(`${key}: ${why}`)
  }
  const hidden = whole("hidden_size")
  const heads = whole("num_attention_heads")
  const kvHeads = whole("num_key_value_heads", heads)
  const headDim = whole("head_dim", architecture.headDim ?? hidden / heads)
  const maxPositions = whole("max_position_embeddings")
  if (heads % kvHeads !== 0) faults.push(`${heads} query heads do not share ${kvHeads} KV heads evenly`)
  if (headDim % 16 !== 0) faults.push(`head_dim is ${headDim}; the engine needs a multiple of 16`)
  if (hidden % 4 !== 0) faults.push(`hidden_size is ${hidden}; the engine needs a multiple of 4`)
  const intermediate = whole("intermediate_size")
  if (intermediate % 4 !== 0)
    faults.push(`intermediate_size is ${intermediate}; the engine needs a multiple of 4`)
  const activation = raw["hidden_act"] ?? "silu"
  if (activation !== "silu") faults.push(`hidden_act is ${JSON.stringify(activation)}; the engine has silu`)
  refuse("quantization_config", "quantised weights are not supported; use F32, F16 or BF16 ones")
  refuse("mlp_bias", "biases in the MLP are not supported")
  const partial = raw["partial_rotary_factor"]
  if (partial !== undefined && partial !== null && partial !== 1)
    faults.push("partial_rotary_factor: rotating part of a head is not supported")
  const window = slidingWindow(raw, architecture.window, faults)
  const bias = architecture.biasField && raw["attention_bias"] === true
  const parsed: ModelConfig = {
    modelType: architecture.modelType,
    hidden,
    layers: whole("num_hidden_layers"),
    heads,
    kvHeads,
    headDim,
    intermediate,
    vocab: whole("vocab_size"),
    maxPositions,
    normEps: positive("rms_norm_eps", 1e-6),
    ...ropeOf(raw, maxPositions, faults),
    tied: raw["tie_word_embeddings"] === true,
    qkvBias: bias || architecture.qkvBias,
    outputBias: bias,
    qkNorm: architecture.qkNorm,
    ...(window === undefined ? {} : { slidingWindow: window }),
    eosTokens: tokenIds(raw["eos_token_id"]),
    ...(typeof raw["bos_token_id"] === "number" ? { bosToken: raw["bos_token_id"] } : {})
  }
  return faults.length > 0 ? faults : parsed
}

/** One id or several, as configs give them; none for anything else. */
export const tokenIds = (value: unknown): readonly number[] =>
  (Array.isArray(value) ? value : [value]).filter((id): id is number => typeof id === "number")

/** Layers of Qwen2 and Qwen3 without a window, where the config does not say; as transformers has it. */
const FULL_LAYERS = 28

/** Mistral's window is in use whenever it is stated; Qwen's only behind a switch, and then in part of the layers. */
const slidingWindow = (
  raw: Json,
  rule: "none" | "stated" | "switched",
  faults: string[]
): number | undefined => {
  const window = raw["sliding_window"]
  const kinds = Array.isArray(raw["layer_types"]) ? raw["layer_types"] : []
  if (kinds.some((kind) => kind !== "full_attention" && kind !== "sliding_attention")) {
    faults.push(
      `layer_types: ${told([...new Set(kinds)])}; the engine has full_attention and sliding_attention`
    )
    return undefined
  }
  const switchedOff = rule === "switched" && raw["use_sliding_window"] !== true
  if (rule === "none" || switchedOff || window === undefined || window === null) return undefined
  if (typeof window !== "number" || !Number.isInteger(window) || window < 1) {
    faults.push(`sliding_window is ${told(window)}; a whole number above 0 is expected`)
    return undefined
  }
  const layers = Number(raw["num_hidden_layers"])
  const full = kinds.length > 0 ? kinds.filter((kind) => kind === "full_attention").length : undefined
  const without = full ?? (rule === "stated" ? 0 : Number(raw["max_window_layers"] ?? FULL_LAYERS))
  if (without >= layers) return undefined
  if (without === 0) return window
  faults.push(
    `sliding_window: a window in some layers only (${layers - without} of ${layers}) is not supported`
  )
  return undefined
}

/** Both spellings of transformers: `rope_theta` with `rope_scaling`, and `rope_parameters` with everything in it. */
const ropeOf = (
  raw: Json,
  maxPositions: number,
  faults: string[]
): Pick<ModelConfig, "ropeTheta" | "ropeScaling"> => {
  const stated = raw["rope_parameters"] ?? raw["rope_scaling"] ?? {}
  const inner = (typeof stated === "object" ? stated : {}) as Json
  if (
    typeof stated !== "object" ||
    Object.values(inner).some((value) => typeof value === "object" && value !== null)
  )
    faults.push("rope_parameters: one set of parameters for all layers is expected")
  if ((inner["partial_rotary_factor"] ?? 1) !== 1)
    faults.push("rope_parameters.partial_rotary_factor: rotating part of a head is not supported")
  if (inner["truncate"] === false)
    faults.push("rope_parameters.truncate: yarn without rounding of its range is not supported")
  const number = (key: string, fallback?: number): number => {
    const value = inner[key] ?? fallback
    if (typeof value === "number" && value > 0) return value
    faults.push(`rope_scaling.${key} is ${told(value)}; a number above 0 is expected`)
    return 1
  }
  const theta = inner["rope_theta"] ?? raw["rope_theta"] ?? 10_000
  if (typeof theta !== "number" || !(theta > 0)) faults.push(`rope_theta is ${JSON.stringify(theta)}`)
  const ropeTheta = typeof theta === "number" ? theta : 10_000
  const kind = inner["rope_type"] ?? inner["type"] ?? "default"
  switch (kind) {
    case "default":
      return { ropeTheta, ropeScaling: { kind: "none" } }
    case "linear":
      return { ropeTheta, ropeScaling: { kind: "linear", factor: number("factor") } }
    case "llama3":
      return {
        ropeTheta,
        ropeScaling: {
          kind: "llama3",
          factor: number("factor"),
          lowFreqFactor: number("low_freq_factor"),
          highFreqFactor: number("high_freq_factor"),
          originalPositions: number("original_max_position_embeddings", maxPositions)
        }
      }
    case "yarn": {
      const factor = number("factor")
      return {
        ropeTheta,
        ropeScaling: {
          kind: "yarn",
          factor,
          originalPositions: number("original_max_position_embeddings", maxPositions),
          betaFast: number("beta_fast", 32),
          betaSlow: number("beta_slow", 1),
          attentionFactor: yarnAttention(inner, factor)
        }
      }
    }
    default:
      faults.push(`rope_scaling is of type ${JSON.stringify(kind)}; the engine has linear, llama3 and yarn`)
      return { ropeTheta, ropeScaling: { kind: "none" } }
  }
}

/** arXiv:2309.00071: temperature of the attention, by default 0.1 ln(factor) + 1, as transformers computes it. */
const yarnAttention = (inner: Json, factor: number): number => {
  const scale = (mscale: number): number => (factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1)
  const stated = inner["attention_factor"]
  if (typeof stated === "number") return stated
  const mscale = inner["mscale"]
  const all = inner["mscale_all_dim"]
  return typeof mscale === "number" && typeof all === "number" && mscale !== 0 && all !== 0
    ? scale(mscale) / scale(all)
    : scale(1)
}

/** Radians a pair of channels turns per position, head_dim / 2 of them, after scaling, in single precision like transformers. */
export const inverseFrequencies = ({
  headDim,
  ropeTheta,
  ropeScaling: scaling
}: ModelConfig): Float32Array => {
  const half = headDim / 2
  const plain = Float32Array.from({ length: half }, (_, i) => 1 / ropeTheta ** ((2 * i) / headDim))
  switch (scaling.kind) {
    case "none":
      return plain
    case "linear":
      return plain.map((frequency) => frequency / scaling.factor)
    case "llama3": {
      const { factor, lowFreqFactor, highFreqFactor, originalPositions } = scaling
      return plain.map((frequency) => {
        const wavelength = (2 * Math.PI) / frequency
        if (wavelength < originalPositions / highFreqFactor) return frequency
        if (wavelength > originalPositions / lowFreqFactor) return frequency / factor
        const smooth = (originalPositions / wavelength - lowFreqFactor) / (highFreqFactor - lowFreqFactor)
        return ((1 - smooth) * frequency) / factor + smooth * frequency
      })
    }
    case "yarn": {
      const { factor, originalPositions, betaFast, betaSlow } = scaling
      const channelTurning = (turns: number): number =>
        (headDim * Math.log(originalPositions / (turns * 2 * Math.PI))) / (2 * Math.log(ropeTheta))
      const low = Math.max(0, Math.floor(channelTurning(betaFast)))
      const high = Math.min(headDim - 1, Math.ceil(channelTurning(betaSlow)))
      const span = high === low ? 0.001 : high - low
      return plain.map((frequency, i) => {
        const interpolated = Math.min(1, Math.max(0, (i - low) / span))
        return (frequency / factor) * interpolated + frequency * (1 - interpolated)
      })
    }
  }
}

/** (cos, sin) of every position below `positions` and pair of channels, times yarn's attention factor; [position][pair][2]. */
export const ropeTable = (config: ModelConfig, positions: number): Float32Array => {
  const frequencies = inverseFrequencies(config)
  const factor = config.ropeScaling.kind === "yarn" ? config.ropeScaling.attentionFactor : 1
  const table = new Float32Array(positions * frequencies.length * 2)
  for (let position = 0, at = 0; position < positions; position++) {
    for (const frequency of frequencies) {
      // The angle is rounded to single precision, as the reference implementations round it.
      const angle = Math.fround(position * frequency)
      table[at++] = Math.cos(angle) * factor
      table[at++] = Math.sin(angle) * factor
    }
  }
  return table
}

/** Bytes of the full KV of one token. */
export const kvBytesPerToken = (config: ModelConfig, elementBytes: number): number =>
  config.layers * 2 * config.kvHeads * config.headDim * elementBytes
