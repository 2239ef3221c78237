/** A model on disk (or made up), as the engine reads it: its shape and its tensors, one at a time. */
import { Schema, type Effect } from "effect"
import type { ModelConfig } from "../model/config.ts"

export type Dtype = "F32" | "F16" | "BF16"

export interface Tensor {
  /** Hugging Face name, such as `model.layers.0.self_attn.q_proj.weight`. */
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
}

/** A file is missing, broken, or asks for something the engine cannot do; the message says which and what would do. */
export class ModelRefused extends Schema.TaggedError<ModelRefused>()("ModelRefused", {
  file: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.reason}`
  }
}

/** Bytes of a tensor from an offset on, as many as there is room for. */
export interface Part {
  readonly from: number
  readonly into: Uint8Array
}

export interface Checkpoint {
  readonly config: ModelConfig
  readonly tensors: ReadonlyMap<string, Tensor>
  /** Little-endian bytes of one tensor in row-major order, or a part of them, which is then `into`; nothing else is held in memory. */
  readonly read: (name: string, part?: Part) => Effect.Effect<Uint8Array, ModelRefused>
}
