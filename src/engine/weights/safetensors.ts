/** The safetensors format: eight bytes of length, a JSON header, then the tensors' bytes in row-major order. */
import type { Dtype, Tensor } from "./checkpoint.ts"
import { DTYPE_BYTES } from "./dtype.ts"

export interface StoredTensor extends Tensor {
  /** Bytes from the start of the file. */
  readonly from: number
  readonly bytes: number
}

/** Larger headers than this are no headers: the format's own limit. */
const MOST_HEADER = 100_000_000

/** Length of the header, from the first eight bytes; words if that cannot be. */
export const headerLength = (first: Uint8Array, fileBytes: number): number | string => {
  if (first.length < 8) return "it is shorter than eight bytes, so it is no safetensors file"
  const view = new DataView(first.buffer, first.byteOffset, 8)
  const length = Number(view.getBigUint64(0, true))
  if (length > MOST_HEADER || length < 2)
    return `its header claims ${length} bytes, so it is no safetensors file`
  if (8 + length > fileBytes)
    return `its header claims ${length} bytes, the file has ${fileBytes}: it is cut off or no safetensors file`
  return length
}

const isCounts = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => Number.isInteger(one) && one >= 0)

/** Tensors of a file by its header; words if the header is wrong. Tensors of other types than floats are left out. */
export const parseHeader = (
  header: Uint8Array,
  fileBytes: number
): ReadonlyMap<string, StoredTensor> | string => {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header))
  } catch {
    return "its header is no JSON"
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return "its header is no JSON object"
  const start = 8 + header.length
  const tensors = new Map<string, StoredTensor>()
  for (const [name, entry] of Object.entries(json as Record<string, unknown>)) {
    if (name === "__metadata__") continue
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>
    if (typeof dtype !== "string" || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
      return `${name} has no dtype, shape and data_offsets`
    const [from, to] = offsets as readonly [number, number]
    if (to < from || start + to > fileBytes) return `${name} lies outside the file: it is cut off`
    if (!Object.hasOwn(DTYPE_BYTES, dtype)) {
      if (name.endsWith(".weight") || name.endsWith(".bias"))
        return `${name} is ${dtype}; the engine reads F32, F16 and BF16`
      continue
    }
    const bytes = shape.reduce((product, one) => product * one, 1) * DTYPE_BYTES[dtype as Dtype]
    if (bytes !== to - from) return `${name} has ${to - from} bytes, its shape needs ${bytes}`
    tensors.set(name, { name, dtype: dtype as Dtype, shape, from: start + from, bytes })
  }
  return overlap([...tensors.values()]) ?? tensors
}

/** Two tensors over the same bytes are a sign of a broken or malicious file; the format forbids it. */
const overlap = (tensors: readonly StoredTensor[]): string | undefined => {
  const inOrder = tensors.filter(({ bytes }) => bytes > 0).toSorted((a, b) => a.from - b.from)
  const at = inOrder.findIndex(({ from }, i) => i > 0 && from < inOrder[i - 1]!.from + inOrder[i - 1]!.bytes)
  return at < 0 ? undefined : `${inOrder[at - 1]!.name} and ${inOrder[at]!.name} overlap`
}
